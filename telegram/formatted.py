"""Texts with entities: joining, cutting, replacing a part. Offsets and lengths are in UTF-16 units."""

import unicodedata
from collections.abc import Iterable, Sequence

from telegram.splitting import Entity, from_units, to_units, utf16_len

Formatted = tuple[str, Sequence[Entity]]

# Invisible, although Unicode counts them as letters, marks or symbols.
_UNSEEN = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
    + "".join(map(chr, range(0xFE00, 0xFE10)))
)


def is_blank(text: str) -> bool:
    """Return whether a text has nothing visible."""
    return all(
        char in _UNSEEN or unicodedata.category(char) in ("Zs", "Zl", "Zp", "Cc", "Cf") for char in text
    )


def moved(entities: Iterable[Entity], by: int) -> list[Entity]:
    """Return entities with their offsets increased by `by`."""
    return [{**entity, "offset": entity["offset"] + by} for entity in entities]


def concat(*parts: Formatted) -> tuple[str, list[Entity]]:
    """Join texts with their entities."""
    whole, formatting, length = "", list[Entity](), 0
    for text, entities in parts:
        formatting += moved(entities, length)
        whole += text
        length += utf16_len(text)
    return whole, formatting


def lines(*parts: Formatted) -> tuple[str, list[Entity]]:
    """Join texts, each on its own line; empty ones are left out."""
    whole, formatting = concat(*(piece for part in parts if part[0] for piece in (part, ("\n", ()))))
    return whole.removesuffix("\n"), formatting


def behind(entities: Iterable[Entity], head: str) -> tuple[Entity, ...]:
    """Return the entities of the text after `head`, with offsets counted from there."""
    cut = utf16_len(head)
    rest = []
    for entity in entities:
        start, end = entity["offset"] - cut, entity["offset"] + entity["length"] - cut
        if end > 0:
            rest.append({**entity, "offset": max(0, start), "length": end - max(0, start)})
    return tuple(rest)


def cut_out(formatted: Formatted, start: int, length: int) -> Formatted:
    """Return a part of a text with its entities."""
    text, entities = formatted
    piece = piece_of(text, start, length)
    rest = behind(entities, piece_of(text, 0, start))
    inside = [entity for entity in rest if entity["offset"] < length]
    return piece, [{**one, "length": min(one["length"], length - one["offset"])} for one in inside]


def replaced(old: Formatted, start: int, length: int, new: Formatted) -> tuple[str, list[Entity]]:
    """Replace a part of a text; entities that overlap it are dropped."""
    (text, entities), (piece, formatting) = old, new
    end, units = start + length, to_units(text)
    before = [entity for entity in entities if entity["offset"] + entity["length"] <= start]
    after = moved((entity for entity in entities if entity["offset"] >= end), -end)
    return concat((from_units(units[:start]), before), (piece, formatting), (from_units(units[end:]), after))


def on_its_line(text: str, start: int, length: int, new: Formatted) -> tuple[int, int, int, Formatted]:
    """Return what to replace, and with what, when a piece of a text changes: (start, length, head, new text).

    An empty piece that gets a text also gets line breaks to its neighbours, `head` of them before it; a piece
    that becomes empty takes one line break away.
    """
    units = to_units(text)
    before, after = units[:start], units[start + length :]
    if not length and new[0]:
        head = "\n" if before and not before.endswith("\n") else ""
        tail = "\n" if after and not after.startswith("\n") else ""
        if head and tail:  # in the middle of a line: the text has changed, so append
            return len(units), 0, 1, concat(("\n", ()), new)
        return len(before), 0, len(head), concat((head, ()), new, (tail, ()))
    if length and not new[0]:
        if after.startswith("\n") and (not before or before.endswith("\n")):
            return start, length + 1, 0, new
        if before.endswith("\n") and not after:
            return start - 1, length + 1, 0, new
    return start, length, 0, new


def piece_of(text: str, start: int, length: int) -> str:
    """Return a part of a text."""
    return from_units(to_units(text)[start : start + length])
