"""Searching a person's notes: which notes a query finds, where it stands in them, and which matter most.

A word of a query is found where it is part of a word of a note, or where a form of it stands; so whatever
holds the query as it was typed is found as well.
"""

import math
import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import reduce

from storage import notes
from storage.folding import emoji_in, fold, look_alike, original_places, places_of_words, words_in
from storage.forms import (
    FIGURE_WORDS,
    STOP_WORDS,
    beginnings,
    longest_ending,
    same_word,
    stem,
    without_prefix,
)
from storage.query import Query, parse
from storage.word_index import (
    ALL,
    Numbers,
    add_all,
    beginning,
    both,
    count,
    newest_first,
    notes_with,
    numbers_of,
    vocabulary,
)

_WORD = re.compile(r"\w+")
_SENTENCE = re.compile(
    r"[\w.,;:!?()\"'-]+"
)  # words with the signs of a sentence: other signs mean themselves
_TAG_OR_WORD = re.compile(r"#?\w+")
_MOST_CORRECTED = 10  # words of a query
_LEAST_FORM = 3  # letters of a part of «что-то» that is found in its forms
_MOST_SPANS = 100
_RARE = 2000  # notes that a word may stand in to bring notes of its own into the ranking
_RANKED = 300  # notes that are read for it
_FORM, _DERIVED, _ONLY_LIKE = 0.85, 0.75, 0.7  # how near to a word what is not the word itself may be
_LEAST_LIKE = 0.3
_FIGURES = 1.25  # what a note with figures gains where a question asks for some


@dataclass(frozen=True, slots=True)
class Found:
    """What a query found: the notes, and the words of the notes that are forms of its words."""

    notes: Numbers
    forms: frozenset[str]


