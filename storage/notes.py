"""Notes as records and as rows: what a note is, read from the file and written to it.

The functions work inside a transaction that somebody else has begun; `db.Database` and `storage.notebook`
make one of each call.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, tzinfo
from itertools import accumulate
from typing import Any

from storage import word_index
from storage.query import by_clock
from storage.tags import without_marks, without_marks_in_code

_PAST_EDITS, _PAST_LETTERS = 20, 100_000  # that can be taken back
Entity = dict[str, Any]  # formatting of a part of a text, as Telegram's; offsets in UTF-16 units


@dataclass(frozen=True, slots=True)
class File:
    """What came with a note, by Telegram's ids; `kind` is photo, document, voice and so on."""

    kind: str
    file_id: str
    file_unique_id: str = ""
    name: str = ""
    mime: str = ""
    size: int | None = None  # bytes


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a forwarded note came from; there is a link only where everybody may read it."""

    name: str
    link: str = ""
    date: int | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """A note as its owner sees it: `number` is the 7 of #7; `deleted_at` is set in the bin only."""

    number: int
    text: str
    created_at: int
    entities: tuple[Entity, ...] = ()
    origin: Origin | None = None
    files: tuple[File, ...] = ()
    pinned: bool = False
    edited_at: int | None = None
    deleted_at: int | None = None

    def written(self, zone: tzinfo | None) -> datetime:
        """Return when it was written, as a zone's clock shows it; None is the machine's."""
        return by_clock(self.created_at, zone)


class NoteNotFoundError(Exception):
    """This person has no such note."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class NothingToUndoError(Exception):
    """This note was never edited."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


COLUMNS = "number, text, created_at, entities, origin, files, pinned_at, edited_at, deleted_at"
LIVING = f"SELECT {COLUMNS} FROM notes WHERE user_id = ? AND deleted_at IS NULL"


def from_row(row: tuple[Any, ...]) -> Note:
    """Make a Note of a row of COLUMNS."""
    number, text, created_at, entities, origin, files, pinned_at, edited_at, deleted_at = row
    return Note(
        number,
        text,
        created_at,
        tuple(json.loads(entities)) if entities else (),
        Origin(**json.loads(origin)) if origin else None,
        tuple(File(**file) for file in json.loads(files)) if files else (),
        pinned_at is not None,
        edited_at,
        deleted_at,
    )


def find(conn: sqlite3.Connection, user_id: int, number: int, *, deleted: bool = False) -> Note:
    """Return a note that is there, or one that is in the bin; raises NoteNotFoundError."""
    row = conn.execute(
        f"SELECT {COLUMNS} FROM notes WHERE user_id = ? AND number = ? AND (deleted_at IS NOT NULL) = ?",
        (user_id, number, deleted),
    ).fetchone()
    if row is None:
        raise NoteNotFoundError(number)
    return from_row(row)


def find_all(conn: sqlite3.Connection, user_id: int, numbers: Iterable[int]) -> Iterator[Note]:
    """Return the notes of these numbers, in that order."""
    return (find(conn, user_id, number) for number in numbers)


def pinned(conn: sqlite3.Connection, user_id: int) -> list[int]:
    """Return the numbers of a person's pinned notes, the last pinned first."""
    rows = conn.execute(
        "SELECT number FROM notes WHERE user_id = ? AND pinned_at IS NOT NULL AND deleted_at IS NULL"
        " ORDER BY pinned_at DESC, number DESC",
        (user_id,),
    )
    return [number for (number,) in rows]


def from_source(conn: sqlite3.Connection, source: str) -> tuple[int, Note] | None:
    """Return the note that came from there, and whose it is."""
    row = conn.execute(f"SELECT user_id, {COLUMNS} FROM notes WHERE source = ?", (source,)).fetchone()
    return (row[0], from_row(row[1:])) if row else None


def next_number(conn: sqlite3.Connection, user_id: int) -> int:
    """Return the number of a person's next note; none is used twice, not even of what left the bin."""
    row = conn.execute(
        "SELECT 1 + max(coalesce((SELECT max(number) FROM notes WHERE user_id = ?1), 0),"
        " coalesce((SELECT number FROM used_numbers WHERE user_id = ?1), 0))",
        (user_id,),
    ).fetchone()
    return int(row[0])


