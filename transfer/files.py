"""Notes as files of a bounded size, each complete by itself, and what may be wrong with one."""

import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from db import Note

# Below what a bot may send (50 MB) and what it can fetch again (20 MB), and so small since an upload holds
# three copies of its file in memory: https://core.telegram.org/bots/api#getfile
MOST_BYTES = 10 * 2**20


LATEST_S = 253_402_214_399  # the last second that every time zone can still show in the year 9999


class BrokenFileError(Exception):
    """A file of ours that is not whole any more; the text says, in Russian, what is the matter."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record of a file that cannot be read, by its first line, counted from 1."""

    line: int


@dataclass(frozen=True, slots=True)
class Format:
    """How notes are written: `before` all of them, `between` two, `after` the last."""

    ending: str  # of the file's name
    write: Callable[[Note], str]
    before: str = ""
    between: str = "\n\n"
    after: str = "\n"


@dataclass(frozen=True, slots=True)
class FilePart:
    """A file that is full, or the last one."""

    content: bytes
    last_number: int  # of the notes in it


def parts(notes: Iterable[Note], form: Format, most: int = MOST_BYTES) -> Iterator[FilePart | int]:
    """Yield the number of each note as it is written, and each file as it is full.

    A file holds one note at least, however long that is.
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
    """Make a file of its content, which is let go of: there may not be room for both."""
    content.write(form.after.encode())
    part = FilePart(content.getvalue(), last)
    content.close()
    return part
