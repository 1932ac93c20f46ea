"""The SQLite file: its transactions, and the helpers for notes and for the registry of models.

One public method is one transaction. Rows come back as frozen records; what is not there is an exception
that carries data and no words. Errors of SQLite itself (full disk, locked file) pass through unchanged:
whoever talks to a person words them. `migrations` opens the file; the other tables have modules in `storage`.
"""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from migrations import create_private, prepare
from storage.folding import fold


class FileReplacedError(Exception):
    """The file was deleted or replaced while it was open: what is written now would be gone later."""


class NoteNotFoundError(Exception):
    """This person has no such note."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class UnknownModelError(Exception):
    """The registry has no such model."""


class NoModelsError(Exception):
    """The registry is empty."""


@dataclass(frozen=True, slots=True)
class Note:
    """A note as its owner sees it: `number` is the 7 of #7."""

    number: int
    text: str
    created_at: int


@dataclass(frozen=True, slots=True)
class Model:
    """A row of the registry; `key` is its name at OpenRouter, after `fallback:` at the second service."""

    id: int
    key: str
    label: str
    active: bool
    context_length: int | None = None  # tokens
    inputs: frozenset[str] = frozenset({"text"})  # also "image", "file"
    available: bool = True
    paid: bool = False


class Database:
    """The notebook's file, open for any number of threads.

    Opening raises NewerFileError, or what sqlite3 and the file system raise; the file is then as it was.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).resolve()
        self._idle: list[sqlite3.Connection] = []
        # SQLite lets waiting writers sleep and try again in no order at all; within one process a lock is
        # fair and quick. It is held for a transaction, never while something is sent.
        self._writing = threading.Lock()
        create_private(self.path)
        self._identity = _identity(self.path)
        conn = self._open()
        try:
            prepare(conn)
        except BaseException:
            conn.close()
            raise
        # Kept open: as long as it is, no other file can be given this one's number on the disk.
        self._idle.append(conn)

    def close(self) -> None:
        """Close the connections that nobody uses."""
        while self._idle:
            self._idle.pop().close()

    # Transactions

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection for reading."""
        try:
            conn = self._idle.pop()
        except IndexError:
            conn = self._open()
        try:
            yield conn
        finally:
            self._idle.append(conn)

    @contextmanager
    def write(self, *, synced: bool = False) -> Iterator[sqlite3.Connection]:
        """Lend a connection inside a transaction that is committed at the end, or undone by an exception.

        `synced` survives a power cut. Only the journal asks for it: the log is written in order, so one
        synced transaction carries all before it, and what comes after is done again from the journal.
        Raises FileReplacedError, also if the file went while the transaction was written.
        """
        with self._writing, self.read() as conn:
            self.check_file()
            try:
                conn.execute(f"PRAGMA synchronous = {'FULL' if synced else 'NORMAL'}")
                conn.execute("BEGIN IMMEDIATE")
                yield conn
                conn.execute("COMMIT")
            finally:
                # Also after a COMMIT that failed, and after Ctrl-C: the next borrower must find none open.
                if conn.in_transaction:
                    conn.execute("ROLLBACK")
            self.check_file()

    def check_file(self) -> None:
        """Raise FileReplacedError if another file, or none, is where this one was."""
        if _identity(self.path) != self._identity:
            raise FileReplacedError(self.path)

    def _open(self) -> sqlite3.Connection:
        # mode=rw: a file that somebody deleted is not made anew, empty and readable by everybody.
        address = f"{self.path.as_uri()}?mode=rw"
        conn = sqlite3.connect(address, uri=True, timeout=5, isolation_level=None, check_same_thread=False)
        conn.execute("PRAGMA foreign_keys = ON")
        conn.create_function("fold", 1, fold, deterministic=True)
        return conn

    # Notes

    def add_note(self, user_id: int, text: str, *, created_at: int, source: str) -> Note:
        """Keep a note; from the same source again it is the same note.

        It takes the new text, unless its owner has changed it: more parts of it may have come by then.
        """
        with self.write() as conn:
            row = conn.execute(
                "INSERT INTO notes (user_id, number, text, folded, created_at, source)"
                " SELECT ?1, coalesce(max(number), 0) + 1, ?2, ?3, ?4, ?5 FROM notes WHERE user_id = ?1"
                " ON CONFLICT (source) DO UPDATE SET text = iif(edited_at IS NULL, excluded.text, text),"
                " folded = iif(edited_at IS NULL, excluded.folded, folded)"
                " RETURNING number, text, created_at",
                (user_id, text, fold(text), created_at, source),
            ).fetchone()
        return Note(*row)

    def list_notes(self, user_id: int, limit: int = -1) -> list[Note]:
        """Return the newest notes first; all of them without a limit."""
        with self.read() as conn:
            return [
                Note(*row) for row in conn.execute(_NOTES + " ORDER BY number DESC LIMIT ?", (user_id, limit))
            ]

    def find_notes(self, user_id: int, needle: str, limit: int) -> tuple[int, list[Note]]:
        """Return how many notes contain the text in any case, and the newest of them."""
        with self.read() as conn:
            rows = conn.execute(
                _NOTES + " AND instr(folded, ?) ORDER BY number DESC", (user_id, fold(needle))
            ).fetchall()
        return len(rows), [Note(*row) for row in rows[:limit]]

    def edit_note(self, user_id: int, number: int, text: str, *, edited_at: int) -> Note:
        """Replace the text of a note; raises NoteNotFoundError."""
        with self.write() as conn:
            row = conn.execute(
                "UPDATE notes SET text = ?, folded = ?, edited_at = ?"
                " WHERE user_id = ? AND number = ? AND deleted_at IS NULL RETURNING number, text, created_at",
                (text, fold(text), edited_at, user_id, number),
            ).fetchone()
        return _note(row, number)

    def delete_note(self, user_id: int, number: int, *, deleted_at: int, source: str) -> Note:
        """Put a note away; raises NoteNotFoundError, but not to the command that deleted it, come again."""
        with self.write() as conn:
            row = conn.execute(
                "UPDATE notes SET deleted_at = coalesce(deleted_at, ?1), deleted_by = ?2"
                " WHERE user_id = ?3 AND number = ?4 AND (deleted_at IS NULL OR deleted_by = ?2)"
                " RETURNING number, text, created_at",
                (deleted_at, source, user_id, number),
            ).fetchone()
        return _note(row, number)

    def count_notes(self, user_id: int) -> int:
        """Return how many notes a person has."""
        with self.read() as conn:
            return _number(
                conn, "SELECT count(*) FROM notes WHERE user_id = ? AND deleted_at IS NULL", user_id
            )

    def note_times(self, user_id: int, since: int) -> list[int]:
        """Return when each note since then was written, in seconds."""
        with self.read() as conn:
            rows = conn.execute(
                "SELECT created_at FROM notes WHERE user_id = ? AND created_at >= ? AND deleted_at IS NULL",
                (user_id, since),
            )
            return [time for (time,) in rows]

    # Models

    def list_models(self) -> list[Model]:
        """Return the registry by id, what is not offered any more last."""
        with self.read() as conn:
            return [read_model(row) for row in conn.execute(_MODELS + " ORDER BY gone_at IS NOT NULL, id")]

    def get_active_model(self) -> Model:
        """Return the active model; raises NoModelsError where the registry is empty."""
        with self.read() as conn:
            row = conn.execute(_MODELS + " AND active = 1").fetchone()
        if row is None:
            raise NoModelsError
        return read_model(row)

    def set_active_model(self, model_id: int) -> Model:
        """Make one model the active one and return it; raises UnknownModelError and changes nothing then.

        Clear, then set: one UPDATE over both rows fails half of the time, since SQLite checks the unique
        index row by row.
        """
        with self.write() as conn:
            conn.execute("UPDATE models SET active = 0 WHERE active = 1")
            conn.execute("DELETE FROM facts WHERE name LIKE 'model_switch%'")  # a choice ends the talk
            row = conn.execute(
                f"UPDATE models SET active = 1 WHERE id = ? AND removed_at IS NULL RETURNING {MODEL_COLUMNS}",
                (model_id,),
            ).fetchone()
            return found_model(row, model_id)


