"""The bot as a process of its own that need not read its packages anew: it is forked from one that has them.

To import them takes ten times as long as all the rest of a start, and the tests start hundreds of bots.
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
    """What of subprocess.Popen is used of `python bot.py` with these arguments."""

    def __init__(self, environment: dict[str, str], folder: Path, *arguments: str) -> None:
        context = _context()
        (out, its_out), (err, its_err) = context.Pipe(duplex=False), context.Pipe(duplex=False)
        self._process = context.Process(
            target=_run, args=(arguments, environment, str(folder), its_out, its_err), daemon=True
        )
        with _told_where_packages_are():
            self._process.start()
        its_out.close()
        its_err.close()
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
        """Wait for the end; return the exit code, and what was written to both streams."""
        with self.stdout, self.stderr:
            printed, complained = self.stdout.read(), self.stderr.read()
        return self.wait(timeout), printed, complained

    def send_signal(self, number: int) -> None:
        with suppress(ProcessLookupError):  # it has ended just now
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
    """The process that is forked from is a `python -c` of its own, which looks into the environment only."""
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
    arguments: tuple[str, ...], environment: dict[str, str], folder: str, out: Connection, err: Connection
) -> None:
    """Be `python bot.py` in this environment and folder."""
    for connection, stream in ((out, sys.stdout), (err, sys.stderr)):
        os.dup2(connection.fileno(), stream.fileno())
        connection.close()
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    os.chdir(folder)
    import bot

    sys.exit(bot.main(list(arguments)))
