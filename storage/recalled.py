"""Stored texts that buttons refer to by number: queries, lists of notes."""

import sqlite3
from collections.abc import Sequence

from db import Database


class TextGoneError(Exception):
    """The person has no such text."""


class Recalled:
    """The table `recalled` of a Database."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def keep(self, user_id: int, texts: Sequence[str]) -> list[int]:
        """Save texts and return their numbers; the same person's equal texts share one."""
        with self._db.write() as conn:
            return [
                conn.execute(
                    "INSERT INTO recalled (user_id, text) VALUES (?, ?)"
                    " ON CONFLICT (user_id, text) DO UPDATE SET text = excluded.text RETURNING id",
                    (user_id, text),
                ).fetchone()[0]
                for text in texts
            ]

    def text(self, user_id: int, number: int) -> str:
        """Return a text; raises TextGoneError."""
        row = self._db.row("SELECT text FROM recalled WHERE id = ? AND user_id = ?", number, user_id)
        if row is None:
            raise TextGoneError(number)
        return str(row[0])


def forget_lists(conn: sqlite3.Connection) -> None:
    """Delete the lists of note numbers none of which exists, even in the bin; other texts stay."""
    conn.execute(
        """
        WITH lists AS (
            SELECT id, user_id, '[' || replace(text, ' ', ',') || ']' AS numbers FROM recalled
            WHERE text GLOB '[1-9]* [1-9]*' AND NOT text GLOB '*[^0-9 ]*'
        )
        DELETE FROM recalled WHERE id IN (
            SELECT id FROM lists WHERE json_valid(numbers) AND NOT EXISTS (
                SELECT 1 FROM json_each(iif(json_valid(numbers), numbers, '[]')) AS listed
                JOIN notes ON notes.user_id = lists.user_id AND notes.number = listed.value))"""
    )
