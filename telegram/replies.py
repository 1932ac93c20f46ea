"""What a handler answers, as plain data: `delivery` makes messages of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Entity = dict[str, Any]  # of Telegram: type, offset, length in UTF-16 units, …


class UserError(Exception):
    """A person's own mistake; the text is the answer: what is wrong and what to do."""


@dataclass(frozen=True, slots=True)
class Button:
    """An inline button: pressed, it calls the handler `name` with `data`."""

    text: str
    name: str
    data: object = ""


Buttons = Sequence[Sequence[Button]]  # rows


@dataclass(frozen=True, slots=True)
class Reply:
    """What the bot answers; `deliver` cuts what is too long for one message."""

    text: str = ""
    entities: Sequence[Entity] = ()
    buttons: Buttons = ()
    document: tuple[str, bytes] | None = None  # a file's name and content
    in_place: bool = False  # change the message whose button was pressed
    notice: str = ""  # shown for a moment over the pressed button
    then: Callable[[list[int]], None] | None = None  # goes on with the ids of the sent messages
    later: "Callable[[], Reply] | None" = None  # takes its time; its reply takes the place of this one
