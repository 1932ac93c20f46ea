"""/ask, replies to answers, and the buttons under an answer."""

from answers.asking import Question
from answers.conversation import NO_PDF, can_read, find_media, needs
from answers.frame import stop_button, waiting
from commands import MODELS, Call, button, command, parse_number
from db import Model, UnknownModelError
from handlers.imports import look_into, may_be_export
from handlers.models import OFFERED
from openrouter_client import missing_key
from storage.dialogue import Turn
from telegram.formatted import concat
from telegram.lines import first_line
from telegram.markdown import markdown
from telegram.replies import Button, Reply, UserError
from telegram.updates import Message

HINT = (
    "Я понимаю команды. Записать мысль: /note_add <текст>, спросить модель: /ask <вопрос>, "
    "продолжить разговор: ответьте на сообщение модели. Все команды: /help"
)
GO_ON = "Продолжай ровно с того места, где остановился, ничего не повторяя."
NO_EYES = "Ни одна из доступных моделей не видит картинок. Список: /models"
NOTHING_TO_READ = "В том сообщении нет ничего, что модель прочтёт: ни текста, ни фото, ни файла."
NOT_YOUR_MONEY = "Модель платная: спрашивать её может только владелец бота. Выберите бесплатную: /models"
NOT_YOURS = "Это ответ на чужой вопрос."


@command("ask", "<вопрос>", "Задать вопрос модели", group=MODELS)
def ask(call: Call) -> Reply:
    """/ask почему небо голубое: the answer grows where «⏳» stands; as a reply it is about that message."""
    question, replied = call.text().strip(), call.message.reply_to
    context, media = _context(call, replied), _media(call.message) or _media(replied)
    if replied and not context and not media:
        raise UserError(NOTHING_TO_READ)
    return put_question(call, question, context=context, media=media)


def plain_message(call: Call) -> Reply | str:
    """Answer what is no command: a reply to an answer goes on with that conversation."""
    question, replied = call.args.strip(), call.message.reply_to
    if question and (turn := _answered_in(call, replied)):
        return put_question(call, question, parent_id=turn.id, media=_media(call.message))
    if question and call.private and _media(replied):
        return put_question(call, question, media=_media(replied))
    if may_be_export(call.message):
        return look_into(call, lambda: Reply(HINT))
    return HINT if call.private and call.message.written else ""


@button("again")
def again(call: Call) -> Reply:
    """«🔁 Ещё раз»: the same question to the same model."""
    turn = own_turn(call, call.args)
    return _repeat(call, turn, _model_of(call, turn))


@button("more")
def more(call: Call) -> Reply:
    """«➡️ Продолжить»: the model goes on where its answer was cut."""
    turn = own_turn(call, call.args)
    return put_question(call, GO_ON, model=_model_of(call, turn), parent_id=turn.id)


@button("other")
def other(call: Call) -> Reply:
    """«🤖 Другая модель»: a button for each that can answer this question."""
    turn = own_turn(call, call.args)
    able = [m for m in call.app.db.list_models() if needs(turn) <= m.inputs and _may_ask(call, m)]
    rows = [[Button(model.label, "with", f"{turn.id}.{model.id}")] for model in able[:OFFERED]]
    rest = (
        f"\n(первые {OFFERED} из {len(able)}; остальные: /model <часть имени>)" if len(able) > OFFERED else ""
    )
    return Reply(f"Кого спросить: «{first_line(turn.question)}»?{rest}", buttons=rows)


@button("with")
def ask_with(call: Call) -> Reply:
    """One of those: the same question to that model."""
    turn_id, _, model_id = call.args.partition(".")
    turn = own_turn(call, turn_id)
    model = call.app.registry.get(parse_number(model_id))
    if not _may_ask(call, model):
        raise UnknownModelError(model_id)
    return _repeat(call, turn, model)


