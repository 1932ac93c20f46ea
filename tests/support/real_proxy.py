"""A proxy that others wrote (pproxy), in a process of its own, which can be killed or held up."""

import signal
import socket
import subprocess
import sys
from contextlib import closing
from typing import Self

LOGIN = "user:geheim"


class RealProxy:
    """The proxy; `address` is what to set, its password included, and `host` what may be told."""

    def __init__(self, scheme: str) -> None:
        self.host = f"127.0.0.1:{free_port()}"
        self.address = f"{scheme}://{LOGIN}@{self.host}"
        self._listen = f"{scheme.removesuffix('h')}://{self.host}#{LOGIN}"

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-u", "-m", "pproxy", "-l", self._listen],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert self._process.stdout
        assert b"Serving" in self._process.stdout.readline()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        assert self._process.stdout
        self._process.stdout.close()

    def kill(self) -> None:
        """End it: its connections break, and nobody listens any more."""
        self._process.kill()
        self._process.wait()

    def hold_up(self) -> None:
        """Let it take connections and do nothing with them, as a blocked way does."""
        self._process.send_signal(signal.SIGSTOP)


def free_port() -> int:
    """Return a port on which nobody listens just now."""
    with closing(socket.socket()) as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
    return port
