"""`python bot.py --restore FILE`: replaces the database with a copy, and keeps the previous file."""

import gzip
import secrets
import shutil
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

import db
from in_words import storage_trouble
from migrations import AlreadyOpenError, NewerFileError, claim, create_private
from upkeep.backup import copy
from upkeep.findings import Finding

_GZIP = b"\x1f\x8b"
_OURS = {"notes", "models"}
_UNREADABLE = ("SQLITE_NOTADB", "SQLITE_CORRUPT")


class NotOursError(Exception):
    """A database, but not one of this bot."""


class NoFileError(Exception):
    """There is no such file."""


_BADLY_PACKED = (EOFError, gzip.BadGzipFile, zlib.error)
_EXPECTED = (
    *(sqlite3.Error, OSError, *_BADLY_PACKED),
    *(NoFileError, NotOursError, NewerFileError, AlreadyOpenError),
)


def restore(file: Path, database: Path, now: datetime) -> Finding:
    """Put a copy back, or say why not; the database then stays as it was."""
    try:
        kept = _put_back(file.resolve(), database.resolve(), now)
    except _EXPECTED as exc:
        return Finding(False, f"{file}: {_why_not(exc)}. База осталась как была.")
    return Finding(True, f"{file} теперь база бота ({database}). {_told(kept)}")


def _told(kept: Path | None) -> str:
    return f"Прежний файл: {kept}" if kept else "Прежнего файла не было."


def _why_not(exc: Exception) -> str:
    name = getattr(exc, "sqlite_errorname", "")
    if isinstance(exc, NotOursError) or name == "SQLITE_ERROR":  # our tables' names, but other columns
        return "это база другой программы: в ней нет заметок этого бота"
    if isinstance(exc, NoFileError):
        return "такого файла нет"
    if isinstance(exc, _BADLY_PACKED) or name.startswith(_UNREADABLE):
        return "файл повреждён или это не база данных. Возьмите другую копию"
    return storage_trouble(exc) or str(exc)


def _put_back(file: Path, database: Path, now: datetime) -> Path | None:
    """Return the new path of the previous file, None if there was none."""
    if not file.is_file():
        raise NoFileError
    with closing(claim(database)), _beside(database) as fresh:
        with _unpacked(file, database) as plain:
            copy(plain, fresh)
        _try_out(fresh)
        kept = _put_aside(database, now) if database.exists() else None
        fresh.replace(database)
        return kept


@contextmanager
def _beside(database: Path) -> Iterator[Path]:
    """Yield a path for a temporary file in the database's folder, which is deleted afterwards."""
    path = database.with_name(f".{database.name}.{secrets.token_hex(4)}")
    try:
        yield path
    finally:
        for end in ("", "-wal", "-shm"):
            path.with_name(path.name + end).unlink(missing_ok=True)


@contextmanager
def _unpacked(file: Path, database: Path) -> Iterator[Path]:
    """Yield the copy in a form that SQLite can read: /backup gzips a copy too large for Telegram."""
    with file.open("rb") as packed:
        is_packed = packed.read(2) == _GZIP
    if not is_packed:
        yield file
        return
    with _beside(database) as plain:
        create_private(plain)
        with gzip.open(file) as source, plain.open("wb") as target:
            shutil.copyfileobj(source, target, 2**20)
        yield plain


def _try_out(fresh: Path) -> None:
    """Open the copy as the bot will, which migrates it; raises NotOursError, NewerFileError."""
    with closing(sqlite3.connect(fresh)) as conn:
        tables = {name for (name,) in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables >= _OURS:
        raise NotOursError
    db.Database(fresh).close()


def _put_aside(database: Path, now: datetime) -> Path:
    """Rename the database, and return its new path."""
    kept = database.with_name(f"{database.stem}-before-restore-{now:%Y-%m-%d-%H%M%S}{database.suffix}")
    # The WAL left by a killed bot moves along, and first: it belongs to its own file and must never meet the
    # new one (https://www.sqlite.org/howtocorrupt.html, 1.3).
    for end in ("-wal", "-shm", ""):
        part = database.with_name(database.name + end)
        if part.exists():
            part.rename(kept.with_name(kept.name + end))
    return kept
