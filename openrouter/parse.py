"""Reading JSON that somebody else wrote: nothing in it need be what it should."""

import json
from contextlib import suppress
from typing import Any


def parsed(data: bytes) -> object:
    """Return the JSON in the data, None if it is none; its exceptions would carry the data on."""
    with suppress(ValueError, RecursionError):
        return json.loads(data.decode(json.detect_encoding(data), "replace"))
    return None


def as_dict(value: object) -> dict[str, Any]:
    """Return the value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: object) -> list[Any]:
    """Return the value if it is an array, else an empty one."""
    return value if isinstance(value, list) else []


def as_str(value: object) -> str | None:
    """Return the value if it is a string, as it is: a stream may end in half an emoji."""
    return value if isinstance(value, str) else None


def whole(text: str) -> str:
    """Join halves of emoji that came apart, and replace what cannot be written down."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def as_count(value: object) -> int | None:
    """Return a whole number that is not negative and no nonsense; None else, for `true` too."""
    return value if type(value) is int and 0 <= value < 2**53 else None
