"""Texts as Telegram handles them: UTF-16 lengths, trimming, and entities."""

import re
from typing import Any

Entity = dict[str, Any]

_REMOVED = re.compile("[\r\u2028-\u202e]")
_CONTROL = {code: " " for code in range(32) if code not in (10, 13)}
_BLANK = re.compile("[\\s\u200b-\u200f\u2060-\u206f\u2800\u3164\ufeff]*")
_DETECTED = re.compile(
    r"(?P<url>https?://[^\s<>\"]*[^\s<>\".,:;!?)\]}'»])"
    r"|(?P<email>(?<![\w.+-])[\w.+-]+@[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)*\.[a-zA-Z]{2,}\b)"
    r"|(?P<bot_command>(?<![\w/<>])/[a-zA-Z0-9_]{1,64}(?:@[a-zA-Z0-9_]{3,32})?(?![\w/<>]))"
    r"|(?P<mention>(?<![\w/@])@[a-zA-Z0-9_]{3,32}(?!\w))"
    r"|(?P<hashtag>(?<![\w#])#\w*[^\W\d_]\w*)"
)


def words(*lines: str) -> frozenset[str]:
    """Return the words of some lines, separated by blanks."""
    return frozenset(" ".join(lines).split())


def utf16_len(text: str) -> int:
    """Return the length in UTF-16 units, the unit of Telegram's limits and entity offsets."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def is_blank(text: str) -> bool:
    """Return whether Telegram treats the text as empty."""
    return _BLANK.fullmatch(text) is not None


def splits_a_character(text: str, offset: int) -> bool:
    """Return whether the UTF-16 offset splits a surrogate pair."""
    unit = text.encode("utf-16-le")[2 * offset : 2 * offset + 2]
    return 0xDC00 <= int.from_bytes(unit, "little") <= 0xDFFF


def clean(text: str, entities: list[Entity]) -> tuple[str, list[Entity]]:
    """Return the text trimmed as Telegram does it, and its entities, clipped to match."""
    if _REMOVED.search(text):
        text, entities = _without_removed(text, entities)
    text = text.translate(_CONTROL)
    kept = text.rstrip(" \n")
    # Leading blanks stay if an entity covers them.
    before_entities = min((e["offset"] for e in entities), default=len(kept))
    start = min(len(kept) - len(kept.lstrip(" \n")), before_entities)
    return kept[start:], _clipped(entities, -start, utf16_len(kept[start:]))


def _without_removed(text: str, entities: list[Entity]) -> tuple[str, list[Entity]]:
    gone = [utf16_len(text[: match.start()]) for match in _REMOVED.finditer(text)]

    def moved(offset: int) -> int:
        return offset - sum(1 for place in gone if place < offset)

    shifted = []
    for entity in entities:
        start, end = moved(entity["offset"]), moved(entity["offset"] + entity["length"])
        shifted.append({**entity, "offset": start, "length": end - start})
    return _REMOVED.sub("", text), shifted


def _clipped(entities: list[Entity], shift: int, size: int) -> list[Entity]:
    result = []
    for entity in entities:
        start = entity["offset"] + shift
        length = min(entity["length"], size - start)
        if length > 0:
            result.append({**entity, "offset": start, "length": length})
    return result


def detect(text: str, given: list[Entity] | None = None) -> list[Entity]:
    """Return the given entities and those that Telegram finds itself: commands, links, mentions, tags."""
    entities = list(given or ())
    taken = [(e["offset"], e["offset"] + e["length"]) for e in entities]
    for match in _DETECTED.finditer(text):
        offset = utf16_len(text[: match.start()])
        length = utf16_len(match.group())
        if all(end <= offset or offset + length <= start for start, end in taken):
            entities.append({"type": str(match.lastgroup), "offset": offset, "length": length})
    return sorted(entities, key=lambda e: (e["offset"], -e["length"]))
