"""/note_*: a person's own notes."""

import re
from dataclasses import replace

from commands import Call, WrongArgumentsError, command, parse_number
from db import NoteNotFoundError
from handlers.capture import receipt
from handlers.changing import append, changed, rewrite
from handlers.deleting import delete_named
from handlers.keeping import add, brought_back, is_there, keep, keep_pieces
from handlers.lists import FOUND, LISTED, find, newest
from handlers.note_words import files_of, replied_note
from telegram.formatted import is_blank
from telegram.formatted import lines as joined_lines
from telegram.replies import Reply, UserError
from telegram.splitting import Entity, utf16_len
from telegram.updates import OUTSIDE, Message

ONLY_MARKED = "Из другого чата Telegram показывает мне только выделенное: выделите текст и ответьте на него."
NOTHING_THERE = "В том сообщении нечего сохранить: ни слов, ни файла."


@command("note_add", "<текст>", "Добавить заметку")
def note_add(call: Call) -> Reply:
    """/note_add купить хлеб: saved as written, and its number; sent as a reply, it saves that message."""
    if call.message.reply_to:
        return _add_replied(call, call.message.reply_to)
    if not call.message.files:
        call.text()
    return receipt(call, [keep(call, call.message, (call.args, call.entities))])


@command("note_list", "[N]", "Список заметок")
def note_list(call: Call) -> Reply | str:
    """/note_list 20: the newest notes, each with a line and a button."""
    return newest(call, call.number(100, LISTED))


@command("note_find", "<подстрока>", "Поиск заметок")
def note_find(call: Call) -> Reply:
    """/note_find хлеб: the newest matches, and how many there are."""
    return find(call, call.text().strip(), 0, FOUND)


@command("note_edit", "<id> <текст>", "Изменить заметку")
def note_edit(call: Call) -> Reply:
    """/note_edit 8 купить два: replaces the text; sent as a reply to a note, it needs no number."""
    replied = replied_note(call)
    number, (text, entities) = (replied, call.behind(0)) if replied else _number_and_text(call)
    files = files_of(call.message)
    if is_blank(text):
        if not files:
            raise WrongArgumentsError
        return append(call, number, ("", ()))
    return changed(call, rewrite(call, number, (text, entities), files), "изменена")


@command("note_del", "<id>", "Удалить заметку")
def note_del(call: Call) -> Reply:
    """/note_del 8: the note goes into the bin; the answer shows its first line."""
    return delete_named(call)


@command("note_count", "", "Сколько заметок")
def note_count(call: Call) -> str:
    """/note_count: how many notes there are."""
    return f"Заметок: {call.app.db.count_notes(call.user_id)}."


def _add_replied(call: Call, replied: Message) -> Reply:
    """Save the replied-to message, with the command's own text below it."""
    own_words = "" if is_blank(call.args) else call.args
    number = replied_note(call)
    if number and (reply := _kept_before(call, number, own_words)):
        return reply
    quote = call.message.quote, call.message.quote_entities
    there = quote if call.message.quote else (replied.text, replied.entities)
    text, entities = joined_lines(there, (own_words, call.entities))
    files = replied.files + call.message.files
    if is_blank(text) and not files:
        raise UserError(ONLY_MARKED if replied.id == OUTSIDE else NOTHING_THERE)
    origin = replied.origin or replied.author
    both = replace(replied, date=call.date, files=files, origin=origin, entry_id=call.entry_id)
    note = add(call, both, (text, entities))
    if not (replied.foreign or call.message.quote or _is_anothers_note(call, replied)):
        keep_pieces(call, note, replied, 0)
    length = utf16_len(own_words)
    keep_pieces(call, note, call.message, utf16_len(call.message.text) - length, utf16_len(text) - length)
    return receipt(call, [note])


def _kept_before(call: Call, number: int, own_words: str) -> Reply | None:
    """Append the command's text to a note, restored if it was deleted; None if the note is gone for good."""
    again = not is_there(call, number)
    try:
        note = brought_back(call, number)
    except NoteNotFoundError:  # gone for good
        return None
    if own_words or call.message.files:
        return append(call, number, (own_words, call.entities))
    return receipt(call, [note]) if again else Reply(f"Уже в заметках: #{number}.")


def _is_anothers_note(call: Call, replied: Message) -> bool:
    """Return whether the message is a piece of its author's note, which must go on following its edits."""
    piece = call.app.pieces.find(call.place.chat_id, replied.id) if replied.author else None
    return piece is not None and piece.user_id != call.user_id


def _number_and_text(call: Call) -> tuple[int, tuple[str, tuple[Entity, ...]]]:
    found = re.match(r"\s*(\S+)(?:\s+|$)" if call.message.files else r"\s*(\S+)\s+", call.args)
    if not found:
        raise WrongArgumentsError
    return parse_number(found[1]), call.behind(found.end())
