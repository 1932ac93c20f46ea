"""Which messages a note was made from, whose edits edit the note, and which messages show a note."""

import sqlite3
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from zlib import crc32

from db import Database
from telegram.splitting import utf16_len


class NotePiece(NamedTuple):
    """The part of a note that came from one message; `start` and `length` are in UTF-16 units."""

    user_id: int
    number: int  # of the note
    start: int
    length: int
    checksum: int
    file: str = ""  # the unique id of the message's file

    def is_(self, text: str) -> bool:
        """Return whether the piece's text, by its checksum, is this."""
        return self.checksum == _checksum(text)


def note_piece(user_id: int, number: int, start: int, text: str, file: str = "") -> NotePiece:
    """Return the piece with this text."""
    return NotePiece(user_id, number, start, utf16_len(text), _checksum(text), file)


class Pieces:
    """The tables `note_pieces` and `note_messages` of a Database."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def keep(self, chat_id: int, pieces: Mapping[int, NotePiece]) -> None:
        """Save pieces by the ids of their messages."""
        with self._db.write() as conn:
            _put(conn, chat_id, pieces)

    def find(self, chat_id: int, message_id: int) -> NotePiece | None:
        """Return the piece that came from a message, or None."""
        query = "SELECT user_id, number, start, length, checksum, file FROM note_pieces"
        row = self._db.row(f"{query} WHERE chat_id = ? AND message_id = ?", chat_id, message_id)
        return NotePiece(*row) if row else None

    def change(self, chat_id: int, message_id: int, old: NotePiece, new: NotePiece, longer: int) -> None:
        """Replace a piece, and move the pieces after it by `longer` units.

        Of several pieces at the same position (empty ones), that of the later message comes after.
        """
        with self._db.write() as conn:
            conn.execute(
                "UPDATE note_pieces SET start = start + ?1 WHERE user_id = ?2 AND number = ?3"
                " AND (start > ?4 OR start = ?4 AND message_id > ?5)",
                (longer, old.user_id, old.number, old.start, message_id),
            )
            _put(conn, chat_id, {message_id: new})

    def remember_shown(self, chat_id: int, message_ids: Iterable[int], user_id: int, number: int) -> None:
        """Save that messages show a note: its receipt, or its card of one or more messages."""
        with self._db.write() as conn:
            conn.executemany(
                "INSERT OR REPLACE INTO note_messages (chat_id, message_id, user_id, number)"
                " VALUES (?, ?, ?, ?)",
                [(chat_id, message_id, user_id, number) for message_id in message_ids],
            )

    def shown_in(self, chat_id: int, message_id: int) -> tuple[int, int] | None:
        """Return the owner's id and the number of the note that a message shows, or None."""
        query = "SELECT user_id, number FROM note_messages WHERE chat_id = ? AND message_id = ?"
        row: tuple[int, int] | None = self._db.row(query, chat_id, message_id)
        return row


def _put(conn: sqlite3.Connection, chat_id: int, pieces: Mapping[int, NotePiece]) -> None:
    conn.executemany(
        "INSERT OR REPLACE INTO note_pieces"
        " (chat_id, message_id, user_id, number, start, length, checksum, file)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [(chat_id, message_id, *piece) for message_id, piece in pieces.items()],
    )


def _checksum(text: str) -> int:
    return crc32(text.encode("utf-8", "surrogatepass"))
