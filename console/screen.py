"""Showing the bot's messages in a terminal or a pipe."""

import os
import re
from collections.abc import Callable, Iterable
from typing import Any, Protocol

Message = dict[str, Any]


class Writable(Protocol):
    """A stream, or a `Prompt`."""

    def write(self, text: str, /) -> object:
        """Print a text."""

    def flush(self) -> object:
        """Show what was printed at once."""

    def fileno(self) -> int:
        """Return the file descriptor."""


_CONTROLS = {code: None for code in (*range(32), *range(127, 160)) if code not in (9, 10)}


class Screen:
    """Shows each message once it is complete; `grow` gets the text of all answers still growing.

    With `numbered`, for a terminal, messages have their number; in grey if the terminal can be drawn on.
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
        """Show a new or edited message."""
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
        """Whether an answer is still growing."""
        return bool(self._growing)

    def _show_growing(self, number: int, text: str) -> None:
        # Where nothing can be redrawn, the growing message is printed once, at its beginning.
        if self._numbered and self._grow is None and number not in self._growing:
            self.say(self._headed(number, text))
        self._growing[number] = text
        self._regrow()

    def delete(self, number: int) -> None:
        """Delete a message; if it is already printed, report that."""
        self._no_longer_growing(number)
        if self._shown.pop(number, None) and self._numbered:
            self.say(self._headed(number, "удалено"))

    def close(self) -> None:
        """Print the unfinished messages as they are."""
        for number, text in list(self._growing.items()):
            self._no_longer_growing(number)
            self.say(self._headed(number, text))

    def say(self, text: str) -> None:
        """Print a line."""
        try:
            self._out.write(f"{text}\n")
            self._out.flush()
        except BrokenPipeError:  # nobody reads any more; the bot keeps working
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
        head = f"\x1b[2m({number})\x1b[0m" if self._grow else f"({number})"
        return f"{head} {text}" if self._numbered else text


def is_growing(message: Message) -> bool:
    """Return whether an answer is still growing: it has a stop button."""
    return any(button.get("callback_data", "").startswith("stop:") for button in _buttons(message))


def callback_buttons(message: Message) -> list[Message]:
    """Return a message's buttons that can be pressed, in reading order."""
    return [button for button in _buttons(message) if "callback_data" in button]


def _buttons(message: Message) -> list[Message]:
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return [button for row in rows for button in row]


def printable(text: str) -> str:
    """Return a text without control characters, which a terminal would obey."""
    return text.translate(_CONTROLS)


def rendered(message: Message) -> str:
    """Return a message as text: links with their URL, numbered buttons, a file's path."""
    lines = printable(_with_addresses(message.get("text", ""), message.get("entities", ()))).split("\n")
    rows = []
    numbers = {id(button): number for number, button in enumerate(callback_buttons(message), 1)}
    for row in message.get("reply_markup", {}).get("inline_keyboard", []):
        below = [button for button in row if not _stands_in(lines, button, numbers.get(id(button)))]
        rows += ["  ".join(_shown_button(button, numbers.get(id(button))) for button in below)]
    place = [f"Файл: {message['document']['file_id']}"] if "document" in message else []
    return "\n".join(line for line in ["\n".join(lines), *place, *rows] if line)


def _stands_in(lines: list[str], button: Message, number: int | None) -> bool:
    """Number the only line that names a button, so that it is not printed again; return whether it was."""
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
    """Return a text with each link's URL after it, since nothing can be clicked in a terminal."""
    units = text.encode("utf-16-le")
    links = [entity for entity in entities if entity["type"] == "text_link"]
    for link in sorted(links, key=lambda entity: entity["offset"], reverse=True):
        end = 2 * (link["offset"] + link["length"])
        units = units[:end] + f" ({link['url']})".encode("utf-16-le") + units[end:]
    return units.decode("utf-16-le", "replace")