_NOTES = "SELECT number, text, created_at FROM notes WHERE user_id = ? AND deleted_at IS NULL"
MODEL_COLUMNS = "id, key, label, active, context_length, inputs, gone_at, paid"
_MODELS = f"SELECT {MODEL_COLUMNS} FROM models WHERE removed_at IS NULL"


def _note(row: tuple[int, str, int] | None, number: int) -> Note:
    if row is None:
        raise NoteNotFoundError(number)
    return Note(*row)


def read_model(row: tuple[Any, ...]) -> Model:
    """Make a Model of a row of MODEL_COLUMNS."""
    model_id, key, label, active, context_length, inputs, gone_at, paid = row
    reads = frozenset(inputs.split(","))
    return Model(model_id, key, label, bool(active), context_length, reads, gone_at is None, bool(paid))


def found_model(row: tuple[Any, ...] | None, which: object) -> Model:
    """Make a Model of the row that was looked for; raises UnknownModelError if there is none."""
    if row is None:
        raise UnknownModelError(which)
    return read_model(row)


def _identity(path: Path) -> tuple[int, int] | None:
    """Return what tells a file from another one of its name; None if there is none any more."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino  # both 0 on some drives of Windows: then only its absence is noticed


def _number(conn: sqlite3.Connection, query: str, *args: object) -> int:
    number: int = conn.execute(query, args).fetchone()[0]
    return number
