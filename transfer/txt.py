"""The course's text file: `#7 · 24.11.2026 10:00`, the text below it, a blank line between two notes.

A line of a note that looks like such a header gets one more invisible character (U+2060) in front, and
loses one when it is read, so that the text comes back as it was. Line breaks at the end of a note are not
kept, nor are formatting, files and seconds: use JSON for those.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, tzinfo

from db import Note
from transfer.files import LATEST_S, Format, Unreadable

_DATE = "%d.%m.%Y %H:%M"
_HEADER = re.compile(r"#(?P<number>\d{1,18}) · (?P<date>\d\d\.\d\d\.\d{4} \d\d:\d\d)[ \t]*", re.ASCII)
_LOOKS_LIKE_ONE = re.compile(rf"^(\u2060*)(?={_HEADER.pattern}$)", re.MULTILINE)
_DAMAGED = re.compile("[\udc80-\udcff]")  # bytes that are invalid in the file's encoding
_HIDDEN = re.compile(rf"\u2060(?=\u2060*{_HEADER.pattern}$)")


def txt(zone: tzinfo | None) -> Format:
    """Return the format, with times in this zone."""

    def write(note: Note) -> str:
        when = note.written(zone)
        text = _LOOKS_LIKE_ONE.sub("\u2060\\1", note.text)
        return f"#{note.number} · {when:{_DATE}}\n{text}"

    return Format("txt", write)


def is_txt(first_line: str) -> bool:
    """Return whether a file with this first line is an export of ours."""
    return _HEADER.fullmatch(first_line.strip()) is not None


def read_txt(lines: Iterable[str], zone: tzinfo | None) -> Iterator[Note | Unreadable]:
    """Yield the notes in a file's lines; a header counts only at the start and after a blank line.

    A note whose header cannot be read is dropped with its text, which ends at the next header.
    """
    header: Note | Unreadable | None = None
    body: list[str] = []
    was_blank = True
    for number, line in enumerate(lines, start=1):
        found = _HEADER.fullmatch(line) if was_blank else None
        if found:
            yield from _complete(header, body)
            header, body = _read_header(found, number, zone), []
        else:
            if header and _DAMAGED.search(line):
                header = Unreadable(number)
            body.append(_HIDDEN.sub("", line, count=1) if line.startswith("\u2060") else line)
        was_blank = not line.strip()
    yield from _complete(header, body)


def _read_header(found: re.Match[str], line: int, zone: tzinfo | None) -> Note | Unreadable:
    try:
        when = datetime.strptime(found["date"], _DATE).replace(tzinfo=zone)
        seconds = int(when.timestamp())
    except (ValueError, OverflowError):  # such as 31.02.2026
        return Unreadable(line)
    return Note(int(found["number"]), "", seconds) if 0 <= seconds <= LATEST_S else Unreadable(line)


def _complete(header: Note | Unreadable | None, body: list[str]) -> Iterator[Note | Unreadable]:
    """Yield the note that ends here; a note without text is left out, since nothing of it can be imported."""
    text = "\n".join(body).rstrip("\n")
    if isinstance(header, Unreadable):
        yield header
    elif header and text:
        yield replace(header, text=text)
