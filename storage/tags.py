"""#tags in a text, as Telegram's clients see them."""

import re
from collections.abc import Iterable
from typing import Any

from storage.folding import fold

# A # inside a URL or after a letter, as in C#, is no tag; a bracket or quotation mark may stand before a tag.
_TAG = re.compile(r"https?://\S+|(?<![\w#&/])[#\uff03](\w+)")


def tags_in(text: str, entities: Iterable[dict[str, Any]] = ()) -> list[str]:
    """Return the tags of a text, folded and without the #, in order, each once."""
    found = (fold(tag) for tag in _TAG.findall(without_marks_in_code(text, entities)))
    return list(dict.fromkeys(tag for tag in found if tag and not tag.isdigit()))


def without_marks_in_code(text: str, entities: Iterable[dict[str, Any]]) -> str:
    """Return a text in which no # in code begins a tag: #include is not a tag."""
    units = bytearray(text.encode("utf-16-le", "surrogatepass"))
    for entity in entities:
        if entity["type"] in ("code", "pre"):
            place = slice(2 * entity["offset"], 2 * (entity["offset"] + entity["length"]))
            code = units[place].decode("utf-16-le", "surrogatepass")
            units[place] = without_marks(code).encode("utf-16-le", "surrogatepass")
    return units.decode("utf-16-le", "surrogatepass")


def without_marks(text: str) -> str:
    """Return a text without tags that folds to the same text: each # becomes a variant of #."""
    return re.sub("[#\uff03]", "\ufe5f", text)
