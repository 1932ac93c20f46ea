"""Compares the machine's clock with the servers' clocks: dates, limits and TLS depend on it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from openrouter_client import OpenRouterError, server_date
from upkeep.findings import Finding

TOLERANCE_S = 60
PATIENCE_S = 20


def check_clock(telegrams_date: str) -> Iterator[Finding]:
    """Compare it with the `Date` of Telegram's last response, and with one from the model service."""
    try:
        date = server_date(PATIENCE_S)
    except OpenRouterError:
        date = ""  # the check of the models has reported it already
    told = [("Telegram", telegrams_date), ("сервиса моделей", date)]
    for whose, date in told:
        if (skew := _skew(date)) is not None:
            yield _compared(whose, skew)


def _compared(whose: str, skew: float) -> Finding:
    if abs(skew) <= TOLERANCE_S:
        return Finding(True, f"Часы идут как у {whose}")
    way = "отстают" if skew > 0 else "спешат"
    return Finding(False, f"Часы {way} от {whose} на {abs(skew):.0f} с. Включите синхронизацию времени (NTP)")


def _skew(date: str) -> float | None:
    """Return by how many seconds an HTTP date is ahead of this machine; None if it is not a date."""
    try:
        return (parsedate_to_datetime(date).astimezone(UTC) - datetime.now(UTC)).total_seconds()
    except ValueError:
        return None
