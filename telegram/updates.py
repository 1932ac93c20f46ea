"""Reading of Telegram's updates, once, into dataclasses, so that no other code digs in raw dicts.

`read` must never raise, whatever Telegram sends: otherwise one update would stop the polling loop for good.
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

KINDS = ("message", "edited_message", "callback_query", "inline_query")  # that the bot requests
# Telegram's own accounts that post for others: anonymous admins, channels, a channel in its linked group.
# The real author is not disclosed: https://core.telegram.org/bots/api#message (`from`, `sender_chat`)
STAND_INS = frozenset({1087968824, 136817688, 777000})

OUTSIDE = 0  # id given to a message in another chat; Telegram sends only the quoted part of its text
LAST_DATE = 2**34  # seconds since 1970: in the year 2514


class Place(NamedTuple):
    """A chat, and the topic in it if it has topics."""

    chat_id: int
    thread_id: int | None = None


NOWHERE = Place(0)


class Piece(NamedTuple):
    """The range of one message in a text joined from several, in UTF-16 units, and the message's file."""

    message_id: int
    start: int
    length: int
    file: str = ""  # its unique id


@dataclass(frozen=True, slots=True)
class Speaker:
    """The person behind an update."""

    id: int
    name: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Message:
    """A message; its `entities` are Telegram's, in UTF-16 units."""

    id: int
    place: Place
    private: bool
    date: int  # seconds since 1970
    text: str = field(default="", repr=False)
    entities: tuple[Entity, ...] = field(default=(), repr=False)
    files: tuple[File, ...] = ()
    origin: Origin | None = None  # of a forwarded message
    foreign: bool = False  # forwarded, or another bot's: not the speaker's own words
    album: str = ""  # the same id for all messages of an album
    written: bool = True  # false for service messages: "joined", "pinned" and the like
    reply_to: "Message | None" = None
    author: Origin | None = None  # set on a replied-to message if somebody else wrote it
    quote: str = field(default="", repr=False)  # the quoted part of the replied-to message
    quote_entities: tuple[Entity, ...] = field(default=(), repr=False)
    pieces: tuple[Piece, ...] = ()  # if it was joined from several messages
    entry_id: int = 0  # its number in the journal


def whole(message: Message) -> Piece:
    """Return a message as a single piece that begins at 0."""
    file = message.files[0].unique_id if message.files else ""
    return Piece(message.id, 0, utf16_len(message.text), file)


@dataclass(frozen=True, slots=True)
class Update:
    """One event from Telegram: a message, an edit, a pressed button, an inline query."""

    body: Body = field(repr=False)  # as stored in the journal
    kind: str = ""  # one of KINDS, or "" for anything else
    speaker: Speaker | None = None
    stands_in: bool = False  # posted in the name of a chat; the author is unknown
    place: Place = NOWHERE
    private: bool = False
    message: Message | None = None  # the new message, or the one whose button was pressed
    query_id: str = ""  # of a pressed button or an inline query that waits for an answer
    data: str = field(default="", repr=False)  # the button's data, or the text of an inline query
    offset: str = ""  # where the requested page of an inline query begins
    fault: str = ""  # why it cannot be read

    @property
    def number(self) -> int:
        """Telegram's update_id."""
        number: int = self.body["update_id"]
        return number

    @property
    def lane(self) -> Hashable:
        """The lane to wait in: the chat's, except that «⏹ Стоп» overtakes the chat's queue."""
        return self.data if self.data.startswith("stop:") else self.place.chat_id

    @property
    def quotable(self) -> int | None:
        """The id of the message that an answer may quote, or None."""
        return self.message.id if self.message and not self.query_id else None


def updates_in(batch: object) -> tuple[list[Update], bool]:
    """Return the updates in a result of getUpdates, and whether it held nothing else."""
    listed = batch if isinstance(batch, list) else []
    bodies = [body for body in map(_mended, listed) if isinstance(body, dict) and _is_update(body)]
    return [read(body) for body in bodies], isinstance(batch, list) and len(bodies) == len(batch)


def read(body: Body) -> Update:
    """Return an update's fields; if it cannot be read, with `fault` set."""
    kind = next((kind for kind in KINDS if kind in body), "")
    content = body.get(kind)
    if not isinstance(content, dict):
        return Update(body, fault=f"{kind}: {type(content).__name__}" if kind else "")
    if kind == "edited_message" and "live_period" in dict_in(content, "location"):
        return Update(body)  # one of hundreds of steps of a live location: the note changes when it ends
    is_query = kind in ("callback_query", "inline_query")
    where = dict_in(content, "message") if is_query else content  # an inline query has no message
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
    replied, outside = dict_in(content, "reply_to_message"), dict_in(content, "external_reply")
    if outside:  # in another chat: https://core.telegram.org/bots/api#externalreplyinfo
        here = {"message_id": OUTSIDE, "chat": content.get("chat"), "forward_origin": outside.get("origin")}
        replied = {**outside, **here}
    # In a topic every message replies to the service message that opened it.
    if not replied or "forum_topic_created" in replied:
        return None
    with suppress(UnreadableUpdateError):  # the message itself is readable without it
        return replace(_message(replied), author=_author(replied, content))
    return None


def _author(replied: Body, content: Body) -> Origin | None:
    """Return the author of a replied-to message; None for the replier's own or a bot's message."""
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
    """Return the message's date, or the current time if the date is outside the calendar's range."""
    date = number_in(content, "date")
    return date if 0 < date < LAST_DATE else int(time.time())


def _thread(content: Body) -> int | None:
    """Return the topic's id; a reply thread outside topics also has an id, but is no place to send to."""
    return number_in(content, "message_thread_id") or None if content.get("is_topic_message") else None


def _mended(body: object) -> object:
    """Return it with lone surrogates replaced, which SQLite and Telegram refuse; None if that fails."""
    try:
        whole = json.dumps(body, ensure_ascii=False).encode("utf-16-le", "surrogatepass")
        return json.loads(whole.decode("utf-16-le", "replace"))
    except (ValueError, RecursionError):
        return None


def _is_update(body: Body) -> bool:
    """Return whether it can be journalled: its update_id fits into SQLite."""
    number = body.get("update_id")
    return type(number) is int and 0 <= number < MAX_INT
