"""#tags in a text, as Telegram's clients see them."""

import re

from storage.folding import fold

# Within an address it is none, and neither is C#; what stands before it may be a bracket or a quotation mark.
_TAG = re.compile(r"https?://\S+|(?<![\w#&/])[#\uff03](\w+)")


def tags_in(text: str) -> list[str]:
    """Return the tags of a text, folded and without their #, in order and each once."""
    found = (fold(tag) for tag in _TAG.findall(text))
    return list(dict.fromkeys(tag for tag in found if tag and not tag.isdigit()))
