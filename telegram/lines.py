"""One-line summaries: the first line of a note, a note around a match, a file."""

import re
from collections.abc import Sequence

from telegram.splitting import from_units, to_units, unglued, utf16_len

Span = tuple[int, int]  # start and length

_FILES = {
    "photo": "🖼 фото",
    "video": "🎬 видео",
    "animation": "🎞 анимация",
    "document": "📄 файл",
    "audio": "🎵 аудио",
    "voice": "🎤 голосовое",
    "video_note": "📹 видеосообщение",
    "sticker": "🏷 стикер",
}


def file_line(kind: str, name: str) -> str:
    """Return a file's kind and name (for a sticker, its emoji) as one line."""
    return first_line(f"{_FILES.get(kind, _FILES['document'])} {name}")


def first_line(text: str, limit: int = 80) -> str:
    """Return the first non-blank line of a text, with «…» where something is left out."""
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    return from_units(_shortened(to_units(lines[0]), limit, more=len(lines) > 1)) if lines else ""


def around(text: str, spans: Sequence[Span], limit: int = 120) -> tuple[str, list[Span]]:
    """Return one line of a note around the first match, and the matches in it, in UTF-16 units.

    `spans` are the matches in order, in characters; there must be at least one.
    """
    units, begin = _window(text, *spans[0], limit)
    shift = begin - utf16_len(text[: spans[0][0]])
    end = len(units.removesuffix("…"))
    places = []
    for start, length in spans:
        first = utf16_len(text[:start]) + shift
        last = min(end, first + utf16_len(text[start : start + length]))
        if first < last:
            places.append((first, last - first))
    return from_units(units), places


def _window(text: str, start: int, length: int, limit: int) -> tuple[str, int]:
    """Return one line around a match, as units, and the match's start in it."""
    flat = re.sub(r"\s", " ", text)
    before = to_units(flat[:start].lstrip())
    found = to_units(flat[start : start + length])
    after = to_units(flat[start + length :].rstrip())
    spare = max(0, limit - len("……") - len(found))
    room = spare - min(spare // 2, len(after))
    if len(before) > room and len(before + found + after) > limit:
        before = "…" + _end_of(before, room)
    return _shortened(before + found + after, limit, keep=len(before + found)), len(before)


def _end_of(units: str, room: int) -> str:
    """Return the last words that fit, or the last characters if not even one word does."""
    cut = len(units) - room
    word = units.find(" ", cut - 1) + 1
    return units[word or unglued(units, range(cut, len(units) + 1)) :]


def _shortened(units: str, limit: int, *, keep: int = 1, more: bool = False) -> str:
    """Return a line cut to the limit, between words if there is a blank after the first ``keep`` units."""
    ending = "…" if more else ""
    if len(units + ending) <= limit:
        return units + ending
    word = units.rfind(" ", keep, limit)
    return units[: word if word > 0 else unglued(units, range(limit - 1, -1, -1))].rstrip() + "…"


def grouped(number: int) -> str:
    """Return a number with its thousands separated: 120 000."""
    return f"{number:,}".replace(",", " ")
