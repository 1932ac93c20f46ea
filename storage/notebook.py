"""What else can be asked of a person's notes: the bin, tags, days, what matters to a question, import."""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo

from db import Database, Hit
from storage import notes, recalled, search, word_index
from storage.notes import Entity, File, Note
from storage.query import Query, by_clock, midnight

PAGE = 500
_QUARTER_S = 900  # every time zone is some quarters of an hour away from UTC
_YEAR = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Imported:
    """How many notes were new, and how many were there already."""

    added: int
    known: int


class Notebook:
    """The notes of a Database, beside the commands of the course."""

    def __init__(self, db: Database) -> None:
        self._db = db

    # Changing one

    def append_note(
        self,
        user_id: int,
        number: int,
        text: str,
        *,
        edited_at: int,
        entities: Sequence[Entity] = (),
        files: Sequence[File] = (),
        source: str = "",
    ) -> Note:
        """Put a text on a new line of a note, and files to its files; raises NoteNotFoundError.

        From the same source again it is the same change.
        """
        with self._db.write() as conn:
            old = notes.find(conn, user_id, number)
            if notes.came_from(conn, user_id, number, source):
                return old
            between = "\n" if old.text and text else ""
            moved = notes.moved(entities, f"{old.text}{between}")
            new = replace(
                old,
                text=f"{old.text}{between}{text}",
                entities=old.entities + moved,
                files=old.files + tuple(files),
                edited_at=edited_at,
            )
            notes.rewrite(conn, user_id, old, new, undoable=True, source=source)
            return new

    def undo_edit(self, user_id: int, number: int, edit: str = "", *, source: str = "") -> Note:
        """Give a note back what it was before a change, by its source, or before the last one.

        That is a change, too, and can be taken back. From the same source again it is done once.
        Raises NoteNotFoundError, NothingToUndoError.
        """
        with self._db.write() as conn:
            old = notes.find(conn, user_id, number)
            if notes.came_from(conn, user_id, number, source):
                return old
            text, entities, files = notes.previous(conn, user_id, number, edit)
            new = replace(old, text=text, entities=entities, files=files)
            notes.rewrite(conn, user_id, old, new, undoable=True, source=source)
            return new

    def edits_since(self, user_id: int, number: int, edit: str) -> int:
        """Return how many changes of a note came after one, by its source."""
        with self._db.read() as conn:
            return notes.edits_since(conn, user_id, number, edit)

    def pin_note(self, user_id: int, number: int, *, pinned_at: int | None) -> Note:
        """Pin a note to the head of the list, or with None take it from there; raises NoteNotFoundError."""
        with self._db.write() as conn:
            note = notes.find(conn, user_id, number)
            conn.execute(
                "UPDATE notes SET pinned_at = ? WHERE user_id = ? AND number = ?",
                (pinned_at, user_id, number),
            )
            return replace(note, pinned=pinned_at is not None)

    # The bin

    def restore_note(self, user_id: int, number: int) -> Note:
        """Take a note out of the bin; raises NoteNotFoundError if it is not there."""
        with self._db.write() as conn:
            note = notes.find(conn, user_id, number, deleted=True)
            conn.execute(
                "UPDATE notes SET deleted_at = NULL, deleted_by = NULL WHERE user_id = ? AND number = ?",
                (user_id, number),
            )
            word_index.change(conn, user_id, number, None, notes.indexed(note))
            return replace(note, deleted_at=None)

    def numbers_between(
        self, user_id: int, first: int, last: int, limit: int, *, source: str = ""
    ) -> list[int]:
        """Return the numbers from one to another that are there, or were deleted by this source."""
        with self._db.read() as conn:
            rows = conn.execute(
                "SELECT number FROM notes WHERE user_id = ? AND number BETWEEN ? AND ?"
                " AND (deleted_at IS NULL OR deleted_by = ?) ORDER BY number LIMIT ?",
                (user_id, first, last, source, limit),
            )
            return [number for (number,) in rows]

    def waiting_source(self, user_id: int, number: int) -> str:
        """Return the source of a note that it put in the bin itself, to wait there for a choice; else ""."""
        with self._db.read() as conn:
            row = conn.execute(
                "SELECT source FROM notes WHERE user_id = ? AND number = ? AND deleted_by = source",
                (user_id, number),
            ).fetchone()
        return row[0] if row else ""

    def trash(self, user_id: int, limit: int, offset: int = 0) -> tuple[int, list[Note]]:
        """Return how many notes lie in the bin, and a page of them, the last deleted first."""
        with self._db.read() as conn:
            (total,) = conn.execute(
                "SELECT count(*) FROM notes WHERE user_id = ? AND deleted_at IS NOT NULL", (user_id,)
            ).fetchone()
            rows = conn.execute(
                f"SELECT {notes.COLUMNS} FROM notes WHERE user_id = ? AND deleted_at IS NOT NULL"
                " ORDER BY deleted_at DESC, number DESC LIMIT ? OFFSET ?",
                (user_id, limit, offset),
            )
            return total, [notes.from_row(row) for row in rows]

    def empty_trash(self, before: int) -> int:
        """Delete for good what was put in the bin before then, everybody's, with all that led to it.

        Returns how many notes.
        """
        with self._db.write() as conn:
            conn.execute(
                "INSERT INTO used_numbers (user_id, number)"
                " SELECT user_id, max(number) FROM notes WHERE deleted_at < ? GROUP BY user_id"
                " ON CONFLICT (user_id) DO UPDATE SET number = max(number, excluded.number)",
                (before,),
            )
            for table in ("note_messages", "note_pieces"):
                conn.execute(
                    f"DELETE FROM {table} WHERE (user_id, number) IN"
                    " (SELECT user_id, number FROM notes WHERE deleted_at < ?)",
                    (before,),
                )
            gone = conn.execute("DELETE FROM notes WHERE deleted_at < ?", (before,)).rowcount
            if gone:
                recalled.forget_lists(conn)
            return gone

    # Finding

    def rank_notes(self, user_id: int, queries: Sequence[str], limit: int = 8) -> list[Note]:
        """Return the notes that the queries are about, the best first; none where no word of them stands."""
        with self._db.searching, self._db.read() as conn:
            best = search.rank(conn, user_id, queries)[:limit]
            return list(notes.find_all(conn, user_id, best))

    def similar_words(self, user_id: int, query: str, limit: int = 5) -> list[str]:
        """Return the words of a person's notes that look most like a word of a query, the best first."""
        with self._db.searching, self._db.read() as conn:
            return search.similar(conn, user_id, query, limit)

    def tags(self, user_id: int) -> list[tuple[str, int]]:
        """Return a person's tags without their #, each with how many notes have it, most first."""
        with self._db.read() as conn:
            counts = [(word[1:], total) for word, total in word_index.words_from(conn, user_id, "#")]
        return sorted(counts, key=lambda one: (-one[1], one[0]))

    def tagged(self, user_id: int, tag: str, limit: int, offset: int = 0) -> tuple[int, list[Hit]]:
        """Return how many notes have just this tag, and a page of them, the newest first."""
        wanted = Query(literals=(f"#{tag}",))
        with self._db.read() as conn:
            found = word_index.notes_with(conn, user_id, [f"#{tag}"])
            page = word_index.page(found, limit, offset)
            hits = [
                Hit(note, search.spans(wanted, frozenset(), note.text))
                for note in notes.find_all(conn, user_id, page)
            ]
        return word_index.count(found), hits

    def random_note(self, user_id: int) -> Note | None:
        """Return some note; None if there is none."""
        with self._db.read() as conn:
            row = conn.execute(
                "SELECT number FROM notes WHERE user_id = ?1 AND deleted_at IS NULL LIMIT 1"
                " OFFSET abs(random()) % max(1, (SELECT count(*) FROM notes"
                " WHERE user_id = ?1 AND deleted_at IS NULL))",
                (user_id,),
            ).fetchone()
            return notes.find(conn, user_id, row[0]) if row else None

    def notes_of_this_day(self, user_id: int, today: date, zone: tzinfo | None) -> list[Note]:
        """Return what was written on this day of earlier years, the newest first."""
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

    # All of them

    def all_notes(self, user_id: int) -> Iterator[Note]:
        """Return every note, the oldest first, a page at a time: nothing is held while somebody waits."""
        last = 0
        while page := self._after(user_id, last):
            yield from page
            last = page[-1].number

    def _after(self, user_id: int, number: int) -> list[Note]:
        with self._db.read() as conn:
            rows = conn.execute(
                f"{notes.LIVING} AND number > ? ORDER BY number LIMIT ?", (user_id, number, PAGE)
            )
            return [notes.from_row(row) for row in rows]

    def import_notes(
        self,
        user_id: int,
        imported: Iterable[Note],
        *,
        to_the_minute: bool = False,
        copies: Counter[int] | None = None,
    ) -> Imported:
        """Add notes of an export, all or none; one whose text, time and files are there is there already.

        With `to_the_minute`, one whose text and minute are. They keep their numbers where nobody has had them
        here, else get new ones. Give it some hundreds at a time, and for all of a file the same `copies`: of
        two that are the same in it, both belong here.
        """
        copies = Counter() if copies is None else copies
        fresh: list[Note] = []
        known = 0
        with self._db.write() as conn:
            for note in imported:
                like = _Likeness(note, to_the_minute)
                copies[hash(like.key)] += 1
                if like.count(conn, user_id) >= copies[hash(like.key)]:
                    known += 1
                    continue
                fresh.append(_with_free_number(conn, user_id, note))
                notes.insert(conn, user_id, fresh[-1], None)
            word_index.add_many(conn, user_id, ((note.number, notes.indexed(note)) for note in fresh))
        return Imported(len(fresh), known)

    # Days

    def day_counts(self, user_id: int, since: int, zone: tzinfo | None) -> dict[date, int]:
        """Return how many notes each day has since then; days without any are missing."""
        counts: Counter[date] = Counter()
        for moment, count in self._quarters(user_id, since, zone):
            counts[moment.date()] += count
        return dict(counts)

    def busiest_hour(self, user_id: int, since: int, zone: tzinfo | None) -> int | None:
        """Return the hour of the day, 0 to 23, in which most notes were written since then."""
        hours: Counter[int] = Counter()
        for moment, count in self._quarters(user_id, since, zone):
            hours[moment.hour] += count
        return max(hours, key=lambda hour: (hours[hour], -hour), default=None)

    def streak(self, user_id: int, today: date, zone: tzinfo | None) -> int:
        """Return for how many days in a row there is a note each, up to today, or to yesterday."""
        begin = today - _YEAR
        days = self.day_counts(user_id, midnight(begin, zone), zone)
        day = today if today in days else today - timedelta(days=1)
        length = 0
        while day in days:
            length, day = length + 1, day - timedelta(days=1)
            if day < begin:
                begin -= _YEAR
                days = self.day_counts(user_id, midnight(begin, zone), zone)
        return length

    def _quarters(self, user_id: int, since: int, zone: tzinfo | None) -> list[tuple[datetime, int]]:
        with self._db.read() as conn:
            rows = conn.execute(
                "SELECT created_at / ?1 * ?1 AS quarter, count(*) FROM notes"
                " WHERE user_id = ?2 AND deleted_at IS NULL AND created_at >= ?3 GROUP BY quarter",
                (_QUARTER_S, user_id, since),
            ).fetchall()
        return [(by_clock(quarter, zone), count) for quarter, count in rows]

    # Messages

    def remember_messages(self, chat_id: int, message_ids: Iterable[int], user_id: int, number: int) -> None:
        """Note that messages are a note's: its receipt, or its card, which may be several."""
        with self._db.write() as conn:
            conn.executemany(
                "INSERT OR REPLACE INTO note_messages (chat_id, message_id, user_id, number)"
                " VALUES (?, ?, ?, ?)",
                [(chat_id, message_id, user_id, number) for message_id in message_ids],
            )

    def note_message(self, chat_id: int, message_id: int) -> tuple[int, int] | None:
        """Return whose note a message belongs to, and its number; None for any other message."""
        with self._db.read() as conn:
            row: tuple[int, int] | None = conn.execute(
                "SELECT user_id, number FROM note_messages WHERE chat_id = ? AND message_id = ?",
                (chat_id, message_id),
            ).fetchone()
        return row


