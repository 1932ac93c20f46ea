"""Searching a person's notes: which notes match a query, and where in them.

A word of a query matches where it is part of a note's word, or where a form of it occurs; so every note that
contains the query as typed is found too.
"""

import re
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import reduce

from storage import notes
from storage.folding import fold, look_alike, original_places, places_of_words, words_and_signs_in, words_in
from storage.forms import beginnings, longest_ending, same_word
from storage.notes import Note
from storage.numbers import Numbers, add_all, both, count, newest_first, numbers_of, page
from storage.query import Query, parse
from storage.word_index import ALL, beginning, notes_with, vocabulary

# Words with ordinary punctuation; a part with other signs is only matched literally.
_SENTENCE = re.compile(r"[\w.,;:!?()\"'-]+")
_TAG_OR_WORD = re.compile(r"#?\w+")
_MOST_CORRECTED = 10  # words of a query
_LEAST_FORM = 3  # letters; shorter parts of «что-то» match only literally
_MOST_SPANS = 100
# Text typed in the wrong keyboard layout: ghbdtn is привет, мзт is vpn.
_LATIN = "{}:\"<>~qwertyuiop[]asdfghjkl;'zxcvbnm,.`"
_CYRILLIC = "хъжэбюёйцукенгшщзхъфывапролджэячсмитьбюё"
_OTHER_LAYOUT = str.maketrans(dict(zip(_CYRILLIC + _LATIN, _LATIN + _CYRILLIC, strict=True)))


@dataclass(frozen=True, slots=True)
class Hit:
    """A note that a search found, and the matches in its text as (start, length) in characters."""

    note: Note
    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Found:
    """The notes that match a query, and the words in notes that are forms of its words."""

    notes: Numbers
    forms: frozenset[str]


def find(conn: sqlite3.Connection, user_id: int, query: Query) -> Found:
    """Return the notes that contain all words and literal parts of a query and are within its dates."""
    known = vocabulary(conn, user_id) if query.parts else ""
    forms = {
        piece: forms_of(conn, user_id, piece)
        for part in query.words
        for piece in words_in(part)
        if piece == part or _is_a_word(piece)
    }
    holding = [
        *(_literally(conn, user_id, known, part) for part in query.literals),
        *(_in_any_form(conn, user_id, known, part, forms) for part in query.words),
    ]
    found = reduce(both, holding) if holding else notes_with(conn, user_id, [ALL])
    if query.since is not None or query.before is not None:
        found = both(found, _written_between(conn, user_id, query))
    return Found(found, frozenset().union(*forms.values()))


def hits(
    conn: sqlite3.Connection, user_id: int, query: Query, found: Found, limit: int, offset: int
) -> tuple[int, list[Hit]]:
    """Return how many notes were found, and a page of them, the newest first."""
    there = notes.find_all(conn, user_id, page(found.notes, limit, offset))
    return count(found.notes), [Hit(note, spans(query, found.forms, note.text)) for note in there]


def _in_any_form(
    conn: sqlite3.Connection, user_id: int, known: str, part: str, forms: dict[str, set[str]]
) -> Numbers:
    """Return the notes that contain a part as typed, or all its words in some form."""
    if part in forms:
        return notes_with(conn, user_id, {*containing(known, part), *_alike(known, part), *forms[part]})
    found = _literally(conn, user_id, known, part)
    pieces = words_in(part)
    if pieces and _SENTENCE.fullmatch(part) and all(piece in forms for piece in pieces):
        add_all(found, reduce(both, (_in_any_form(conn, user_id, known, piece, forms) for piece in pieces)))
    return found


def _is_a_word(piece: str) -> bool:
    return len(piece) >= _LEAST_FORM and piece.isalpha()


def _written_between(conn: sqlite3.Connection, user_id: int, query: Query) -> Numbers:
    rows = conn.execute(
        "SELECT number FROM notes WHERE user_id = ? AND deleted_at IS NULL"
        " AND created_at >= coalesce(?, 0) AND created_at < coalesce(?, 9e99)",
        (user_id, query.since, query.before),
    )
    return numbers_of(number for (number,) in rows)


def _literally(conn: sqlite3.Connection, user_id: int, known: str, part: str) -> Numbers:
    """Return the notes that contain a part as typed: the index narrows them down, their texts decide."""
    pieces = words_and_signs_in(part)
    if pieces == [part]:
        return notes_with(conn, user_id, containing(known, part))
    offered = notes_with(conn, user_id, [ALL])
    for place, piece in enumerate(pieces):
        begins, ends = "\n" * (place > 0), "\n" * (place < len(pieces) - 1)
        offered = both(offered, notes_with(conn, user_id, {*containing(known, f"{begins}{piece}{ends}")}))
    texts = texts_of(conn, user_id, newest_first(offered))
    return numbers_of(number for number, text in texts if part in text)


