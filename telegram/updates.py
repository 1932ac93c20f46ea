"""What Telegram hands over, read once: whatever comes after it gets fields with types, not a dict to dig in.

Nothing that Telegram might ever send breaks `read`, or one update would stop the polling loop for good.
"""

import json
import time
from collections.abc import Hashable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from telegram.contents import (
    File,
    Origin,
    author_of,
    files_of,
    is_written,
    origin_of,
    quote_in,
    words_of,
)
from telegram.fields import MAX_INT, Body, UnreadableUpdateError, dict_in, need, number_in, text_in
from telegram.splitting import Entity, utf16_len

KINDS = ("message", "edited_message", "callback_query", "inline_query")  # that the bot asks for
# Accounts of Telegram's own that write for others: anonymous admins, channels, a channel in its group.
# Whoever stands behind them is not told: https://core.telegram.org/bots/api#message (`from`, `sender_chat`)
STAND_INS = frozenset({1087968824, 136817688, 777000})

LAST_DATE = 2**34  # seconds since 1970: in the year 2514


class Place(NamedTuple):
    """Where something is said: a chat, and the topic in it if it has topics."""

    chat_id: int
    thread_id: int | None = None


NOWHERE = Place(0)


class Piece(NamedTuple):
    """Where the text of a message stands in that of an action, in UTF-16 units, and what came with it."""

    message_id: int
    start: int
    length: int
    file: str = ""  # its unique id


@dataclass(frozen=True, slots=True)
class Speaker:
    """A person."""

    id: int
    name: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Message:
    """What somebody wrote; `entities` are Telegram's, counted in UTF-16 units."""

    id: int
    place: Place
    private: bool
    date: int  # seconds since 1970
    text: str = field(default="", repr=False)
    entities: tuple[Entity, ...] = field(default=(), repr=False)
    files: tuple[File, ...] = ()
    origin: Origin | None = None  # of a forwarded message
    foreign: bool = False  # forwarded, or another bot's: not the speaker's own words
    album: str = ""  # the same for all pictures of one
    written: bool = True  # by a person; not the chat's own «joined», «pinned» and the like
    reply_to: "Message | None" = None
    author: Origin | None = None  # of a message replied to that somebody else has written
    quote: str = field(default="", repr=False)  # the part of that message that was marked
    quote_entities: tuple[Entity, ...] = field(default=(), repr=False)
    pieces: tuple[Piece, ...] = ()  # if it is put together of several
    entry_id: int = 0  # its number in the journal


def whole(message: Message) -> Piece:
    """Return a message as a piece that begins by itself."""
    file = message.files[0].unique_id if message.files else ""
    return Piece(message.id, 0, utf16_len(message.text), file)


@dataclass(frozen=True, slots=True)
class Update:
    """One thing that somebody did: wrote, edited, pressed a button."""

    body: Body = field(repr=False)  # as it is kept in the journal
    kind: str = ""  # one of KINDS, or empty for what the bot has no use for
    speaker: Speaker | None = None
    stands_in: bool = False  # written by an account behind which is nobody in particular
    place: Place = NOWHERE
    private: bool = False
    message: Message | None = None  # that was written, or whose button was pressed
    query_id: str = ""  # of a pressed button or an inline query, which waits for an answer
    data: str = field(default="", repr=False)  # of the button; what was typed behind the bot's name
    offset: str = ""  # of the page of an inline query
    fault: str = ""  # why it cannot be read any further

    @property
    def number(self) -> int:
        """Telegram's number of it."""
        number: int = self.body["update_id"]
        return number

    @property
    def lane(self) -> Hashable:
        """What it has to queue up for: its chat, but «⏹ Стоп» overtakes what waits there."""
        return self.data if self.data.startswith("stop:") else self.place.chat_id

    @property
    def quotable(self) -> int | None:
        """The message that an answer may quote."""
        return self.message.id if self.message and not self.query_id else None


