"""Copies of the database: made with SQLite's backup API while the bot runs, checked, few and private."""

import re
import secrets
import sqlite3
import time
from collections.abc import Iterable
from contextlib import closing, suppress
from datetime import date, datetime, timedelta
from pathlib import Path

from migrations import create_private, give_to_owner_of_folder, open_existing

DAYS, WEEKS = 7, 4
NIGHT = timedelta(hours=4)  # when a day of copies starts; an earlier copy counts for the day before
_ABANDONED_S = 86_400


class DamagedError(sqlite3.DatabaseError):
    """The copy fails SQLite's check; the text is the first problem found."""

    sqlite_errorname = "SQLITE_CORRUPT"


def folder_of(database: Path) -> Path:
    """Return the folder for the copies of a database."""
    return database.parent / "backups"


def make_folder(folder: Path) -> None:
    """Create the folder for copies, accessible to its owner only, if it is missing."""
    if not folder.exists():
        folder.mkdir(mode=0o700, exist_ok=True)
        give_to_owner_of_folder(folder)


def path_of(database: Path, now: datetime) -> Path:
    """Return the path of today's copy: one a day, even if the clock jumps."""
    day = (now - NIGHT).date()
    return folder_of(database) / f"{database.stem}-{day}{database.suffix}"


def back_up(database: Path, now: datetime) -> Path:
    """Make today's copy, replacing an earlier one of today, and delete surplus copies.

    Raises sqlite3.Error or OSError; then no copy is lost.
    """
    path = path_of(database, now)
    make_folder(path.parent)
    _sweep(path.parent)
    copy(database, path)
    copies = _copies(database)
    for day in copies.keys() - kept(copies, (now - NIGHT).date()):
        with suppress(OSError):  # open in another program on Windows: deleted another day
            copies[day].unlink()
    return path


def kept(days: Iterable[date], today: date) -> set[date]:
    """Return which copies to keep: the newest seven days', and the last one of each of the four weeks before.

    Copies dated in the future were made while the clock was wrong: their age is unknown, so they are kept.
    """
    known = set(days)
    newest_first = sorted((day for day in known if day <= today), reverse=True)
    weeks: dict[tuple[int, int], date] = {}
    for day in newest_first[DAYS:]:
        weeks.setdefault(day.isocalendar()[:2], day)
    to_come = known - set(newest_first)
    return {*newest_first[:DAYS], *list(weeks.values())[:WEEKS], *to_come}


def copy(source: Path, target: Path) -> None:
    """Copy a database into a single checked file, which appears whole or not at all."""
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    create_private(part)
    try:
        with closing(open_existing(source)) as old, closing(sqlite3.connect(part)) as new:
            old.backup(new)  # in one step: a consistent snapshot, while writers continue
            new.execute("PRAGMA journal_mode = DELETE")  # no -wal beside a copy
            _check(new)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _check(conn: sqlite3.Connection) -> None:
    found = conn.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if found != "ok":
        raise DamagedError(found)


def _copies(database: Path) -> dict[date, Path]:
    """Return the existing copies by day."""
    name = re.compile(rf"{re.escape(database.stem)}-(\d{{4}}-\d\d-\d\d){re.escape(database.suffix)}")
    found = ((name.fullmatch(path.name), path) for path in folder_of(database).iterdir())
    return {date.fromisoformat(match[1]): path for match, path in found if match}


def _sweep(folder: Path) -> None:
    """Delete incomplete copies that a power cut left behind."""
    for part in folder.glob(".*.part*"):
        if time.time() - part.stat().st_mtime > _ABANDONED_S:
            part.unlink(missing_ok=True)