def texts_of(conn: sqlite3.Connection, user_id: int, numbers: Iterable[int]) -> Iterator[tuple[int, str]]:
    """Yield the number of each note and its searched text, folded."""
    for note in notes.find_any(conn, user_id, numbers):
        yield note.number, fold(notes.searched(note))


def containing(known: str, part: str) -> Iterator[str]:
    """Yield a vocabulary's words that contain a part; a line break in it marks a word's start or end."""
    place = known.find(part)
    while place >= 0:
        begin = place + 1 if part[0] == "\n" else known.rfind("\n", 0, place) + 1
        end = known.find("\n", begin)
        yield known[begin:end]
        place = known.find(part, end)


def forms_of(conn: sqlite3.Connection, user_id: int, word: str) -> set[str]:
    """Return the words in a person's notes that are forms of a word."""
    near = {
        other
        for start in beginnings(word)
        for other in beginning(conn, user_id, start, len(start) + longest_ending(start))
    }
    return {other for other in near if same_word(word, other)}


def _alike(known: str, part: str) -> Iterator[str]:
    """Return the words that contain a part typed with similar letters of the other alphabet."""
    swapped = look_alike(part)
    return containing(known, swapped) if swapped else iter(())


def spans(query: Query, forms: frozenset[str], text: str) -> tuple[tuple[int, int], ...]:
    """Return the matches in a text as (start, length) in characters, in order and without overlaps."""
    folded, places = fold(text), original_places(text)
    found = sorted({*_spans_of_parts(query, folded), *_spans_of_words(query, forms, folded)})
    result: list[tuple[int, int]] = []
    end = 0
    for first, last in found[:_MOST_SPANS]:
        begin, stop = max(places[first], end), _end_of(places, last)
        if stop > begin:
            result.append((begin, stop - begin))
            end = stop
    return tuple(result)


def _end_of(places: list[int], last: int) -> int:
    """Return where the original of a folded character ends."""
    return next(place for place in [*places[last + 1 :], places[-1] + 1] if place > places[last])


def _spans_of_parts(query: Query, folded: str) -> Iterator[tuple[int, int]]:
    for part in query.parts:
        place = folded.find(part)
        while place >= 0:
            yield place, place + len(part) - 1
            place = folded.find(part, place + len(part))


def _spans_of_words(query: Query, forms: frozenset[str], folded: str) -> Iterator[tuple[int, int]]:
    swapped = [look_alike(part) or part for part in query.words]
    for word, place in places_of_words(folded):
        if word in forms:
            yield place, place + len(word) - 1
        elif look := look_alike(word) or (word if swapped != [*query.words] else ""):
            for part in swapped:
                if part in look:
                    yield place + look.index(part), place + look.index(part) + len(part) - 1


def similar(conn: sqlite3.Connection, user_id: int, query: str, limit: int) -> list[str]:
    """Return the words in notes most similar to those words of a query that occur in no note.

    If there are none, return the query in the other keyboard layout, if that finds something.
    """
    known = vocabulary(conn, user_id)
    found: list[str] = []
    words = dict.fromkeys(_TAG_OR_WORD.findall(" ".join(parse(query).parts))[:_MOST_CORRECTED])
    for word in words:
        forms = forms_of(conn, user_id, word) if word[0] != "#" else set()
        if len(words) == 1 or not notes_with(conn, user_id, {*containing(known, word), *forms}):
            found += _close_to(conn, user_id, known, word, limit)
    typed = query.lower().translate(_OTHER_LAYOUT)
    if not found and count(find(conn, user_id, parse(typed)).notes):
        found = [typed]
    return list(dict.fromkeys(found))[:limit]


def _close_to(conn: sqlite3.Connection, user_id: int, known: str, word: str, limit: int) -> list[str]:
    # A single typo leaves the beginning or the end of a word intact.
    near = {*beginning(conn, user_id, word[:3]), *containing(known, f"{word[-3:]}\n")}
    near |= set(beginning(conn, user_id, word[:1])) if len(word) < 5 else set()
    fitting = [other for other in near if abs(len(other) - len(word)) <= 2]
    close = get_close_matches(word, fitting, 2 * limit, 0.7)
    return [other for other in close if notes_with(conn, user_id, [other])][:limit]
