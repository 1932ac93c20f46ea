"""The SQLite file: its transactions, and the helpers for notes and for the registry of models.

One public method is one transaction. Rows come back as frozen dataclasses; a missing row is an exception
that carries data, not a message for people. SQLite's own errors (full disk, locked file) pass through
unchanged. `migrations` opens the file; the other tables have modules in `storage`.
"""

import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Any

from migrations import create_private, open_existing, prepare
from storage import notes, numbers, search, word_index
from storage.catching_up import catch_up
from storage.notes import Entity, File, Note, NoteNotFoundError, Origin
from storage.query import parse
from storage.search import Hit

__all__ = [
    "Database",
    "File",
    "FileReplacedError",
    "Hit",
    "Model",
    "NoModelsError",
    "Note",
    "NoteNotFoundError",
    "Origin",
    "UnknownModelError",
]


class FileReplacedError(Exception):
    """The file was deleted or replaced while it was open: anything written now would be lost."""


class UnknownModelError(Exception):
    """The registry has no such model."""


class NoModelsError(Exception):
    """The registry is empty."""


@dataclass(frozen=True, slots=True)
class Model:
    """A registry row; `key` is the name at OpenRouter, or `fallback:` plus the second service's name."""

    id: int
    key: str
    label: str
    active: bool
    context_length: int | None = None  # tokens
    inputs: frozenset[str] = frozenset({"text"})  # also "image", "file"
    available: bool = True
    paid: bool = False


class _Mine(threading.local):
    """One thread's own state: the connection of its open write transaction."""

    conn: sqlite3.Connection | None = None


