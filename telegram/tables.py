"""Tables: found in a model's Markdown, and shown as aligned monospace text."""

import re
import unicodedata
from itertools import zip_longest

from markdown_it.rules_block import StateBlock

_BAR = r"(?<!\\)\|"
_CODE = re.compile("`[^`]+`")
_RULE = re.compile(r"\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?")


def find_table(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    """Match a table; its token has all cells of all rows, and those of the rule below the head.

    The library's own rule drops cells from a row that is longer than the first one.
    """
    if start_line + 1 >= end_line or state.is_code_block(start_line):
        return False
    head, rule = line_of(state, start_line), line_of(state, start_line + 1)
    if "|" not in head or not _RULE.fullmatch(rule):
        return False
    columns = len(_cells(rule))
    if len(_cells(head, columns)) != columns:
        return False
    if silent:
        return True
    line = start_line + 2
    while line < end_line and "|" in line_of(state, line) and state.sCount[line] >= state.blkIndent:
        line += 1
    token = state.push("table", "", 0)
    token.map = [start_line, line]
    rows = [head, *(line_of(state, row) for row in range(start_line + 2, line))]
    token.meta = {"rows": [_cells(row, columns) for row in rows], "rule": _cells(rule)}
    state.line = line
    return True


def _cells(row: str, most: int | None = None) -> list[str]:
    """Return the cells of a row, split at its unescaped bars.

    If that gives more than `most` cells, bars within code do not split either: `a || b` is one cell.
    """
    cells = re.split(_BAR, row.removeprefix("|"))
    if len(cells) > 1 and not cells[-1].strip():
        cells.pop()
    if most is not None and len(cells) > most:
        return _cells(_CODE.sub(lambda code: re.sub(_BAR, r"\\|", code[0]), row))
    return [cell.replace(r"\|", "|").strip() for cell in cells]


def line_of(state: StateBlock, line: int) -> str:
    """Return a line of the source without the quote and list markers before it."""
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]].strip()


def aligned(rows: list[list[str]], rule: list[str]) -> str:
    """Return a table's rows as text, with a line below the head; a column with ``--:`` is right-aligned."""
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
    """Return how many monospace columns a text takes."""
    return sum(
        2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
        if unicodedata.category(char) not in ("Mn", "Me", "Cf")
    )
