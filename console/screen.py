"""What the bot sends, as it stands in a terminal or goes into a pipe."""

import os
import re
from collections.abc import Callable, Iterable
from typing import Any, Protocol

Message = dict[str, Any]


class Writable(Protocol):
    """A stream, or the place above a prompt."""

    def write(self, text: str, /) -> object:
        """Print a text."""

    def flush(self) -> object:
        """Show it at once."""

    def fileno(self) -> int:
        """Return where it goes, for the system."""


_CONTROLS = {code: None for code in (*range(32), *range(127, 160)) if code not in (9, 10)}


class Screen:
    """Shows each message when it is complete; while an answer grows, `grow` gets all that is growing.

    On a terminal (`numbered`) messages carry their number in grey.
    """

    def __init__(
        self, out: Writable, *, numbered: bool = False, grow: Callable[[str], None] | None = None
    ) -> None:
        self._out = out
        self._numbered = numbered
        self._grow = grow
        self._growing: dict[int, str] = {}
        self._shown: dict[int, str] = {}

    def show(self, number: int, message: Message) -> None:
        """Show a new message, or what has become of it."""
        text = rendered(message)
        if is_growing(message):
            self._show_growing(number, text)
            return
        before = self._shown.get(number)
        self._no_longer_growing(number)
        if text != before:
            self._shown[number] = text
            self.say(self._headed(number, f"✎ {text}" if before else text))

    @property
    def is_growing(self) -> bool:
        """Return whether an answer is not complete yet."""
        return bool(self._growing)

    def _show_growing(self, number: int, text: str) -> None:
        # Where nothing can be drawn anew, it is said once that something is on its way.
        if self._numbered and self._grow is None and number not in self._growing:
            self.say(self._headed(number, text))
        self._growing[number] = text
        self._regrow()

    def delete(self, number: int) -> None:
        """Take a message away; what has been printed is said to be gone."""
        self._no_longer_growing(number)
        if self._shown.pop(number, None) and self._numbered:
            self.say(self._headed(number, "удалено"))

    def close(self) -> None:
        """Print what was not finished, as far as it has come."""
        for number, text in list(self._growing.items()):
            self._no_longer_growing(number)
            self.say(self._headed(number, text))

    def say(self, text: str) -> None:
        """Print a sentence."""
        try:
            self._out.write(f"{text}\n")
            self._out.flush()
        except BrokenPipeError:  # nobody reads any more; the bot works on
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._out.fileno())
            os.close(nowhere)

    def _no_longer_growing(self, number: int) -> None:
        if self._growing.pop(number, None):
            self._regrow()

    def _regrow(self) -> None:
        if self._grow:
            self._grow("\n".join(self._headed(number, text) for number, text in self._growing.items()))

    def _headed(self, number: int, text: str) -> str:
        return f"\x1b[2m({number})\x1b[0m {text}" if self._numbered else text


def is_growing(message: Message) -> bool:
    """Return whether more of an answer is to come: it can still be stopped."""
    return any(button.get("callback_data", "").startswith("stop:") for button in _buttons(message))


def callback_buttons(message: Message) -> list[Message]:
    """Return the buttons of a message that can be pressed, in reading order."""
    return [button for button in _buttons(message) if "callback_data" in button]


def _buttons(message: Message) -> list[Message]:
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return [button for row in rows for button in row]


def printable(text: str) -> str:
    """Leave out what a terminal would take for orders."""
    return text.translate(_CONTROLS)


def rendered(message: Message) -> str:
    """Return a message as text: links with their address, buttons numbered, a file's place."""
    lines = printable(_with_addresses(message.get("text", ""), message.get("entities", ()))).split("\n")
    rows = []
    numbers = {id(button): number for number, button in enumerate(callback_buttons(message), 1)}
    for row in message.get("reply_markup", {}).get("inline_keyboard", []):
        below = [button for button in row if not _stands_in(lines, button, numbers.get(id(button)))]
        rows += ["  ".join(_shown_button(button, numbers.get(id(button))) for button in below)]
    place = [f"Файл: {message['document']['file_id']}"] if "document" in message else []
    return "\n".join(line for line in ["\n".join(lines), *place, *rows] if line)


def _stands_in(lines: list[str], button: Message, number: int | None) -> bool:
    """Put the number of a button to the one line that names it, so that a list is not printed twice."""
    label = printable(button["text"]).removeprefix("★ ")
    named = re.compile(rf"(?<!\w){re.escape(label)}(?! ?\w)")
    found = [place for place, line in enumerate(lines) if named.search(line)]
    if number is None or len(label) < 4 or len(found) != 1:
        return False
    lines[found[0]] = f"[!{number}] {lines[found[0]]}"
    return True


def _shown_button(button: Message, number: int | None) -> str:
    text = printable(button["text"])
    if number is not None:
        return f"[!{number}] {text}"
    held = button.get("url") or button.get("copy_text", {}).get("text", "")
    return f"[{text}: {printable(held)}]"


def _with_addresses(text: str, entities: Iterable[dict[str, Any]]) -> str:
    """Write the address of each link behind it: a terminal has nothing to click on."""
    units = text.encode("utf-16-le")
    links = [entity for entity in entities if entity["type"] == "text_link"]
    for link in sorted(links, key=lambda entity: entity["offset"], reverse=True):
        end = 2 * (link["offset"] + link["length"])
        units = units[:end] + f" ({link['url']})".encode("utf-16-le") + units[end:]
    return units.decode("utf-16-le", "replace")
