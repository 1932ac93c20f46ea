"""The prompt of a full terminal: growing answers are drawn just above it, finished messages above those."""

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.formatted_text.ansi import ANSI
from prompt_toolkit.utils import get_cwidth

SIGN = "> "


class Prompt:
    """Prints above the prompt, from any thread; the log too.

    Not through the library's `patch_stdout`: it prints from a thread of its own, at its own time, and the
    terminal itself echoes the input meanwhile.
    """

    def __init__(self, menu: Callable[[], Mapping[str, str]]) -> None:
        self._session: PromptSession[str] = PromptSession(
            self._message, completer=_Commands(menu), complete_while_typing=False
        )
        self._growing = ""
        self._unwritten: list[str] = []
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None  # set while there is a prompt
        for handler in logging.getLogger().handlers:
            if isinstance(handler, logging.StreamHandler):
                handler.setStream(self)

    def lines(self) -> Iterator[str]:
        """Yield what is typed or pasted until Ctrl-D; KeyboardInterrupt passes through."""
        with asyncio.Runner() as runner, self._session.app.input.raw_mode(), suppress(EOFError):
            self._loop = runner.get_loop()
            try:
                while True:
                    yield runner.run(self._session.prompt_async())
            finally:
                with self._lock:
                    self._loop = None
                self._draw()

    def grow(self, text: str) -> None:
        """Show this text directly above the prompt, in place of the previous one."""
        self._growing = text
        self._draw_soon()

    def write(self, text: str) -> None:
        """Print above the prompt."""
        with self._lock:
            self._unwritten.append(text)
        self._draw_soon()

    def flush(self) -> None:
        """Do nothing: everything is written as soon as possible."""

    def fileno(self) -> int:
        """Return the terminal's file descriptor."""
        return self._session.app.output.fileno()

    def _draw_soon(self) -> None:
        with self._lock:
            if self._loop:
                self._loop.call_soon_threadsafe(self._draw)
                return
        self._draw()

    def _draw(self) -> None:
        app = self._session.app
        with self._lock:
            text, self._unwritten = "".join(self._unwritten), []
        if text:
            if app.is_running:
                app.renderer.erase()
            app.output.write_raw(text)
            app.output.flush()
        if app.is_running and not app.is_done:  # else the final drawing is still to come
            if text:
                app.renderer.request_absolute_cursor_position()
            app.invalidate()

    def _message(self) -> StyleAndTextTuples:
        app = self._session.app
        if app.is_done or not self._growing:
            return [("bold", SIGN)]
        size = app.output.get_size()
        typed = 2 + self._session.default_buffer.text.count("\n")
        above = tail(self._growing, max(1, size.rows - typed), size.columns)
        return [*ANSI(above + "\n").__pt_formatted_text__(), ("bold", SIGN)]


class _Commands(Completer):
    """Completes a command at the beginning of the input."""

    def __init__(self, menu: Callable[[], Mapping[str, str]]) -> None:
        self._menu = menu

    def get_completions(self, document: Document, _event: CompleteEvent) -> Iterator[Completion]:
        """Yield the published commands that begin with the input."""
        begun = document.text_before_cursor
        for name, summary in self._menu().items():
            if f"/{name}".startswith(begun):
                yield Completion(f"/{name} ", -len(begun), display=f"/{name}", display_meta=summary)


def tail(text: str, rows: int, columns: int) -> str:
    """Return the end of a text that fits into `rows` rows, wrapped, with "…" if something is left out."""
    wrapped = [row for line in text.split("\n") for row in _rows(line, columns)]
    return "\n".join(wrapped if len(wrapped) <= rows else ["…", *wrapped[len(wrapped) - rows + 1 :]])


def _rows(line: str, columns: int) -> Iterator[str]:
    row, width = "", 0
    for letter in line:
        if width + get_cwidth(letter) > columns - 1:
            yield row
            row, width = "", 0
        row, width = row + letter, width + get_cwidth(letter)
    yield row