def insert(conn: sqlite3.Connection, user_id: int, note: Note, source: str | None) -> None:
    """Write a new note, without its words."""
    conn.execute(
        "INSERT INTO notes"
        " (user_id, number, text, created_at, source, entities, origin, files, pinned_at, edited_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            user_id,
            note.number,
            note.text,
            note.created_at,
            source,
            _json(note.entities),
            _json(asdict(note.origin)) if note.origin else None,
            _json([asdict(file) for file in note.files]),
            note.created_at if note.pinned else None,
            note.edited_at,
        ),
    )


def rewrite(conn: sqlite3.Connection, user_id: int, old: Note, new: Note) -> None:
    """Write what a note says and holds now, and index it."""
    conn.execute(
        "UPDATE notes SET text = ?, entities = ?, files = ?, edited_at = ? WHERE user_id = ? AND number = ?",
        (
            new.text,
            _json(new.entities),
            _json([asdict(file) for file in new.files]),
            new.edited_at,
            user_id,
            new.number,
        ),
    )
    word_index.change(conn, user_id, new.number, indexed(old), indexed(new))


def change(
    conn: sqlite3.Connection, user_id: int, number: int, changed: Callable[[Note], Note], source: str
) -> Note:
    """Make of a note what it becomes, and keep what it was; raises NoteNotFoundError.

    Where its last change came from the same source, that has come again: then it is the note as it is.
    """
    old = find(conn, user_id, number)
    past = versions(conn, user_id, number)
    if source and past and past[0].get("source") == source:
        return old
    new = changed(old)
    rewrite(conn, user_id, old, new)
    files = [asdict(file) for file in old.files]
    before = {"text": old.text, "entities": old.entities, "files": files, "source": source}
    conn.execute(
        "UPDATE notes SET previous = ? WHERE user_id = ? AND number = ?",
        (json.dumps(_newest([before, *past])), user_id, number),
    )
    return new


def before_edit(conn: sqlite3.Connection, user_id: int, edit: str, note: Note) -> Note:
    """Return a note with what it said and held before an edit, by its source, or before the last one.

    Raises NothingToUndoError, also where that was too many edits ago.
    """
    past = versions(conn, user_id, note.number)
    was = next((version for version in past if version["source"] == edit or not edit), None)
    if was is None:
        raise NothingToUndoError(note.number)
    files = tuple(File(**file) for file in was["files"])
    return replace(note, text=was["text"], entities=tuple(was["entities"]), files=files)


def versions(conn: sqlite3.Connection, user_id: int, number: int) -> list[dict[str, Any]]:
    """Return what a note was before each of its last edits, the newest first."""
    row = conn.execute(
        "SELECT previous FROM notes WHERE user_id = ? AND number = ?", (user_id, number)
    ).fetchone()
    versions: list[dict[str, Any]] = json.loads(row[0]) if row and row[0] else []
    return versions


def _newest(versions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return as many versions as a row may hold, one at least."""
    sizes = accumulate(len(version["text"]) for version in versions)
    fitting = sum(size <= _PAST_LETTERS for size in sizes)
    return versions[: max(1, min(_PAST_EDITS, fitting))]


def with_files(files: tuple[File, ...], more: Sequence[File], instead_of: str) -> tuple[File, ...]:
    """Return files with more of them: in the place of one, by its unique id, or behind all."""
    ids = [file.file_unique_id for file in files]
    place = ids.index(instead_of) if more and instead_of in ids else len(files)
    return (*files[:place], *more, *files[place + 1 :])


def searched(note: Note) -> str:
    """Return what a search looks through: the text, hidden addresses, names of files and of the author."""
    return "\n".join([note.text, *_beside(note)])


def indexed(note: Note) -> str:
    """Return the same as the index takes it, in which only the text has tags, and none in code."""
    text = without_marks_in_code(note.text, note.entities) if note.entities else note.text
    return "\n".join([text, *map(without_marks, _beside(note))])


def _beside(note: Note) -> list[str]:
    addresses = [str(entity["url"]) for entity in note.entities if "url" in entity]
    names = [file.name for file in note.files if file.name]
    author = [note.origin.name] if note.origin else []
    return [*addresses, *names, *author]


def _json(value: Sequence[Any] | dict[str, Any]) -> str | None:
    return json.dumps(value, ensure_ascii=False) if value else None
