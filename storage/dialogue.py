"""Conversations: questions with their answers, each knowing the turn before it."""

import sqlite3
import time
from collections.abc import Sequence
from dataclasses import astuple, dataclass, field

from db import Database
from storage.journal import note_answer
from storage.registry import Attempt, note_attempts


@dataclass(frozen=True, slots=True)
class Turn:
    """A question, and its answer as soon as there is one."""

    id: int  # 0: not kept yet
    parent_id: int | None
    user_id: int
    model_id: int  # that was asked
    question: str = field(repr=False)
    context: str = field(default="", repr=False)  # a text that the question is about
    media: str = field(default="", repr=False)  # JSON of a Media
    answer: str = field(default="", repr=False)


class TurnNotFoundError(Exception):
    """There is no such turn."""


_TURN = "id, parent_id, user_id, model_id, question, context, media, answer"


class Dialogue:
    """The tables `turns` and `turn_messages` of a Database."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def begin(self, entry_id: int, turn: Turn, chat_id: int, message_ids: Sequence[int]) -> Turn:
        """Keep a question, and the messages that its answer will stand in; returns it with its id.

        Of the same entry of the journal again it is the same turn.
        """
        with self._db.write() as conn:
            row = conn.execute(
                "INSERT INTO turns"
                " (entry_id, parent_id, user_id, model_id, question, context, media, asked_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, 0)"
                " ON CONFLICT (entry_id) DO UPDATE SET entry_id = excluded.entry_id"
                f" RETURNING {_TURN}",
                (entry_id, *astuple(turn)[1:7]),
            ).fetchone()
            kept = Turn(*row)
            _stand_in(conn, entry_id, kept.id, chat_id, message_ids)
        return kept

    def stands_in(self, entry_id: int, turn_id: int, chat_id: int, message_ids: Sequence[int]) -> None:
        """Note the messages that an answer stands in by now."""
        with self._db.write() as conn:
            _stand_in(conn, entry_id, turn_id, chat_id, message_ids)

    def finish(
        self, turn: Turn, answer: str, finish_reason: str | None, attempts: Sequence[Attempt], *, asked: bool
    ) -> None:
        """Keep the answer and how the models did; `asked`: it counts as a question, whatever came of it."""
        with self._db.write() as conn:
            conn.execute(
                "UPDATE turns SET answer = ?, finish_reason = ?, asked_at = ? WHERE id = ?",
                (answer, finish_reason, int(time.time()) if asked else 0, turn.id),
            )
            note_attempts(conn, turn.user_id, attempts)

    def note_aside(self, user_id: int, attempt: Attempt) -> None:
        """Count a question that is no part of any conversation."""
        with self._db.write() as conn:
            conn.execute(
                "INSERT INTO turns (user_id, model_id, question, asked_at) VALUES (?, ?, '', ?)",
                (user_id, attempt.model_id, int(time.time())),
            )
            note_attempts(conn, user_id, [attempt])

    def begun_by(self, entry_id: int) -> Turn | None:
        """Return the turn that an entry of the journal has begun already; None if it has not."""
        row = self._db.row(f"SELECT {_TURN} FROM turns WHERE entry_id = ?", entry_id)
        return Turn(*row) if row else None

    def get(self, turn_id: int) -> Turn:
        """Return a turn; raises TurnNotFoundError."""
        row = self._db.row(f"SELECT {_TURN} FROM turns WHERE id = ?", turn_id)
        if row is None:
            raise TurnNotFoundError(turn_id)
        return Turn(*row)

    def in_message(self, chat_id: int, message_id: int) -> Turn | None:
        """Return the turn whose answer stands in a message; None for a message of any other kind."""
        query = f"SELECT {_TURN} FROM turns JOIN turn_messages ON turn_id = id"
        row = self._db.row(f"{query} WHERE chat_id = ? AND message_id = ?", chat_id, message_id)
        return Turn(*row) if row else None

    def past(self, turn: Turn) -> list[Turn]:
        """Return the answered turns before this one in its conversation, the oldest first."""
        rows = self._db.rows(
            "WITH RECURSIVE past AS ("
            " SELECT * FROM turns WHERE id = ?"
            " UNION ALL SELECT turns.* FROM turns JOIN past ON turns.id = past.parent_id)"
            f" SELECT {_TURN} FROM past WHERE answer != ''",
            turn.parent_id,
        )
        return [Turn(*row) for row in rows][::-1]


def _stand_in(
    conn: sqlite3.Connection, entry_id: int, turn_id: int, chat_id: int, message_ids: Sequence[int]
) -> None:
    note_answer(conn, entry_id, message_ids)
    conn.executemany(
        "INSERT INTO turn_messages (chat_id, message_id, turn_id) VALUES (?, ?, ?)"
        " ON CONFLICT (chat_id, message_id) DO UPDATE SET turn_id = excluded.turn_id",
        [(chat_id, message_id, turn_id) for message_id in message_ids],
    )
