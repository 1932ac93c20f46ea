"""The people who may use the bot, and the one-time codes that let somebody in."""

import hashlib
import secrets
import sqlite3
import time
from dataclasses import dataclass

from db import Database

INVITE_LASTS_S = 86_400
_FOR_EVER = 2**62


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may use the bot."""

    user_id: int
    name: str
    owner: bool


class PersonNotFoundError(Exception):
    """No guest has this id."""


class People:
    """The tables `people` and `codes` of a Database."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def list(self) -> list[Person]:
        """Return the people who may use the bot, the owner first."""
        rows = self._db.rows(
            "SELECT user_id, name, owner FROM people WHERE removed_at IS NULL"
            " ORDER BY owner DESC, joined_at, user_id"
        )
        return [Person(user_id, name, bool(owner)) for user_id, name, owner in rows]

    def owner_code(self) -> str:
        """Return a new code that makes its user the owner; it invalidates earlier ones."""
        return self._new_code(owner=True, expires_at=_FOR_EVER)

    def invitation(self) -> str:
        """Return a new code that lets one person in, valid for a day."""
        return self._new_code(owner=False, expires_at=int(time.time()) + INVITE_LASTS_S)

    def join(self, user_id: int, name: str, code: str) -> bool:
        """Use up a code and let the person in; return whether the code was valid."""
        now = int(time.time())
        with self._db.write() as conn:
            row = conn.execute(
                "DELETE FROM codes WHERE hash = ? AND expires_at > ? RETURNING owner",
                (_hash(code), now),
            ).fetchone()
            if row is None:
                return False
            _let_in(conn, user_id, name, owner=row[0], now=now)
        return True

    def remove(self, user_id: int) -> Person:
        """Remove a guest; the notes stay. Raises PersonNotFoundError, also for the owner."""
        with self._db.write() as conn:
            row = conn.execute(
                "UPDATE people SET removed_at = ?"
                " WHERE user_id = ? AND owner = 0 AND removed_at IS NULL RETURNING name",
                (int(time.time()), user_id),
            ).fetchone()
        if row is None:
            raise PersonNotFoundError
        return Person(user_id, row[0], owner=False)

    def _new_code(self, *, owner: bool, expires_at: int) -> str:
        code = secrets.token_urlsafe(18)  # 24 characters, all allowed in a t.me link
        with self._db.write() as conn:
            conn.execute(
                "DELETE FROM codes WHERE expires_at <= ? OR (owner AND ?)",
                (int(time.time()), owner),
            )
            conn.execute(
                "INSERT INTO codes (hash, owner, expires_at) VALUES (?, ?, ?)",
                (_hash(code), owner, expires_at),
            )
        return code


def _let_in(conn: sqlite3.Connection, user_id: int, name: str, *, owner: bool, now: int) -> None:
    conn.execute(
        "INSERT INTO people (user_id, name, owner, joined_at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (user_id) DO UPDATE"
        " SET name = excluded.name, owner = max(owner, excluded.owner), removed_at = NULL",
        (user_id, name, owner, now),
    )
    if owner:  # no second owner code may stay valid
        conn.execute("DELETE FROM codes WHERE owner")


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).hexdigest()
