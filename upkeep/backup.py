"""Copies of the database: made through SQLite's backup API while the bot works, checked, few and private."""

import re
import secrets
import sqlite3
import time
from collections.abc import Iterable
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path

from migrations import create_private, give_to_owner_of_folder, open_existing

DAYS, WEEKS = 7, 4
NIGHT = timedelta(hours=4)  # when a day of copies begins; what is made before belongs to the day before
_ABANDONED_S = 86_400


class DamagedError(sqlite3.DatabaseError):
    """What was copied does not pass SQLite's check; the text is the first thing that it found."""

    sqlite_errorname = "SQLITE_CORRUPT"


def folder_of(database: Path) -> Path:
    """Return where the copies of a database lie."""
    return database.parent / "backups"


def make_folder(folder: Path) -> None:
    """Make the folder of copies, for its owner alone, unless it is there."""
    if not folder.exists():
        folder.mkdir(mode=0o700, exist_ok=True)
        give_to_owner_of_folder(folder)


def path_of(database: Path, now: datetime) -> Path:
    """Return where the copy of today lies; whatever the clock does, a day has one."""
    day = (now - NIGHT).date()
    return folder_of(database) / f"{database.stem}-{day}{database.suffix}"


def back_up(database: Path, now: datetime) -> Path:
    """Make the copy of today, in place of an earlier one, and delete those that are too many.

    Raises sqlite3.Error or OSError; then everything is as it was.
    """
    path = path_of(database, now)
    make_folder(path.parent)
    _sweep(path.parent)
    copy(database, path)
    copies = _copies(database)
    for day in copies.keys() - kept(copies, (now - NIGHT).date()):
        copies[day].unlink(missing_ok=True)
    return path


def kept(days: Iterable[date], today: date) -> set[date]:
    """Return which copies to keep: of the newest seven days, and the last one of each of four older weeks.

    Days that are still to come were made while the clock was wrong; nobody can say how old they are.
    """
    known = set(days)
    newest_first = sorted((day for day in known if day <= today), reverse=True)
    weeks: dict[tuple[int, int], date] = {}
    for day in newest_first[DAYS:]:
        weeks.setdefault(day.isocalendar()[:2], day)
    to_come = known - set(newest_first)
    return {*newest_first[:DAYS], *list(weeks.values())[:WEEKS], *to_come}


def copy(source: Path, target: Path) -> None:
    """Copy a database into one sound file of its own, which appears whole or not at all."""
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    create_private(part)
    try:
        with closing(open_existing(source)) as old, closing(sqlite3.connect(part)) as new:
            old.backup(new)  # one step, so one state, and writers go on meanwhile
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
    """Return the copies that are there, by their days."""
    name = re.compile(rf"{re.escape(database.stem)}-(\d{{4}}-\d\d-\d\d){re.escape(database.suffix)}")
    found = ((name.fullmatch(path.name), path) for path in folder_of(database).iterdir())
    return {date.fromisoformat(match[1]): path for match, path in found if match}


def _sweep(folder: Path) -> None:
    """Delete what a copy left that was cut short by a power cut."""
    for part in folder.glob(".*.part*"):
        if time.time() - part.stat().st_mtime > _ABANDONED_S:
            part.unlink(missing_ok=True)
