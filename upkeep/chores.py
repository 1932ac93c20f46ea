"""What `python bot.py` can do instead of running the bot, by its options."""

import argparse
import sqlite3
import time
from collections.abc import Iterable
from pathlib import Path

from in_words import storage_trouble
from settings import Settings
from upkeep.backup import back_up
from upkeep.check import check
from upkeep.findings import Finding
from upkeep.health import health
from upkeep.restore import restore


def chore(options: argparse.Namespace, settings: Settings) -> Iterable[Finding] | None:
    """Do what the options ask for, and return the findings; None if they ask for the bot."""
    if options.health:
        return [health(settings.db_path, time.time())]
    if options.check:
        return check(settings)
    if options.backup:
        return [_backup(settings)]
    if options.restore:
        return [restore(Path(options.restore), settings.db_path, settings.now())]
    return None


def _backup(settings: Settings) -> Finding:
    if not settings.db_path.exists():
        return Finding(True, f"Базы ещё нет ({settings.db_path}), копировать нечего")
    try:
        path = back_up(settings.db_path, settings.now())
    except (sqlite3.Error, OSError) as exc:
        return Finding(False, f"Копия базы не сделана: {storage_trouble(exc) or exc}")
    return Finding(True, f"Копия базы: {path}")
