"""The journal of updates: each is saved here before it is confirmed to Telegram.

An update is 'new' until its answer is delivered, then 'done' and without its body. What is still 'new' when
the program starts is resumed in order; an update that keeps failing is 'parked'.
"""

import json
import sqlite3
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from db import Database

KEEP_DONE_S = 2 * 86_400  # Telegram keeps updates for 24 hours at most
KEEP_PARKED_S = 30 * 86_400
PRUNED_AT_ONCE = 100

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """An unanswered update; `answer_ids` are the messages in which its answer has begun."""

    entry_id: int  # the journal's number, not Telegram's update_id
    body: Body = field(repr=False)  # holds a person's text, so it must not be logged
    received_at: int
    tries: int = 0
    answer_ids: tuple[int, ...] = ()


class Journal:
    """The table `updates` of a Database."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, bodies: Sequence[Body]) -> list[Entry]:
        """Write a batch to disk, synced; return the entries of the new updates, without repeated ones."""
        now = int(time.time())
        with self._db.write(synced=True) as conn:
            _forget(conn, "done", now - KEEP_DONE_S)
            _forget(conn, "parked", now - KEEP_PARKED_S)
            numbers = [_add(conn, body, now) for body in bodies]
        return [Entry(number, body, now) for number, body in zip(numbers, bodies, strict=True) if number]

    def unanswered(self) -> list[Entry]:
        """Return what an earlier run left unanswered, in order of arrival."""
        rows = self._db.rows(f"SELECT {_ENTRY} FROM updates WHERE state = 'new' ORDER BY id")
        return [_entry(*row) for row in rows]

    def find(self, entry_id: int) -> Entry | None:
        """Return an unanswered update; None if it is answered or unknown."""
        row = self._db.row(f"SELECT {_ENTRY} FROM updates WHERE id = ? AND state = 'new'", entry_id)
        return _entry(*row) if row else None

    def done(self, *entry_ids: int) -> None:
        """Mark updates as answered, in one transaction, and delete their bodies."""
        self._set(entry_ids, "state = 'done', body = NULL")

    def park(self, *entry_ids: int) -> None:
        """Give up on updates that cannot be handled; their bodies stay for 30 days, for debugging."""
        self._set(entry_ids, "state = 'parked'")

    def count_try(self, *entry_ids: int, by: int = 1) -> None:
        """Add `by` to the tries of unanswered updates; -1 takes a try back."""
        self._set(entry_ids, "tries = max(0, tries + ?)", by)

    def answered_in(self, entry_id: int, message_ids: Iterable[int]) -> None:
        """Save the messages of an answer, so that it can continue there after a restart."""
        with self._db.write() as conn:
            note_answer(conn, entry_id, message_ids)

    def _set(self, entry_ids: Sequence[int], what: str, *values: object) -> None:
        if entry_ids:
            with self._db.write() as conn:
                _set(conn, entry_ids, what, *values)


_ENTRY = "id, body, received_at, tries, answer_ids"


def _entry(entry_id: int, body: str, received_at: int, tries: int, answer_ids: str) -> Entry:
    numbers = tuple(map(int, answer_ids.split(","))) if answer_ids else ()
    return Entry(entry_id, json.loads(body), received_at, tries, numbers)


def note_answer(conn: sqlite3.Connection, entry_id: int, message_ids: Iterable[int]) -> None:
    """Save the messages of an answer; the caller has begun the transaction."""
    _set(conn, [entry_id], "answer_ids = ?", ",".join(map(str, message_ids)))


def _set(conn: sqlite3.Connection, entry_ids: Iterable[int], what: str, *values: object) -> None:
    conn.executemany(
        f"UPDATE updates SET {what} WHERE id = ? AND state = 'new'",
        [(*values, entry_id) for entry_id in entry_ids],
    )


def _add(conn: sqlite3.Connection, body: Body, now: int) -> int | None:
    """Insert an update; return its entry_id, or None if it was delivered before.

    An entry_id is never below the current time in microseconds: notes and questions keep the entry_id they
    come from, so a new journal beside old notes must not give it out again.
    """
    row = conn.execute(
        "INSERT INTO updates (id, update_id, identity, body, received_at)"
        " VALUES (max(?, 1 + coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'updates'), 0)),"
        " ?, ?, ?, ?) ON CONFLICT (update_id, identity) DO NOTHING RETURNING id",
        (time.time_ns() // 1_000, body["update_id"], identity(body), json.dumps(body), now),
    ).fetchone()
    return row[0] if row else None


def _forget(conn: sqlite3.Connection, state: str, before: int) -> None:
    """Delete up to a hundred of the oldest; the index makes it fast however many rows there are."""
    conn.execute(
        "DELETE FROM updates WHERE id IN"
        " (SELECT id FROM updates WHERE state = ? AND received_at < ? ORDER BY received_at LIMIT ?)",
        (state, before, PRUNED_AT_ONCE),
    )


def identity(body: Body) -> str:
    """Return a key that is equal for the same update delivered twice, and differs for any other update."""
    facts = []
    for kind, content in sorted(body.items()):
        if isinstance(content, dict):
            whose = [
                part.get("id")
                for part in (content.get("from"), content.get("chat"))
                if isinstance(part, dict)
            ]
            facts.append([kind, *(content.get(fact) for fact in ("id", "message_id", "date")), *whose])
    return json.dumps(facts)
