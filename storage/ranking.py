"""Ranking notes by their relevance to a question."""

import math
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from storage.folding import fold, words_in
from storage.forms import FIGURE_WORDS, STOP_WORDS, stem, without_prefix
from storage.numbers import Numbers, both, count, newest_first, numbers_of
from storage.search import containing, forms_of, texts_of
from storage.word_index import ALL, beginning, notes_with, vocabulary

_RARE = 2000  # a word in more notes than this adds no candidates
_RANKED = 300  # candidates that are read and scored
_FORM, _DERIVED, _ONLY_LIKE = 0.85, 0.75, 0.7  # nearness of a word's form, derivative, similar word
_LEAST_LIKE = 0.3
_FIGURES = 1.25  # factor for a note with digits if the question asks for figures
_LEAST_ROOT = 3  # letters; a root this short is not compared


@dataclass(frozen=True, slots=True)
class _Asked:
    """A word of a question, the notes' words near to it, and the notes that contain those."""

    nearness: dict[str, float]  # of each word in the notes; 1 for the word itself
    notes: Numbers
    weight: float  # higher for rarer words


def rank(conn: sqlite3.Connection, user_id: int, queries: Sequence[str]) -> list[int]:
    """Return the numbers of the notes most relevant to the queries, the best first.

    The score is BM25 without length normalisation, since a long note is usually a list of many things. A form
    of a word counts nearly as much as the word, and a word with the same beginning a little.
    """
    asked = list(_asked(conn, user_id, queries))
    texts = dict(texts_of(conn, user_id, _candidates(asked)))
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
    other_root = stem(other)  # letters after the stem do not matter
    shared = len(root) if root in other_root else _shared(root, other_root)
    return _ONLY_LIKE * shared / max(len(root), len(other_root)) if len(word) > _LEAST_ROOT else 0


def _shared(word: str, other: str) -> int:
    """Return the length of two words' common prefix."""
    pairs = enumerate(zip(word, other, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(word), len(other)))


def _candidates(asked: list[_Asked]) -> list[int]:
    """Return the notes with the most weight in words; frequent words add none, unless all are frequent."""
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