def updates_in(batch: object) -> tuple[list[Update], bool]:
    """Return the updates of what getUpdates answered, and whether there was nothing else in it."""
    listed = batch if isinstance(batch, list) else []
    bodies = [body for body in map(_mended, listed) if isinstance(body, dict) and _is_update(body)]
    return [read(body) for body in bodies], isinstance(batch, list) and len(bodies) == len(batch)


def read(body: Body) -> Update:
    """Read an update, as far as it can be read."""
    kind = next((kind for kind in KINDS if kind in body), "")
    content = body.get(kind)
    if not isinstance(content, dict):
        return Update(body, fault=f"{kind}: {type(content).__name__}" if kind else "")
    is_query = kind in ("callback_query", "inline_query")
    where = dict_in(content, "message") if is_query else content  # of an inline query there is none
    chat = dict_in(where, "chat")
    stands_in = not is_query and _stands_in(content)
    message, fault = None, ""
    try:
        message = _message(where) if where or not is_query else None
    except UnreadableUpdateError as exc:
        fault = str(exc)
    return Update(
        body,
        kind,
        speaker=None if stands_in else _speaker(content),
        stands_in=stands_in,
        place=Place(number_in(chat, "id"), _thread(where)),
        private=chat.get("type") == "private",
        message=message,
        query_id=text_in(content, "id") if is_query else "",
        data=text_in(content, "data") or text_in(content, "query"),
        offset=text_in(content, "offset"),
        fault=fault,
    )


def _message(content: Body) -> Message:
    chat = need(content, "chat", dict)
    text, entities = words_of(content)
    replied = _replied(content)
    quote, quote_entities = quote_in(content, (replied.text, replied.entities) if replied else ("", ()))
    return Message(
        id=need(content, "message_id", int),
        place=Place(need(chat, "id", int), _thread(content)),
        private=chat.get("type") == "private",
        date=_date(content),
        text=text,
        entities=entities,
        files=files_of(content),
        origin=origin_of(content),
        foreign=any(content.get(mark) for mark in ("forward_origin", "forward_date", "via_bot")),
        album=text_in(content, "media_group_id"),
        written=is_written(content),
        reply_to=replied,
        quote=quote,
        quote_entities=tuple(quote_entities),
    )


def _replied(content: Body) -> Message | None:
    replied = dict_in(content, "reply_to_message")
    # In a topic every message replies to the service message that opened it.
    if not replied or "forum_topic_created" in replied:
        return None
    with suppress(UnreadableUpdateError):  # what somebody says can be read without it
        return replace(_message(replied), author=_author(replied, content))
    return None


def _author(replied: Body, content: Body) -> Origin | None:
    """Return who wrote a message that somebody else replies to; a bot's is nobody's."""
    person = dict_in(replied, "from")
    own = person.get("id") == dict_in(content, "from").get("id") or person.get("is_bot")
    return author_of(replied) if replied.get("sender_chat") or not own else None


def _speaker(content: Body) -> Speaker | None:
    person = dict_in(content, "from")
    number = number_in(person, "id")
    return Speaker(number, text_in(person, "first_name")) if number > 0 and not person.get("is_bot") else None


def _stands_in(content: Body) -> bool:
    return bool(content.get("sender_chat")) or number_in(dict_in(content, "from"), "id") in STAND_INS


def _date(content: Body) -> int:
    """Return when it was written; by our clock where that is no time that a calendar could show."""
    date = number_in(content, "date")
    return date if 0 < date < LAST_DATE else int(time.time())


def _thread(content: Body) -> int | None:
    """Return the topic; a thread of replies in a group without topics has a number, too, but no place."""
    return number_in(content, "message_thread_id") or None if content.get("is_topic_message") else None


def _mended(body: object) -> object:
    """Return it with the halves of broken emoji replaced, which neither SQLite nor Telegram would take."""
    try:
        whole = json.dumps(body, ensure_ascii=False).encode("utf-16-le", "surrogatepass")
        return json.loads(whole.decode("utf-16-le", "replace"))
    except (ValueError, RecursionError):
        return None


def _is_update(body: Body) -> bool:
    """Return whether it can be journalled: it has a number that SQLite can hold."""
    number = body.get("update_id")
    return type(number) is int and 0 <= number < MAX_INT
