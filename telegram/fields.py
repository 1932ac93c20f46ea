"""Reading fields of Telegram's JSON, which may be missing or have a wrong type."""

from typing import Any, TypeVar

T = TypeVar("T")
Body = dict[str, Any]
MAX_INT = 2**63  # SQLite's limit


class UnreadableUpdateError(Exception):
    """An update in an unknown shape; the text names the field, not its content."""


def need(body: Body, name: str, kind: type[T]) -> T:
    """Return a required field; raises UnreadableUpdateError for a wrong type or a number beyond SQLite's."""
    value = body.get(name)
    if type(value) is not kind or (isinstance(value, int) and abs(value) >= MAX_INT):
        raise UnreadableUpdateError(f"{name}: {type(value).__name__}")
    return value


def dict_in(body: Body, name: str) -> Body:
    """Return a field if it is an object, else {}."""
    value = body.get(name)
    return value if isinstance(value, dict) else {}


def dicts_in(body: Body, name: str) -> list[Body]:
    """Return the objects in a field if it is a list, else []."""
    value = body.get(name)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def text_in(body: Body, name: str) -> str:
    """Return a field if it is a string, else ""."""
    value = body.get(name)
    return value if isinstance(value, str) else ""


def number_in(body: Body, name: str) -> int:
    """Return a field if it is an integer that SQLite can hold, else 0."""
    value = body.get(name)
    return value if type(value) is int and abs(value) < MAX_INT else 0
