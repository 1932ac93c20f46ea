"""Word forms: whether two words are forms of one Russian or English word, without a dictionary.

Snowball removes the endings. This module adds what it lacks for Russian: fleeting vowels (петля, петель),
consonants that change before an ending (долг, должен), nouns that end like verbs (вокзал), verbs and their
nouns (заказать, заказ), and everyday suffixes (a стиральная машина is a стиралка).
All words are folded (`storage.folding`).
"""

import re
import threading
from collections.abc import Iterator
from functools import lru_cache

import snowballstemmer

_STEMMERS = threading.local()  # a stemmer keeps state, so threads cannot share one
_C, _V = "бвгджзйклмнпрстфхцчшщ", "аеиоуыэюя"
_ENDINGS, _LABIALS = _V + "йь", "бвмпф"
# дня, сном, льва: Snowball removes nothing if the root has no vowel.
_NO_VOWEL = re.compile(f"([{_C}ь]{{2,4}})(?:[аяуюеыи]|ом|ем|ой|ей|ов|ью|ами?|ями?|ах|ях)")
_PREFIX = re.compile("^(?:пере|про|при|под|раз|рас|из|ис|вы|до|за|на|об|от|по|со|[восу])")
_NAME = re.compile("(..?с)[яиеюй]{1,2}")  # Вася, Люсе: Snowball takes -ся for a verb's ending
_SOFT_SIGN = re.compile(f"ь(?=[{_C}]?$)")  # пальца, палец
_FLEETING = re.compile(f"(?<=[{_C}])[ое](?=[{_C}]$)")  # отец, отца
_FLEETING_Y = re.compile(f"(?<=[{_V}])е(?=[кц]$)")  # копеек, копейка
# The only three-letter roots with a fleeting vowel: лев and льва are one word, мир and мор are not.
_SHORT = frozenset("ден сон лоб рот лев лед пес пен мох ров шов лен рож лож".split())
_CHANGES = ("гж", "кч", "хш", "цч", "дж", "тч", "зж", "сш", "тщ")
_CHANGED = {a: {x for pair in _CHANGES if a in pair for x in pair} - {a} for pair in _CHANGES for a in pair}
_ODD = {"яиц": "яйц", "дочер": "доч", "времен": "врем"}  # irregular stems
# Words that ask for figures.
FIGURE_WORDS = frozenset(
    "сколько скольки когда число числа числу какого день дня время год году года почем цена стоит размер"
    " размера номер код телефон рост вес when many much".split()
)
# Words that say nothing about the subject of a question.
STOP_WORDS = frozenset(
    "а без будет будут бы был была были было быть в вам вас весь вместо во вот все всех вы где да делать"
    " для до его ее если есть еще же за зачем и из или им их к как какая какие каким какого какое какой"
    " какую кем когда кого кому которая которое которые который кто куда ли меня мне мной мое мои мой моя мы"
    " на над надо нам нас наш наша наше наши не него нее нет ни них но о об он она они оно опять от откуда"
    " по под пока почему при про раз с сам сколько снова со так там тебе тебя то тогда того тоже той только"
    " том тот ты у уже чего чей чем чему что чтобы чье чьи чья эта эти это этот я the a an of to in on at is"
    " are was what when where who how which for and or do does my".split()
)
_SUFFIXES = "н к ик ок ек ов ев ск ник очк ечк оньк еньк ушк юшк".split()
# The shortest root, in letters, for each rule.
_LEAST_NOUN, _LEAST_THEME, _LEAST_CHANGING, _LEAST_SOFT, _LEAST_DERIVED = 4, 5, 4, 3, 6


def same_word(one: str, other: str) -> bool:
    """Return whether two words are forms of one word, or one is derived from the other by a common suffix."""
    a, b = stem(one), stem(other)
    return (
        not {a, _as_noun(one)}.isdisjoint((b, _as_noun(other)))
        or a in _without_fleeting(other)
        or b in _without_fleeting(one)
        or _consonant_changed(_without_theme(a), _without_theme(b))
        or not _roots(a).isdisjoint(_roots(b))
    )


