"""What a handler returns, as plain data; `outgoing` turns it into API calls."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from telegram.contents import File
from telegram.splitting import Entity


class UserError(Exception):
    """A person's mistake; the text is the answer: what is wrong and what to do."""


@dataclass(frozen=True, slots=True)
class Button:
    """An inline button that calls the handler `name` with `data`, or copies a text."""

    text: str
    name: str = ""
    data: object = ""
    copies: str = ""  # 1 to MAX_COPIED UTF-16 units


Buttons = Sequence[Sequence[Button]]  # rows
MAX_COPIED = 256  # https://core.telegram.org/bots/api#copytextbutton


@dataclass(frozen=True, slots=True)
class Reply:
    """The bot's answer to one action; a text too long for one message is split."""

    text: str = ""
    entities: Sequence[Entity] = ()
    buttons: Buttons = ()
    files: Sequence[File] = ()  # sent before the text
    document: tuple[str, bytes] | None = None  # a file's name and content
    picture: bytes = b""  # a PNG; the text becomes its caption
    in_place: bool = False  # edit the message of the pressed button; without a text, only its buttons
    reaction: str = ""  # an emoji on the person's message; the text is sent only if it is refused
    reacted_to: Sequence[int] = ()  # the person's other messages to react to
    asks: bool = False  # the client opens a reply to this message
    notice: str = ""  # a toast after a pressed button
    # Called with the ids of the sent messages, in the transaction that ends the update; not with the rest
    sent: Callable[[list[int]], None] | None = None
    then: Callable[[list[int]], None] | None = None  # the same, but marks the update done itself
    later: "Callable[[], Reply] | None" = None  # slow; its result replaces this reply
    # Takes minutes, and can be stopped: yields progress texts and files; a reply without a file ends it
    work: "Callable[[], Iterator[str | Reply]] | None" = None
