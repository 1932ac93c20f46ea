"""What a handler answers, as plain data: `delivery` makes messages of it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from telegram.contents import File
from telegram.splitting import Entity


class UserError(Exception):
    """A person's own mistake; the text is the answer: what is wrong and what to do."""


@dataclass(frozen=True, slots=True)
class Button:
    """An inline button: pressed, it calls the handler `name` with `data`, or copies a text."""

    text: str
    name: str = ""
    data: object = ""
    copies: str = ""  # 1 to MAX_COPIED UTF-16 units


Buttons = Sequence[Sequence[Button]]  # rows
MAX_COPIED = 256  # https://core.telegram.org/bots/api#copytextbutton


@dataclass(frozen=True, slots=True)
class Reply:
    """What the bot answers; `deliver` cuts what is too long for one message."""

    text: str = ""
    entities: Sequence[Entity] = ()
    buttons: Buttons = ()
    files: Sequence[File] = ()  # sent before the text
    document: tuple[str, bytes] | None = None  # a file's name and content
    picture: bytes = b""  # a PNG, sent with the text below it
    in_place: bool = False  # change the message whose button was pressed; without a text, only its buttons
    reaction: str = ""  # an emoji on the person's message, instead of the text if Telegram takes it
    reacted_to: Sequence[int] = ()  # the person's other messages that it is for
    asks: bool = False  # the person's client offers to reply to it
    notice: str = ""  # shown for a moment over the pressed button
    # Called with the ids of the sent messages, in the transaction that ends the update; not for what goes on
    sent: Callable[[list[int]], None] | None = None
    then: Callable[[list[int]], None] | None = None  # the same, but sees to that end itself
    later: "Callable[[], Reply] | None" = None  # takes its time; its reply takes the place of this one
    # Takes minutes, and can be stopped: a text says how far it is, a reply is delivered, the last one ends it
    work: "Callable[[], Iterator[str | Reply]] | None" = None
