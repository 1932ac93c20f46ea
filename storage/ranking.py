"""Which notes matter most to a question."""

import math
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from storage.folding import fold, words_in
from storage.forms import FIGURE_WORDS, STOP_WORDS, stem, without_prefix
from storage.numbers import Numbers, both, count, newest_first, numbers_of
from storage.search import containing, forms_of, text_of
from storage.word_index import ALL, beginning, notes_with, vocabulary

_RARE = 2000  # notes that a word may stand in to bring notes of its own into the ranking
_RANKED = 300  # notes that are read for it
_FORM, _DERIVED, _ONLY_LIKE = 0.85, 0.75, 0.7  # how near to a word what is not the word itself may be
_LEAST_LIKE = 0.3
_FIGURES = 1.25  # what a note with figures gains where a question asks for some
_LEAST_ROOT = 3  # letters that say nothing by themselves


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
    texts = {number: text_of(conn, user_id, number) for number in _candidates(asked)}
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
    root, forms = stem(word), forms_of(conn, user_id, word)
    alike = {*forms, *beginning(conn, user_id, word[:3])}
    if len(root) > _LEAST_ROOT:
        alike.update(containing(known, root))
    nearness = {other: _nearness(word, root, forms, other) for other in alike}
    return {other: near for other, near in nearness.items() if near >= _LEAST_LIKE}


def _nearness(word: str, root: str, forms: set[str], other: str) -> float:
    if word == other:
        return 1.0
    if other in forms:
        return _FORM
    if len(root) > _LEAST_ROOT and without_prefix(other).startswith(root):
        return _DERIVED
    other_root = stem(other)  # what is behind it says nothing of likeness
    shared = len(root) if root in other_root else _shared(root, other_root)
    return _ONLY_LIKE * shared / max(len(root), len(other_root)) if len(word) > _LEAST_ROOT else 0


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
