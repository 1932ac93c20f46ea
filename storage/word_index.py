"""The word index: which notes contain which words, in three tables that can be rebuilt from the notes.

`words` has a row for each word of a person, with the numbers of its notes; whenever these become many, they
move to `postings`, which has a row for each block of 4096 numbers. `vocabulary` has the words once more, as
longer texts: searching these for a part of a word is a hundred times faster than row by row.

Adjacent signs, as in ... or :) or 🎉, are a word, too. Notes in the bin are not indexed. The pseudo-word ''
is in every note, so it gives the set of indexed notes.
"""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Set

from storage.folding import fold, has_latin, look_alike, words_and_signs_in
from storage.numbers import (
    BLOCK,
    Numbers,
    add_all,
    extended,
    numbers_of,
    read_block,
    read_few,
    read_places,
    write_block,
    write_few,
)
from storage.tags import tags_in

FEW = 800  # bytes of numbers in the word's own row, so that it fits on one page of the file
_CHUNK = 300  # characters that make a row of `vocabulary` full, for the same reason
_OF_WORDS = "FROM words WHERE user_id = ? AND word IN (SELECT value FROM json_each(?))"
ALL = ""  # the pseudo-word

# Looking up


def vocabulary(conn: sqlite3.Connection, user_id: int) -> str:
    """Return all words that a person ever used, each between line breaks."""
    rows = conn.execute("SELECT words FROM vocabulary WHERE user_id = ?", (user_id,))
    return "".join(["\n", *(words for (words,) in rows)])


def notes_with(conn: sqlite3.Connection, user_id: int, words: Iterable[str]) -> Numbers:
    """Return the numbers of the notes that contain any of these words."""
    rows = conn.execute(f"SELECT id, numbers {_OF_WORDS}", (user_id, json.dumps(list(words)))).fetchall()
    # A part of a word may occur in thousands of words, so rows in the same format are joined before decoding.
    sparse: defaultdict[int, bytearray] = defaultdict(bytearray)
    many = numbers_of(read_few(b"".join(numbers for _, numbers in rows)))
    in_postings = json.dumps([word_id for word_id, _ in rows if word_id])
    for block, bits in conn.execute(
        "SELECT block, bits FROM postings WHERE word_id IN (SELECT value FROM json_each(?))", (in_postings,)
    ):
        if len(bits) < BLOCK // 8:
            sparse[block] += bits
        else:
            many[block] = many.get(block, 0) | int.from_bytes(bits, "little")
    add_all(many, {block: read_places(places) for block, places in sparse.items()})
    return many


def beginning(conn: sqlite3.Connection, user_id: int, start: str, longest: int = 1000) -> list[str]:
    """Return the words with this beginning and at most `longest` letters."""
    rows = conn.execute(
        "SELECT word FROM words WHERE user_id = ? AND word >= ? AND word < ? AND length(word) <= ?",
        (user_id, start, f"{start[:-1]}{chr(ord(start[-1]) + 1)}", longest),
    )
    return [word for (word,) in rows]


# Updating


def change(
    conn: sqlite3.Connection, user_id: int, number: int, before: str | None, after: str | None
) -> None:
    """Update the index for a note's changed text; None means that the note was not there, or is gone."""
    old, new = _words(before), _words(after)
    _remove(conn, user_id, number, old - new)
    _add(conn, user_id, dict.fromkeys(new - old, write_few([number])))


def add_many(conn: sqlite3.Connection, user_id: int, texts: Iterable[tuple[int, str]]) -> None:
    """Index thousands of new notes at once, given as pairs of number and text."""
    found: defaultdict[str, bytearray] = defaultdict(bytearray)
    for number, text in texts:
        written = write_few([number])
        for word in _words(text):
            found[word] += written
    _add(conn, user_id, {word: found[word] for word in sorted(found)})


def forget(conn: sqlite3.Connection, user_id: int) -> None:
    """Delete a person's index."""
    conn.execute("DELETE FROM postings WHERE word_id IN (SELECT id FROM words WHERE user_id = ?)", (user_id,))
    conn.execute("DELETE FROM words WHERE user_id = ?", (user_id,))
    conn.execute("DELETE FROM vocabulary WHERE user_id = ?", (user_id,))


