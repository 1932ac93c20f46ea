"""The SQLite file: how it is opened, and the helpers for notes and for the registry of models.

One public method is one transaction. Rows come back as frozen records; what is not there is an exception
that carries data and no words. Errors of SQLite itself (full disk, locked file) pass through unchanged:
whoever talks to a person words them. Journal and people have files of their own upon the same Database.
"""

import os
import sqlite3
import threading
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCHEMA = Path(__file__).with_name("schema.sql")

# What schema.sql cannot do by itself: how a file of version N becomes one of version N + 1 (append only).
# Version 0 is a new file, or one that the course's code made; `_adopt` takes the latter over.
MIGRATIONS: tuple[str, ...] = ()
VERSION = 1 + len(MIGRATIONS)


class NewerFileError(Exception):
    """The file was written by a newer version of this program; it is left as it is."""


class AlreadyOpenError(Exception):
    """Another bot works with this file."""


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
    """A row of the registry; `key` is its name at OpenRouter."""

    id: int
    key: str
    label: str
    active: bool
    context_length: int | None = None  # tokens
    inputs: frozenset[str] = frozenset({"text"})  # also "image", "file"
    available: bool = True
    paid: bool = False


def fold(text: str) -> str:
    """Bring a text to the form in which searches compare: no case, no ё, composed letters.

    SQLite's own LIKE, lower() and NOCASE know the case of ASCII only.
    """
    return unicodedata.normalize("NFC", text).casefold().replace("ё", "е")


def find_folded(text: str, needle: str) -> tuple[int, int]:
    """Return where the text holds the needle as a search sees it, and how long that is there.

    Folding changes lengths (ß is ss), so the place is looked up by the length of folded beginnings.
    """
    start = fold(text).find(fold(needle))
    first, end = (
        bisect_left(range(len(text)), place, key=lambda i: len(fold(text[:i])))
        for place in (start, start + len(fold(needle)))
    )
    return first, end - first


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
        _create_private(self.path)
        with closing(self._open()) as conn:
            _prepare(conn)

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
        """
        with self._writing, self.read() as conn:
            try:
                conn.execute(f"PRAGMA synchronous = {'FULL' if synced else 'NORMAL'}")
                conn.execute("BEGIN IMMEDIATE")
                yield conn
                conn.execute("COMMIT")
            finally:
                # Also after a COMMIT that failed, and after Ctrl-C: the next borrower must find none open.
                if conn.in_transaction:
                    conn.execute("ROLLBACK")

    def _open(self) -> sqlite3.Connection:
        conn = sqlite3.connect(self.path, timeout=5, isolation_level=None, check_same_thread=False)
        conn.execute("PRAGMA foreign_keys = ON")
        conn.create_function("fold", 1, fold, deterministic=True)
        return conn

    # Notes

    def add_note(self, user_id: int, text: str, *, created_at: int, source: str) -> Note:
        """Keep a note; from the same source again it is the note that is there already."""
        with self.write() as conn:
            row = conn.execute(
                "INSERT INTO notes (user_id, number, text, folded, created_at, source)"
                " SELECT ?1, coalesce(max(number), 0) + 1, ?2, ?3, ?4, ?5 FROM notes WHERE user_id = ?1"
                " ON CONFLICT (source) DO UPDATE SET source = excluded.source"
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


def _number(conn: sqlite3.Connection, query: str, *args: object) -> int:
    number: int = conn.execute(query, args).fetchone()[0]
    return number


# Opening


def claim(path: str | os.PathLike[str]) -> sqlite3.Connection:
    """Hold a lock file beside the database until the answer is closed; raises AlreadyOpenError.

    Two bots on one journal would answer everything twice. SQLite's own lock serves, on every system, and
    a process that is killed lets go of it.
    """
    lock = Path(f"{Path(path).resolve()}.lock")
    _create_private(lock)
    conn = sqlite3.connect(lock, timeout=0, isolation_level=None, check_same_thread=False)
    try:
        conn.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as exc:
        conn.close()
        if exc.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            raise AlreadyOpenError(path) from None
        raise
    return conn


def _create_private(path: Path) -> None:
    """Make a new file that its owner alone may read; SQLite gives its -wal and -shm the same rights.

    A file that is there is not even opened: to close it again would let go of SQLite's locks on it.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _prepare(conn: sqlite3.Connection) -> None:
    """Bring the file to the newest shape in one transaction, or leave it untouched."""
    version = _number(conn, "PRAGMA user_version")
    if version > VERSION:
        raise NewerFileError(version)
    conn.execute("PRAGMA journal_mode = WAL")
    schema = SCHEMA.read_text("utf-8")
    steps = [_adopt(conn), schema, _take_over(conn)] if version == 0 else [*MIGRATIONS[version - 1 :], schema]
    script = "\n".join(steps)
    try:
        # executescript commits whatever was open before it, so the transaction is part of the script.
        conn.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {VERSION};\nCOMMIT;")
    finally:
        if conn.in_transaction:
            conn.execute("ROLLBACK")


def _adopt(conn: sqlite3.Connection) -> str:
    """Return the script that makes a file of the course's code fit schema.sql; nothing for a new file."""
    models, notes = _columns(conn, "models"), _columns(conn, "notes")
    script = [
        f"ALTER TABLE models ADD COLUMN {added};"
        for added in _MODEL_COLUMNS
        if models and added.split()[0] not in models
    ]
    if notes and "folded" not in notes:
        script.append(f"ALTER TABLE notes RENAME TO {_COURSE_NOTES};")
    if models:  # its unique index may be missing
        script.append(
            "UPDATE models SET active = id = (SELECT min(id) FROM models WHERE active) WHERE active;"
        )
    return "\n".join(script)


def _take_over(conn: sqlite3.Connection) -> str:
    """Return the script that copies notes of the course's code; its table stays, under another name.

    A note keeps its id as its number, since that is the number that its owner knows. Notes in a shape
    that we cannot read stay where they are.
    """
    columns = _columns(conn, "notes")
    text, user = (
        next((name for name in names if name in columns), None)
        for names in (("text", "content"), ("user_id", "chat_id"))
    )
    if not columns or "folded" in columns or not text or not user:
        return ""
    time = "created_at" if "created_at" in columns else "NULL"
    number = "id" if "id" in columns else f"row_number() OVER (PARTITION BY {user})"
    return f"""
        INSERT INTO notes (user_id, number, text, folded, created_at)
        SELECT {user}, {number}, {text}, fold({text}), coalesce(
            iif(typeof({time}) = 'text', CAST(strftime('%s', {time}) AS INTEGER), CAST({time} AS INTEGER)),
            CAST(strftime('%s', 'now') AS INTEGER))
        FROM {_COURSE_NOTES} WHERE typeof({text}) = 'text' AND typeof({user}) = 'integer';"""


def _columns(conn: sqlite3.Connection, table: str) -> set[str]:
    return {name for (name,) in conn.execute("SELECT name FROM pragma_table_info(?)", (table,))}


_COURSE_NOTES = "notes_of_the_course"
_MODEL_COLUMNS = (
    "context_length INTEGER",
    "inputs TEXT NOT NULL DEFAULT 'text'",
    "gone_at INTEGER",
    "removed_at INTEGER",
    "paid INTEGER NOT NULL DEFAULT 0 CHECK (paid IN (0, 1))",
)
