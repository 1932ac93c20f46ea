"""Decides whether a text shows a person anything."""

import html
import re
import unicodedata

_FENCE = re.compile(r"^[ \t>]*(`{3,}[^`\n]*|~{3,}[^\n]*)$", re.MULTILINE)
_EMPTY_LINK = re.compile(r"!?\[\s*\]\([^()\n]*\)")
_MARKUP = frozenset("#*_~>|-+=:\\")
_INVISIBLE = frozenset(["Cc", "Cf", "Cs", "Mn", "Me", "Zl", "Zp", "Zs"])  # marks show only on a letter
_BLANK_LETTERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")


def says_something(text: str) -> bool:
    """Return whether the text has a visible character that is not mere markup.

    The language of a code block is markup; in code every character counts.
    """
    prose = _EMPTY_LINK.sub("", _FENCE.sub("", text))
    markup = frozenset("`") if "`" in prose or prose != text else _MARKUP
    return any(_is_visible(sign) and sign not in markup for sign in html.unescape(prose))


def _is_visible(sign: str) -> bool:
    return unicodedata.category(sign) not in _INVISIBLE and sign not in _BLANK_LETTERS
