"""A search query: words, "literal parts", and the days between which the notes were written."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from storage.folding import fold

# A part in quotation marks is literal; a single mark, or one inside a word, is an ordinary character.
_PARTS = re.compile(r'(?<!\S)"([^"]+)"(?!\S)|(\S+)')
_DAY = re.compile(r"(?<!\S)(от|до):\s*(\d[\d./-]*)[,;]?(?!\S)")
_SHAPES = ("%d.%m.%Y", "%d.%m.%y", "%Y-%m-%d")


class QueryError(Exception):
    """A part of the query cannot be read; the text is that part."""


@dataclass(frozen=True, slots=True)
class Query:
    """A query, folded; `since` and `before` are Unix times, `before` exclusive."""

    words: tuple[str, ...] = ()  # matched in any form and as part of a word; may hold punctuation
    literals: tuple[str, ...] = ()
    since: int | None = None
    before: int | None = None

    @property
    def parts(self) -> tuple[str, ...]:
        """The words and the literal parts together."""
        return self.words + self.literals


def parse(text: str, zone: tzinfo | None = UTC) -> Query:
    """Read a query, with days in a time zone (None means the machine's); raises QueryError."""
    days: dict[str, date] = {}

    def take(found: re.Match[str]) -> str:
        days[found[1]] = _day(found)
        return " "

    parts = _PARTS.findall(_DAY.sub(take, fold(text)))
    return Query(
        words=tuple(dict.fromkeys(word for _, word in parts if word)),
        literals=tuple(dict.fromkeys(literal for literal, _ in parts if literal)),
        since=midnight(days["от"], zone) if "от" in days else None,
        before=midnight(days["до"] + timedelta(days=1), zone) if "до" in days else None,
    )


def _day(found: re.Match[str]) -> date:
    for shape in _SHAPES:
        try:
            return datetime.strptime(found[2].rstrip("."), shape).replace(tzinfo=UTC).date()
        except ValueError:
            continue
    raise QueryError(found[0].strip())


def by_clock(time: int, zone: tzinfo | None) -> datetime:
    """Return a Unix time as local time in a zone; None means the machine's."""
    return datetime.fromtimestamp(time, UTC).astimezone(zone)


def midnight(day: date, zone: tzinfo | None) -> int:
    """Return the Unix time at which a day begins in a zone; None means the machine's."""
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())
