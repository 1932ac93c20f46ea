"""A copy of the database every night, or once the machine has woken up."""

import logging
import sqlite3
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from in_words import storage_trouble
from upkeep.backup import back_up, path_of

log = logging.getLogger(__name__)
LOOK_S, AGAIN_S = 60, 3600


def copy_each_night(database: Path, now: Callable[[], datetime], stopping: threading.Event) -> None:
    """Make the day's copy whenever it is missing, until the bot stops.

    The first check is a minute after the start, so that a bot that keeps crashing spares its disk.
    """
    pause = LOOK_S
    while not stopping.wait(pause):
        pause = LOOK_S
        if not path_of(database, now()).exists() and not _made(database, now()):
            pause = AGAIN_S


def _made(database: Path, now: datetime) -> bool:
    try:
        path = back_up(database, now)
    except (sqlite3.Error, OSError) as exc:
        log.error("Копия базы не сделана: %s. Попробую через час.", storage_trouble(exc) or exc)
        return False
    log.info("Копия базы: %s, %.1f МБ", path, path.stat().st_size / 2**20)
    return True
