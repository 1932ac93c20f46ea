"""Notes as one Markdown file for Obsidian and the like: a heading per note, formatting, tags, origins.

For reading elsewhere, not for importing again: files appear by name only.
"""

import re
from collections.abc import Iterator
from datetime import tzinfo
from typing import Any

from db import Note
from telegram.lines import file_line
from telegram.splitting import from_units, to_units
from transfer.files import Format

_UNSAFE = re.compile(r"[\s()<>]")  # in the URL of a link
_STYLES = {"bold": "**", "italic": "*", "strikethrough": "~~", "code": "`"}
# Left alone: URLs, tags, a «_» inside a word. Everything else that would be markup by accident gets a
# backslash.
_MARKUP = re.compile(
    r"(https?://\S+|#\w+|(?<=\w)_(?=\w))|([\\`*_~\[\]<$]|%(?=%)|(?<=%)%|=(?==)|(?<==)=)"
    r"|(?<![^\n])(#{1,6} |>|-{3,})"
)


def markdown_file(zone: tzinfo | None) -> Format:
    """Return the format, with times in this zone."""

    def write(note: Note) -> str:
        when = note.written(zone)
        pin = " 📌" if note.pinned else ""
        blocks = [f"## {when:%d.%m.%Y %H:%M} · №{note.number}{pin}", *_origin(note), _formatted(note)]
        files = "\n".join(f"- {file_line(file.kind, file.name)}" for file in note.files)
        return "\n\n".join(block for block in [*blocks, files] if block)

    return Format("md", write)


def _origin(note: Note) -> Iterator[str]:
    if note.origin:
        name = _MARKUP.sub(_escaped, note.origin.name)
        yield f"> Переслано: [{name}]({note.origin.link})" if note.origin.link else f"> Переслано: {name}"


def _formatted(note: Note) -> str:
    """Return a note's text with its outermost entities as Markdown."""
    units = to_units(note.text)
    text, end = "", 0
    for entity in _outermost(note):
        start = entity["offset"]
        text += _plain(units[end:start])
        end = start + entity["length"]
        text += _marked(entity, from_units(units[start:end]))
    return text + _plain(units[end:])


def _outermost(note: Note) -> Iterator[dict[str, Any]]:
    """Yield the entities that Markdown has, in order; of overlapping ones only the first, longest one."""
    end = 0
    known = [e for e in note.entities if e["type"] in (*_STYLES, "pre", "text_link", *_QUOTES)]
    for entity in sorted(known, key=lambda e: (e["offset"], -e["length"])):
        if entity["offset"] >= end:
            end = entity["offset"] + entity["length"]
            yield entity


_QUOTES = ("blockquote", "expandable_blockquote")


def _marked(entity: dict[str, Any], inside: str) -> str:
    kind, text = entity["type"], _MARKUP.sub(_escaped, inside)
    if kind == "pre":
        fence = "`" * max(3, 1 + max(map(len, re.findall("`+", inside)), default=0))
        return f"\n{fence}{entity.get('language', '')}\n{inside}\n{fence}\n"
    if kind == "code":
        return f"`` {inside} ``" if "`" in inside else f"`{inside}`"
    if kind == "text_link":
        return f"[{text}]({_UNSAFE.sub(_percent, str(entity.get('url', '')))})"
    if kind in _QUOTES:
        return "\n" + "\n".join(f"> {line}" for line in text.split("\n")) + "\n"
    return "\n".join(_styled(line, _STYLES[kind]) for line in text.split("\n"))  # no style spans lines


def _styled(line: str, mark: str) -> str:
    words = line.strip()  # ** next to a blank is not markup
    return line.replace(words, f"{mark}{words}{mark}") if words else line


def _percent(found: re.Match[str]) -> str:
    return f"%{ord(found[0]):02X}"


def _plain(units: str) -> str:
    return _MARKUP.sub(_escaped, from_units(units))


def _escaped(found: re.Match[str]) -> str:
    return found[1] or f"\\{found[2] or found[3]}"
