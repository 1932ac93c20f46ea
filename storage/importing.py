"""Importing notes of an export; notes that exist already are recognised by their content."""

import sqlite3
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from db import Database
from storage import notes, word_index
from storage.notes import Note


@dataclass(frozen=True, slots=True)
class Imported:
    """How many notes were added, and how many existed already."""

    added: int
    known: int


class Importing:
    """The import of one file, a few hundred notes at a time.

    A note is known if one with the same text, time and files exists; with `to_the_minute`, the same text and
    minute. Equal notes within the file are all added. A note keeps its number if it was never used here,
    otherwise it gets a new one.
    """

    def __init__(self, db: Database, user_id: int, *, to_the_minute: bool = False) -> None:
        self._db = db
        self._user_id = user_id
        self._to_the_minute = to_the_minute
        self._copies: Counter[int] = Counter()  # of each note in the file so far, by hash

    def add(self, batch: Iterable[Note]) -> Imported:
        """Add the new notes of a batch, in one transaction."""
        fresh: list[Note] = []
        known = 0
        with self._db.write() as conn:
            for note in batch:
                if self._is_known(conn, note):
                    known += 1
                    continue
                fresh.append(_with_free_number(conn, self._user_id, note))
                notes.insert(conn, self._user_id, fresh[-1], None)
            texts = ((note.number, notes.indexed(note)) for note in fresh)
            word_index.add_many(conn, self._user_id, texts)
        return Imported(len(fresh), known)

    def _is_known(self, conn: sqlite3.Connection, note: Note) -> bool:
        """Return whether there are already as many equal notes as the file has had so far."""
        unit = 60 if self._to_the_minute else 1
        begin = note.created_at // unit * unit
        files = () if self._to_the_minute else _ids(note)
        like = hash((begin, note.text, files))
        self._copies[like] += 1
        rows = conn.execute(
            f"{notes.LIVING} AND created_at >= ? AND created_at < ? AND text = ?",
            (self._user_id, begin, begin + unit, note.text),
        )
        there = map(notes.from_row, rows)
        count = sum(self._to_the_minute or _ids(other) == files for other in there)
        return count >= self._copies[like]


def _ids(note: Note) -> tuple[str, ...]:
    return tuple(file.file_unique_id for file in note.files)


def _with_free_number(conn: sqlite3.Connection, user_id: int, note: Note) -> Note:
    (taken,) = conn.execute(
        "SELECT EXISTS (SELECT 1 FROM notes WHERE user_id = ?1 AND number = ?2)"
        " OR EXISTS (SELECT 1 FROM used_numbers WHERE user_id = ?1 AND number >= ?2)",
        (user_id, note.number),
    ).fetchone()
    free = note.number > 0 and not taken
    return note if free else replace(note, number=notes.next_number(conn, user_id))
