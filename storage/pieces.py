"""The messages that notes were made of, so that an edit of the message becomes one of the note."""

from collections.abc import Iterable
from dataclasses import dataclass
from zlib import crc32

from db import Database


@dataclass(frozen=True, slots=True)
class NotePiece:
    """Where the text of a message stands in a note; places are in UTF-16 units."""

    user_id: int
    number: int  # of the note
    start: int
    length: int
    checksum: int

    def is_(self, text: str) -> bool:
        """Return whether this is its text."""
        return self.checksum == _checksum(text)


class Pieces:
    """The table `note_pieces` of a Database."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def keep(
        self, chat_id: int, user_id: int, number: int, pieces: Iterable[tuple[int, int, int, str]]
    ) -> None:
        """Remember what of a note messages are: the id of each, its place, its length, its text."""
        rows = [
            (chat_id, message_id, user_id, number, start, length, _checksum(text))
            for message_id, start, length, text in pieces
        ]
        with self._db.write() as conn:
            conn.executemany(
                "INSERT OR REPLACE INTO note_pieces"
                " (chat_id, message_id, user_id, number, start, length, checksum)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                rows,
            )

    def find(self, chat_id: int, message_id: int) -> NotePiece | None:
        """Return what of a note a message is; None if it is no part of any."""
        with self._db.read() as conn:
            row = conn.execute(
                "SELECT user_id, number, start, length, checksum FROM note_pieces"
                " WHERE chat_id = ? AND message_id = ?",
                (chat_id, message_id),
            ).fetchone()
        return NotePiece(*row) if row else None

    def resize(self, chat_id: int, message_id: int, piece: NotePiece, length: int, text: str) -> None:
        """Note that a piece has another text; those behind it in the note move on."""
        with self._db.write() as conn:
            conn.execute(
                "UPDATE note_pieces SET start = start + ? WHERE user_id = ? AND number = ? AND start > ?",
                (length - piece.length, piece.user_id, piece.number, piece.start),
            )
            conn.execute(
                "UPDATE note_pieces SET length = ?, checksum = ? WHERE chat_id = ? AND message_id = ?",
                (length, _checksum(text), chat_id, message_id),
            )


def _checksum(text: str) -> int:
    return crc32(text.encode("utf-8", "surrogatepass"))
