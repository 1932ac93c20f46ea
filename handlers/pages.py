"""Paging of long lists."""

import math
from collections.abc import Sequence
from typing import TypeVar

from telegram.replies import Button

T = TypeVar("T")


def last_page(total: int, size: int) -> int:
    """Return the number of the last page, with `size` rows per page; at least 1."""
    return max(1, math.ceil(total / size))


def page_of(rows: Sequence[T], number: int, size: int) -> tuple[Sequence[T], int, int]:
    """Return a page's rows, its number, and the last page's number; a number too high means the last page."""
    last = last_page(len(rows), size)
    number = min(number, last)
    return rows[(number - 1) * size : number * size], number, last


def turning(button: str, number: int, last: int) -> list[Button]:
    """Return the buttons to the previous and the next page."""
    back = [Button("◀", button, number - 1)] if number > 1 else []
    return back + ([Button(f"{number + 1} из {last} ▶", button, number + 1)] if number < last else [])