class _Likeness:
    """What makes a note the same as another one."""

    def __init__(self, note: Note, to_the_minute: bool) -> None:
        unit = 60 if to_the_minute else 1
        begin = note.created_at // unit * unit
        self._times = begin, begin + unit
        self._text = note.text
        self._files = None if to_the_minute else [file.file_unique_id for file in note.files]
        self.key = (*self._times, note.text, tuple(self._files or ()))

    def count(self, conn: sqlite3.Connection, user_id: int) -> int:
        """Return how many notes of a person are like it."""
        rows = conn.execute(
            f"{notes.LIVING} AND created_at >= ? AND created_at < ? AND text = ?",
            (user_id, *self._times, self._text),
        )
        found = (notes.from_row(row) for row in rows)
        return sum(
            self._files is None or [file.file_unique_id for file in note.files] == self._files
            for note in found
        )


def _with_free_number(conn: sqlite3.Connection, user_id: int, note: Note) -> Note:
    (taken,) = conn.execute(
        "SELECT EXISTS (SELECT 1 FROM notes WHERE user_id = ?1 AND number = ?2)"
        " OR EXISTS (SELECT 1 FROM used_numbers WHERE user_id = ?1 AND number >= ?2)",
        (user_id, note.number),
    ).fetchone()
    free = note.number > 0 and not taken
    return note if free else replace(note, number=notes.next_number(conn, user_id))


def _written_on(conn: sqlite3.Connection, user_id: int, day: date, zone: tzinfo | None) -> list[Note]:
    rows = conn.execute(  # without the + SQLite looks at every note in that order
        f"{notes.LIVING} AND created_at >= ? AND created_at < ? ORDER BY +number DESC",
        (user_id, midnight(day, zone), midnight(day + timedelta(days=1), zone)),
    )
    return [notes.from_row(row) for row in rows]


def _same_day(day: date, year: int) -> date | None:
    try:
        return day.replace(year=year)
    except ValueError:  # the 29th of February
        return None
