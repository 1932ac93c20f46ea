"""The prompt of a terminal that can be drawn on: above it what grows, above that what has been said."""

import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Self, TextIO, cast

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.formatted_text.ansi import ANSI
from prompt_toolkit.patch_stdout import StdoutProxy
from prompt_toolkit.utils import get_cwidth

SIGN = "> "
FLUSH_S = 0.05


class Prompt:
    """Use it in a `with` statement: meanwhile `out` prints above the prompt, and so does the log."""

    def __init__(self, menu: Callable[[], Mapping[str, str]]) -> None:
        self._session: PromptSession[str] = PromptSession(
            self._message, completer=_Commands(menu), complete_while_typing=False
        )
        self.out = cast(TextIO, StdoutProxy(sleep_between_writes=FLUSH_S, raw=True))
        self._growing = ""

    def __enter__(self) -> Self:
        for handler in logging.getLogger().handlers:
            if isinstance(handler, logging.StreamHandler):
                handler.setStream(self.out)
        return self

    def __exit__(self, *_: object) -> None:
        self.out.close()

    def grow(self, text: str) -> None:
        """Draw this above the prompt in place of what was there."""
        self._growing = text
        if text:  # else what is printed in its place draws the prompt anew
            self._session.app.invalidate()

    def lines(self) -> Iterator[str]:
        """Yield what is typed or pasted until Ctrl-D; KeyboardInterrupt passes through."""
        while True:
            try:
                yield self._session.prompt()
            except EOFError:
                return

    def _message(self) -> StyleAndTextTuples:
        app = self._session.app
        if app.is_done or not self._growing:
            return [("bold", SIGN)]
        size = app.output.get_size()
        typed = 2 + self._session.default_buffer.text.count("\n")
        above = tail(self._growing, max(1, size.rows - typed), size.columns)
        return [*ANSI(above + "\n").__pt_formatted_text__(), ("bold", SIGN)]


class _Commands(Completer):
    """Completes a command at the beginning of what is typed."""

    def __init__(self, menu: Callable[[], Mapping[str, str]]) -> None:
        self._menu = menu

    def get_completions(self, document: Document, _event: CompleteEvent) -> Iterator[Completion]:
        """Yield the published commands that begin so."""
        begun = document.text_before_cursor
        for name, summary in self._menu().items():
            if f"/{name}".startswith(begun):
                yield Completion(f"/{name} ", -len(begun), display=f"/{name}", display_meta=summary)


def tail(text: str, rows: int, columns: int) -> str:
    """Return as much of the end of a text as fits into so many rows."""
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
