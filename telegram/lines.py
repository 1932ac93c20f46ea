"""Lines of lists: the first line of a note, a note around a found place, a file."""

import re

from telegram.splitting import from_units, to_units, unglued

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
    """Return a file as a line: what it is, and its name (of a sticker, its emoji)."""
    return first_line(f"{_FILES.get(kind, _FILES['document'])} {name}")


def first_line(text: str, limit: int = 80) -> str:
    """Return the first line of a note that is not blank, with «…» where something is left out."""
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    return from_units(_shortened(to_units(lines[0]), limit, more=len(lines) > 1)) if lines else ""


def snippet(text: str, start: int, length: int, limit: int = 120) -> str:
    """Return one line of a note around a found place, given in characters, with «…» at the cut ends."""
    flat = re.sub(r"\s", " ", text)
    before = to_units(flat[:start].lstrip())
    found = to_units(flat[start : start + length])
    after = to_units(flat[start + length :].rstrip())
    spare = max(0, limit - len("……") - len(found))
    room = spare - min(spare // 2, len(after))
    if len(before) > room and len(before + found + after) > limit:
        before = "…" + _end_of(before, room)
    return from_units(_shortened(before + found + after, limit, keep=len(before + found)))


def _end_of(units: str, room: int) -> str:
    """Return the last words of a text that fit, or the last letters if not even one word does."""
    cut = len(units) - room
    word = units.find(" ", cut - 1) + 1
    return units[word or unglued(units, range(cut, len(units) + 1)) :]


def _shortened(units: str, limit: int, *, keep: int = 1, more: bool = False) -> str:
    """Return a line within the limit; where it is cut, between words behind the first ``keep`` units."""
    if len(units) + more <= limit:
        return units + "…" * more
    word = units.rfind(" ", keep, limit)
    return units[: word if word > 0 else unglued(units, range(limit - 1, -1, -1))].rstrip() + "…"


def grouped(number: int) -> str:
    """Return a number as it is read easily: 120 000."""
    return f"{number:,}".replace(",", " ")
