"""Opens the file: creates a new one, or migrates one of the course or of an older version.

schema.sql is the newest shape. What it cannot do by itself is done here, one function per version, all in
one transaction: if anything fails, the file stays as it was.
"""

import os
import re
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

SCHEMA = Path(__file__).with_name("schema.sql")
COURSE_NOTES = "notes_of_the_course"
LATEST_S = 253_402_214_400  # 9999-12-31 in UTC, a time that every time zone can still show


class NewerFileError(Exception):
    """The file was written by a newer version of this program; it is left unchanged."""


class AlreadyOpenError(Exception):
    """Another bot is using this file."""


def claim(path: str | os.PathLike[str]) -> sqlite3.Connection:
    """Lock a file beside the database until the returned connection is closed; raises AlreadyOpenError.

    Two bots on one journal would answer everything twice. SQLite's own lock works on every system and is
    released when the process is killed.
    """
    lock = Path(f"{Path(path).resolve()}.lock")
    create_private(lock)
    conn = sqlite3.connect(lock, timeout=0, isolation_level=None, check_same_thread=False)
    try:
        conn.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as exc:
        conn.close()
        if exc.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            raise AlreadyOpenError(path) from None
        raise
    return conn


def open_existing(path: Path, **options: Any) -> sqlite3.Connection:
    """Open an existing database, with the options of `sqlite3.connect`.

    Unlike that, it does not create a missing file, which would be empty and readable by everybody. A WAL
    left beside the file is read.
    """
    address = f"{path.resolve().as_uri()}?mode=rw"
    conn: sqlite3.Connection = sqlite3.connect(address, uri=True, **options)
    return conn


def create_private(path: Path) -> None:
    """Create a file that only its owner may read; SQLite gives its -wal and -shm the same permissions.

    An existing file is not even opened: closing it would release SQLite's locks on it
    (https://www.sqlite.org/howtocorrupt.html, 2.2).
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        give_to_owner_of_folder(path)


def give_to_owner_of_folder(path: Path) -> None:
    """As root, give a new file or folder to its folder's owner: the bot may run as another user."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        folder = path.parent.stat()
        os.chown(path, folder.st_uid, folder.st_gid)


def prepare(conn: sqlite3.Connection) -> None:
    """Migrate the file to the newest shape in one transaction, or leave it untouched.

    Raises NewerFileError.
    """
    if _version(conn) > VERSION:
        raise NewerFileError(_version(conn))
    conn.execute("PRAGMA journal_mode = WAL")
    conn.create_function("seconds", 1, read_time, deterministic=True)
    try:
        conn.execute("BEGIN IMMEDIATE")
        _bring_up_to_date(conn)
        conn.execute(f"PRAGMA user_version = {VERSION}")
        conn.execute("COMMIT")
    finally:
        if conn.in_transaction:
            conn.execute("ROLLBACK")


def _bring_up_to_date(conn: sqlite3.Connection) -> None:
    version = _version(conn)
    if version == 0:
        _make_room(conn)
        _run(conn, SCHEMA.read_text("utf-8"))
        _take_over(conn, COURSE_NOTES)
        return
    for step in _STEPS[version - 1 :]:
        step(conn)
    _run(conn, SCHEMA.read_text("utf-8"))


def _version(conn: sqlite3.Connection) -> int:
    version: int = conn.execute("PRAGMA user_version").fetchone()[0]
    return version


def _run(conn: sqlite3.Connection, script: str) -> None:
    """Run a script inside the open transaction; executescript would commit that first."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            conn.execute(statement)
            statement = ""


def read_time(value: object) -> int | None:
    """Return a time as whole seconds since 1970, in whatever form a program wrote it; None if it is no time.

    Numbers, also as text, may be seconds, milli-, micro- or nanoseconds. Dates are ISO 8601 or start like
    31.12.2024; without a zone they are UTC.
    """
    number = _as_number(value)
    found = (number / unit for unit in (1, 10**3, 10**6, 10**9))
    return next((int(seconds) for seconds in found if 1 <= seconds < LATEST_S), None)


def _as_number(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]  # anything but a number is caught
    except (TypeError, ValueError):
        pass
    try:
        date_first = re.sub(r"^(\d\d)\.(\d\d)\.(\d{4})\b,?", r"\3-\2-\1", str(value).strip())
        time = datetime.fromisoformat(date_first)
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return 0.0


# Tables of the course, or of an older version


def _make_room(conn: sqlite3.Connection) -> None:
    """Prepare a file of the course's code for schema.sql; a new file needs no change."""
    models = _columns(conn, "models")
    for added in _MODEL_COLUMNS:
        if models and added.split()[0] not in models:
            conn.execute(f"ALTER TABLE models ADD COLUMN {added}")
    if models:  # without the unique index several may be active
        conn.execute("UPDATE models SET active = id = (SELECT min(id) FROM models WHERE active) WHERE active")
    _move_away(conn, COURSE_NOTES)


