"""Text as Telegram wants it: Markdown to text and entities, splitting, snippets.

A message is a plain text with entities, dicts as Telegram's MessageEntity: ``type``, ``offset``,
``length``, for some ``url`` or ``language``. All offsets, lengths and limits are in UTF-16 units,
of which an emoji takes two. Nothing here does I/O: pictures and links are never fetched.
"""

import re
import struct
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from telegramify_markdown import MessageEntity, RenderConfig, convert

LIMIT, MAX_ENTITIES = 4096, 100  # of one message; further entities Telegram ignores without a word

Entity = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """One Telegram message: a text that is never blank, and its entities in order."""

    text: str
    entities: list[Entity]


def utf16_len(text: str) -> int:
    """The length of a text in UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def pre(text: str) -> tuple[str, list[Entity]]:
    """The whole text as one block of monospace."""
    return text, [{"type": "pre", "offset": 0, "length": utf16_len(text)}] if text.strip() else []


def markdown(text: str) -> tuple[str, list[Entity]]:
    """A model's Markdown as a text and entities, whatever it is, half of an answer too.

    HTML and everything else that Markdown does not show is shown as written, pictures as links.
    The text is empty if there is nothing to show.
    """
    source = _SOURCE.sub(_rewrite, _clean(text))
    source = _LITERAL.sub(_disguise, _DOLLARS.sub(_disguise_money, source))
    # With no block before it, the library glues code to the text of the first item of a list.
    plain, entities = convert(_OPENING + source, config=_CHAT)
    units = _units(plain.translate(_UNDISGUISE))
    ranges = _harmonised(units, map(_undisguised, entities))
    part = _piece(units, ranges, len(_OPENING.rstrip()), len(units))
    return (part.text, part.entities) if part else ("", [])


def to_parts(markdown_text: str, suffix: str = "", limit: int = LIMIT) -> list[Part]:
    """A model's Markdown as messages, with a plain text kept whole at the end of the last one."""
    parts = split(*markdown(markdown_text), limit)
    suffix = suffix.rstrip()
    if parts and utf16_len(parts[-1].text + suffix) <= limit:
        last = parts.pop()
        return [*parts, Part(last.text + suffix, last.entities)]
    return parts + split(suffix, limit=limit)


def split(text: str, entities: Sequence[Entity] = (), limit: int = LIMIT) -> list[Part]:
    """Cut a text into messages, at a paragraph if possible, or a line, a sentence, a blank.

    An entity that is cut goes on in the next message. What fits into one message as a whole (a
    block of code, a link) is not cut while there is another place to cut at.
    """
    units = _units(text)
    ranges = [_range(entity) for entity in entities]
    parts, start = [], 0
    while start < len(units):
        begun = sorted(item.start for item in ranges if item.end > start)
        room = min(limit, begun[MAX_ENTITIES] - start) if len(begun) > MAX_ENTITIES else limit
        end, following = _cut(units, ranges, start, max(room, 2))
        if part := _piece(units, ranges, start, end):
            parts.append(part)
        start = following
    return parts


def first_line(text: str, limit: int = 80) -> str:
    """The first line of a note that is not blank, with «…» where something is left out."""
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    return _text(_shortened(_units(lines[0]), limit, more=len(lines) > 1)) if lines else ""


