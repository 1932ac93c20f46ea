"""Messages that are not commands: saved as a note, or sent to the model as a question."""

import re
import time
from contextlib import suppress
from dataclasses import replace

from answers.media import find_media
from commands import Call, button
from db import Note, NoteNotFoundError
from handlers.basics import unknown_command
from handlers.changing import NOTHING_IN_IT, add_to
from handlers.choices import PLAIN, RECEIPT, chosen
from handlers.imports import GONE, look_into, may_be_export
from handlers.keeping import brought_back, is_there, keep, source
from handlers.lists import MAX_TAPS
from handlers.note_words import attached, note_buttons, own, shown_note, shows, spelled, tied
from handlers.questions import NOTHING_TO_READ, about_file, in_reply, media_in, put_question
from telegram.formatted import is_blank
from telegram.replies import Button, Reply, UserError
from telegram.updates import Message

WHICH = "Записать или спросить?"
WHAT_IS_IT = "Что здесь?"


def plain_message(call: Call) -> Reply | str:
    """A message without a command: a note, a question, or a reply to one; in a group only replies count."""
    if reply := in_reply(call):
        return reply
    if (number := shown_note(call)) and is_there(call, number):
        return add_to(call, number)
    if reply := about_file(call):
        return reply
    if not (call.private and call.message.written):
        return ""
    if name := _mistyped(call):
        return unknown_command(replace(call, name=name))
    return look_into(call, lambda: _take(call)) if may_be_export(call.message) else _take(call)


def _mistyped(call: Call) -> str:
    """Return the name of a command typed in letters no command has, like «/привет»; "" for «/etc/hosts»."""
    found = None if call.message.foreign else re.match(r"/([^\W\d][\w-]*)(?:\s|$)", call.message.text)
    return found[1] if found else ""


def _take(call: Call) -> Reply:
    """Save a message, or ask the model, or offer both, as the person chose in /settings."""
    batch = [message for message in call.batch if message.files or not is_blank(message.text)]
    if not batch:
        raise UserError(NOTHING_IN_IT)
    plain = chosen(call, PLAIN)
    if plain == "ask" and _could_be_asked(batch):
        return put_question(call, call.message.text.strip(), media=media_in(call.message))
    with call.app.db.write():
        notes = [keep(call, message, (message.text, message.entities)) for message in batch]
    if plain == "each" and _could_be_asked(batch):
        return _which(call, notes[0])
    return receipt(call, notes, question=True)


def _could_be_asked(batch: list[Message]) -> bool:
    """Return whether a message is the person's own words, and a model can read all of its files."""
    message = batch[0]
    if len(batch) > 1 or message.foreign or is_blank(message.text):
        return False
    with suppress(UserError):
        return not message.files or bool(media_in(message))
    return False


def _which(call: Call, note: Note) -> Reply:
    """Ask what to do with a text; until the person decides, it waits in the bin, so it cannot be lost."""
    call.app.db.delete_note(call.user_id, note.number, deleted_at=call.date, source=source(call))
    data = tied(call, note.number)
    return Reply(WHICH, buttons=[[Button("📝 Записать", "keep", data), Button("🤖 Спросить", "askit", data)]])


def receipt(call: Call, notes: list[Note], *, question: bool = False, in_place: bool = False) -> Reply:
    """Report what was saved; `question` offers to ask it instead, and allows a reaction as the receipt."""
    if len(notes) > 1:
        return _receipt_of_several(call, notes)
    number = notes[0].number
    data = tied(call, number)
    asking = [Button("🤖 Спросить", "askit", data)] if question and _may_be_question(notes[0]) else []
    reply = Reply(
        f"Заметка #{number} сохранена.",
        buttons=[[*asking, Button("↩️ Убрать", "drop", data)]],
        in_place=in_place,
        reaction="👌" if question and not in_place and chosen(call, RECEIPT) == "reaction" else "",
        reacted_to=_other_messages(call),
    )
    return shows(call, reply, number)


def _may_be_question(note: Note) -> bool:
    with suppress(UserError):
        return not is_blank(note.text) or find_media(attached(note)) is not None
    return False


def _receipt_of_several(call: Call, notes: list[Note]) -> Reply:
    numbers = [note.number for note in notes]
    (kept,) = call.app.recalled.keep(call.user_id, [" ".join(map(str, numbers))])
    return Reply(
        f"Заметки {spelled(numbers)} сохранены.",
        buttons=[*note_buttons(call, notes[:MAX_TAPS]), [Button("↩️ Убрать", "dropall", tied(call, kept))]],
        reaction="👌" if chosen(call, RECEIPT) == "reaction" else "",
        reacted_to=_other_messages(call),
    )


def _other_messages(call: Call) -> list[int]:
    """Return the ids of the action's other messages; none for an album, which looks like one message."""
    texts = [piece.message_id for piece in call.message.pieces[1:] if not call.message.album]
    return texts + [message.id for message in call.batch[1:]]


@button("keep")
def press_keep(call: Call) -> Reply:
    """«📝 Записать»: the waiting text becomes a note."""
    return receipt(call, [brought_back(call, *own(call))], question=True, in_place=True)


@button("import_not")
def keep_file(call: Call) -> Reply:
    """«📎 Оставить файлом»: the file becomes an ordinary note."""
    replied = call.message.reply_to
    if replied is None or not may_be_export(replied):
        raise UserError(GONE)
    note = keep(call, replace(replied, date=call.date), (replied.text, replied.entities))
    return receipt(call, [note], in_place=True)


@button("askit")
def press_ask(call: Call) -> Reply:
    """«🤖 Спросить»: the note's text goes to the model; the note is deleted only once there is an answer."""
    note = brought_back(call, *own(call))
    media = find_media(attached(note))
    if is_blank(note.text) and not media:
        raise UserError(NOTHING_TO_READ)
    question = WHAT_IS_IT if is_blank(note.text) else note.text
    return put_question(
        call,
        question.strip(),
        media=media.to_json() if media else "",
        files=len(note.files),
        in_place=True,
        answered=lambda: _take_back(call, note.number),
    )


def _take_back(call: Call, number: int) -> None:
    with suppress(NoteNotFoundError):  # the person has deleted it already
        call.app.db.delete_note(call.user_id, number, deleted_at=int(time.time()), source=source(call))
