"""New code on an old file: copies the file before it is migrated."""

import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from db import Database
from migrations import VERSION, claim, open_existing
from settings import Settings
from upkeep.backup import copy, folder_of, make_folder

log = logging.getLogger(__name__)


@contextmanager
def opened(settings: Settings) -> Iterator[Database]:
    """Open the database for this process alone; raises AlreadyOpenError and whatever `Database` raises."""
    with closing(claim(settings.db_path)):
        if kept := copy_before_upgrade(settings.db_path, settings.now()):
            log.info("База — старой версии программы; её копия: %s", kept)
        with closing(Database(settings.db_path)) as database:
            yield database


def copy_before_upgrade(database: Path, now: datetime) -> Path | None:
    """Copy a file of an older version, and return the copy's path; None if there is nothing to migrate.

    Such copies stay until somebody deletes them. Raises sqlite3.Error or OSError: then do not migrate.
    """
    version = _version(database)
    if version is None or version >= VERSION:
        return None
    path = folder_of(database) / f"{database.stem}-version-{version}-{now:%Y-%m-%d}{database.suffix}"
    make_folder(path.parent)
    copy(database, path)
    return path


def _version(database: Path) -> int | None:
    """Return the version of a file, 0 for one of the course; None if it is missing or empty."""
    if not database.exists():
        return None
    with closing(open_existing(database)) as conn:
        version: int = conn.execute("PRAGMA user_version").fetchone()[0]
        tables: int = conn.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    return version if tables else None
