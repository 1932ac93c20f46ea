"""More operations on a person's notes: edits, the bin, tags, finding notes for a question."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from db import Database, Hit
from storage import notes, ranking, recalled, search, word_index
from storage.folding import words_in
from storage.notes import Entity, File, Note
from storage.numbers import count
from storage.query import Query
from telegram.formatted import concat

PAGE = 500


class Notebook:
    """The operations on a Database's notes that the course does not have."""

    def __init__(self, db: Database) -> None:
        self._db = db

    # Editing

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
        """Append a text, on a new line, and files to a note; raises NoteNotFoundError.

        A repeated call with the same source changes nothing.
        """

        def appended(old: Note) -> Note:
            glue = "\n" if old.text and text else ""
            longer, formatting = concat((old.text + glue, old.entities), (text, entities))
            kept = old.files + tuple(files)
            return replace(old, text=longer, entities=tuple(formatting), files=kept, edited_at=edited_at)

        with self._db.write() as conn:
            return notes.change(conn, user_id, number, appended, source)

    def undo_edit(self, user_id: int, number: int, edit: str = "", *, source: str = "") -> Note:
        """Restore a note to its state before the edit with the source `edit`, or before the last one.

        That is an edit too, and can be undone. A repeated call with the same source changes nothing.
        Raises NoteNotFoundError, NothingToUndoError.
        """
        with self._db.write() as conn:
            was = partial(notes.before_edit, conn, user_id, edit)
            return notes.change(conn, user_id, number, was, source)

    def edits_since(self, user_id: int, number: int, edit: str) -> int:
        """Return how many edits came after the one with the source `edit`; 0 if it is unknown."""
        with self._db.read() as conn:
            sources = [version["source"] for version in notes.versions(conn, user_id, number)]
        return sources.index(edit) if edit in sources else 0

    def pin_note(self, user_id: int, number: int, *, pinned_at: int | None) -> Note:
        """Pin a note to the top of the list, or with None unpin it; raises NoteNotFoundError."""
        with self._db.write() as conn:
            note = notes.find(conn, user_id, number)
            conn.execute(
                "UPDATE notes SET pinned_at = ? WHERE user_id = ? AND number = ?",
                (pinned_at, user_id, number),
            )
            return replace(note, pinned=pinned_at is not None)

    # The bin

    def restore_note(self, user_id: int, number: int) -> Note:
        """Take a note out of the bin; raises NoteNotFoundError if it is not in it."""
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
        """Return the existing numbers from `first` to `last`, and those that this source deleted."""
        query = (
            "SELECT number FROM notes WHERE user_id = ? AND number BETWEEN ? AND ?"
            " AND (deleted_at IS NULL OR deleted_by = ?) ORDER BY number LIMIT ?"
        )
        return [number for (number,) in self._db.rows(query, user_id, first, last, source, limit)]

    def waiting_source(self, user_id: int, number: int) -> str:
        """Return the source of a note that was put in the bin when made, to await a choice; else ""."""
        query = "SELECT source FROM notes WHERE user_id = ? AND number = ? AND deleted_by = source"
        row = self._db.row(query, user_id, number)
        return row[0] if row else ""

    def trash(self, user_id: int, limit: int, offset: int = 0) -> tuple[int, list[Note]]:
        """Return how many notes are in the bin, and a page of them, the last deleted first."""
        deleted = "FROM notes WHERE user_id = ? AND deleted_at IS NOT NULL"
        with self._db.read() as conn:
            (total,) = conn.execute(f"SELECT count(*) {deleted}", (user_id,)).fetchone()
            rows = conn.execute(
                f"SELECT {notes.COLUMNS} {deleted} ORDER BY deleted_at DESC, number DESC LIMIT ? OFFSET ?",
                (user_id, limit, offset),
            )
            return total, [notes.from_row(row) for row in rows]

    def empty_trash(self, before: int) -> int:
        """Delete for good everybody's notes put in the bin before then, and the records of their messages.

        Returns how many notes were deleted.
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

    def rank_notes(self, user_id: int, queries: Sequence[str], limit: int) -> list[Note]:
        """Return the notes most relevant to the queries, the best first; none if no word of them occurs."""
        with self._db.searching, self._db.read() as conn:
            best = ranking.rank(conn, user_id, queries)[:limit]
            return list(notes.find_all(conn, user_id, best))

    def similar_words(self, user_id: int, query: str, limit: int = 5) -> list[str]:
        """Return the words of a person's notes most similar to a word of a query, the best first."""
        with self._db.searching, self._db.read() as conn:
            return search.similar(conn, user_id, query, limit)

    def tags(self, user_id: int) -> list[tuple[str, int]]:
        """Return a person's tags without the #, each with its number of notes, the most frequent first."""
        with self._db.read() as conn:
            tags = filter(words_in, word_index.beginning(conn, user_id, "#"))  # ## is not a tag
            counts = [(tag[1:], count(word_index.notes_with(conn, user_id, [tag]))) for tag in tags]
        return sorted(((tag, n) for tag, n in counts if n), key=lambda one: (-one[1], one[0]))

    def tagged(self, user_id: int, tag: str, limit: int, offset: int = 0) -> tuple[int, list[Hit]]:
        """Return how many notes have exactly this tag, and a page of them, the newest first."""
        wanted = Query(literals=(f"#{tag}",))
        with self._db.read() as conn:
            found = search.Found(word_index.notes_with(conn, user_id, wanted.literals), frozenset())
            return search.hits(conn, user_id, wanted, found, limit, offset)

    def random_note(self, user_id: int) -> Note | None:
        """Return a random note, or None if there are none."""
        with self._db.read() as conn:
            row = conn.execute(
                "SELECT number FROM notes WHERE user_id = ?1 AND deleted_at IS NULL LIMIT 1"
                " OFFSET abs(random()) % max(1, (SELECT count(*) FROM notes"
                " WHERE user_id = ?1 AND deleted_at IS NULL))",
                (user_id,),
            ).fetchone()
            return notes.find(conn, user_id, row[0]) if row else None

    # All notes

    def all_notes(self, user_id: int) -> Iterator[Note]:
        """Yield every note, the oldest first, read page by page; no transaction stays open in between."""
        last = 0
        while page := self._after(user_id, last):
            yield from page
            last = page[-1].number

    def _after(self, user_id: int, number: int) -> list[Note]:
        rows = self._db.rows(f"{notes.LIVING} AND number > ? ORDER BY number LIMIT ?", user_id, number, PAGE)
        return [notes.from_row(row) for row in rows]
