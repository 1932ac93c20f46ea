"""Fields of what Telegram sends, which need not be what they should."""

from typing import Any, TypeVar

T = TypeVar("T")
Body = dict[str, Any]
MAX_INT = 2**63  # that SQLite can hold


class UnreadableUpdateError(Exception):
    """An update in a shape that we do not know; the text names the field and not what is in it."""


def need(body: Body, name: str, kind: type[T]) -> T:
    """Return a field that has to be there, a number that can be stored; raises UnreadableUpdateError."""
    value = body.get(name)
    if type(value) is not kind or (isinstance(value, int) and abs(value) >= MAX_INT):
        raise UnreadableUpdateError(f"{name}: {type(value).__name__}")
    return value


def dict_in(body: Body, name: str) -> Body:
    """Return a field that is an object; an empty one else."""
    value = body.get(name)
    return value if isinstance(value, dict) else {}


def dicts_in(body: Body, name: str) -> list[Body]:
    """Return the objects in a field that is a list."""
    value = body.get(name)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def text_in(body: Body, name: str) -> str:
    """Return a field that is a text; an empty one else."""
    value = body.get(name)
    return value if isinstance(value, str) else ""


def number_in(body: Body, name: str) -> int:
    """Return a field that is a whole number which can be stored; 0 else."""
    value = body.get(name)
    return value if type(value) is int and abs(value) < MAX_INT else 0
