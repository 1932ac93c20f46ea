"""Sending a question to a model: its media, and a model that can read them."""

from collections.abc import Callable

from answers.asking import Question
from answers.frame import stop_button, waiting
from answers.media import NO_PDF, UNREADABLE, can_read, find_media, needs
from commands import Call
from db import Model
from openrouter_client import missing_key
from storage.dialogue import Turn
from telegram.replies import Reply, UserError
from telegram.updates import OUTSIDE, Message

NO_EYES = "Ни одна из доступных моделей не видит картинок. Список: /models"
NOTHING_TO_READ = "В том сообщении нет ничего, что модель прочтёт: ни текста, ни фото, ни файла."
NOT_YOUR_MONEY = "Модель платная: спрашивать её может только владелец бота. Выберите бесплатную: /models"


def in_reply(call: Call) -> Reply | None:
    """Continue the conversation if the message replies to an answer; None if it does not."""
    question, replied = call.args.strip(), call.message.reply_to
    if question and (turn := answered_in(call, replied)):
        media = own_media(call.message)
        return put_question(call, question, parent_id=turn.id, media=media, files=files_sent(call))
    return None


def about_file(call: Call) -> Reply | None:
    """Ask about the picture or file that the message replies to; None if there is none."""
    question, replied = call.args.strip(), call.message.reply_to
    here = replied and replied.id != OUTSIDE
    if question and call.private and here and media_in(replied):
        return put_question(call, question, media=media_in(replied))
    return None


def put_question(
    call: Call,
    text: str,
    *,
    model: Model | None = None,
    parent_id: int | None = None,
    context: str = "",
    media: str = "",
    files: int = 1,
    in_place: bool = False,
    answered: Callable[[], object] | None = None,
) -> Reply:
    """Return the placeholder reply of a question; sending it starts the question, and the answer replaces it.

    `media` is the first of so many `files`; `in_place` edits the pressed button's message; `answered` is
    called once there is an answer. Raises UserError, and OpenRouterError if the key is missing.
    """
    if not call.app.registry.fallback() and (error := missing_key()):
        raise error
    call.app.questions.check_room(call.user_id)
    asked = model or call.app.db.get_active_model()
    if not may_spend_on(call, asked):
        raise UserError(NOT_YOUR_MONEY)
    turn = Turn(0, parent_id, call.user_id, asked.id, text, context, media)
    able, note = _able(call, turn, asked)
    notes = [note, f"модель получила 1 файл из {files}" if media and files > 1 else ""]
    question = Question(call.entry_id, call.place, turn, able, "; ".join(filter(None, notes)), answered)
    return Reply(
        waiting(able),
        buttons=stop_button(call.entry_id),
        in_place=in_place,
        then=lambda sent: _start(call, question, sent),
    )


def _start(call: Call, question: Question, messages: list[int]) -> None:
    call.app.questions.start(question, messages)
    if not call.app.gate.admits(call.user_id):  # removed while «⏳» was being sent
        call.app.questions.drop(call.user_id)


def _able(call: Call, turn: Turn, model: Model) -> tuple[Model, str]:
    """Return the model if it can read the question's media, else the first that can; and the reason or ""."""
    if can_read(model, turn):
        return model, ""
    registry, sees = call.app.registry, needs(turn)
    others = sorted(registry.substitutes(model, sees), key=lambda other: other.id) + registry.fallback()
    able = [other for other in others if can_read(other, turn)]
    if not able:
        raise UserError(NO_EYES if sees else NO_PDF)
    return able[0], f"{model.key} не {'видит картинок' if sees else 'читает PDF'}"


def may_spend_on(call: Call, model: Model) -> bool:
    """Return whether the person may ask a model: it is free, the owner asks, or the owner made it active."""
    owner = call.app.gate.owner
    return not model.paid or call.user_id == owner or (model.active and owner is not None)


def media_in(message: Message | None) -> str:
    """Return a message's media for a model, as JSON or ""; raises UserError for a file no model can read."""
    media = find_media(message.files) if message else None
    return media.to_json() if media else ""


def own_media(message: Message) -> str:
    """Return the media of the question's own message; raises UserError for a voice message or a video."""
    media = media_in(message)
    if message.files and not media:
        raise UserError(UNREADABLE)
    return media


def files_sent(call: Call) -> int:
    """Return how many files came with a question; an album has several."""
    return sum(len(message.files) for message in call.batch)


def answered_in(call: Call, message: Message | None) -> Turn | None:
    """Return the turn whose answer is in a message, or None."""
    return call.app.dialogue.in_message(call.place.chat_id, message.id) if message else None
