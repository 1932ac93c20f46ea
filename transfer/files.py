"""Notes as files of limited size, each complete by itself, and what may be wrong with one."""

import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from db import Note

# Less than a bot may send (50 MB) and download again (20 MB: https://core.telegram.org/bots/api#getfile),
# because an upload holds three copies of its file in memory.
MOST_BYTES = 10 * 2**20


LATEST_S = 253_402_214_399  # 9999-12-30 23:59:59 UTC, a time that every time zone can still show


class BrokenFileError(Exception):
    """An export of ours that cannot be read; the text says what is wrong with it, in Russian."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record in a file that cannot be read; `line` is its first line, counted from 1."""

    line: int


@dataclass(frozen=True, slots=True)
class Format:
    """How notes are written: `before` all of them, `between` two, `after` the last."""

    ending: str  # the extension of the file's name
    write: Callable[[Note], str]
    before: str = ""
    between: str = "\n\n"
    after: str = "\n"


@dataclass(frozen=True, slots=True)
class FilePart:
    """A full file, or the last one."""

    content: bytes
    last_number: int  # of the last note in it


def parts(notes: Iterable[Note], form: Format, most: int = MOST_BYTES) -> Iterator[FilePart | int]:
    """Yield the number of each note once it is written, and each file once it is full.

    A file has at most `most` bytes, but at least one note, however long.
    """
    content, last = io.BytesIO(), 0
    for note in notes:
        record = form.write(note).encode()
        if content.tell() and content.tell() + len(record) + len(form.between + form.after) > most:
            yield _filled(content, form, last)
            content = io.BytesIO()
        content.write((form.between if content.tell() else form.before).encode())
        content.write(record)
        last = note.number
        yield last
    if content.tell():
        yield _filled(content, form, last)


def _filled(content: io.BytesIO, form: Format, last: int) -> FilePart:
    """Return the finished file, and free `content`: memory may not hold both."""
    content.write(form.after.encode())
    part = FilePart(content.getvalue(), last)
    content.close()
    return part
