"""How notes are shown (numbers, dates, lines of a list), and data of buttons that belong to one person."""

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
ROW = 5  # note buttons per row


# Lines


def title(note: Note) -> str:
    """Return the first line of a note, or the names of its first three files."""
    return first_line(note.text) or ", ".join(file_line(file.kind, file.name) for file in note.files[:3])


def line(call: Call, note: Note) -> str:
    """Return a note as a line of a list."""
    return f"{'📌 ' if note.pinned else ''}#{note.number} · {when(call, note.created_at)} · {title(note)}"


def hit_line(call: Call, hit: Hit) -> Formatted:
    """Return a found note as a line, with the matches in bold."""
    head = f"#{hit.note.number} · {when(call, hit.note.created_at)} · "
    if not hit.spans:
        return head + title(hit.note), ()
    found, spans = around(hit.note.text, hit.spans)
    bold = [{"type": "bold", "offset": start, "length": length} for start, length in spans]
    return concat((head, ()), (found, bold))


def when(call: Call, time: int) -> str:
    """Return a Unix time as local date and time."""
    return f"{local(call, time):%d.%m.%Y %H:%M}"


def local(call: Call, time: int) -> datetime:
    """Return a Unix time in the configured time zone."""
    return by_clock(time, call.app.settings.timezone)


def spelled(numbers: Sequence[int]) -> str:
    """Return note numbers as text; consecutive ones as a range."""
    first, last = numbers[0], numbers[-1]
    if len(numbers) > 1 and list(numbers) == list(range(first, last + 1)):
        return f"#{first}–#{last}"
    return ", ".join(f"#{number}" for number in numbers)


# Buttons: the data holds the id of the person who may press it, then numbers


def tied(call: Call, *numbers: int) -> str:
    """Return data for a button that only the person who gets this answer may press."""
    return ".".join(map(str, (call.user_id, *numbers)))


def own(call: Call, *counts: int) -> list[int]:
    """Return the numbers in a pressed button's data; `counts` says how many there may be, one by default.

    Raises UserError for another person's button, WrongArgumentsError for anything malformed.
    """
    owner, *numbers = (parse_number(part) for part in call.args.split("."))
    if owner != call.user_id:
        raise UserError(NOT_YOURS)
    if len(numbers) not in (counts or (1,)):
        raise WrongArgumentsError
    return numbers


def note_buttons(call: Call, notes: Sequence[Note], name: str = "note", *more: int) -> list[list[Button]]:
    """Return rows of buttons, one per note; the data is the note's number and `more`."""
    buttons = [Button(str(note.number), name, tied(call, note.number, *more)) for note in notes]
    return [buttons[start : start + ROW] for start in range(0, len(buttons), ROW)]


# Which note a reply refers to


def replied_note(call: Call) -> int | None:
    """Return the number of the person's note that was made from the replied-to message, or is shown in it."""
    replied = call.message.reply_to
    return shown_note(call) or (_made_of(call, replied) if replied else None)


def shown_note(call: Call) -> int | None:
    """Return the number of the person's note whose card or receipt was replied to."""
    replied = call.message.reply_to
    known = call.app.pieces.shown_in(call.place.chat_id, replied.id) if replied else None
    return known[1] if known and known[0] == call.user_id else None


def _made_of(call: Call, message: Message) -> int | None:
    piece = call.app.pieces.find(call.place.chat_id, message.id)
    return piece.number if piece and piece.user_id == call.user_id else None


def shows(call: Call, reply: Reply, number: int) -> Reply:
    """Return the reply, set up so that a reply to it refers to this note."""

    def remember(sent: list[int]) -> None:
        call.app.pieces.remember_shown(call.place.chat_id, sent, call.user_id, number)

    return replace(reply, sent=remember)


# Conversion between Telegram's records and the database's


def files_of(message: Message) -> tuple[File, ...]:
    """Return a message's files as database records."""
    return tuple(
        File(file.kind, file.file_id, file.unique_id, file.name, file.mime, file.size or None)
        for file in message.files
    )


def origin_of(message: Message) -> Origin | None:
    """Return a message's origin as a database record."""
    origin = message.origin
    return Origin(origin.name, origin.link, origin.date or None) if origin else None


def attached(note: Note) -> list[contents.File]:
    """Return a note's files as Telegram's records."""
    return [
        contents.File(file.kind, file.file_id, file.name, file.mime, file.size or 0, file.file_unique_id)
        for file in note.files
    ]