def snippet(text: str, start: int, length: int, limit: int = 120) -> str:
    """One line of a note around a found place, given in characters, with «…» at the cut ends."""
    flat = re.sub(r"\s", " ", text)
    before = _units(flat[:start].lstrip())
    found = _units(flat[start : start + length])
    after = _units(flat[start + length :].rstrip())
    spare = max(0, limit - len("……") - len(found))
    room = spare - min(spare // 2, len(after))
    if len(before) > room and len(before + found + after) > limit:
        cut = len(before) - room
        word = before.find(" ", cut - 1) + 1
        before = "…" + before[word or _unglued(before, range(cut, len(before) + 1)) :]
    return _text(_shortened(before + found + after, limit, keep=len(before + found)))


# --- Markdown: what the library should see ----------------------------------------------------


def _chat_style() -> RenderConfig:
    style = RenderConfig.isolated()
    style.cite_expandable = False  # a long quote in an answer is there to be read, not unfolded
    symbol = style.markdown_symbol
    symbol.heading_level_1 = symbol.heading_level_2 = ""
    symbol.heading_level_3 = symbol.heading_level_4 = ""
    symbol.unordered_list_item = "•"
    symbol.task_uncompleted = "☐"
    symbol.image = "🖼 "
    return style


_CHAT = _chat_style()
_OPENING = "x\n\n"

# The library drops HTML, lines like `[1]: https://…` and half of `items[0](x)`, reads `a || b || c`
# as a spoiler and `5$/шт, 10$` as a formula. Noncharacters of Unicode stand in for what must stay
# as written: they mean nothing to Markdown and are as long as what they replace, so afterwards
# they are put back.
_DISGUISE = {ord(char): 0xFDD0 + i for i, char in enumerate("<$|:(\\")}
_UNDISGUISE = {stand_in: char for char, stand_in in _DISGUISE.items()}

_CODE = r"""
    ^[ \t>]*+(?:(?:[-*+]|\d+[.)])[ \t]*+)?(?P<fence>`{3,}(?=[^`\n]*$)|~{3,}).*
        (?:\n(?![ \t>]*(?P=fence)[`~]*[ \t]*$).*)*+(?:\n.*)?
  | (?<!`)(?P<tick>`+)(?!`)(?:[^`\n]|\n(?![ \t]*\n)|(?!(?<!`)(?P=tick)(?!`))`)++(?P=tick)
"""
_TABLE = r"""
    ^(?P<indent>[ \t>]*+)(?P<head>[^|\n]*\|.*)
     \n(?P=indent)(?P<rule>\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*)$
     (?P<rows>(?:\n(?P=indent)[^|\n]*\|.*)*)
"""
_SOURCE = re.compile(
    rf"(?P<code>{_CODE})|(?P<table>{_TABLE})|(?P<image>!\[\]\()|^(?P<heading>[#]{{5,6}}[ ])",
    re.MULTILINE | re.VERBOSE,
)
_DOLLARS = re.compile(r"\\.|\${3,}|\$\$(?:.|\n(?!\n))+?\$\$|(?<![\w$])\$(?=\S)[^$\n]+(?<=\S)\$(?![\w$])|\$")
_SCHEME = "(?i:https?|tg|mailto):"
_LITERAL = re.compile(rf"\\.|<{_SCHEME}[^\s<>|]+>|<|\]:|\]\((?!\s*<?{_SCHEME})|\|\|")
_UNWELCOME = re.compile("[\x00-\x08\x0b-\x1f\x7f\ufdd0-\ufdef]")


def _clean(text: str) -> str:
    """The text without what no Telegram message can hold, halves of characters among it."""
    text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return _UNWELCOME.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n"))


def _rewrite(match: re.Match[str]) -> str:
    """Source that the library would show badly, in a form that it shows well."""
    if code := match["code"] or (match["table"] and _table(match)):
        # The library looks for LaTeX in code too, and finds it in `sed 's/\(a\)/b/'`. And it glues
        # what follows to code in a list, unless the code ends with an empty line.
        code = re.sub(r"\\(?=[()\[\]])", chr(_DISGUISE[ord("\\")]), code)
        return re.sub(r"\n((?:[ \t]*>)*)(?=[ \t]*[`~]{3,}[ \t]*\Z)", r"\n\1\n\1", code)
    return "![изображение](" if match["image"] else "#### "


def _disguise(match: re.Match[str]) -> str:
    found = match[0]
    return found if found[0] == "\\" or found[-1] == ">" else found.translate(_DISGUISE)


def _disguise_money(match: re.Match[str]) -> str:
    """Dollars that are no formula's: a lone one, or two around words."""
    found, formula = match[0], match[0].strip("$")
    if found[0] == "\\" or (found[:2] == "$$" and formula):
        return found
    formula = re.sub(r"\{[^{}]*\}", "{}", formula)
    if re.search(r"[\\^_={}<>+]|^\S+$", formula) and not re.search("[А-Яа-яЁё]", formula):
        return found
    return found.replace("$", chr(_DISGUISE[ord("$")]))


def _table(match: re.Match[str]) -> str:
    """A table as a block of code; the library's own takes a wide character for a narrow one."""
    rule = [cell.strip() for cell in _cells(match["rule"])]
    indent = match["indent"]
    rows = [_cells(row) for row in [match["head"], *match["rows"].split("\n" + indent)[1:]]]
    if len(rows[0]) != len(rule):
        return match[0]
    count = max(map(len, rows))
    table = [[_cell_text(cell) for cell in row] + [""] * (count - len(row)) for row in rows]
    widths = [max(map(_width, column)) for column in zip(*table, strict=True)]
    rule += [""] * (count - len(rule))
    lines = [" | ".join(map(_padded, row, widths, rule)).rstrip() for row in table]
    lines.insert(1, "-+-".join("-" * width for width in widths))
    fence = "`" * (3 + max(map(len, re.findall("`+", match[0])), default=0))
    return "\n".join(indent + line for line in [fence, *lines, fence])


def _cells(row: str) -> list[str]:
    return re.split(r"(?<!\\)\|", re.sub(r"^\||(?<!\\)\|$", "", row.strip()))


def _cell_text(cell: str) -> str:
    # With a word before it, `-` or `> 5` is no list and no quote.
    text, entities = markdown("x " + cell.replace(r"\|", "|").strip())
    urls = [f"({entity['url']})" for entity in entities if entity.get("url", text) not in text]
    return " ".join(text.removeprefix("x").split() + urls)


def _width(text: str) -> int:
    """How many columns of monospace a text takes."""
    return sum(
        1 + (unicodedata.east_asian_width(char) in "WF")
        for char in text
        if unicodedata.category(char) not in ("Mn", "Me", "Cf")
    )


def _padded(cell: str, width: int, rule: str) -> str:
    blanks = " " * (width - _width(cell))
    return blanks + cell if rule[-1:] == ":" and rule[0] != ":" else cell + blanks


# --- Entities ---------------------------------------------------------------------------------

_CODES = ("pre", "code")
_STYLES = ("bold", "italic", "strikethrough", "blockquote")
_LINK = re.compile(r"(?:https?://[^\s/?#]|tg://|mailto:)\S*", re.IGNORECASE)


class _Range(NamedTuple):
    """An entity and where it is in the units of its text."""

    start: int
    end: int
    entity: Entity

    @property
    def code(self) -> bool:
        return self.entity["type"] in _CODES

    def overlaps(self, start: int, end: int) -> bool:
        return self.start < end and start < self.end


def _range(entity: Entity) -> _Range:
    return _Range(entity["offset"], entity["offset"] + entity["length"], entity)


def _undisguised(found: MessageEntity) -> _Range:
    """The library's entity with nothing in disguise, and one word for a language."""
    entity = found.to_dict()
    if found.url:
        entity["url"] = found.url.translate(_UNDISGUISE)
    if found.language:
        entity["language"] = found.language.translate(_UNDISGUISE).split()[0]
    return _range(entity)


def _outer_first(item: _Range) -> tuple[int, int, bool]:
    return item.start, -item.end, item.code


def _units(text: str) -> str:
    """The text with surrogate pairs for emoji: Telegram's offsets are indices of this string."""
    data = text.encode("utf-16-le", "surrogatepass")
    return "".join(map(chr, struct.unpack(f"<{len(data) // 2}H", data)))


def _text(units: str) -> str:
    return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def _harmonised(units: str, found: Iterable[_Range]) -> list[_Range]:
    """The library's entities without what Telegram refuses: bold code, a quote in a quote."""
    kept: list[_Range] = []
    ends: dict[str, int] = {}
    for item in sorted(found, key=_outer_first):
        kind = item.entity["type"]
        shown = kind in _CODES + _STYLES or _LINK.fullmatch(item.entity.get("url", ""))
        if shown and item.end > ends.get(kind, 0):
            ends[kind] = item.end
            kept.append(item)
    links = _painted(units, [item for item in kept if "url" in item.entity])
    codes = [_inline(units, item) for item in kept if item.code and not any(links[item.start : item.end])]
    painted = _painted(units, codes)
    styles = [piece for item in kept if not item.code for piece in _around(item, painted)]
    return codes + styles


def _painted(units: str, items: Iterable[_Range]) -> bytearray:
    """A byte for each unit, not 0 where one of the entities is."""
    canvas = bytearray(len(units))
    for item in items:
        canvas[item.start : item.end] = b"x" * (item.end - item.start)
    return canvas


def _around(item: _Range, codes: bytearray) -> list[_Range]:
    """What is left of an entity where there is no code in it; a quote may have code in it."""
    if item.entity["type"] == "blockquote":
        return [item]
    gaps = re.finditer(b"\0+", codes[item.start : item.end])
    return [item._replace(start=item.start + gap.start(), end=item.start + gap.end()) for gap in gaps]


def _inline(units: str, code: _Range) -> _Range:
    """A formula in the middle of a line is not a block."""
    line = units[max(0, code.start - 1) : code.end + 1].strip("\n")
    if "\n" in line or line == units[code.start : code.end].strip("\n"):
        return code
    return code._replace(entity={**code.entity, "type": "code"})


def _piece(units: str, ranges: Iterable[_Range], start: int, end: int) -> Part | None:
    """A piece of a text as a message, trimmed as Telegram does; nothing if it is blank."""
    shown = [item for whole in ranges if (item := _clipped(units, whole, start, end))]
    body = units[start:end]
    if not body.strip():
        return None
    end = start + len(body.rstrip())
    start = min([start + len(body) - len(body.lstrip()), *(item.start for item in shown)])
    entities = [
        {**item.entity, "offset": item.start - start, "length": item.end - item.start}
        for item in sorted(shown, key=_outer_first)
    ]
    return Part(_text(units[start:end]), entities)


def _clipped(units: str, item: _Range, start: int, end: int) -> _Range | None:
    """What of an entity is in a piece, without blanks at its ends but for the indent of code."""
    start, end = max(item.start, start), min(item.end, end)
    shown = units[start:end]
    if not shown.strip():
        return None
    blanks = "\n" if item.code or item.entity["type"] == "blockquote" else None
    return item._replace(start=end - len(shown.lstrip(blanks)), end=start + len(shown.rstrip()))


# --- Where to cut -----------------------------------------------------------------------------

_BREAKS = [re.compile(pattern) for pattern in (r"\n\s*\n", r"\n", r"(?<=[.!?…;:])\s+", r"\s+")]
_FLAG = "\ud83c" + "".join(map(chr, range(0xDDE6, 0xDE00)))  # the units of 🇦 to 🇿


def _cut(units: str, ranges: list[_Range], start: int, limit: int) -> tuple[int, int]:
    """Where the message that begins at ``start`` ends, and where the next one begins."""
    end = start + limit
    if end >= len(units):
        return len(units), len(units)
    whole = [item for item in ranges if item.entity["type"] != "blockquote" and item.end > start]
    fitting = [item for item in whole if item.start > start and item.end - item.start <= limit]
    middle = start + (limit + 1) // 2
    for floor, kept in ((middle, whole), (start + 1, fitting), (middle, []), (start + 1, [])):
        for pattern in _BREAKS:
            for found in reversed(list(pattern.finditer(units, floor, end + 1))):
                if not any(item.start < found.start() and found.end() < item.end for item in kept):
                    return _joint(units, found, ranges)
    end = _unglued(units, range(end, start, -1))
    return end, end


def _joint(units: str, found: re.Match[str], ranges: list[_Range]) -> tuple[int, int]:
    """What to leave out at a cut: all the blanks, but in code only the end of a line."""
    start, end = found.span()
    for code in ranges:
        if code.code and code.overlaps(start, end):
            if code.start <= start and end <= code.end:
                return (end - 1, end) if units[end - 1] == "\n" else (start, start)
            start, end = (start, code.start) if start < code.start else (code.end, end)
    return start, end


def _unglued(units: str, places: Sequence[int]) -> int:
    """The first of the places where a cut tears no letter, or at least no half of a character."""
    whole = [i for i in places if not "\udc00" <= units[i : i + 1] <= "\udfff"] or [places[0]]
    return next((i for i in whole if not _glued(units, i)), whole[0])


def _glued(units: str, i: int) -> bool:
    """Whether a place is in the middle of an emoji, a flag, or a letter with its accents."""
    before, after = units[:i], units[i : i + 2]
    half_flag = (len(before) - len(before.rstrip(_FLAG))) % 4 == 2
    return bool(after) and (
        before[-1:] == "\u200d"
        or after[0] == "\u200d"
        or unicodedata.category(after[0])[0] == "M"
        or "\ud83c\udffb" <= after <= "\ud83c\udfff"  # the colour of a skin
        or "\udb40\udc20" <= after <= "\udb40\udc7f"  # a letter in the flag of a region
        or (half_flag and not after.strip(_FLAG))
    )


def _shortened(units: str, limit: int, *, keep: int = 1, more: bool = False) -> str:
    """A line within the limit; where it is cut, between words behind the first ``keep`` units."""
    if len(units) + more <= limit:
        return units + "…" * more
    word = units.rfind(" ", keep, limit)
    return units[: word if word > 0 else _unglued(units, range(limit - 1, -1, -1))].rstrip() + "…"
