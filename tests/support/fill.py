"""Fill a database with many notes, without the bot."""

from pathlib import Path

from db import Database, Note
from storage.importing import Importing

FIRST = 1_600_000_000


def fill(path: Path, user_id: int, count: int, text: str = "мысль") -> None:
    """Give a person `count` notes, one minute apart."""
    database = Database(path)
    importing = Importing(database, user_id)
    for start in range(1, count + 1, 1000):
        batch = range(start, min(start + 1000, count + 1))
        importing.add([Note(n, f"{text} {n}", FIRST + 60 * n) for n in batch])
    database.close()
