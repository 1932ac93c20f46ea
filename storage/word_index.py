"""The word index: which notes contain which words, in three tables that can be rebuilt from the notes.

`words` has a row for each word of a person, with the numbers of its notes while they are few. For a word
with many notes, `postings` has them, a row for each block of 4096 numbers. `vocabulary` has the words once
more, as texts of a few kilobytes: searching these for a part of a word is a hundred times faster than row by
row.

Notes in the bin are not indexed. The pseudo-word '' is in every note, so it gives the set of indexed notes.
"""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Set

from storage.folding import emoji_in, fold, has_latin, look_alike, words_in
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

FEW = 200  # numbers stored in the word's own row, so that it fits on one page of the file
_CHUNK = 4000  # characters in a row of `vocabulary`
ALL = ""  # the pseudo-word

# Looking up


def vocabulary(conn: sqlite3.Connection, user_id: int) -> str:
    """Return all words that a person ever used, each between line breaks."""
    rows = conn.execute("SELECT words FROM vocabulary WHERE user_id = ?", (user_id,))
    return "".join(["\n", *(words for (words,) in rows)])


def notes_with(conn: sqlite3.Connection, user_id: int, words: Iterable[str]) -> Numbers:
    """Return the numbers of the notes that contain any of these words."""
    rows = conn.execute(
        "SELECT numbers, block, bits FROM words LEFT JOIN postings ON word_id = id"
        " WHERE user_id = ? AND word IN (SELECT value FROM json_each(?))",
        (user_id, json.dumps(list(words))),
    )
    # A part of a word may occur in thousands of words, so rows in the same format are joined before decoding.
    few, many = bytearray(), Numbers()
    sparse: defaultdict[int, bytearray] = defaultdict(bytearray)
    for numbers, block, bits in rows:
        if numbers is not None:
            few += numbers
        elif len(bits) < BLOCK // 8:
            sparse[block] += bits
        else:
            many[block] = many.get(block, 0) | int.from_bytes(bits, "little")
    add_all(many, {block: read_places(places) for block, places in sparse.items()})
    add_all(many, numbers_of(read_few(few)))
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
    _add(conn, user_id, {word: [number] for word in new - old})


def add_many(conn: sqlite3.Connection, user_id: int, texts: Iterable[tuple[int, str]]) -> None:
    """Index thousands of new notes at once, given as pairs of number and text."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for number, text in texts:
        for word in _words(text):
            found[word].append(number)
    _add(conn, user_id, dict(sorted(found.items())))


def forget(conn: sqlite3.Connection, user_id: int) -> None:
    """Delete a person's index."""
    conn.execute("DELETE FROM postings WHERE word_id IN (SELECT id FROM words WHERE user_id = ?)", (user_id,))
    conn.execute("DELETE FROM words WHERE user_id = ?", (user_id,))
    conn.execute("DELETE FROM vocabulary WHERE user_id = ?", (user_id,))


def _words(text: str | None) -> set[str]:
    """Return everything a note is indexed by: words, their look-alikes, emoji, tags, the pseudo-word."""
    if text is None:
        return set()
    folded = fold(text)
    words = {*words_in(folded), *emoji_in(folded), ALL}
    if has_latin(folded):
        words.update([*map(look_alike, words)])
    if "#" in folded:
        words.update(f"#{tag}" for tag in tags_in(text))
    return words


def _known(
    conn: sqlite3.Connection, user_id: int, words: Iterable[str]
) -> dict[str, tuple[int | None, bytes]]:
    """Return the rows of the known words: each the id of its postings, or its few numbers."""
    rows = conn.execute(
        "SELECT word, id, numbers FROM words WHERE user_id = ? AND word IN (SELECT value FROM json_each(?))",
        (user_id, json.dumps(list(words))),
    )
    return {word: (word_id, numbers) for word, word_id, numbers in rows}


def _add(conn: sqlite3.Connection, user_id: int, found: dict[str, list[int]]) -> None:
    """Add notes to words; each must be new for its word."""
    known = _known(conn, user_id, found)
    _extend_vocabulary(conn, user_id, [word for word in found if word not in known])
    (next_id,) = conn.execute("SELECT coalesce(max(word_id), 0) + 1 FROM postings").fetchone()
    rows: list[tuple[int, str, int | None, bytes | None]] = []
    for word, numbers in found.items():
        word_id, few = known.get(word, (None, b""))
        if word_id is None and len(few) // 4 + len(numbers) <= FEW:
            rows.append((user_id, word, None, few + write_few(numbers)))
        elif word_id is None:
            rows.append((user_id, word, next_id, None))
            _add_to_postings(conn, next_id, [*read_few(few), *numbers])
            next_id += 1
        else:
            _add_to_postings(conn, word_id, numbers)
    conn.executemany("INSERT OR REPLACE INTO words (user_id, word, id, numbers) VALUES (?, ?, ?, ?)", rows)


def _add_to_postings(conn: sqlite3.Connection, word_id: int, numbers: list[int]) -> None:
    places: defaultdict[int, list[int]] = defaultdict(list)
    for number in numbers:
        places[number // BLOCK].append(number % BLOCK)
    for block, more in places.items():
        conn.execute(
            "INSERT OR REPLACE INTO postings (word_id, block, bits) VALUES (?, ?, ?)",
            (word_id, block, extended(_block(conn, word_id, block), more)),
        )


def _remove(conn: sqlite3.Connection, user_id: int, number: int, words: Set[str]) -> None:
    if not words:
        return
    block, place = divmod(number, BLOCK)
    for word, (word_id, few) in _known(conn, user_id, words).items():
        if word_id is None:
            left = write_few([one for one in read_few(few) if one != number])
            conn.execute("UPDATE words SET numbers = ? WHERE user_id = ? AND word = ?", (left, user_id, word))
        else:
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
    if not words:
        return
    last, text = conn.execute(
        "SELECT chunk, words FROM vocabulary WHERE user_id = ? ORDER BY chunk DESC LIMIT 1", (user_id,)
    ).fetchone() or (0, "")
    for word in words:
        text += f"{word}\n"
        if len(text) > _CHUNK:
            _write_chunk(conn, user_id, last, text)
            last, text = last + 1, ""
    _write_chunk(conn, user_id, last, text)


def _write_chunk(conn: sqlite3.Connection, user_id: int, chunk: int, words: str) -> None:
    conn.execute(
        "INSERT OR REPLACE INTO vocabulary (user_id, chunk, words) VALUES (?, ?, ?)", (user_id, chunk, words)
    )
