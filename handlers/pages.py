"""Long lists, a page at a time."""

import math
from collections.abc import Sequence
from typing import TypeVar

from telegram.replies import Button

T = TypeVar("T")


def last_page(total: int, size: int) -> int:
    """Return the number of the last page of so many rows."""
    return max(1, math.ceil(total / size))


def page_of(rows: Sequence[T], number: int, size: int) -> tuple[Sequence[T], int, int]:
    """Return the rows of a page, its number, and the last one's, which stands in for any behind it."""
    last = last_page(len(rows), size)
    number = min(number, last)
    return rows[(number - 1) * size : number * size], number, last


def turning(button: str, number: int, last: int) -> list[Button]:
    """Return the buttons that lead to the pages before and behind."""
    back = [Button("◀", button, number - 1)] if number > 1 else []
    return back + ([Button(f"{number + 1} из {last} ▶", button, number + 1)] if number < last else [])