class Database:
    """The notebook's file, for use from any number of threads.

    Opening raises NewerFileError, sqlite3.Error or OSError; the file then stays as it was.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).resolve()
        self._idle: list[sqlite3.Connection] = []
        # SQLite lets waiting writers sleep and retry in no particular order; within one process a lock is
        # fair and fast. It is held for one transaction, never across a network call.
        self._writing = threading.Lock()
        self._mine = _Mine()
        # Searches take turns: they are pure Python, so the GIL runs one at a time anyway, and with sixteen
        # of them running a small request would have to wait for all.
        self.searching = threading.Lock()
        create_private(self.path)
        self._identity = _identity(self.path)
        conn = self._open()
        try:
            prepare(conn)
            catch_up(conn)
        except BaseException:
            conn.close()
            raise
        # Kept open: until it is closed, no other file can get this one's inode number.
        self._idle.append(conn)

    def close(self) -> None:
        """Close the idle connections."""
        while self._idle:
            self._idle.pop().close()

    # Transactions

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection for reading; everything read in the block comes from one snapshot."""
        if self._mine.conn:  # so that a thread sees what it has just written
            yield self._mine.conn
            return
        with self._lent() as conn:
            conn.execute("BEGIN")
            try:
                yield conn
            finally:
                conn.execute("ROLLBACK")

    def row(self, query: str, *args: object) -> Any:
        """Return the first row of a query, or None."""
        with self.read() as conn:
            return conn.execute(query, args).fetchone()

    def rows(self, query: str, *args: object) -> list[Any]:
        """Return all rows of a query."""
        with self.read() as conn:
            return conn.execute(query, args).fetchall()

    @contextmanager
    def write(self, *, synced: bool = False) -> Iterator[sqlite3.Connection]:
        """Yield a connection in a transaction: committed at the end of the block, rolled back on an error.

        Nested in another one of the same thread, it joins that one. `synced` survives a power cut. Only the
        journal asks for it: the log is written in order, so one synced transaction secures all before it,
        and what comes after is redone from the journal.
        Raises FileReplacedError, also if the file disappeared during the transaction.
        """
        if self._mine.conn:
            yield self._mine.conn
            return
        with self._writing, self._lent() as conn:
            self.check_file()
            try:
                if synced:
                    conn.execute("PRAGMA synchronous = FULL")
                conn.execute("BEGIN IMMEDIATE")
                self._mine.conn = conn
                yield conn
                conn.execute("COMMIT")
            finally:
                self._mine.conn = None
                # Also after a failed COMMIT or Ctrl-C: the next user must not get an open transaction.
                if conn.in_transaction:
                    conn.execute("ROLLBACK")
                if synced:
                    conn.execute("PRAGMA synchronous = NORMAL")
            self.check_file()

    @contextmanager
    def _lent(self) -> Iterator[sqlite3.Connection]:
        try:
            conn = self._idle.pop()
        except IndexError:
            conn = self._open()
        try:
            yield conn
        finally:
            self._idle.append(conn)

    def check_file(self) -> None:
        """Raise FileReplacedError if this file is gone or another one is in its place."""
        if _identity(self.path) != self._identity:
            raise FileReplacedError(self.path)

    def _open(self) -> sqlite3.Connection:
        conn = open_existing(self.path, timeout=5, isolation_level=None, check_same_thread=False)
        conn.execute("PRAGMA foreign_keys = ON")
        conn.execute("PRAGMA synchronous = NORMAL")
        # A checkpoint delays the writer that triggers it a few milliseconds. A note writes about twenty pages
        # to the WAL, so with the default of 1000 that would be every fiftieth note.
        conn.execute("PRAGMA wal_autocheckpoint = 4000")
        return conn

    # Notes

    def add_note(
        self,
        user_id: int,
        text: str,
        *,
        created_at: int,
        source: str,
        entities: Sequence[Entity] = (),
        origin: Origin | None = None,
        files: Sequence[File] = (),
    ) -> Note:
        """Add a note; the same source again means the same note.

        That note then gets the new text and files, since more of its parts may have arrived, unless its
        owner has edited or deleted it.
        """
        said = Note(0, text, created_at, tuple(entities), origin, tuple(files))
        with self.write() as conn:
            known = notes.from_source(conn, source)
            if known is None:
                note = replace(said, number=notes.next_number(conn, user_id))
                notes.insert(conn, user_id, note, source)
                word_index.change(conn, user_id, note.number, None, notes.indexed(note))
                return note
            owner, note = known
            if note.edited_at is not None or note.deleted_at is not None:
                return note
            more = replace(note, text=said.text, entities=said.entities, files=said.files)
            notes.rewrite(conn, owner, note, more)
            return more

    def get_note(self, user_id: int, number: int) -> Note:
        """Return a note; raises NoteNotFoundError, also for a note in the bin."""
        with self.read() as conn:
            return notes.find(conn, user_id, number)

    def list_notes(self, user_id: int, limit: int | None = None, offset: int = 0) -> list[Note]:
        """Return a page of notes, pinned ones first, then newest first; no `limit` means all."""
        with self.read() as conn:
            pinned = notes.pinned(conn, user_id)
            everything = word_index.notes_with(conn, user_id, [word_index.ALL])
            others = numbers.without(everything, numbers.numbers_of(pinned))
            wanted = len(pinned) + numbers.count(others) if limit is None else limit
            page = pinned[offset : offset + wanted]
            page += numbers.page(others, wanted - len(page), max(0, offset - len(pinned)))
            return list(notes.find_all(conn, user_id, page))

    def find_notes(
        self, user_id: int, query: str, limit: int, offset: int = 0, zone: tzinfo | None = UTC
    ) -> tuple[int, list[Hit]]:
        """Return how many notes match a query, and a page of them, newest first.

        `zone` is the time zone of the query's dates; None means the machine's. Raises QueryError.
        """
        wanted = parse(query, zone)
        with self.searching, self.read() as conn:
            found = search.find(conn, user_id, wanted)
            return search.hits(conn, user_id, wanted, found, limit, offset)

    def edit_note(
        self,
        user_id: int,
        number: int,
        text: str,
        *,
        edited_at: int,
        entities: Sequence[Entity] = (),
        files: Sequence[File] = (),
        instead_of: str = "",
        source: str = "",
    ) -> Note:
        """Replace the text of a note, add files, and keep the old version for `undo_edit`.

        With `instead_of`, a file's unique id, the new files replace that file if the note has it.
        The same source again means the same edit. Raises NoteNotFoundError.
        """

        def changed(old: Note) -> Note:
            kept = notes.with_files(old.files, files, instead_of)
            return replace(old, text=text, entities=tuple(entities), files=kept, edited_at=edited_at)

        with self.write() as conn:
            return notes.change(conn, user_id, number, changed, source)

    def delete_note(self, user_id: int, number: int, *, deleted_at: int, source: str) -> Note:
        """Move a note to the bin; raises NoteNotFoundError, unless the same source has deleted it before."""
        return self.delete_notes(user_id, [number], deleted_at=deleted_at, source=source)[0]

    def delete_notes(
        self, user_id: int, numbers: Sequence[int], *, deleted_at: int, source: str
    ) -> list[Note]:
        """Move notes to the bin, all of them or none; raises NoteNotFoundError as `delete_note` does."""
        with self.write() as conn:
            return [_delete(conn, user_id, number, deleted_at, source) for number in numbers]

    def count_notes(self, user_id: int) -> int:
        """Return how many notes a person has outside the bin."""
        query = "SELECT count(*) FROM notes WHERE user_id = ? AND deleted_at IS NULL"
        return int(self.row(query, user_id)[0])

    # Models

    def list_models(self) -> list[Model]:
        """Return the registry by id; models no longer offered come last and drop out after 30 days.

        The active model, and those the owner added, never drop out.
        """
        listed = " AND (gone_at IS NULL OR gone_at > ? OR active OR by_hand) ORDER BY gone_at IS NOT NULL, id"
        return [read_model(row) for row in self.rows(_MODELS + listed, int(time.time()) - LISTED_GONE_S)]

    def get_model(self, model_id: int) -> Model:
        """Return a model by its id, even if not listed; raises UnknownModelError, also for a removed one."""
        return found_model(self.row(_MODELS + " AND id = ?", model_id), model_id)

    def get_active_model(self) -> Model:
        """Return the active model; raises NoModelsError if the registry is empty."""
        row = self.row(_MODELS + " AND active = 1")
        if row is None:
            raise NoModelsError
        return read_model(row)

    def set_active_model(self, model_id: int) -> Model:
        """Make one model the active one and return it; raises UnknownModelError, which changes nothing.

        Clear, then set: a single UPDATE of both rows fails half of the time, because SQLite checks the
        unique index row by row.
        """
        with self.write() as conn:
            conn.execute("UPDATE models SET active = 0 WHERE active = 1")
            conn.execute("DELETE FROM facts WHERE name LIKE 'model_switch%'")  # its notice is obsolete
            row = conn.execute(
                f"UPDATE models SET active = 1 WHERE id = ? AND removed_at IS NULL RETURNING {MODEL_COLUMNS}",
                (model_id,),
            ).fetchone()
            return found_model(row, model_id)


