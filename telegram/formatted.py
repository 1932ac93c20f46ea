"""SCAFFOLD: nin's."""

from collections.abc import Iterable, Sequence

from telegram.splitting import Entity, utf16_len

Formatted = tuple[str, Sequence[Entity]]


def moved(entities: Iterable[Entity], by: int) -> list[Entity]:
    """Return entities whose text stands so much further on."""
    return [{**entity, "offset": entity["offset"] + by} for entity in entities]


def concat(*parts: Formatted) -> tuple[str, list[Entity]]:
    """Put texts together."""
    whole, formatting, length = "", list[Entity](), 0
    for text, entities in parts:
        formatting += moved(entities, length)
        whole += text
        length += utf16_len(text)
    return whole, formatting
