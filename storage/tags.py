"""#tags in a text, as Telegram's clients see them."""

import re
from collections.abc import Iterable
from typing import Any

from storage.folding import fold

# Within an address it is none, and neither is C#; what stands before it may be a bracket or a quotation mark.
_TAG = re.compile(r"https?://\S+|(?<![\w#&/])[#\uff03](\w+)")


def tags_in(text: str, entities: Iterable[dict[str, Any]] = ()) -> list[str]:
    """Return the tags of a text, folded and without their #, in order and each once."""
    found = (fold(tag) for tag in _TAG.findall(without_marks_in_code(text, entities)))
    return list(dict.fromkeys(tag for tag in found if tag and not tag.isdigit()))


def without_marks_in_code(text: str, entities: Iterable[dict[str, Any]]) -> str:
    """Return a text with blanks for the # in what is formatted as code: #include is no tag there."""
    units = bytearray(text.encode("utf-16-le", "surrogatepass"))
    for entity in entities:
        if entity["type"] in ("code", "pre"):
            place = slice(2 * entity["offset"], 2 * (entity["offset"] + entity["length"]))
            code = units[place].decode("utf-16-le", "surrogatepass")
            units[place] = without_marks(code).encode("utf-16-le", "surrogatepass")
    return units.decode("utf-16-le", "surrogatepass")


def without_marks(text: str) -> str:
    """Return a text with blanks for its #."""
    return re.sub("[#\uff03]", " ", text)
