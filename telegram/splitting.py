"""Split a text and its entities into messages that Telegram accepts, at the best places.

An entity is a dict like Telegram's MessageEntity: ``type``, ``offset``, ``length``, and for some types more,
which is passed on unread. All offsets, lengths and limits are in UTF-16 units; an emoji takes two.
"""

import re
import struct
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

LIMIT, MAX_ENTITIES = 4096, 100  # per message; Telegram silently drops more entities

Entity = dict[str, Any]

_CODES = ("pre", "code")
_QUOTES = ("blockquote", "expandable_blockquote")


@dataclass(frozen=True, slots=True)
class Part:
    """A message: a text that is never blank, and its entities in order."""

    text: str
    entities: list[Entity]


def utf16_len(text: str) -> int:
    """Return the length of a text in UTF-16 units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def to_units(text: str) -> str:
    """Return the text with surrogate pairs for emoji, so that Telegram's offsets are its indices."""
    if utf16_len(text) == len(text):
        return text
    data = text.encode("utf-16-le", "surrogatepass")
    return "".join(map(chr, struct.unpack(f"<{len(data) // 2}H", data)))


def from_units(units: str) -> str:
    """Return the text of a string of UTF-16 units; the inverse of `to_units`."""
    return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def pre(text: str) -> tuple[str, list[Entity]]:
    """Return the text with one entity that shows all of it in monospace; no entity for a blank text."""
    return text, [{"type": "pre", "offset": 0, "length": utf16_len(text)}] if text.strip() else []


class _Range(NamedTuple):
    """An entity with its range in the units of its text."""

    start: int
    end: int
    entity: Entity

    @property
    def code(self) -> bool:
        return self.entity["type"] in _CODES


def _ranges(entities: Iterable[Entity]) -> list[_Range]:
    return sorted(
        (_Range(e["offset"], e["offset"] + e["length"], e) for e in entities),
        key=lambda item: (item.start, -item.end, item.code),
    )


def trimmed(text: str, entities: Iterable[Entity]) -> tuple[str, list[Entity]]:
    """Return a text and its entities without blanks at both ends; "" for a blank text."""
    units = to_units(text)
    part = _part(units, _ranges(entities), 0, len(units))
    return (part.text, part.entities) if part else ("", [])


def split(text: str, entities: Sequence[Entity] = (), limit: int = LIMIT) -> list[Part]:
    """Split a text into messages, if possible between paragraphs, else lines, sentences, words.

    An entity that is cut continues in the next message. One that fits into a single message (a block of code,
    a link) is not cut while there is another place to cut.
    """
    units = to_units(text)
    ahead = _ranges(entities)[::-1]  # reversed, so that pop() takes the next one
    parts, start, near = [], 0, list[_Range]()
    while start < len(units):
        near = [item for item in near if item.end > start]
        while ahead and ahead[-1].start < start + limit:
            near.append(ahead.pop())
        here, beyond = near[:MAX_ENTITIES], near[MAX_ENTITIES:]
        room = min(limit, beyond[0].start - start) if beyond else limit
        end, following = _cut(units, here, start, max(room, 2))
        if part := _part(units, here, start, end):
            parts.append(part)
        start = following
    return parts


def _part(units: str, ranges: Iterable[_Range], start: int, end: int) -> Part | None:
    """Return a part of a text as a message, trimmed as Telegram does; None if it is blank."""
    shown = [item for whole in ranges if (item := _clipped(units, whole, start, end))]
    body = units[start:end]
    if not body.strip():
        return None
    end = start + len(body.rstrip())
    start = min([start + len(body) - len(body.lstrip()), *(item.start for item in shown)])
    entities = [{**item.entity, "offset": item.start, "length": item.end - item.start} for item in shown]
    entities = [item.entity for item in _ranges(entities)]
    return Part(from_units(units[start:end]), [{**e, "offset": e["offset"] - start} for e in entities])


