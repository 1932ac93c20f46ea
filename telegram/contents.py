"""Content of a message: text, files, and where it came from."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from telegram.fields import Body as Content
from telegram.fields import UnreadableUpdateError, dict_in, dicts_in, number_in, text_in
from telegram.formatted import Formatted, cut_out
from telegram.splitting import Entity, utf16_len

# A photo is a list of sizes, the largest last; the others are single objects.
FILES = ("photo", "video", "animation", "document", "audio", "voice", "video_note", "sticker")
# Content that people send, unlike service messages ("joined", "pinned" and the like).
WRITTEN = frozenset({
    "text", "caption", "rich_message", *FILES, "location", "contact", "poll", "dice", "venue", "story",
    "paid_media", "checklist", "game", "invoice", "giveaway", "giveaway_winners", "forward_origin",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class File:
    """A file at Telegram; `kind` is one of FILES, `size` is in bytes."""

    kind: str
    file_id: str
    name: str = field(default="", repr=False)
    mime: str = ""
    size: int = 0
    unique_id: str = ""  # the same if the file is sent again; it cannot be used to download it


@dataclass(frozen=True, slots=True)
class Origin:
    """The original author of a message; `link` leads to it if it is public."""

    name: str = field(repr=False)
    link: str = field(default="", repr=False)
    date: int = 0


def is_written(content: Content) -> bool:
    """Return whether it is a person's message, not a service message."""
    return bool(content.keys() & WRITTEN)


def words_of(content: Content) -> tuple[str, tuple[Entity, ...]]:
    """Return the text or caption with its entities, or else a description of what the message shows.

    Raises UnreadableUpdateError if the text is not a string.
    """
    for text, entities in (("text", "entities"), ("caption", "caption_entities")):
        value = content.get(text)
        if isinstance(value, str) and value:
            found = content.get(entities)
            return value, tuple(_sound(found, value))
        if value is not None and not isinstance(value, str):
            raise UnreadableUpdateError(f"{text}: {type(value).__name__}")
    return "\n".join(filter(None, _in_words(content))), ()


def quote_in(content: Content, replied: Formatted) -> Formatted:
    """Return the quoted part of the replied-to message, with its entities; empty if nothing is quoted.

    Telegram omits links from a quote's entities, so they are taken from the message itself, unless the
    quote's position is wrong, which may happen: https://core.telegram.org/bots/api#textquote
    """
    quote = dict_in(content, "quote")
    if not quote:
        return "", ()
    text = text_in(quote, "text")
    part = cut_out(replied, number_in(quote, "position"), utf16_len(text))
    return part if part[0] == text else (text, tuple(_sound(quote.get("entities"), text)))


def _sound(entities: object, text: str) -> Iterator[Entity]:
    """Yield the entities that are well-formed and within the text."""
    end = utf16_len(text)
    for entity in entities if isinstance(entities, list) else ():
        if isinstance(entity, dict) and isinstance(entity.get("type"), str):
            start, length = entity.get("offset"), entity.get("length")
            if type(start) is int and type(length) is int and 0 <= start < start + length <= end:
                yield entity


def _in_words(content: Content) -> Iterator[str]:
    """Yield lines that describe a message without text."""
    contact, place, poll = (dict_in(content, name) for name in ("contact", "location", "poll"))
    if contact:
        yield f"👤 {_name(contact)} {text_in(contact, 'phone_number')}".strip()
    if venue := dict_in(content, "venue"):
        yield f"{text_in(venue, 'title')}, {text_in(venue, 'address')}".strip(", ")
    if place:
        point = f"{place.get('latitude')},{place.get('longitude')}"
        yield f"📍 {point} https://maps.google.com/?q={point}"
    if poll:
        yield text_in(poll, "question")
        yield from (f"• {text_in(option, 'text')}" for option in dicts_in(poll, "options"))
    if checklist := dict_in(content, "checklist"):
        yield text_in(checklist, "title")
        yield from (f"• {text_in(task, 'text')}" for task in dicts_in(checklist, "tasks"))
    if dice := dict_in(content, "dice"):
        yield f"{text_in(dice, 'emoji')} {dice.get('value')}"
    if story := dict_in(content, "story"):
        chat = dict_in(story, "chat")
        yield f"Сторис: {text_in(chat, 'title') or _name(chat)}"
        if public := text_in(chat, "username"):
            yield f"https://t.me/{public}/s/{number_in(story, 'id')}"
    for offered in (dict_in(content, "game"), dict_in(content, "invoice")):
        yield text_in(offered, "title")
        yield text_in(offered, "description")
    if giveaway := dict_in(content, "giveaway") or dict_in(content, "giveaway_winners"):
        yield f"🎁 Розыгрыш {text_in(giveaway, 'prize_description')}".strip()
        chats = [*dicts_in(giveaway, "chats"), dict_in(giveaway, "chat")]
        yield from (text_in(chat, "title") for chat in chats)
    if rich := dict_in(content, "rich_message"):
        yield _flat(rich.get("blocks")).strip()


def _flat(rich: object) -> str:
    """Return the plain text of a rich text: a string, a list, or an object that contains more of them.

    The objects are the Bot API's RichBlock and RichText; anything but text is left out.
    """
    if isinstance(rich, str):
        return rich
    if isinstance(rich, list):
        return "".join(map(_flat, rich))
    if not isinstance(rich, dict):
        return ""
    inside = ("text", "texts", "caption", "summary", "blocks", "items", "cells", "rows", "code", "expression")
    words = "".join(_flat(rich.get(name)) for name in inside)
    return (
        f"{words}\n"
        if str(rich.get("type", "")).startswith(("paragraph", "heading", "list", "pre"))
        else words
    )


def files_of(content: Content) -> tuple[File, ...]:
    """Return the file of a message, or (); an animation is also sent as a document, and counts once."""
    for kind in FILES:
        record: object = content.get(kind)
        if isinstance(record, list):
            record = record[-1] if record else None
        if isinstance(record, dict) and text_in(record, "file_id"):
            return (_file(kind, record),)
    return ()


def _file(kind: str, record: Content) -> File:
    return File(
        kind,
        text_in(record, "file_id"),
        text_in(record, "file_name") or text_in(record, "emoji") or _song(record),
        text_in(record, "mime_type"),
        number_in(record, "file_size"),
        text_in(record, "file_unique_id"),
    )


def _song(record: Content) -> str:
    return " — ".join(filter(None, (text_in(record, "performer"), text_in(record, "title"))))


def author_of(content: Content) -> Origin:
    """Return who wrote a message, with a link to the message if it is public."""
    chat, public = dict_in(content, "sender_chat"), text_in(dict_in(content, "chat"), "username")
    link = f"https://t.me/{public}/{number_in(content, 'message_id')}" if public else ""
    name = text_in(chat, "title") or _name(dict_in(content, "from"))
    return Origin(name, link, number_in(content, "date"))


def _name(person: Content) -> str:
    return f"{text_in(person, 'first_name')} {text_in(person, 'last_name')}".strip()


def origin_of(content: Content) -> Origin | None:
    """Return where a forwarded message came from, or None if it was not forwarded."""
    origin = dict_in(content, "forward_origin")
    if not origin:
        return None
    person, chat = dict_in(origin, "sender_user"), dict_in(origin, "chat") or dict_in(origin, "sender_chat")
    name = _name(person) or text_in(chat, "title") or text_in(origin, "sender_user_name")
    number, public = number_in(origin, "message_id"), text_in(chat, "username")
    link = f"https://t.me/{public}/{number}" if public and number else ""
    return Origin(name, link, number_in(origin, "date"))
