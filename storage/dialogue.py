"""Conversations: questions with their answers, each knowing the turn before it."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from db import Database


@dataclass(frozen=True, slots=True)
class Turn:
    """A question, and its answer as soon as there is one."""

    id: int
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

    def begin(
        self,
        entry_id: int,
        user_id: int,
        model_id: int,
        question: str,
        *,
        parent_id: int | None = None,
        context: str = "",
        media: str = "",
    ) -> Turn:
        """Keep a question; of the same entry of the journal again it is the same turn."""
        with self._db.write() as conn:
            row = conn.execute(
                "INSERT INTO turns"
                " (entry_id, user_id, model_id, question, parent_id, context, media, asked_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (entry_id) DO UPDATE SET entry_id = excluded.entry_id"
                f" RETURNING {_TURN}",
                (entry_id, user_id, model_id, question, parent_id, context, media, int(time.time())),
            ).fetchone()
        return Turn(*row)

    def finish(
        self, turn_id: int, answer: str, finish_reason: str | None, chat_id: int, message_ids: Iterable[int]
    ) -> None:
        """Keep the answer and the messages that it stands in."""
        with self._db.write() as conn:
            conn.execute(
                "UPDATE turns SET answer = ?, finish_reason = ? WHERE id = ?",
                (answer, finish_reason, turn_id),
            )
            conn.executemany(
                "INSERT INTO turn_messages (chat_id, message_id, turn_id) VALUES (?, ?, ?)"
                " ON CONFLICT (chat_id, message_id) DO UPDATE SET turn_id = excluded.turn_id",
                [(chat_id, message_id, turn_id) for message_id in message_ids],
            )

    def get(self, turn_id: int) -> Turn:
        """Return a turn; raises TurnNotFoundError."""
        with self._db.read() as conn:
            row = conn.execute(f"SELECT {_TURN} FROM turns WHERE id = ?", (turn_id,)).fetchone()
        if row is None:
            raise TurnNotFoundError(turn_id)
        return Turn(*row)

    def in_message(self, chat_id: int, message_id: int) -> Turn | None:
        """Return the turn whose answer stands in a message; None for a message of any other kind."""
        with self._db.read() as conn:
            row = conn.execute(
                f"SELECT {_TURN} FROM turns JOIN turn_messages ON turn_id = id"
                " WHERE chat_id = ? AND message_id = ?",
                (chat_id, message_id),
            ).fetchone()
        return Turn(*row) if row else None

    def past(self, turn: Turn) -> list[Turn]:
        """Return the answered turns before this one in its conversation, the oldest first."""
        with self._db.read() as conn:
            rows = conn.execute(
                "WITH RECURSIVE past AS ("
                " SELECT * FROM turns WHERE id = ?"
                " UNION ALL SELECT turns.* FROM turns JOIN past ON turns.id = past.parent_id)"
                f" SELECT {_TURN} FROM past WHERE answer != ''",
                (turn.parent_id,),
            )
            return [Turn(*row) for row in rows][::-1]
