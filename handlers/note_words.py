"""How notes are shown: their numbers, dates, lines of a list; and whose a button is."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from commands import Call, WrongArgumentsError, parse_number
from db import File, Hit, Note, Origin
from storage.query import by_clock
from telegram import contents
from telegram.formatted import Formatted, concat
from telegram.lines import around, file_line, first_line
from telegram.replies import Button, Reply, UserError
from telegram.updates import Message

NO_NOTES = "Заметок пока нет. Добавить: /note_add <текст>"
NOT_YOURS = "Это чужая кнопка."
ROW = 5  # buttons of notes beside each other


# Lines


def title(note: Note) -> str:
    """Return the first line of a note, or what files it is."""
    return first_line(note.text) or ", ".join(file_line(file.kind, file.name) for file in note.files[:3])


def line(call: Call, note: Note) -> str:
    """Return a note as a line of a list."""
    return f"{'📌 ' if note.pinned else ''}#{note.number} · {when(call, note.created_at)} · {title(note)}"


def hit_line(call: Call, hit: Hit) -> Formatted:
    """Return a found note as a line, what was found in bold."""
    head = f"#{hit.note.number} · {when(call, hit.note.created_at)} · "
    if not hit.spans:
        return head + title(hit.note), ()
    found, spans = around(hit.note.text, hit.spans)
    bold = [{"type": "bold", "offset": start, "length": length} for start, length in spans]
    return concat((head, ()), (found, bold))


def when(call: Call, time: int) -> str:
    """Return a time as the person's clock has it."""
    return f"{local(call, time):%d.%m.%Y %H:%M}"


def local(call: Call, time: int) -> datetime:
    """Return a time in the person's time zone."""
    return by_clock(time, call.app.settings.timezone)


def spelled(numbers: Sequence[int]) -> str:
    """Return the numbers of several notes, as a range if there is none between them."""
    first, last = numbers[0], numbers[-1]
    if len(numbers) > 1 and list(numbers) == list(range(first, last + 1)):
        return f"#{first}–#{last}"
    return ", ".join(f"#{number}" for number in numbers)


# Buttons: each carries the id of the person it belongs to, and numbers


def tied(call: Call, *numbers: int) -> str:
    """Return the data of a button that only the person who is answered may press."""
    return ".".join(map(str, (call.user_id, *numbers)))


def own(call: Call, *counts: int) -> list[int]:
    """Return the numbers that a button carries, one or as many as these; raises UserError for another's."""
    owner, *numbers = (parse_number(part) for part in call.args.split("."))
    if owner != call.user_id:
        raise UserError(NOT_YOURS)
    if len(numbers) not in (counts or (1,)):
        raise WrongArgumentsError
    return numbers


def note_buttons(call: Call, notes: Sequence[Note], name: str = "note", *more: int) -> list[list[Button]]:
    """Return a button for each note, which carries its number and perhaps more."""
    buttons = [Button(str(note.number), name, tied(call, note.number, *more)) for note in notes]
    return [buttons[start : start + ROW] for start in range(0, len(buttons), ROW)]


# Notes by a reply to one of their messages


def replied_note(call: Call) -> int | None:
    """Return the number of the person's note that the message replied to is, or shows."""
    replied = call.message.reply_to
    return shown_note(call) or (_made_of(call, replied) if replied else None)


def shown_note(call: Call) -> int | None:
    """Return the number of the person's note whose card or receipt is replied to."""
    replied = call.message.reply_to
    known = call.app.pieces.shown_in(call.place.chat_id, replied.id) if replied else None
    return known[1] if known and known[0] == call.user_id else None


def _made_of(call: Call, message: Message) -> int | None:
    piece = call.app.pieces.find(call.place.chat_id, message.id)
    return piece.number if piece and piece.user_id == call.user_id else None


def shows(call: Call, reply: Reply, number: int) -> Reply:
    """Return the reply; who replies to it means this note."""

    def remember(sent: list[int]) -> None:
        call.app.pieces.remember_shown(call.place.chat_id, sent, call.user_id, number)

    return replace(reply, sent=remember)


# Between Telegram's records and those of the file


def files_of(message: Message) -> tuple[File, ...]:
    """Return the files of a message as a note keeps them."""
    return tuple(
        File(file.kind, file.file_id, file.unique_id, file.name, file.mime, file.size or None)
        for file in message.files
    )


def origin_of(message: Message) -> Origin | None:
    """Return where a message came from as a note keeps it."""
    origin = message.origin
    return Origin(origin.name, origin.link, origin.date or None) if origin else None


def attached(note: Note) -> list[contents.File]:
    """Return the files of a note as Telegram gets them."""
    return [
        contents.File(file.kind, file.file_id, file.name, file.mime, file.size or 0, file.file_unique_id)
        for file in note.files
    ]