def find(conn: sqlite3.Connection, user_id: int, query: Query) -> Found:
    """Return the notes that hold all words and parts of a query, written when it says."""
    known = vocabulary(conn, user_id) if query.parts else ""
    forms = {
        piece: _forms(conn, user_id, piece)
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


def _in_any_form(
    conn: sqlite3.Connection, user_id: int, known: str, part: str, forms: dict[str, set[str]]
) -> Numbers:
    """Return the notes that hold a part as it is, or all words of it in some form."""
    if part in forms:
        return notes_with(conn, user_id, {*_containing(known, part), *_alike(known, part), *forms[part]})
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
    """Return the notes that hold a part as it is: the index offers some, and their texts decide."""
    if _WORD.fullmatch(part):
        return notes_with(conn, user_id, _containing(known, part))
    if emoji_in(part) == [part]:
        return notes_with(conn, user_id, emoji_in(part))
    offered = notes_with(conn, user_id, [ALL])
    for emoji in emoji_in(part):
        offered = both(offered, notes_with(conn, user_id, [emoji]))
    for piece in re.finditer(r"\w+", part):
        begins = "\n" if piece.start() > 0 else ""
        ends = "\n" if piece.end() < len(part) else ""
        words = set(_containing(known, f"{begins}{piece[0]}{ends}"))
        offered = both(offered, notes_with(conn, user_id, words))
    return numbers_of(number for number in newest_first(offered) if part in _folded(conn, user_id, number))


def _folded(conn: sqlite3.Connection, user_id: int, number: int) -> str:
    return fold(notes.searched(notes.find(conn, user_id, number)))


def _containing(known: str, part: str) -> Iterator[str]:
    """Return the words with a part in them; line ends in it stand for the ends of the word."""
    place = known.find(part)
    while place >= 0:
        begin = place + 1 if part[0] == "\n" else known.rfind("\n", 0, place) + 1
        end = known.find("\n", begin)
        yield known[begin:end]
        place = known.find(part, end)


def _forms(conn: sqlite3.Connection, user_id: int, word: str) -> set[str]:
    """Return the words that are forms of a word."""
    near = {
        other
        for start in beginnings(word)
        for other in beginning(conn, user_id, start, len(start) + longest_ending(start))
    }
    return {other for other in near if same_word(word, other)}


def _alike(known: str, part: str) -> Iterator[str]:
    """Return the words that look as if a part were in them, where the keyboard was the wrong one."""
    swapped = look_alike(part)
    return _containing(known, swapped) if swapped else iter(())


def spans(query: Query, forms: frozenset[str], text: str) -> tuple[tuple[int, int], ...]:
    """Return where a text holds what was searched for: beginnings and lengths, in order, none in another."""
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
    """Return where the original of a folded letter ends."""
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


# Which matter most


@dataclass(frozen=True, slots=True)
class _Asked:
    """A word of a question: the words of the notes that are near to it, and the notes that hold them."""

    nearness: dict[str, float]  # 1: the word itself
    notes: Numbers
    weight: float  # the rarer, the heavier


def rank(conn: sqlite3.Connection, user_id: int, queries: Sequence[str]) -> list[int]:
    """Return the numbers of the notes that the queries are about, the best first.

    BM25 without its rule on length, for a long note is no wordy article but a list of many things. A form of
    the word counts nearly as much as the word, and a word that only begins like it counts a little.
    """
    asked = list(_asked(conn, user_id, queries))
    texts = {number: _folded(conn, user_id, number) for number in _candidates(asked)}
    figures = _FIGURES if any(_asks_for_figures(query) for query in queries) else 1
    scores = {
        number: _score(asked, text) * (figures if any(map(str.isdigit, text)) else 1)
        for number, text in texts.items()
    }
    return sorted(scores, key=lambda number: (-scores[number], -number))


def _asks_for_figures(query: str) -> bool:
    return any(word in FIGURE_WORDS for word in words_in(fold(query)))


def _asked(conn: sqlite3.Connection, user_id: int, queries: Sequence[str]) -> Iterator[_Asked]:
    known = vocabulary(conn, user_id)
    total = count(notes_with(conn, user_id, [ALL]))
    words = dict.fromkeys(word for query in queries for word in words_in(fold(query)))
    for word in words:
        nearness = _near(conn, user_id, known, word) if word not in STOP_WORDS else {}
        if nearness:
            close = [other for other, near in nearness.items() if near > _ONLY_LIKE] or nearness
            standing = count(notes_with(conn, user_id, close))
            weight = math.log(1 + (total - standing + 0.5) / (standing + 0.5))
            yield _Asked(nearness, notes_with(conn, user_id, nearness), weight)


def _near(conn: sqlite3.Connection, user_id: int, known: str, word: str) -> dict[str, float]:
    root = stem(word)
    alike = {*_forms(conn, user_id, word), *beginning(conn, user_id, word[:3])}
    if len(root) > _LEAST_FORM:
        alike.update(_containing(known, root))
    nearness = {other: _nearness(word, root, other) for other in alike}
    return {other: near for other, near in nearness.items() if near >= _LEAST_LIKE}


def _nearness(word: str, root: str, other: str) -> float:
    if word == other:
        return 1.0
    if same_word(word, other):
        return _FORM
    if len(root) > _LEAST_FORM and without_prefix(other).startswith(root):
        return _DERIVED
    shared = len(root) if root in other else _shared(word, other)
    return _ONLY_LIKE * shared / max(len(word), len(other)) if len(word) > _LEAST_FORM else 0


def _shared(word: str, other: str) -> int:
    """Return how many letters two words begin with alike."""
    pairs = enumerate(zip(word, other, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(word), len(other)))


def _candidates(asked: list[_Asked]) -> list[int]:
    """Return the notes with the heaviest words; words that stand everywhere bring none, unless all do."""
    most = max(_RARE, min((count(one.notes) for one in asked), default=0))
    weights: defaultdict[int, float] = defaultdict(float)
    for one in sorted(asked, key=lambda one: count(one.notes) > most):
        found = one.notes if count(one.notes) <= most else both(one.notes, numbers_of(weights))
        for number in newest_first(found):
            weights[number] += one.weight
    return sorted(weights, key=lambda number: (-weights[number], -number))[:_RANKED]


def _score(asked: list[_Asked], folded: str) -> float:
    words = words_in(folded)
    times = (sum(one.nearness.get(word, 0) for word in words) for one in asked)
    return sum(one.weight * often * 2.2 / (often + 1.2) for one, often in zip(asked, times, strict=True))


def similar(conn: sqlite3.Connection, user_id: int, query: str, limit: int) -> list[str]:
    """Return the words of the notes that look most like those of a query that stand in no note."""
    known = vocabulary(conn, user_id)
    found: list[str] = []
    words = dict.fromkeys(_TAG_OR_WORD.findall(" ".join(parse(query).parts))[:_MOST_CORRECTED])
    for word in words:
        forms = _forms(conn, user_id, word) if word[0] != "#" else set()
        if len(words) == 1 or not notes_with(conn, user_id, {*_containing(known, word), *forms}):
            found += _close_to(conn, user_id, known, word, limit)
    return list(dict.fromkeys(found))[:limit]


def _close_to(conn: sqlite3.Connection, user_id: int, known: str, word: str, limit: int) -> list[str]:
    # One mistake leaves the beginning or the end of a word as it was.
    near = {*beginning(conn, user_id, word[:3]), *_containing(known, f"{word[-3:]}\n")}
    near |= set(beginning(conn, user_id, word[:1])) if len(word) < 5 else set()
    fitting = [other for other in near if abs(len(other) - len(word)) <= 2]
    close = get_close_matches(word, fitting, 2 * limit, 0.7)
    return [other for other in close if notes_with(conn, user_id, [other])][:limit]