def beginnings(word: str) -> list[str]:
    """Return prefixes, one of which every form of a word begins with: a cheap filter before `same_word`."""
    found = stem(word)
    starts = {found, *_without_fleeting(word), *_roots(found)}
    starts |= {f"{start[:-1]}{other}" for start in starts for other in _CHANGED.get(start[-1:], ())}
    starts |= {f"{start[:-1].removesuffix('й')}{vowel}{start[-1:]}" for start in starts for vowel in "оеь"}
    if found[-1:] == "л" and found[-2:-1] in _LABIALS:
        starts.add(found[:-1])  # куплю, купить
    starts |= {odd for odd, root in _ODD.items() if root == found}
    shortest = sorted(filter(None, starts), key=len)
    return [start for n, start in enumerate(shortest) if not start.startswith(tuple(shortest[:n]))]


def longest_ending(start: str) -> int:
    """Return how many letters a form may have after such a prefix; short roots have only short endings."""
    return 4 if len(start) <= _LEAST_SOFT else 7


@lru_cache(1 << 14)
def stem(word: str) -> str:
    """Return a word without its ending and without a soft sign at the end of the rest."""
    if word.isascii():
        return _snowball("english", word)
    short = _NO_VOWEL.fullmatch(word) or _NAME.fullmatch(word)
    return _harden(short[1] if short else _snowball("russian", word).removesuffix("е") or word)


def _snowball(language: str, word: str) -> str:
    if not hasattr(_STEMMERS, language):
        setattr(_STEMMERS, language, snowballstemmer.stemmer(language))
    return str(getattr(_STEMMERS, language).stemWord(word))


def without_prefix(word: str) -> str:
    """Return a word without its Russian verb prefix: записать becomes писать."""
    return _PREFIX.sub("", word)


def _harden(root: str) -> str:
    hard = _SOFT_SIGN.sub("", root)
    return _ODD.get(hard, hard)


def _without_theme(found: str) -> str:
    """Return a verb's stem in the form of its noun: работать and работа, заказать and заказ."""
    root = found[:-1] if found[-1:] in "ая" else found
    return root if len(root) >= _LEAST_THEME else found


@lru_cache(1 << 14)
def _as_noun(word: str) -> str:
    """Return a word without its last vowel, since Snowball takes Оксана, сметана and вокзал for verbs."""
    root = word[:-1] if word[-1:] in _ENDINGS else word
    return root if len(root) >= _LEAST_NOUN else stem(word)


def _without_fleeting(word: str) -> set[str]:
    """Return the stems of a word without its fleeting vowel."""
    return set(_drop_vowel(stem(word))) | set(_drop_vowel(_harden(word)))


def _drop_vowel(root: str) -> Iterator[str]:
    if len(root) > 3 or root in _SHORT or root[:1] in _V:
        for pattern, instead in ((_FLEETING, ""), (_FLEETING_Y, "й")):
            shorter = pattern.sub(instead, root)
            if shorter != root:
                yield shorter


def _consonant_changed(a: str, b: str) -> bool:
    short, long = sorted((a, b), key=len)
    if len(short) < len(long):  # купить, куплю
        return len(short) >= _LEAST_SOFT and short[-1] in _LABIALS and long == f"{short}л"
    return len(a) >= _LEAST_CHANGING and a[:-1] == b[:-1] and b[-1] in _CHANGED.get(a[-1], ())


@lru_cache(1 << 14)
def _roots(found: str) -> frozenset[str]:
    """Return a stem, and its possible roots without the last suffix."""
    cut = (found.removesuffix(suffix) for suffix in _SUFFIXES if found.endswith(suffix))
    return frozenset([found, _without_theme(found), *(root for root in cut if len(root) >= _LEAST_DERIVED)])
