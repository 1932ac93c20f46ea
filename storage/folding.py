"""Folding of text for searches: the form in which texts are compared, its words, and the way back.

Queries and notes both go through `fold`; nothing else decides which texts are equal.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache

_SAME = {
    **dict.fromkeys("’‘‚‛ʼ`´′‹›", "'"),
    **dict.fromkeys("«»„“”‟″", '"'),
    **dict.fromkeys("\u115f\u1160\u2800\u3164\uffa0", " "),  # Hangul fillers, Braille's empty cell
    "−": "-",  # the minus sign; Unicode does not count it as a dash
    # Other Cyrillic letters with a mark are separate letters: й, ї, ў.
    **{"ё": "е", "ѐ": "е", "ѝ": "и"},
    **dict(zip("ıłøđħŧ", "ilodht", strict=True)),  # Unicode does not decompose letters with a stroke
}
_FIRST_ACCENT = 200  # combining classes from here on are marks above, below and around a letter
_LATER_JAMO = range(0x1160, 0x1200)  # the second and third letters of a Hangul syllable
_ORDINARY = re.compile(r"[\n -_a-~А-Яа-яЁё«»–—]*")
_WORD = re.compile(r"\w+")
_WORD_OR_SIGNS = re.compile(r"\w+|[^\w\s\0]+")  # SQLite cuts a JSON string at a NUL
_CYRILLIC, _LATIN = re.compile(r"[\u0400-\u04ff]"), re.compile(r"[a-z]")
_LOOK_ALIKES = str.maketrans("abcehkmoptxyi", "авсенкмортхуі")


def fold(text: str) -> str:
    """Return the form of a text in which searches compare, equal for texts that read the same.

    It has no case, no ё, no stress marks or accents (but й stays), nothing invisible, one kind of blank,
    quotation mark and dash, and plain letters for full-width ones and ligatures. It is idempotent.
    """
    if _ORDINARY.fullmatch(text):  # a shortcut for most texts, ten times as fast
        text = text.lower().replace("\n", " ").replace("ё", "е")
        return text.replace("«", '"').replace("»", '"').replace("–", "-").replace("—", "-")
    shown = text.translate(_SHOWN)
    letters = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", shown).casefold())
    return letters.translate(_PLAIN)


def original_places(text: str) -> list[int]:
    """Return, for each character of the folded text, the index of its original character in `text`.

    The last item is the length of `text`. Folding changes lengths: ß becomes ss.
    """
    places: list[int] = []
    begin = 0
    while begin < len(text):
        ordinary = _ORDINARY.match(text, begin)
        last = max(begin, ordinary.end() - 1 if ordinary else 0)  # a mark behind it may change the last one
        end = last + 1
        while end < len(text) and _continues(text[end]):
            end += 1
        places += [*range(begin, last), *[last] * len(_fold_cluster(text[last:end]))]
        begin = end
    return [*places, len(text)]


def words_in(folded: str) -> list[str]:
    """Return the words of a folded text, in order."""
    return _WORD.findall(folded)


def words_and_signs_in(folded: str) -> list[str]:
    """Return the words of a folded text and the signs between them: `a->b!!` has a, ->, b and !!."""
    return _WORD_OR_SIGNS.findall(folded)


def places_of_words(folded: str) -> Iterator[tuple[str, int]]:
    """Return the words of a folded text, each with its index."""
    return ((found[0], found.start()) for found in _WORD.finditer(folded))


def has_latin(folded: str) -> bool:
    """Return whether a folded text has a Latin letter; without one, `look_alike` returns ""."""
    return _LATIN.search(folded) is not None


def look_alike(word: str) -> str:
    """Return a word with its Latin letters replaced by Cyrillic ones of the same shape; "" if not applicable.

    It applies only where the keyboard layout may have been wrong: to a word in both alphabets, or to one with
    digits whose letters exist in both (А4 and A4).
    """
    if not _LATIN.search(word) or not (_CYRILLIC.search(word) or any(map(str.isdigit, word))):
        return ""
    swapped = word.translate(_LOOK_ALIKES)
    return "" if _LATIN.search(swapped) else swapped


class _Shown(dict[int, str]):
    """Translation table that drops invisible characters: soft hyphens, joiners, direction marks etc."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        invisible = unicodedata.category(char) == "Cf" or "VARIATION SELECTOR" in unicodedata.name(char, "")
        self[code] = "" if invisible or char == "\u034f" else char  # combining grapheme joiner
        return self[code]


class _Plain(dict[int, str]):
    """Translation table from letters to their plain form, after NFKC and casefold."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        self[code] = _SAME.get(char) or _plain(char)
        return self[code]


def _plain(char: str) -> str:
    category = unicodedata.category(char)
    if char.isspace() or category == "Zs":
        return " "
    if category == "Pd":
        return "-"
    if "\u0400" <= char <= "\u04ff":
        return char
    parts = unicodedata.normalize("NFD", char)
    return "".join(_SAME.get(part, part) for part in parts if unicodedata.combining(part) < _FIRST_ACCENT)


_SHOWN, _PLAIN = _Shown(), _Plain()
_fold_cluster = lru_cache(1 << 12)(fold)


@cache
def _continues(char: str) -> bool:
    """Return whether a character may combine with the one before it."""
    return (
        unicodedata.category(char)[0] == "M"
        or not char.translate(_SHOWN)
        or ord(char) in _LATER_JAMO
        or char in "\uff9e\uff9f"
    )