def _move_away(conn: sqlite3.Connection, name: str) -> None:
    if _columns(conn, "notes"):
        conn.execute(f"ALTER TABLE notes RENAME TO {name}")
    conn.execute("DROP INDEX IF EXISTS ix_notes_user_created")  # a renamed table keeps its index


def _take_over(conn: sqlite3.Connection, old: str) -> None:
    """Copy the notes from another table, with all columns that ours has, too.

    A note keeps its number, by which its owner knows it. Unreadable rows stay in the old table and do not
    stop the others.
    """
    columns = _columns(conn, old)
    text = next((name for name in ("text", "content") if name in columns), None)
    user = next((name for name in ("user_id", "chat_id") if name in columns), None)
    if not text or not user:
        return
    number = next((name for name in ("number", "id") if name in columns), "NULL")
    created = "created_at" if "created_at" in columns else "NULL"
    ours = [name for name in _OF_NOTES if name in columns]
    names = "".join(f", {name}" for name in ours)
    conn.execute(
        f"""
        WITH readable AS (
            SELECT CAST({user} AS INTEGER) AS user_id, {text} AS text,
                iif(typeof({number}) = 'integer' AND {number} > 0, {number}, NULL) AS number,
                coalesce(seconds({created}), unixepoch()) AS created_at{names}
            FROM {old}
            WHERE typeof({text}) = 'text' AND CAST(CAST({user} AS INTEGER) AS TEXT) = CAST({user} AS TEXT)
        ), counted AS (
            SELECT *, row_number() OVER (PARTITION BY user_id, number) AS nth,
                max(number) OVER (PARTITION BY user_id) AS highest
            FROM readable
        ), numbered AS (
            SELECT *, iif(number IS NULL OR nth > 1, coalesce(highest, 0) + row_number() OVER (
                PARTITION BY user_id, number IS NULL OR nth > 1), number) AS new_number
            FROM counted
        )
        INSERT INTO notes (user_id, number, text, created_at{names})
        SELECT user_id, new_number, text, created_at{names} FROM numbered ORDER BY user_id, new_number"""
    )


def _count(conn: sqlite3.Connection, table: str) -> int:
    count: int = conn.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    return count


def _columns(conn: sqlite3.Connection, table: str) -> set[str]:
    return {name for (name,) in conn.execute("SELECT name FROM pragma_table_info(?)", (table,))}


_OF_NOTES = (
    "source", "edited_at", "deleted_at", "deleted_by", "pinned_at", "entities", "origin", "files", "previous",
)  # fmt: skip
_BY_HAND = "by_hand INTEGER NOT NULL DEFAULT 0 CHECK (by_hand IN (0, 1))"
_MODEL_COLUMNS = (
    "context_length INTEGER",
    "inputs TEXT NOT NULL DEFAULT 'text'",
    "gone_at INTEGER",
    "removed_at INTEGER",
    "paid INTEGER NOT NULL DEFAULT 0 CHECK (paid IN (0, 1))",
    _BY_HAND,
)


def _to_version_2(conn: sqlite3.Connection) -> None:
    conn.execute("DROP INDEX ix_updates_new")
    conn.execute("ALTER TABLE turns RENAME COLUMN update_id TO entry_id")
    conn.execute(f"ALTER TABLE models ADD COLUMN {_BY_HAND}")
    conn.execute("UPDATE models SET by_hand = paid")
    old = "notes_of_version_1"
    _move_away(conn, old)
    _run(conn, SCHEMA.read_text("utf-8"))
    _take_over(conn, old)
    if _count(conn, old) == _count(conn, "notes"):
        conn.execute(f"DROP TABLE {old}")


def _to_version_3(conn: sqlite3.Connection) -> None:
    """Delete the word index, made by an older `fold` and without signs; it is rebuilt from the notes."""
    for table in ("words", "postings", "vocabulary"):
        conn.execute(f"DELETE FROM {table}")


# Step N migrates a file of version N to N + 1 (append only). Version 0 is a new file or one of the course.
_STEPS: tuple[Callable[[sqlite3.Connection], None], ...] = (_to_version_2, _to_version_3)
VERSION = 1 + len(_STEPS)
