"""`python bot.py --health`: whether the bot is working, judged by the database alone, for watchdogs."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from db import Database
from in_words import storage_trouble
from migrations import open_existing
from upkeep.findings import Finding

BEAT_S = 60
SICK_S = 300  # a poll takes 25 s, is recorded once a minute, and a short outage needs no restart
_FACT = "last_poll"


class Pulse:
    """Records when Telegram last answered a poll, rarely enough to spare an idle bot's disk."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._db = database
        self._clock = clock
        self._next = clock()

    def beat(self) -> None:
        """Record the time, at most once a minute; raises sqlite3.Error."""
        if self._clock() < self._next:
            return
        self._next = self._clock() + BEAT_S
        with self._db.write() as conn:
            conn.execute(
                "INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)", (_FACT, int(time.time()))
            )


def health(database: Path, now: float) -> Finding:
    """Report how long ago Telegram answered the last poll; `now` is in seconds since 1970."""
    try:
        last = _last_poll(database)
    except sqlite3.Error as exc:
        return Finding(False, f"База ({database}): {storage_trouble(exc) or exc}")
    if last is None:
        return Finding(False, "Бот ещё ни разу не получил ответа Telegram. Запущен ли он?")
    age = round(now - last)
    if abs(age) > SICK_S:  # a time in the future is from before the clock was set back
        return Finding(
            False, f"Telegram отвечал боту {age} с назад. Запущен ли бот? Его журнал скажет больше."
        )
    return Finding(True, f"Telegram отвечал боту {max(0, age)} с назад.")


def _last_poll(database: Path) -> int | None:
    # Not through Database, which would create or migrate the file.
    with closing(open_existing(database, timeout=5)) as conn:
        row = conn.execute("SELECT value FROM facts WHERE name = ?", (_FACT,)).fetchone()
    return int(row[0]) if row else None
