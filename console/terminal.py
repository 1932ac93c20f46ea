"""A session at the terminal: the input goes to the bot, the bot's messages are shown.

text        a message or a command; a pasted text is one message; a backslash at the end of a line
            continues it on the next one
!2          presses button 2 of the newest keyboard
<a.pdf      sends the file (pictures as photos), `<a.pdf /ask о чём?` with a caption
^ text      replies to the bot's last message, `^12 text` to message 12
"""

import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO

from console.door import ConsoleError, TerminalDoor
from console.screen import Screen
from console.typed import UNREADABLE, UnreadableError, lines_of, messages_of, text_of

HINT = (
    "Пишите, как в Telegram: /help — все команды, Tab дополняет.\n"
    "!1 — нажать кнопку, <файл — отправить файл,\n"
    "^ текст — ответить на последнее сообщение, ^12 текст — на сообщение 12,\n"
    "\\ в конце строки — продолжение на следующей. Выход: Ctrl-D."
)
WAITING = "Жду конца ответа. Не ждать: Ctrl-C."

_PRESS = re.compile(r"!(\d{1,9})\s*")
_REPLY = re.compile(r"\^(\d{0,9})\s+(?=\S)")
_QUOTED_PATH = re.compile(r"""(["'])(?P<path>.+?)\1\s*(?P<caption>.*)""", re.DOTALL)


class Console:
    """One session; the bot calls `door`. Its messages are shown until `close`."""

    def __init__(self, lines: TextIO, out: TextIO, folder: Path) -> None:
        for stream in (lines, out):
            if isinstance(stream, TextIOWrapper):
                stream.reconfigure(
                    encoding="utf-8", errors="surrogateescape" if stream is lines else "replace"
                )
        self._lines = lines
        self._interactive, self._numbered = lines.isatty(), out.isatty()
        if self._interactive and self._numbered and _can_draw():
            # Imported here: it takes a tenth of a second that neither a pipe nor the bot in Telegram needs.
            from console.prompt import Prompt

            prompt = Prompt(lambda: self.door.menu)
            self._typed, self._screen = prompt.lines, Screen(prompt, numbered=True, grow=prompt.grow)
        else:
            self._typed = self._plain_lines
            self._screen = Screen(out, numbered=self._numbered)
        self.door = TerminalDoor(self._screen, folder)

    def run(self, idle: Callable[[], None]) -> None:
        """Send the input until it ends and everything is answered; `idle` waits for the answers.

        From a pipe, lines that refer to an answer (`!1`, `^ text`) wait for the earlier answers first.
        KeyboardInterrupt passes through.
        """
        if self._interactive:
            self._screen.say(HINT)
        for line in messages_of(self._read()):
            if not self._interactive and (_PRESS.fullmatch(line) or _REPLY.match(line)):
                self._settle(idle)
            try:
                self._send(line)
            except ConsoleError as error:
                self._screen.say(str(error))
        self._settle(idle)

    def _settle(self, idle: Callable[[], None]) -> None:
        self.door.wait_until_taken()
        if self._interactive and self._screen.is_growing:
            self._screen.say(WAITING)
        idle()

    def close(self) -> None:
        """Show unfinished messages and stop; a `run` that waits for the bot ends too."""
        self.door.close()

    # Input

    def _read(self) -> Iterator[str]:
        """Yield the lines as text, and report those that cannot be read."""
        source = self._typed() if self._interactive else lines_of(self._lines.buffer)
        for line in source:
            try:
                yield text_of(line if isinstance(line, bytes) else line.encode("utf-8", "surrogateescape"))
            except UnreadableError:
                self._screen.say(UNREADABLE)

    def _plain_lines(self) -> Iterator[str]:
        with suppress(ImportError):  # Windows has none
            import readline  # noqa: F401 - importing it gives input() arrow keys and a history
        while True:
            try:
                yield input("> " if self._numbered else "")
            except EOFError:
                return

    # Sending

    def _send(self, line: str) -> None:
        if press := _PRESS.fullmatch(line):
            self.door.press(int(press[1]))
            return
        reply_to = None
        if reply := _REPLY.match(line):
            reply_to = self.door.number_of(reply[1])
            line = line[reply.end() :]
        if line.startswith("<"):
            self.door.send_file(*_file_and_caption(line[1:].strip()), reply_to)
        else:
            self.door.say(line.strip(), reply_to)


def _can_draw() -> bool:
    return sys.platform == "win32" or os.environ.get("TERM", "dumb") not in ("dumb", "unknown", "")


def _file_and_caption(typed: str) -> tuple[Path, str]:
    """Return the path and the caption after a <; raises ConsoleError for a file that cannot be sent."""
    if not typed:
        raise ConsoleError("После < нужен путь к файлу.")
    if path := _found(typed):  # the whole input is a file name with blanks
        return _checked(path), ""
    quoted = _QUOTED_PATH.fullmatch(typed)
    name, *caption = (quoted["path"], quoted["caption"]) if quoted else typed.split(maxsplit=1)
    if path := _found(name):
        return _checked(path), "".join(caption).strip()
    raise ConsoleError(f"Нет файла {name}. (Сообщение, которое начинается с <, наберите с пробелом впереди.)")


def _found(name: str) -> Path | None:
    try:
        path = Path(name).expanduser()
        return path if path.is_file() else None
    except (OSError, RuntimeError):  # the name is too long, or a ~user is unknown
        return None


def _checked(path: Path) -> Path:
    try:
        with path.open("rb") as file:
            if file.read(1):
                return path
    except OSError as error:
        raise ConsoleError(f"Файл {path} не прочитать: {error.strerror}.") from error
    raise ConsoleError(f"Файл {path} пуст, Telegram такой не отправит.")
