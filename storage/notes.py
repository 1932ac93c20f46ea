"""Notes as dataclasses and as rows: reading them from the file and writing them.

The functions run inside the caller's transaction; `db.Database` and `storage.notebook` begin one per call.
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

_PAST_EDITS, _PAST_LETTERS = 20, 100_000  # limits of a note's stored edits
Entity = dict[str, Any]  # like Telegram's MessageEntity; offsets in UTF-16 units


@dataclass(frozen=True, slots=True)
class File:
    """A note's file, by Telegram's ids; `kind` is photo, document, voice and so on."""

    kind: str
    file_id: str
    file_unique_id: str = ""
    name: str = ""
    mime: str = ""
    size: int | None = None  # bytes


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a forwarded note came from; it has a link only if that is public."""

    name: str
    link: str = ""
    date: int | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """A note as its owner sees it: `number` is the 7 of #7; `deleted_at` is set only in the bin."""

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
        """Return its local date and time in a zone; None means the machine's."""
        return by_clock(self.created_at, zone)


class NoteNotFoundError(Exception):
    """The person has no such note."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class NothingToUndoError(Exception):
    """There is no such edit of this note to undo."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


COLUMNS = "number, text, created_at, entities, origin, files, pinned_at, edited_at, deleted_at"
LIVING = f"SELECT {COLUMNS} FROM notes WHERE user_id = ? AND deleted_at IS NULL"


def from_row(row: tuple[Any, ...]) -> Note:
    """Return the Note in a row of COLUMNS."""
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
    """Return a note, or with `deleted` one in the bin; raises NoteNotFoundError."""
    row = conn.execute(
        f"SELECT {COLUMNS} FROM notes WHERE user_id = ? AND number = ? AND (deleted_at IS NOT NULL) = ?",
        (user_id, number, deleted),
    ).fetchone()
    if row is None:
        raise NoteNotFoundError(number)
    return from_row(row)


def find_any(conn: sqlite3.Connection, user_id: int, numbers: Iterable[int]) -> Iterator[Note]:
    """Yield those notes with these numbers that are there, in any order: hundreds of them, twice as fast."""
    query = f"{LIVING} AND number IN (SELECT value FROM json_each(?))"
    return map(from_row, conn.execute(query, (user_id, json.dumps(list(numbers)))))


def find_all(conn: sqlite3.Connection, user_id: int, numbers: Iterable[int]) -> Iterator[Note]:
    """Return the notes with these numbers, in that order; raises NoteNotFoundError."""
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
    """Return the owner's id and the note that came from a source, or None."""
    row = conn.execute(f"SELECT user_id, {COLUMNS} FROM notes WHERE source = ?", (source,)).fetchone()
    return (row[0], from_row(row[1:])) if row else None


def next_number(conn: sqlite3.Connection, user_id: int) -> int:
    """Return the number of a person's next note; none is reused, not even after the bin was emptied."""
    row = conn.execute(
        "SELECT 1 + max(coalesce((SELECT max(number) FROM notes WHERE user_id = ?1), 0),"
        " coalesce((SELECT number FROM used_numbers WHERE user_id = ?1), 0))",
        (user_id,),
    ).fetchone()
    return int(row[0])


def insert(conn: sqlite3.Connection, user_id: int, note: Note, source: str | None) -> None:
    """Insert a new note, without indexing it."""
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
    """Update a note's text, entities, files and time of edit, and its index."""
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
    """Replace a note by `changed(note)`, and save its earlier version; raises NoteNotFoundError.

    If its last edit has the same source, the update has come again: then the note is returned unchanged.
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
    """Return a note as it was before the edit with the source `edit`, or before the last one.

    Raises NothingToUndoError, also if too many edits followed.
    """
    past = versions(conn, user_id, note.number)
    was = next((version for version in past if version["source"] == edit or not edit), None)
    if was is None:
        raise NothingToUndoError(note.number)
    files = tuple(File(**file) for file in was["files"])
    return replace(note, text=was["text"], entities=tuple(was["entities"]), files=files)


def versions(conn: sqlite3.Connection, user_id: int, number: int) -> list[dict[str, Any]]:
    """Return a note's earlier versions, one for each of its last edits, the newest first."""
    row = conn.execute(
        "SELECT previous FROM notes WHERE user_id = ? AND number = ?", (user_id, number)
    ).fetchone()
    versions: list[dict[str, Any]] = json.loads(row[0]) if row and row[0] else []
    return versions


def _newest(versions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the newest versions within the limits, at least one."""
    sizes = accumulate(len(version["text"]) for version in versions)
    fitting = sum(size <= _PAST_LETTERS for size in sizes)
    return versions[: max(1, min(_PAST_EDITS, fitting))]


def with_files(files: tuple[File, ...], more: Sequence[File], instead_of: str) -> tuple[File, ...]:
    """Return files with `more` in place of the one with the unique id `instead_of`, or at the end."""
    ids = [file.file_unique_id for file in files]
    place = ids.index(instead_of) if more and instead_of in ids else len(files)
    return (*files[:place], *more, *files[place + 1 :])


def searched(note: Note) -> str:
    """Return the text that a search looks through: the note's, hidden URLs, names of files and the author."""
    return "\n".join([note.text, *_beside(note)])


def indexed(note: Note) -> str:
    """Return the same for the index, with # kept only in the note's text, and not in its code."""
    text = without_marks_in_code(note.text, note.entities) if note.entities else note.text
    return "\n".join([text, *map(without_marks, _beside(note))])


def _beside(note: Note) -> list[str]:
    addresses = [str(entity["url"]) for entity in note.entities if "url" in entity]
    names = [file.name for file in note.files if file.name]
    author = [note.origin.name] if note.origin else []
    return [*addresses, *names, *author]


def _json(value: Sequence[Any] | dict[str, Any]) -> str | None:
    return json.dumps(value, ensure_ascii=False) if value else None
