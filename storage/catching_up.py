"""Indexing what came into the file without us: notes of an older version, or rows copied from elsewhere."""

import logging
import sqlite3
import time
from collections.abc import Iterator

from storage import notes, word_index
from storage.word_index import ALL, Numbers

log = logging.getLogger(__name__)
_REPORT_S = 3


def catch_up(conn: sqlite3.Connection) -> None:
    """Index the notes whose words are not known, and say in the log how far it is while it lasts.

    Some thousands make a transaction each, so that whoever is killed goes on from there at the next start.
    """
    for user_id, there in conn.execute(
        "SELECT user_id, count(*) FROM notes WHERE deleted_at IS NULL GROUP BY user_id"
    ).fetchall():
        if there != word_index.count(word_index.notes_with(conn, user_id, [ALL])):
            _catch_up_with(conn, user_id)


def _catch_up_with(conn: sqlite3.Connection, user_id: int) -> None:
    missing = _missing(conn, user_id)
    total, done, told = word_index.count(missing), 0, time.monotonic() - _REPORT_S
    for block in sorted(missing):
        numbers = list(word_index.newest_first({block: missing[block]}))
        if time.monotonic() - told >= _REPORT_S:
            told = time.monotonic()
            log.info("Готовлю заметки к поиску: %s из %s", done, total)
        conn.execute("BEGIN IMMEDIATE")
        word_index.add_many(conn, user_id, _texts(conn, user_id, numbers))
        conn.execute("COMMIT")
        done += len(numbers)


def _missing(conn: sqlite3.Connection, user_id: int) -> Numbers:
    """Return the notes without words; if there are words without notes, all notes, and no words any more."""
    there = word_index.numbers_of(
        number
        for (number,) in conn.execute(
            "SELECT number FROM notes WHERE user_id = ? AND deleted_at IS NULL", (user_id,)
        )
    )
    known = word_index.notes_with(conn, user_id, [ALL])
    if word_index.without(known, there):
        conn.execute("BEGIN IMMEDIATE")
        word_index.forget(conn, user_id)
        conn.execute("COMMIT")
        return there
    return word_index.without(there, known)


def _texts(conn: sqlite3.Connection, user_id: int, numbers: list[int]) -> Iterator[tuple[int, str]]:
    return ((note.number, notes.searched(note)) for note in notes.find_all(conn, user_id, numbers))
