"""What text is to a search: the form in which texts are compared, its words, and the way back.

Everything that is searched and everything that is searched for goes through `fold`: nothing else decides
what looks the same.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache

_SAME = {
    **dict.fromkeys("’‘‚‛ʼ`´′‹›", "'"),
    **dict.fromkeys("«»„“”‟″", '"'),
    **dict.fromkeys("\u115f\u1160\u2800\u3164\uffa0", " "),  # fillers of Hangul, Braille's empty cell
    "−": "-",  # the minus sign is no dash to Unicode
    # The other Cyrillic letters with a mark are letters of their own: й, ї, ў.
    **{"ё": "е", "ѐ": "е", "ѝ": "и"},
}
_FIRST_ACCENT = 200  # combining classes from here on: marks above, below and around a letter
_LATER_JAMO = range(0x1160, 0x1200)  # letters of a Hangul syllable after its first
_ORDINARY = re.compile(r"[ -_a-~А-Яа-я]*")
_WORD = re.compile(r"\w+")
_EMOJI = re.compile("[\u2190-\u2bff\U0001f000-\U0001faff]")
_CYRILLIC, _LATIN = re.compile(r"[\u0400-\u04ff]"), re.compile(r"[a-z]")
_LOOK_ALIKES = str.maketrans("abcehkmoptxyi", "авсенкмортхуі")


def fold(text: str) -> str:
    """Bring a text to the form in which searches compare: what reads the same is the same.

    No case, no ё, no stress marks or accents (but й stays й), nothing invisible; one kind of blank, quotation
    mark and dash; full-width letters, ligatures and the like are plain ones. Folding again changes nothing.
    """
    if _ORDINARY.fullmatch(text):  # most texts, five times as fast
        return text.lower()
    shown = text.translate(_SHOWN)
    letters = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", shown).casefold())
    return letters.translate(_PLAIN)


def original_places(text: str) -> list[int]:
    """Return for each letter of the folded text where the letter that it comes from stands in the text.

    One more stands at the end: the length of the text. Folding changes lengths: ß is ss.
    """
    if _ORDINARY.fullmatch(text):
        return list(range(len(text) + 1))
    places: list[int] = []
    begin = 0
    for end in range(1, len(text) + 1):
        if end == len(text) or not _continues(text[end]):
            places += [begin] * len(_fold_cluster(text[begin:end]))
            begin = end
    return [*places, len(text)]


def words_in(folded: str) -> list[str]:
    """Return the words of a folded text, in order."""
    return _WORD.findall(folded)


def emoji_in(folded: str) -> list[str]:
    """Return the emoji, arrows and the like of a folded text, each for itself."""
    return _EMOJI.findall(folded)


def places_of_words(folded: str) -> Iterator[tuple[str, int]]:
    """Return the words of a folded text, each with the place where it stands."""
    return ((found[0], found.start()) for found in _WORD.finditer(folded))


def has_latin(folded: str) -> bool:
    """Return whether a folded text has a Latin letter, so that `look_alike` may have something to say."""
    return _LATIN.search(folded) is not None


def look_alike(word: str) -> str:
    """Return a word with Cyrillic in place of Latin letters of the same look; empty if it needs none.

    Only where somebody may have mixed up the keyboards: both alphabets in one word, or letters that all look
    the same in both beside digits (А4 and A4). A word of one alphabet is what it is.
    """
    if not _LATIN.search(word) or not (_CYRILLIC.search(word) or any(map(str.isdigit, word))):
        return ""
    swapped = word.translate(_LOOK_ALIKES)
    return "" if _LATIN.search(swapped) else swapped


class _Shown(dict[int, str]):
    """Takes away what shows nothing: soft hyphens, joiners, marks of direction, variation selectors."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        invisible = unicodedata.category(char) == "Cf" or "VARIATION SELECTOR" in unicodedata.name(char, "")
        self[code] = "" if invisible or char == "\u034f" else char  # a joiner of letters
        return self[code]


class _Plain(dict[int, str]):
    """Brings letters to their plain form, after composing and casefold."""

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
_fold_cluster = cache(fold)


@cache
def _continues(char: str) -> bool:
    """Return whether a letter may become one with the letters before it."""
    return (
        unicodedata.category(char)[0] == "M"
        or not char.translate(_SHOWN)
        or ord(char) in _LATER_JAMO
        or char in "\uff9e\uff9f"
    )
