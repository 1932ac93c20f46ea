"""A terminal with a person at it: what a program draws there, and what the person types."""

import codecs
import os
import pty
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import pyte

from support.harness import ROOT

PATIENCE_S = 60


class DrawnTerminal:
    """A program in its own terminal; `term` is its TERM variable ("": unset)."""

    def __init__(
        self,
        environment: Mapping[str, str],
        folder: Path,
        columns: int = 80,
        rows: int = 24,
        term: str = "xterm",
        command: Sequence[str] = (sys.executable, str(ROOT / "bot.py"), "--console"),
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._patience_s = patience_s
        self._master, slave = pty.openpty()
        self._screen = _Screen(columns, rows, self.type_bytes)
        self._stream = pyte.Stream(self._screen)
        self._changed = threading.Condition()
        self.raw = ""  # everything written so far
        termios.tcsetwinsize(slave, (rows, columns))
        self.process = subprocess.Popen(
            command,
            env={**environment, "LC_ALL": "C.UTF-8", **({"TERM": term} if term else {})},
            cwd=folder,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._reader.join()
        os.close(self._master)

    def _read(self) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        while data := self._some():
            with self._changed:
                text = decoder.decode(data)
                self.raw += text
                self._stream.feed(text)
                self._changed.notify_all()

    def _some(self) -> bytes:
        try:
            return os.read(self._master, 65536)
        except OSError:  # the program has ended
            return b""

    # What the person does

    def type_bytes(self, data: bytes) -> None:
        """Send keys as bytes."""
        os.write(self._master, data)

    def types(self, text: str) -> None:
        """Type without Enter."""
        self.type_bytes(text.encode())

    def enters(self, text: str) -> None:
        """Type and press Enter."""
        self.types(f"{text}\r")

    def pastes(self, text: str) -> None:
        """Paste as a terminal does: bracketed, with line ends as carriage returns."""
        self.types(f"\x1b[200~{text.replace(chr(10), chr(13))}\x1b[201~")

    # What the person sees

    @property
    def shown(self) -> list[str]:
        """The lines on the screen, without the blank ones at the end."""
        with self._changed:
            return "\n".join(line.rstrip() for line in self._screen.display).rstrip().split("\n")

    @property
    def everything(self) -> str:
        """The screen and everything scrolled off it."""
        with self._changed:
            past = ["".join(line[x].data for x in sorted(line)).rstrip() for line in self._screen.history.top]
            return "\n".join([*past, *(line.rstrip() for line in self._screen.display)])

    def sees(self, what: str | Callable[[list[str]], object]) -> list[str]:
        """Wait for a text or condition on the screen, and return its lines; else raise AssertionError."""
        holds = what if callable(what) else lambda lines: any(what in line for line in lines)
        deadline = time.monotonic() + self._patience_s
        with self._changed:
            while not holds(self.shown):
                if time.monotonic() > deadline or (
                    self.process.poll() is not None and not self._reader.is_alive()
                ):
                    raise AssertionError(f"not seen: {what}\n{self.everything}")
                self._changed.wait(0.2)
            return self.shown

    def ends(self) -> int:
        """Wait for the program to end, and return its exit code."""
        code = self.process.wait(self._patience_s)
        self._reader.join(self._patience_s)
        return code


class _Screen(pyte.HistoryScreen):
    """A screen that answers the program's request for the cursor position."""

    def __init__(self, columns: int, rows: int, answer: Callable[[bytes], None]) -> None:
        super().__init__(columns, rows, history=2000)
        self._answer = answer

    def write_process_input(self, data: str) -> None:
        self._answer(data.encode())

    def set_margins(self, *args: Any, **more: Any) -> None:
        more.pop("private", None)
        super().set_margins(*args, **more)
