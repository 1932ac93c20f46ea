"""The part of `--check` that examines the database, without changing it."""

import os
import shutil
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from in_words import storage_trouble
from migrations import VERSION, NewerFileError, open_existing
from upkeep.findings import Finding

ENOUGH = 100 * 2**20  # bytes of free disk
_SOUND = "SELECT integrity_check, user_version FROM pragma_integrity_check(1), pragma_user_version"


def check_file(database: Path) -> Iterator[Finding]:
    """Check the file, its permissions, and the free space on its disk."""
    if database.exists():
        yield _sound(database)
        yield _private(database)
    else:
        yield _can_be_made(database)
    yield _room(database)


def check_registry(database: Path, offered: set[str], is_served: Callable[[str], bool]) -> Iterator[Finding]:
    """Check that the active model is in `offered`, or is served; yields nothing if either is unknown."""
    if not database.exists() or not offered:
        return
    try:
        row = _ask(database, "SELECT label, key FROM models WHERE active = 1")
    except sqlite3.Error:
        return  # check_file has reported it already
    label, key = row or ("", "")
    if key in offered or is_served(key):
        yield Finding(True, f"Активная модель: {label} [{key}]")
    else:
        yield Finding(
            False, f"Активной модели {label} [{key}] сервис больше не предлагает. Выберите другую: /models"
        )


def _sound(database: Path) -> Finding:
    try:
        found, version = _ask(database, _SOUND)
    except sqlite3.Error as exc:
        return Finding(False, f"База ({database}): {storage_trouble(exc) or exc}")
    if version > VERSION:
        return Finding(False, f"База ({database}): {storage_trouble(NewerFileError())}")
    if found != "ok":
        return Finding(False, f"База повреждена ({found}). Верните копию: python bot.py --restore ФАЙЛ")
    return Finding(True, f"База цела: {database}, {_size(database.stat().st_size)}")


def _ask(database: Path, query: str) -> Any:
    """Return the first row, or None; raises sqlite3.Error."""
    with closing(open_existing(database)) as conn:
        return conn.execute(query).fetchone()


def _private(database: Path) -> Finding:
    if not os.access(database, os.R_OK | os.W_OK):
        return Finding(False, f"Базу нельзя читать и писать: дайте на неё право, chmod 600 {database}")
    if os.name != "nt" and stat.S_IMODE(database.stat().st_mode) & 0o077:
        return Finding(False, f"Базу могут читать и другие люди на этой машине: chmod 600 {database}")
    return Finding(True, "Базу может читать только её хозяин")


def _can_be_made(database: Path) -> Finding:
    if os.access(database.parent, os.W_OK):
        return Finding(True, f"Базы ещё нет, появится при первом запуске: {database}")
    return Finding(False, f"В папку {database.parent} нельзя писать: дайте на неё право или измените DB_PATH")


def _room(database: Path) -> Finding:
    free = shutil.disk_usage(database.parent).free
    if free < ENOUGH:
        return Finding(False, f"На диске с базой осталось {_size(free)}. Освободите место")
    return Finding(True, f"На диске с базой свободно {_size(free)}")


def _size(size: int) -> str:
    return f"{size / 2**30:.1f} ГБ" if size >= 2**30 else f"{size / 2**20:.1f} МБ"
