"""New code on an old file: the file is copied before it is changed."""

from contextlib import closing
from datetime import datetime
from pathlib import Path

from migrations import VERSION, open_existing
from upkeep.backup import copy, folder_of, make_folder


def copy_before_upgrade(database: Path, now: datetime) -> Path | None:
    """Copy a file of an older version, and return where the copy lies; None if there is nothing to change.

    Such copies stay until somebody deletes them. Raises sqlite3.Error or OSError: then better no upgrade.
    """
    version = _version(database)
    if version is None or version >= VERSION:
        return None
    path = folder_of(database) / f"{database.stem}-version-{version}-{now:%Y-%m-%d}{database.suffix}"
    make_folder(path.parent)
    copy(database, path)
    return path


def _version(database: Path) -> int | None:
    """Return the version of a file with something in it, 0 for one of the course."""
    if not database.exists():
        return None
    with closing(open_existing(database)) as conn:
        version: int = conn.execute("PRAGMA user_version").fetchone()[0]
        tables: int = conn.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    return version if tables else None
