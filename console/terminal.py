"""The terminal as Telegram: what is typed reaches the bot, what the bot sends is printed.

    text        a message, a command; a backslash at the end of a line goes on with the next one
    !2          presses button 2 of those printed last
    <a.pdf      sends the file (pictures as photos), `<a.pdf /ask о чём?` with a caption
    ^ text      replies to the bot's last message, `^12 text` to message 12

The person at the terminal is the owner of a private chat with the bot. The bot itself polls
`BotApiServer` and does not know the difference.
"""

import contextlib
import io
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

from bot_api import text as texts
from bot_api.chats import OWNER_ID, callback_buttons
from bot_api.rules import MAX_CAPTION, MAX_TEXT
from bot_api.server import BotApiServer
from console.printer import Printer

HINT = (
    "Пишите, как в Telegram. !1 — нажать кнопку, <файл — отправить файл, "
    "^ текст — ответить на последнее сообщение (^12 текст — на сообщение 12), "
    "\\ в конце строки — продолжение на следующей, Ctrl-D — выход."
)

_PICTURES = (".jpg", ".jpeg", ".png", ".webp")
_PRESS = re.compile(r"!(\d+)\s*")
_REPLY = re.compile(r"\^(\d*)\s+(?=\S)")
_QUOTED_PATH = re.compile(r"""(["'])(?P<path>.+?)\1\s*(?P<caption>.*)""", re.DOTALL)


class ConsoleError(Exception):
    """What was typed cannot be sent; the text says why."""


class Console:
    """One session at the terminal; printing goes on until `close`."""

    def __init__(self, server: BotApiServer, lines: TextIO, out: TextIO, downloads: Path | str) -> None:
        _use_utf8(lines, out)
        self._server = server
        self._lines = lines
        self._interactive = lines.isatty()
        self._closed = False
        self._printer = Printer(server, out, Path(downloads))

    def run(self, idle: Callable[[], None] = lambda: None) -> None:
        """Send what is typed until the input ends and the bot has confirmed all of it.

        `idle` blocks until everything typed so far is answered; in a pipe it is called before
        lines that mean an answer (`!1`, `^ text`). KeyboardInterrupt passes through.
        """
        if self._interactive:
            self._printer.notice(HINT)
        for line in self._typed():
            if not self._interactive and (_PRESS.fullmatch(line) or _REPLY.match(line)):
                idle()
                self._printer.catch_up()
            try:
                self._send(line)
            except ConsoleError as error:
                self._printer.notice(str(error))
        with self._server.changed:
            self._server.changed.wait_for(lambda: self._closed or not self._server.pending)

    def close(self) -> None:
        """Print what is left and stop; a `run` that waits for the bot ends too."""
        with self._server.changed:
            self._closed = True
            self._server.changed.notify_all()
        self._printer.close()

    # What is typed

    def _typed(self) -> Iterator[str]:
        """Yield the messages: lines that are not blank, joined where a backslash says so."""
        begun = ""
        while line := self._read_line():
            line = begun + line.removesuffix("\n")
            begun = ""
            if line.endswith("\\"):
                begun = line.removesuffix("\\") + "\n"
            elif line.strip():
                yield line
        if begun.strip():
            yield begun

    def _read_line(self) -> str:
        if not (self._interactive and self._lines is sys.stdin):
            return self._lines.readline()
        with contextlib.suppress(ImportError):  # there is none on Windows
            import readline  # noqa: F401 - its import gives input() arrow keys and a history
        try:
            return input() + "\n"
        except EOFError:
            return ""

    # What becomes of it

    def _send(self, line: str) -> None:
        reply_to = None
        if press := _PRESS.fullmatch(line):
            self._press(int(press[1]))
            return
        if reply := _REPLY.match(line):
            reply_to = self._message_number(reply[1])
            line = line[reply.end() :]
        if line.startswith("<"):
            self._send_file(line[1:].strip(), reply_to)
        else:
            self._say(line, reply_to)

    def _say(self, text: str, reply_to: int | None) -> None:
        for piece in _pieces(text):
            try:
                self._server.say(piece, reply_to=reply_to)
            except ValueError:
                raise ConsoleError("Пустое сообщение не отправить.") from None

    def _press(self, number: int) -> None:
        message_id = self._printer.buttons_of
        message = self._server.chats[OWNER_ID].messages.get(message_id) if message_id else None
        buttons = callback_buttons(message) if message else []
        if not message or not buttons:
            raise ConsoleError("Кнопок сейчас нет.")
        if not 1 <= number <= len(buttons):
            raise ConsoleError(f"Кнопки !{number} нет, есть с !1 по !{len(buttons)}.")
        self._server.press(OWNER_ID, message["message_id"], number - 1)

    def _message_number(self, typed: str) -> int:
        if not typed:
            sent = self._server.messages(OWNER_ID)
            if not sent:
                raise ConsoleError("Отвечать не на что: бот ещё ничего не написал.")
            return int(sent[-1]["message_id"])
        number = self._printer.earlier + int(typed)
        chat = self._server.chats.get(OWNER_ID)
        if chat is None or number not in chat.messages:
            raise ConsoleError(f"Сообщения {typed} нет.")
        return number

    def _send_file(self, typed: str, reply_to: int | None) -> None:
        path, caption = _path_and_caption(typed)
        if texts.utf16_len(caption) > MAX_CAPTION:
            raise ConsoleError(f"Подпись к файлу длиннее {MAX_CAPTION} знаков.")
        data = _read(path)
        if path.suffix.lower() in _PICTURES:
            self._server.send_photo(data, caption=caption, reply_to=reply_to)
        else:
            self._server.send_file(data, path.name, caption=caption, reply_to=reply_to)


def _path_and_caption(typed: str) -> tuple[Path, str]:
    if not typed:
        raise ConsoleError("После < нужен путь к файлу.")
    whole = Path(typed).expanduser()
    if whole.is_file():
        return whole, ""
    if quoted := _QUOTED_PATH.fullmatch(typed):
        return Path(quoted["path"]).expanduser(), quoted["caption"].strip()
    path, *caption = typed.split(maxsplit=1)
    return Path(path).expanduser(), "".join(caption)


def _read(path: Path) -> bytes:
    if not path.is_file():
        raise ConsoleError(
            f"Нет файла {path}. (Сообщение, которое начинается с <, наберите с пробелом впереди.)"
        )
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConsoleError(f"Файл {path} не прочитать: {error.strerror}.") from error
    if not data:
        raise ConsoleError(f"Файл {path} пуст, Telegram такой не отправит.")
    return data


def _pieces(text: str) -> Iterator[str]:
    """Cut a text that is too long for one message, as Telegram's own clients do."""
    while texts.utf16_len(text) > MAX_TEXT:
        head = text.encode("utf-16-le")[: 2 * MAX_TEXT].decode("utf-16-le", errors="ignore")
        end = max(head.rfind("\n"), head.rfind(" "))
        end = end if end > 0 else len(head)
        yield text[:end]
        text = text[end:]
    yield text


def _use_utf8(*streams: TextIO) -> None:
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")
