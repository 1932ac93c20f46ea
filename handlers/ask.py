"""/ask, replies to answers, and the buttons under an answer."""

from answers.media import needs
from commands import MODELS, Call, button, command, parse_number
from db import Model, UnknownModelError
from handlers.models import OFFERED
from handlers.questions import (
    NOTHING_TO_READ,
    answered_in,
    files_sent,
    may_spend_on,
    media_in,
    own_media,
    put_question,
)
from storage.dialogue import Turn
from telegram.formatted import concat
from telegram.lines import first_line
from telegram.markdown import markdown
from telegram.replies import Button, Reply, UserError
from telegram.updates import Message

GO_ON = "Продолжай ровно с того места, где остановился, ничего не повторяя."
NOT_YOURS = "Это ответ на чужой вопрос."


@command("ask", "<вопрос>", "Задать вопрос модели", group=MODELS, asks_a_model=True)
def ask(call: Call) -> Reply:
    """/ask почему небо голубое: «⏳» turns into the answer; sent as a reply, it asks about that message."""
    question, replied = call.text().strip(), call.message.reply_to
    context, media = _context(call, replied), own_media(call.message) or media_in(replied)
    if replied and not context and not media:
        raise UserError(NOTHING_TO_READ)
    return put_question(call, question, context=context, media=media, files=files_sent(call))


@button("again")
def again(call: Call) -> Reply:
    """«🔁 Ещё раз»: the same question to the same model."""
    turn = own_turn(call, call.args)
    return _repeat(call, turn, _model_of(call, turn))


@button("more")
def more(call: Call) -> Reply:
    """«➡️ Продолжить»: the model continues an answer that was cut off."""
    turn = own_turn(call, call.args)
    return put_question(call, GO_ON, model=_model_of(call, turn), parent_id=turn.id)


@button("other")
def other(call: Call) -> Reply:
    """«🤖 Другая модель»: a button for each model that can answer this question."""
    turn = own_turn(call, call.args)
    able = [m for m in call.app.db.list_models() if needs(turn) <= m.inputs and _may_ask(call, m)]
    rows = [[Button(model.label, "with", f"{turn.id}.{model.id}")] for model in able[:OFFERED]]
    rest = (
        f"\n(первые {OFFERED} из {len(able)}; остальные: /model <часть имени>)" if len(able) > OFFERED else ""
    )
    return Reply(f"Кого спросить: «{first_line(turn.question)}»?{rest}", buttons=rows)


@button("with")
def ask_with(call: Call) -> Reply:
    """A model's button under «🤖 Другая модель»: the same question to that model."""
    turn_id, _, model_id = call.args.partition(".")
    turn = own_turn(call, turn_id)
    model = call.app.db.get_model(parse_number(model_id))
    if not _may_ask(call, model):
        raise UnknownModelError(model_id)
    return _repeat(call, turn, model)


@button("save")
def save(call: Call) -> Reply:
    """«📝 В заметки»: question and answer become a note."""
    turn = own_turn(call, call.args)
    answer = markdown(turn.answer)
    text, entities = concat((f"{turn.question}\n\n", ()), answer if answer[0] else (turn.answer, ()))
    # It goes to the person who pressed, who may be the owner looking at a guest's answer.
    source = f"answer {turn.id} for {call.user_id}"
    note = call.app.db.add_note(call.user_id, text, entities=entities, created_at=call.date, source=source)
    if note.deleted_at:  # deleted since: pressing again restores it
        note = call.app.notebook.restore_note(call.user_id, note.number)
    return Reply(notice=f"В заметках: #{note.number}")


@button("stop")
def stop(call: Call) -> Reply:
    """«⏹ Стоп»: the answer stops growing; what has arrived stays."""
    number = call.number()
    work = call.app.works.get(number)
    asker = work.user_id if work else call.app.questions.asker(number)
    if asker is None or (work and work.ending):
        return Reply(notice="Уже закончено.")
    if call.user_id not in (asker, call.app.gate.owner):
        raise UserError(NOT_YOURS)
    if work:
        work.stopped = True
    else:
        call.app.questions.stop(number)
    return Reply(notice="Останавливаю.")


def _repeat(call: Call, turn: Turn, model: Model) -> Reply:
    return put_question(
        call, turn.question, model=model, parent_id=turn.parent_id, context=turn.context, media=turn.media
    )


def _may_ask(call: Call, model: Model) -> bool:
    return model.available and may_spend_on(call, model)


def own_turn(call: Call, turn_id: str) -> Turn:
    """Return the turn of a pressed button; raises UserError unless its asker or the owner pressed it."""
    turn = call.app.dialogue.get(parse_number(turn_id))
    if call.user_id not in (turn.user_id, call.app.gate.owner):
        raise UserError(NOT_YOURS)
    return turn


def _model_of(call: Call, turn: Turn) -> Model:
    """Return the model that was asked, or the active one if that one is no longer available."""
    same = [m for m in call.app.db.list_models() if m.id == turn.model_id and m.available]
    return same[0] if same else call.app.db.get_active_model()


def _context(call: Call, replied: Message | None) -> str:
    """Return the text that the command replies to: the quoted part, the whole answer, or the message."""
    if replied is None:
        return ""
    turn = answered_in(call, replied)
    return call.message.quote or (turn and turn.answer) or replied.text
