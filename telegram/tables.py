"""A table as lines of monospace, its columns below each other."""

import unicodedata
from itertools import zip_longest


def aligned(rows: list[list[str]], rule: list[str]) -> str:
    """Return the rows of a table with a line below the first; a column with ``--:`` is flush right."""
    columns = list(zip_longest(*rows, fillvalue=""))
    widths = [max(map(_width, column)) for column in columns]
    right = [mark.endswith(":") and not mark.startswith(":") for mark in rule]
    right += [False] * (len(columns) - len(rule))
    padded = [list(map(_padded, row, widths, right)) for row in zip(*columns, strict=True)]
    lines = [" | ".join(row).rstrip() for row in padded]
    return "\n".join([lines[0], "-+-".join("-" * width for width in widths), *lines[1:]])


def _padded(cell: str, width: int, right: bool) -> str:
    blanks = " " * (width - _width(cell))
    return blanks + cell if right else cell + blanks


def _width(text: str) -> int:
    """Return how many columns of monospace a text takes."""
    return sum(
        1 + (unicodedata.east_asian_width(char) in "WF")
        for char in text
        if unicodedata.category(char) not in ("Mn", "Me", "Cf")
    )