def _words(text: str | None) -> set[str]:
    """Return everything a note is indexed by: words, their look-alikes, signs, tags, the pseudo-word."""
    if text is None:
        return set()
    folded = fold(text)
    words = {*words_and_signs_in(folded), ALL}
    if has_latin(folded):
        words.update([*map(look_alike, words)])
    if "#" in folded:
        words.update(f"#{tag}" for tag in tags_in(text))
    return words


def _add(conn: sqlite3.Connection, user_id: int, found: Mapping[str, bytes | bytearray]) -> None:
    """Add notes to words; each must be new for its word."""
    rows = conn.execute(f"SELECT word, length(numbers) {_OF_WORDS}", (user_id, json.dumps(list(found))))
    sizes = dict(rows.fetchall())
    _extend_vocabulary(conn, user_id, [word for word in found if word not in sizes])
    conn.executemany(
        "INSERT INTO words (user_id, word, numbers) VALUES (?, ?, ?) ON CONFLICT (user_id, word)"
        " DO UPDATE SET numbers = CAST(numbers || excluded.numbers AS BLOB)",
        [(user_id, word, numbers) for word, numbers in found.items()],
    )
    for word, numbers in found.items():
        if sizes.get(word, 0) + len(numbers) > FEW:
            _move_to_postings(conn, user_id, word)


def _move_to_postings(conn: sqlite3.Connection, user_id: int, word: str) -> None:
    word_id, numbers = conn.execute(
        "SELECT coalesce(id, (SELECT coalesce(max(word_id), 0) + 1 FROM postings)), numbers"
        " FROM words WHERE user_id = ? AND word = ?",
        (user_id, word),
    ).fetchone()
    places: defaultdict[int, list[int]] = defaultdict(list)
    for number in read_few(numbers):
        places[number // BLOCK].append(number % BLOCK)
    for block, more in places.items():
        conn.execute(
            "INSERT OR REPLACE INTO postings (word_id, block, bits) VALUES (?, ?, ?)",
            (word_id, block, extended(_block(conn, word_id, block), more)),
        )
    conn.execute(
        "UPDATE words SET id = ?, numbers = x'' WHERE user_id = ? AND word = ?", (word_id, user_id, word)
    )


def _remove(conn: sqlite3.Connection, user_id: int, number: int, words: Set[str]) -> None:
    if not words:
        return
    rows = conn.execute(
        f"SELECT word, id, numbers {_OF_WORDS}", (user_id, json.dumps(list(words)))
    ).fetchall()
    block, place = divmod(number, BLOCK)
    for word, word_id, few in rows:
        left = write_few([one for one in read_few(few) if one != number])
        if left != few:
            conn.execute("UPDATE words SET numbers = ? WHERE user_id = ? AND word = ?", (left, user_id, word))
        elif word_id is not None:
            bits = read_block(_block(conn, word_id, block)) & ~(1 << place)
            conn.execute(
                "UPDATE postings SET bits = ? WHERE word_id = ? AND block = ?",
                (write_block(bits), word_id, block),
            )


def _block(conn: sqlite3.Connection, word_id: int, block: int) -> bytes:
    row = conn.execute(
        "SELECT bits FROM postings WHERE word_id = ? AND block = ?", (word_id, block)
    ).fetchone()
    return row[0] if row else b""


def _extend_vocabulary(conn: sqlite3.Connection, user_id: int, words: list[str]) -> None:
    if words:
        conn.execute(
            "INSERT INTO vocabulary (user_id, chunk, words)"
            " SELECT ?1, coalesce(max(chunk) + (length(words) > ?2), 0), ?3"
            " FROM vocabulary WHERE user_id = ?1"
            " ON CONFLICT (user_id, chunk) DO UPDATE SET words = words || excluded.words",
            (user_id, _CHUNK, "".join(f"{word}\n" for word in words)),
        )
