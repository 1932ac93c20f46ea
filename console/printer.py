"""What the bot sends, printed as it comes: growing answers, buttons, files."""

import itertools
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import Empty
from typing import Any, TextIO

from bot_api.chats import OWNER_ID, Message
from bot_api.server import BotApiServer

# A line that grows is ended when nothing was added to it for so long.
SETTLED_S = 2.0
PLACEHOLDER = "⏳"
LONGEST_NAME = 100

_CONTROLS = {code: None for code in (*range(32), *range(127, 160)) if code not in (9, 10)}
_UNFIT_FOR_A_NAME = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]')
_DIGITS = re.compile(r"\d+")


class Printer:
    """Prints in a thread of its own, so that nothing is interleaved.

    On a terminal messages carry their number in grey. Elsewhere only what the bot said is printed,
    and a placeholder (`⏳ …`) only if nothing has taken its place by the end.
    """

    def __init__(self, server: BotApiServer, out: TextIO, downloads: Path) -> None:
        self._server = server
        self._out = out
        self._downloads = downloads
        self._terminal = out.isatty()
        self._events = server.watch()
        chat = server.chats.get(OWNER_ID)
        self.earlier = chat.last_id if chat else 0  # messages count from 1 in each session
        self._texts: dict[int, str] = {}
        self._keyboards: dict[int, str] = {}
        self._growing: set[int] = set()
        self._unfinished_line: int | None = None
        self._thread = threading.Thread(target=self._run, name="printer", daemon=True)
        self._thread.start()

    def notice(self, sentence: str) -> None:
        """Print a sentence of the console itself."""
        self._events.put(("notice", {"text": sentence}))

    @property
    def buttons_of(self) -> int | None:
        """The message whose buttons were printed last and still stand."""
        return next(reversed(self._keyboards), None)

    def catch_up(self) -> None:
        """Wait until everything that has happened so far is printed."""
        self._events.join()

    def close(self) -> None:
        """Print what is left and end the thread."""
        if self._thread.is_alive():
            self._events.put(("end", {}))
            self._thread.join()

    def _run(self) -> None:
        kind = ""
        while kind != "end":
            try:
                kind, payload = self._events.get(timeout=SETTLED_S if self._unfinished_line else None)
            except Empty:
                self._end_line()
                continue
            self._print(kind, payload)
            self._events.task_done()

    def _print(self, kind: str, payload: dict[str, Any]) -> None:
        match kind:
            case "sent":
                self._print_new(payload)
            case "edited":
                self._print_edited(payload)
            case "deleted":
                self._print_deleted(payload)
            case "answered" if payload.get("text"):
                self._print_line(f"🔔 {_printable(payload['text'])}")
            case "notice":
                self._print_line(payload["text"])
            case "end":
                self._print_placeholders()

    # Messages

    def _print_new(self, message: Message) -> None:
        number, text = message["message_id"], _text_of(message)
        self._texts[number] = text
        if text and (self._terminal or not _is_placeholder(text)):
            self._print_line(self._numbered(number, text))
        for path in self._saved_files(message):
            self._print_line(path)
        self._print_keyboard(message)

    def _print_edited(self, message: Message) -> None:
        number, text = message["message_id"], _text_of(message)
        before = self._texts.get(number, "")
        self._texts[number] = text
        if _is_placeholder(text):
            if self._terminal and _DIGITS.sub("", text) != _DIGITS.sub("", before):
                self._print_line(self._numbered(number, _from_changed_line(before, text)))
        elif _is_placeholder(before):
            self._growing.add(number)
            self._begin_line(number, self._numbered(number, text))
        elif text.startswith(before):
            self._print_continuation(number, text.removeprefix(before))
        else:
            self._print_changed(number, before, text)
        self._print_keyboard(message)

    def _print_continuation(self, number: int, more: str) -> None:
        if not more:
            return
        self._growing.add(number)
        if self._unfinished_line == number:
            self._write(more)
        else:
            self._begin_line(number, more.lstrip("\n") if more.startswith("\n") else f"…{more}")

    def _print_changed(self, number: int, before: str, text: str) -> None:
        if number in self._growing:
            self._begin_line(number, f"✎ {_from_changed_line(before, text)}")
        else:
            self._print_line(self._numbered(number, f"✎ {text}"))

    def _print_deleted(self, message: Message) -> None:
        number = message["message_id"]
        self._texts.pop(number, None)
        self._keyboards.pop(number, None)
        if self._terminal:
            self._print_line(f"{self._grey_number(number)} удалено")

    def _print_placeholders(self) -> None:
        self._end_line()
        for text in self._texts.values():
            if _is_placeholder(text) and not self._terminal:
                self._print_line(text)

    def _print_keyboard(self, message: Message) -> None:
        number, keyboard = message["message_id"], _keyboard(message)
        if keyboard == self._keyboards.get(number, ""):
            return
        self._end_line()
        self._keyboards.pop(number, None)
        if keyboard:
            self._keyboards[number] = keyboard
            if self._terminal or not _is_placeholder(self._texts[number]):
                self._print_line(keyboard)

    def _saved_files(self, message: Message) -> list[str]:
        """Save the files of a message and return a line about each."""
        lines = []
        if document := message.get("document"):
            lines.append(self._saved(document["file_id"], document["file_name"]))
        if sizes := message.get("photo"):
            lines.append(self._saved(sizes[-1]["file_id"], "photo.jpg"))
        return lines

    def _saved(self, file_id: str, name: str) -> str:
        try:
            path = save(self._downloads, name, self._server.files[file_id].data)
        except OSError as error:
            return f"Файл {_printable(name)} не сохранить: {error.strerror}."
        return f"Файл: {path}"

    # Lines

    def _numbered(self, number: int, text: str) -> str:
        return f"{self._grey_number(number)} {text}" if self._terminal else text

    def _grey_number(self, number: int) -> str:
        return f"\x1b[2m({number - self.earlier})\x1b[0m"

    def _print_line(self, text: str) -> None:
        self._end_line()
        self._write(f"{text}\n")

    def _begin_line(self, number: int, text: str) -> None:
        """Print a text without ending its last line, since more of it is to be expected."""
        self._end_line()
        self._write(text)
        self._unfinished_line = number

    def _end_line(self) -> None:
        if self._unfinished_line is not None:
            self._unfinished_line = None
            self._write("\n")

    def _write(self, text: str) -> None:
        try:
            self._out.write(text)
            self._out.flush()
        except BrokenPipeError:  # the reader has left, as `| head` does; the bot works on
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._out.fileno())
            os.close(nowhere)


