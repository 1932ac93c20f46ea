"""What the tests' small servers share: a port on loopback, open for the length of a with-block."""

import socket
import socketserver
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from typing import Self


class Loopback:
    """Runs a server in its own thread; `url` is its address."""

    def __init__(self, server: socketserver.TCPServer) -> None:
        self._server = server

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        end_serving(self._server)
        self._thread.join()
        self._server.server_close()


def end_serving(server: socketserver.TCPServer) -> None:
    """End `serve_forever` at once; by itself it checks only twice a second."""
    with suppress(OSError):  # some systems cannot shut down a listening socket
        server.socket.shutdown(socket.SHUT_RDWR)
    server.shutdown()


class QuietHandler(BaseHTTPRequestHandler):
    """Passes every GET and POST to `handle_request`, and prints nothing."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self.handle_request()

    def do_POST(self) -> None:
        self.handle_request()

    def handle_request(self) -> None:
        """Answer the request."""
        raise NotImplementedError

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""