LISTED_GONE_S = 30 * 86_400
MODEL_COLUMNS = "id, key, label, active, context_length, inputs, gone_at, paid"
_MODELS = f"SELECT {MODEL_COLUMNS} FROM models WHERE removed_at IS NULL"


def _delete(conn: sqlite3.Connection, user_id: int, number: int, deleted_at: int, source: str) -> Note:
    row = conn.execute(
        "SELECT 1 FROM notes WHERE user_id = ? AND number = ? AND deleted_at IS NOT NULL AND deleted_by = ?",
        (user_id, number, source),
    ).fetchone()
    note = notes.find(conn, user_id, number, deleted=row is not None)
    if row is None:
        conn.execute(
            "UPDATE notes SET deleted_at = ?, deleted_by = ? WHERE user_id = ? AND number = ?",
            (deleted_at, source, user_id, number),
        )
        word_index.change(conn, user_id, number, notes.indexed(note), None)
    return note


def read_model(row: tuple[Any, ...]) -> Model:
    """Return the Model in a row of MODEL_COLUMNS."""
    model_id, key, label, active, context_length, inputs, gone_at, paid = row
    reads = frozenset(inputs.split(","))
    shown = label.strip() or key  # Telegram refuses a button without text
    return Model(model_id, key, shown, bool(active), context_length, reads, gone_at is None, bool(paid))


def found_model(row: tuple[Any, ...] | None, which: object) -> Model:
    """Return the Model in a row; raises UnknownModelError if the row is None."""
    if row is None:
        raise UnknownModelError(which)
    return read_model(row)


def _identity(path: Path) -> tuple[int, int] | None:
    """Return what distinguishes this file from another of the same name; None if there is no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino  # both 0 on some Windows drives: there only a missing file is noticed
