"""Making notes from messages, and recording which message is which piece of a note."""

from collections.abc import Iterator
from contextlib import suppress

from commands import Call
from db import Note, NoteNotFoundError
from handlers.note_words import files_of, origin_of
from storage.pieces import note_piece
from telegram.formatted import Formatted, is_blank, piece_of
from telegram.splitting import utf16_len
from telegram.updates import Message, Piece, whole


def source(call: Call, message: Message | None = None) -> str:
    """Return the key of the update behind a change, so that handling it twice changes the note once."""
    return f"update {message.entry_id if message and message.entry_id else call.entry_id}"


def keep(call: Call, message: Message, formatted: Formatted) -> Note:
    """Make a note from a message; `formatted` is its whole text or the end of it."""
    with call.app.db.write():  # the note and its pieces: both or neither
        note = add(call, message, formatted)
        if not message.foreign:
            keep_pieces(call, note, message, utf16_len(message.text) - utf16_len(note.text))
    return note


def add(call: Call, message: Message, formatted: Formatted) -> Note:
    """Make a note from a text, with the message's files and origin."""
    text, entities = ("", ()) if is_blank(formatted[0]) else formatted  # an invisible caption
    return call.app.db.add_note(
        call.user_id,
        text,
        created_at=message.date,
        source=source(call, message),
        entities=tuple(entities),
        origin=origin_of(message),
        files=files_of(message),
    )


def keep_pieces(call: Call, note: Note, message: Message, cut: int, at: int = 0) -> None:
    """Record where a note holds a message's text, without its first `cut` units, from the note's unit `at`.

    Both count UTF-16 units.
    """
    pieces = {
        message_id: note_piece(
            call.user_id, note.number, at + start, piece_of(message.text, start + cut, length), file
        )
        for message_id, start, length, file in _pieces(message, cut)
    }
    call.app.pieces.keep(call.place.chat_id, pieces)


def _pieces(message: Message, cut: int) -> Iterator[Piece]:
    for piece in message.pieces or [whole(message)]:
        begin, end = max(0, piece.start - cut), max(0, piece.start + piece.length - cut)
        yield piece._replace(start=begin, length=end - begin)


def is_there(call: Call, number: int) -> bool:
    """Return whether the note exists outside the bin."""
    with suppress(NoteNotFoundError):
        return bool(call.app.db.get_note(call.user_id, number))
    return False


def brought_back(call: Call, number: int) -> Note:
    """Return a note, restored if it was in the bin; raises NoteNotFoundError."""
    try:
        return call.app.notebook.restore_note(call.user_id, number)
    except NoteNotFoundError:
        return call.app.db.get_note(call.user_id, number)
