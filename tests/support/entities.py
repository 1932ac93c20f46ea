"""Checks of a text with entities: valid for Telegram, complete for the reader."""

from typing import Any

from telegram.splitting import Part, utf16_len

Entities = list[dict[str, Any]]


def covered(text: str, entity: dict[str, Any]) -> str:
    """Return the text that an entity covers, counted in UTF-16 units."""
    data = text.encode("utf-16-le", "surrogatepass")
    start, end = 2 * entity["offset"], 2 * (entity["offset"] + entity["length"])
    return data[start:end].decode("utf-16-le")  # raises if the entity splits a surrogate pair


def assert_telegram_takes(text: str, entities: Entities) -> None:
    for entity in entities:
        assert entity["offset"] >= 0
        assert entity["length"] > 0
        assert entity["offset"] + entity["length"] <= utf16_len(text)
        assert covered(text, entity).strip()
        assert ("url" in entity) == (entity["type"] == "text_link")
    spans = [(e["offset"], e["offset"] + e["length"], e["type"]) for e in entities]
    for i, (start, end, kind) in enumerate(spans):
        for start2, end2, kind2 in spans[i + 1 :]:
            if end2 <= start or end <= start2:
                continue
            assert start <= start2
            assert end2 <= end
            assert kind != kind2
            assert not {kind, kind2} & {"code", "pre"} or kind == "blockquote"


def assert_nothing_is_lost(text: str, parts: list[Part]) -> None:
    """Assert that the parts appear in the text in order, with only blanks between them."""
    rest = text
    for part in parts:
        between, found, rest = rest.partition(part.text)
        assert found
        assert not between.strip()
    assert not rest.strip()
