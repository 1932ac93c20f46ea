"""Indexing notes that are not in the word index: from an older version, or copied in from elsewhere."""

import logging
import sqlite3
import time
from collections.abc import Iterator

from storage import notes, word_index
from storage.numbers import BLOCK, Numbers, count, numbers_of, without
from storage.word_index import ALL

log = logging.getLogger(__name__)
_REPORT_S = 3


def catch_up(conn: sqlite3.Connection) -> None:
    """Index the notes that are not indexed yet, and log the progress.

    Each block of 4,096 numbers is a transaction of its own, so a killed run continues at the next start.
    """
    for user_id, there in conn.execute(
        "SELECT user_id, count(*) FROM notes WHERE deleted_at IS NULL GROUP BY user_id"
    ).fetchall():
        if there != count(word_index.notes_with(conn, user_id, [ALL])):
            _catch_up_with(conn, user_id)


def _catch_up_with(conn: sqlite3.Connection, user_id: int) -> None:
    missing = _missing(conn, user_id)
    total, done, told = count(missing), 0, time.monotonic() - _REPORT_S
    for block, bits in sorted(missing.items()):
        if time.monotonic() - told >= _REPORT_S and total > BLOCK:
            told = time.monotonic()
            log.info("Готовлю заметки к поиску: %s из %s", done, total)
        conn.execute("BEGIN IMMEDIATE")
        word_index.add_many(conn, user_id, _texts(conn, user_id, block, bits))
        conn.execute("COMMIT")
        done += bits.bit_count()


def _missing(conn: sqlite3.Connection, user_id: int) -> Numbers:
    """Return the unindexed notes; if the index holds notes that are gone, drop it and return all notes."""
    there = numbers_of(
        number
        for (number,) in conn.execute(
            "SELECT number FROM notes WHERE user_id = ? AND deleted_at IS NULL", (user_id,)
        )
    )
    known = word_index.notes_with(conn, user_id, [ALL])
    if without(known, there):
        conn.execute("BEGIN IMMEDIATE")
        word_index.forget(conn, user_id)
        conn.execute("COMMIT")
        return there
    return without(there, known)


def _texts(conn: sqlite3.Connection, user_id: int, block: int, bits: int) -> Iterator[tuple[int, str]]:
    first = block * BLOCK
    rows = conn.execute(f"{notes.LIVING} AND number >= ? AND number < ?", (user_id, first, first + BLOCK))
    for note in map(notes.from_row, rows):
        if bits & 1 << (note.number - first):
            yield note.number, notes.indexed(note)
