"""The bot in its own process, forked from one that has already imported the packages.

Imports take ten times as long as the rest of a start, and the tests start hundreds of bots.
"""

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[2]


class WarmProcess:
    """`python bot.py` with these arguments, with the parts of subprocess.Popen that the tests use.

    `typed` is piped to standard input. A `hurried` bot edits messages ten times as often as Telegram allows.
    """

    def __init__(
        self,
        environment: dict[str, str],
        folder: Path,
        *arguments: str,
        typed: str = "",
        hurried: bool = False,
    ) -> None:
        context = _context()
        (its_in, keys), (out, its_out), (err, its_err) = (context.Pipe(duplex=False) for _ in range(3))
        self._process = context.Process(
            target=_run,
            args=(arguments, environment, str(folder), its_in, its_out, its_err, hurried),
            daemon=True,
        )
        with keys:
            os.write(keys.fileno(), typed.encode())
            with _told_where_packages_are():
                self._process.start()
        for connection in (its_in, its_out, its_err):
            connection.close()
        self.stdout, self.stderr = _text(out), _text(err)
        assert self._process.pid
        self.pid = self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise TimeoutError
        return self._process.exitcode

    def ended(self, timeout: float = 120) -> tuple[int, str, str]:
        """Wait for the end; return the exit code, standard output and standard error."""
        with self.stdout, self.stderr:
            printed, complained = self.stdout.read(), self.stderr.read()
        return self.wait(timeout), printed, complained

    def send_signal(self, number: int) -> None:
        with suppress(ProcessLookupError):  # it has just ended
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["bot", __name__, "support.frozen"])
    return context


@contextmanager
def _told_where_packages_are() -> Iterator[None]:
    """Set PYTHONPATH for the fork server: it is a `python -c`, which finds packages only that way."""
    before = os.environ.copy()
    os.environ["PYTHONPATH"] = os.pathsep.join(map(str, (ROOT, ROOT / "tests")))
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _text(connection: Connection) -> IO[str]:
    with connection:
        return os.fdopen(os.dup(connection.fileno()), encoding="utf-8")


def _run(
    arguments: tuple[str, ...],
    environment: dict[str, str],
    folder: str,
    keys: Connection,
    out: Connection,
    err: Connection,
    hurried: bool,
) -> None:
    """Act as `python bot.py` in this environment and folder."""
    for number, connection in enumerate((keys, out, err)):
        os.dup2(connection.fileno(), number)
        connection.close()
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, encoding="utf-8", closefd=False)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    os.chdir(folder)
    import bot
    from telegram import delivery

    if hurried:
        delivery.EDIT_PAUSE_S, delivery.GROUP_EDIT_PAUSE_S = 0.12, 0.3
    sys.exit(bot.main(list(arguments)))
