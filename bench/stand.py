"""A bot under test: a process with its own Telegram server, and its use of CPU and memory."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.managers import BaseManager
from pathlib import Path
from typing import Self, TypeVar, cast

from bench.model import KEY
from bench.telegram import Telegram

T = TypeVar("T")


@contextmanager
def elsewhere(kind: Callable[[], T]) -> Iterator[T]:
    """Yield an object that lives in a process of its own, so that no two share an interpreter."""
    manager = BaseManager(ctx=get_context("spawn"))
    manager.register("made", kind)
    with manager:
        yield cast(T, manager.made())  # type: ignore[attr-defined]


class Stand:
    """One bot, which can be started and stopped; `folder` holds its database and its log."""

    def __init__(self, script: Path, folder: Path, telegram: Telegram, model_address: str) -> None:
        self.telegram = telegram
        self.log = folder / f"{script.stem}.log"
        self._script = script
        url, token = telegram.address()
        self._environment = {
            "PATH": os.environ.get("PATH", ""),
            "TOKEN": token,
            "TELEGRAM_API_URL": url,
            "OPENROUTER_BASE_URL": model_address,
            "OPENROUTER_API_KEY": KEY,
            "DB_PATH": str(folder / "notes.db"),
            "ALLOWED_USERS": "*",
            "ASK_TIMEOUT": "600",  # questions wait while the bench measures
        }
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> float:
        """Start the bot, and return the seconds until its first getUpdates."""
        with self.log.open("ab") as log:
            begun = time.monotonic()
            self._process = subprocess.Popen(
                [sys.executable, str(self._script)], env=self._environment, stdout=log, stderr=log
            )
        return self.telegram.first_poll() - begun

    def stop(self) -> None:
        """Stop the bot, if it runs."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)
            self.telegram.hang_up()
            self._process = None

    def cpu_s(self) -> float:
        """Return the CPU seconds that the bot has used, user and system time."""
        fields = self._proc("stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mb(self) -> float:
        """Return the bot's resident memory now, in MB of 10^6 bytes."""
        lines = dict(line.split(":", 1) for line in self._proc("status").splitlines())
        return int(lines["VmRSS"].split()[0]) * 1024 / 1e6

    def _proc(self, name: str) -> str:
        assert self._process is not None
        return Path(f"/proc/{self._process.pid}/{name}").read_text("utf-8")
