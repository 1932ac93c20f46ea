"""What the small servers of the tests share: a port on loopback, and a life as long as a with-block."""

import socketserver
import threading
from typing import Self


class Loopback:
    """Runs a server in a thread of its own; `url` is its address."""

    def __init__(self, server: socketserver.TCPServer) -> None:
        self._server = server

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.005,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
