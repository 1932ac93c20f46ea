"""A third-party proxy (pproxy) in its own process, which can be killed or suspended."""

import signal
import socket
import subprocess
import sys
from contextlib import closing
from typing import Self

LOGIN = "user:geheim"


class RealProxy:
    """The proxy; `address` is the setting, with the password, and `host` the part that may be shown."""

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
        """Kill it: its connections break, and its port is closed."""
        self._process.kill()
        self._process.wait()

    def hold_up(self) -> None:
        """Suspend it: it accepts connections but does nothing with them."""
        self._process.send_signal(signal.SIGSTOP)


def free_port() -> int:
    """Return a port where nobody is listening."""
    with closing(socket.socket()) as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
    return port
