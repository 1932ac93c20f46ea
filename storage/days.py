"""When a person's notes were written, in days and hours of a time zone; None means the machine's."""

import sqlite3
from collections import Counter
from datetime import date, datetime, timedelta, tzinfo

from db import Database
from storage import notes
from storage.notes import Note
from storage.query import by_clock, midnight

_QUARTER_S = 900  # every UTC offset is a multiple of a quarter of an hour
_YEAR = timedelta(days=366)


class Days:
    """The notes of a Database, by date."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def counts(self, user_id: int, since: int, zone: tzinfo | None) -> dict[date, int]:
        """Return the number of notes per day since a Unix time; days without notes are missing."""
        counts: Counter[date] = Counter()
        for moment, count in self._quarters(user_id, since, zone):
            counts[moment.date()] += count
        return dict(counts)

    def busiest_hour(self, user_id: int, since: int, zone: tzinfo | None) -> int | None:
        """Return the hour, 0 to 23, in which most notes were written since then; None without notes."""
        hours: Counter[int] = Counter()
        for moment, count in self._quarters(user_id, since, zone):
            hours[moment.hour] += count
        return max(hours, key=lambda hour: (hours[hour], -hour), default=None)

    def streak(self, user_id: int, today: date, zone: tzinfo | None) -> int:
        """Return the number of consecutive days with notes, ending today or yesterday."""
        begin = today - _YEAR
        days = self.counts(user_id, midnight(begin, zone), zone)
        day = today if today in days else today - timedelta(days=1)
        length = 0
        while day in days:
            length, day = length + 1, day - timedelta(days=1)
            if day < begin:
                begin -= _YEAR
                days = self.counts(user_id, midnight(begin, zone), zone)
        return length

    def _quarters(self, user_id: int, since: int, zone: tzinfo | None) -> list[tuple[datetime, int]]:
        query = (
            "SELECT created_at / ?1 * ?1 AS quarter, count(*) FROM notes"
            " WHERE user_id = ?2 AND deleted_at IS NULL AND created_at >= ?3 GROUP BY quarter"
        )
        rows = self._db.rows(query, _QUARTER_S, user_id, since)
        return [(by_clock(quarter, zone), count) for quarter, count in rows]

    def of_this_day(self, user_id: int, today: date, zone: tzinfo | None) -> list[Note]:
        """Return the notes written on this day in earlier years, the newest first."""
        with self._db.read() as conn:
            (first,) = conn.execute(
                "SELECT min(created_at) FROM notes WHERE user_id = ? AND deleted_at IS NULL", (user_id,)
            ).fetchone()
            found: list[Note] = []
            earliest = today.year if first is None else by_clock(first, zone).year
            for year in range(today.year - 1, earliest - 1, -1):
                day = _same_day(today, year)
                found += _written_on(conn, user_id, day, zone) if day else []
        return found


def _written_on(conn: sqlite3.Connection, user_id: int, day: date, zone: tzinfo | None) -> list[Note]:
    rows = conn.execute(  # the + keeps SQLite from scanning all notes in that order
        f"{notes.LIVING} AND created_at >= ? AND created_at < ? ORDER BY +number DESC",
        (user_id, midnight(day, zone), midnight(day + timedelta(days=1), zone)),
    )
    return [notes.from_row(row) for row in rows]


def _same_day(day: date, year: int) -> date | None:
    try:
        return day.replace(year=year)
    except ValueError:  # 29 February
        return None