def save(folder: Path, name: str, data: bytes) -> Path:
    """Write a new file under a harmless form of the name and return where; never overwrites.

    Raises OSError if it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    harmless = Path(_UNFIT_FOR_A_NAME.sub("_", name).strip(" .") or "file")
    stem, suffix = harmless.stem[:LONGEST_NAME], harmless.suffix[:20]
    for number in itertools.count(1):
        path = folder / f"{stem}{f' ({number})' if number > 1 else ''}{suffix}"
        try:
            with path.open("xb") as file:
                file.write(data)
        except FileExistsError:
            continue
        break
    return path.resolve()


def _text_of(message: Message) -> str:
    return _printable(str(message.get("text") or message.get("caption") or ""))


def _printable(text: str) -> str:
    """Leave out what a terminal would take for orders."""
    return text.translate(_CONTROLS)


def _from_changed_line(before: str, text: str) -> str:
    """Leave out the lines above the first change: they have been read already."""
    pairs = enumerate(zip(before, text, strict=False))
    change = next((place for place, (old, new) in pairs if old != new), min(len(before), len(text)))
    return text[text.rfind("\n", 0, change + 1) + 1 :]


def _is_placeholder(text: str) -> bool:
    return text.startswith(PLACEHOLDER)


def _keyboard(message: Message) -> str:
    """Return the buttons as lines: those to press numbered, the others with what they hold."""
    numbers = itertools.count(1)
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return "\n".join("  ".join(_button(button, numbers) for button in row) for row in rows)


def _button(button: dict[str, Any], numbers: Iterator[int]) -> str:
    text = _printable(button["text"])
    if "callback_data" in button:
        return f"[!{next(numbers)}] {text}"
    held = button.get("url") or button.get("copy_text", {}).get("text", "")
    return f"[{text}: {_printable(held)}]"