def _clipped(units: str, item: _Range, start: int, end: int) -> _Range | None:
    """Return the entity's range within a part, without blanks at both ends; code keeps its indentation."""
    start, end = max(item.start, start), min(item.end, end)
    shown = units[start:end]
    if not shown.strip():
        return None
    blanks = "\n" if item.code or item.entity["type"] in _QUOTES else None
    return item._replace(start=end - len(shown.lstrip(blanks)), end=start + len(shown.rstrip()))


# --- Where to cut -----------------------------------------------------------------------------

_BREAKS = [re.compile(pattern) for pattern in (r"\n\s*\n", r"\n", r"(?<=[.!?…;:])\s+", r"\s+")]
_BLANKS = re.compile(r"\s+")
_FLAG = "\ud83c" + "".join(map(chr, range(0xDDE6, 0xDE00)))  # the units of 🇦 to 🇿


def _cut(units: str, ranges: list[_Range], start: int, limit: int) -> tuple[int, int]:
    """Return the end of the message that begins at ``start``, and the start of the next one."""
    end = start + limit
    if end >= len(units):
        return len(units), len(units)
    whole = [item for item in ranges if item.entity["type"] not in _QUOTES]
    fitting = [item for item in whole if item.start > start and item.end - item.start <= limit]
    inside_whole, inside_fitting = _inside(whole, start, limit), _inside(fitting, start, limit)
    nowhere = bytes(limit + 1)
    middle = start + (limit + 1) // 2
    blanks = _BLANKS.match(units, start, end)  # a cut within them would make an empty message
    first = max(start + 1, blanks.end() if blanks else 0)
    for floor, kept in (
        (middle, inside_whole),
        (first, inside_fitting),
        (middle, nowhere),
        (first, nowhere),
    ):
        for pattern in _BREAKS:
            for found in reversed(list(pattern.finditer(units, floor, end + 1))):
                if not (kept[found.start() - start] and kept[min(found.end() - start, limit)]):
                    return _joint(units, found, ranges)
    room = unglued(units[start : end + 2], range(limit, 0, -1))
    return start + room, start + room


def _inside(items: Iterable[_Range], start: int, limit: int) -> bytearray:
    """Return a byte for each position from ``start`` on, non-zero where a cut would split an entity."""
    canvas = bytearray(limit + 1)
    for item in items:
        first, last = max(item.start + 1 - start, 0), min(item.end - start, limit + 1)
        canvas[first:last] = b"x" * (last - first)
    return canvas


def _joint(units: str, found: re.Match[str], ranges: list[_Range]) -> tuple[int, int]:
    """Return the range to leave out at a cut: all the blanks, but in code only one line break."""
    start, end = found.span()
    for code in ranges:
        if code.code and code.start < end and start < code.end:
            if code.start <= start and end <= code.end:
                return (end - 1, end) if units[end - 1] == "\n" else (start, start)
            start, end = (start, code.start) if start < code.start else (code.end, end)
    return start, end


def unglued(units: str, places: Sequence[int]) -> int:
    """Return the first position where a cut splits no grapheme, or failing that no surrogate pair."""
    whole = [i for i in places if not "\udc00" <= units[i : i + 1] <= "\udfff"] or [places[0]]
    return next((i for i in whole if not _glued(units, i)), whole[0])


def _glued(units: str, i: int) -> bool:
    """Return whether a position is inside an emoji, a flag, or a letter with its accents."""
    before, after = units[:i], units[i : i + 2]
    half_flag = (len(before) - len(before.rstrip(_FLAG))) % 4 == 2
    return bool(after) and (
        before[-1:] == "\u200d"
        or after[0] == "\u200d"
        or unicodedata.category(after[0])[0] == "M"
        or "\ud83c\udffb" <= after <= "\ud83c\udfff"  # a skin tone
        or "\udb40\udc20" <= after <= "\udb40\udc7f"  # a tag letter in a region's flag
        or (half_flag and not after.strip(_FLAG))
    )
