"""Conversations: questions with their answers, each linked to the turn before it."""

import sqlite3
import time
from collections.abc import Sequence
from dataclasses import astuple, dataclass, field

from db import Database
from storage.journal import note_answer
from storage.registry import Attempt, note_attempts


@dataclass(frozen=True, slots=True)
class Turn:
    """A question, and its answer once there is one."""

    id: int  # 0 if not saved yet
    parent_id: int | None
    user_id: int
    model_id: int  # the model that was asked
    question: str = field(repr=False)
    context: str = field(default="", repr=False)  # the text that the question is about
    media: str = field(default="", repr=False)  # a Media as JSON
    answer: str = field(default="", repr=False)


class TurnNotFoundError(Exception):
    """There is no such turn."""


_TURN = "id, parent_id, user_id, model_id, question, context, media, answer"


class Dialogue:
    """The tables `turns` and `turn_messages` of a Database."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def begin(self, entry_id: int, turn: Turn, chat_id: int, message_ids: Sequence[int]) -> Turn:
        """Save a question and the messages of its answer; return the turn with its id.

        For the same journal entry again, it returns the same turn.
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
        """Save the ids of the messages that now hold an answer."""
        with self._db.write() as conn:
            _stand_in(conn, entry_id, turn_id, chat_id, message_ids)

    def finish(
        self, turn: Turn, answer: str, finish_reason: str | None, attempts: Sequence[Attempt], *, asked: bool
    ) -> None:
        """Save the answer and the attempts; with `asked` it counts in /usage, even if it failed."""
        with self._db.write() as conn:
            conn.execute(
                "UPDATE turns SET answer = ?, finish_reason = ?, asked_at = ? WHERE id = ?",
                (answer, finish_reason, int(time.time()) if asked else 0, turn.id),
            )
            note_attempts(conn, turn.user_id, attempts)

    def note_aside(self, user_id: int, attempt: Attempt) -> None:
        """Count a question that belongs to no conversation."""
        with self._db.write() as conn:
            conn.execute(
                "INSERT INTO turns (user_id, model_id, question, asked_at) VALUES (?, ?, '', ?)",
                (user_id, attempt.model_id, int(time.time())),
            )
            note_attempts(conn, user_id, [attempt])

    def begun_by(self, entry_id: int) -> Turn | None:
        """Return the turn that a journal entry began, or None."""
        row = self._db.row(f"SELECT {_TURN} FROM turns WHERE entry_id = ?", entry_id)
        return Turn(*row) if row else None

    def get(self, turn_id: int) -> Turn:
        """Return a turn; raises TurnNotFoundError."""
        row = self._db.row(f"SELECT {_TURN} FROM turns WHERE id = ?", turn_id)
        if row is None:
            raise TurnNotFoundError(turn_id)
        return Turn(*row)

    def in_message(self, chat_id: int, message_id: int) -> Turn | None:
        """Return the turn whose answer is in a message, or None."""
        query = f"SELECT {_TURN} FROM turns JOIN turn_messages ON turn_id = id"
        row = self._db.row(f"{query} WHERE chat_id = ? AND message_id = ?", chat_id, message_id)
        return Turn(*row) if row else None

    def past(self, turn: Turn) -> list[Turn]:
        """Return the earlier answered turns of the conversation, the oldest first."""
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