@button("save")
def save(call: Call) -> Reply:
    """«📝 В заметки»: question and answer are kept as a note."""
    turn = own_turn(call, call.args)
    answer = markdown(turn.answer)
    text, entities = concat((f"{turn.question}\n\n", ()), answer if answer[0] else (turn.answer, ()))
    # Into the notebook of whoever pressed, who may be the owner under a guest's answer.
    source = f"answer {turn.id} for {call.user_id}"
    note = call.app.db.add_note(call.user_id, text, entities=entities, created_at=call.date, source=source)
    return Reply(notice=f"В заметках: #{note.number}")


@button("stop")
def stop(call: Call) -> Reply:
    """«⏹ Стоп»: what has come stays, and no more comes."""
    questions, works, number = call.app.questions, call.app.works, call.number()
    worker = works.owner(number)
    asker = questions.asker(number) if worker is None else worker
    if asker is None:
        return Reply(notice="Уже закончено.")
    if call.user_id not in (asker, call.app.gate.owner):
        raise UserError(NOT_YOURS)
    (questions if worker is None else works).stop(number)
    return Reply(notice="Останавливаю.")


def _repeat(call: Call, turn: Turn, model: Model) -> Reply:
    return put_question(
        call, turn.question, model=model, parent_id=turn.parent_id, context=turn.context, media=turn.media
    )


def put_question(
    call: Call,
    text: str,
    *,
    model: Model | None = None,
    parent_id: int | None = None,
    context: str = "",
    media: str = "",
) -> Reply:
    """Put a question on its way; the answer will grow in the message that this reply becomes."""
    if not call.app.registry.fallback() and (error := missing_key()):
        raise error
    call.app.questions.check_room(call.user_id)
    asked = model or call.app.db.get_active_model()
    if not _may_spend_on(call, asked):
        raise UserError(NOT_YOUR_MONEY)
    turn = Turn(0, parent_id, call.user_id, asked.id, text, context, media)
    able, note = _able(call, turn, asked)
    question = Question(call.entry_id, call.place, turn, able, note)
    return Reply(
        waiting(able),
        buttons=stop_button(call.entry_id),
        then=lambda sent: call.app.questions.start(question, sent),
    )


def _able(call: Call, turn: Turn, model: Model) -> tuple[Model, str]:
    """Return the model if it can read what came with the question, else the first that can, and why."""
    if can_read(model, turn):
        return model, ""
    registry, sees = call.app.registry, needs(turn)
    others = sorted(registry.substitutes(model, sees), key=lambda other: other.id) + registry.fallback()
    able = [other for other in others if can_read(other, turn)]
    if not able:
        raise UserError(NO_EYES if sees else NO_PDF)
    return able[0], f"{model.key} не {'видит картинок' if sees else 'читает PDF'}"


def _may_ask(call: Call, model: Model) -> bool:
    """Return whether somebody may ask a model by a button."""
    return model.available and _may_spend_on(call, model)


def _may_spend_on(call: Call, model: Model) -> bool:
    """Return whether a question to it costs nothing, or the owner's money: who asks is he, or he chose it."""
    owner = call.app.gate.owner
    return not model.paid or call.user_id == owner or (model.active and owner is not None)


def own_turn(call: Call, turn_id: str) -> Turn:
    """Return the turn under whose answer a button was pressed, by its asker or by the owner."""
    turn = call.app.dialogue.get(parse_number(turn_id))
    if call.user_id not in (turn.user_id, call.app.gate.owner):
        raise UserError(NOT_YOURS)
    return turn


def _model_of(call: Call, turn: Turn) -> Model:
    """Return the model that was asked, or the active one if that is gone by now."""
    same = [m for m in call.app.db.list_models() if m.id == turn.model_id and m.available]
    return same[0] if same else call.app.db.get_active_model()


def _media(message: Message | None) -> str:
    media = find_media(message.files) if message else None
    return media.to_json() if media else ""


def _answered_in(call: Call, message: Message | None) -> Turn | None:
    """Return the turn whose answer somebody replied to."""
    return call.app.dialogue.in_message(call.place.chat_id, message.id) if message else None


def _context(call: Call, replied: Message | None) -> str:
    """Return the text that the command replies to: the marked part, the whole answer, or the message."""
    if replied is None:
        return ""
    turn = _answered_in(call, replied)
    return call.message.quote or (turn and turn.answer) or replied.text
