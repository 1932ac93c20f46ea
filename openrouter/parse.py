"""Reads JSON from other programs, in which any value may have the wrong type."""

import json
from contextlib import suppress
from typing import Any


def parsed(data: bytes) -> object:
    """Return the parsed JSON, None if it is not JSON; a JSON exception would carry the data along."""
    with suppress(ValueError, RecursionError):
        return json.loads(data.decode(json.detect_encoding(data), "replace"), parse_int=_whole_number)
    return None


def _whole_number(digits: str) -> float:
    """Return a number; a float if it has many digits: Python refuses more than 4,300 for an int."""
    return int(digits) if len(digits) < 20 else float(digits)


def as_dict(value: object) -> dict[str, Any]:
    """Return the value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: object) -> list[Any]:
    """Return the value if it is an array, else an empty one."""
    return value if isinstance(value, list) else []


def as_str(value: object) -> str | None:
    """Return the value if it is a string, else None; it may contain a lone surrogate, half of an emoji."""
    return value if isinstance(value, str) else None


def whole(text: str) -> str:
    """Join surrogate pairs that were split, and replace lone surrogates, which cannot be encoded."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def as_count(value: object) -> int | None:
    """Return a whole number from 0 to 2**53 - 1; None for anything else, also for `true`."""
    return value if type(value) is int and 0 <= value < 2**53 else None
