"""The HTTP of the Bot API: queries, forms, multipart and JSON in, JSON out."""

import email
import json
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any
from urllib.parse import parse_qsl

from bot_api.rules import RefusalError, Upload, bad_request
from support.loopback import end_serving

MAX_URL = 8 * 2**10
MAX_HEADERS_BYTES = 256 * 2**10
MAX_FORM_BYTES = 2**20
MAX_BODY_BYTES = 51 * 2**20


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request: its path without the query, and the parameters from URL and body."""

    path: str
    in_url: dict[str, Any]
    in_body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A response; `cut` breaks the connection instead."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    cut: bool = False


def json_answer(status: int, answer: Any) -> Outgoing:
    """Return a response with a JSON object."""
    return Outgoing(status, json.dumps(answer).encode())


def refused(refusal: RefusalError) -> Outgoing:
    """Return a response with `"ok": false`."""
    answer = {
        "ok": False,
        "error_code": refusal.status,
        "description": refusal.description,
    }
    if refusal.parameters:
        answer["parameters"] = refusal.parameters
    return json_answer(refusal.status, answer)


class Listener(ThreadingHTTPServer):
    """An HTTP server on loopback that passes every request to `answer`, one thread per connection."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, answer: Callable[[Incoming], Outgoing]) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.answer = answer
        self.ahead_s = 0.0  # relative to the machine's clock
        self._open: set[socket.socket] = set()
        self._cut: set[socket.socket] = set()
        self._all_closed = threading.Condition()
        self._thread = threading.Thread(target=self.serve_forever, daemon=True)
        self._thread.start()

    def server_bind(self) -> None:
        """Bind without the name lookup of HTTPServer, which may take seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def opened(self, connection: socket.socket) -> None:
        """Register a connection, so that `close` can cut it."""
        with self._all_closed:
            self._open.add(connection)

    def cut(self, connection: socket.socket) -> None:
        """Make a connection end with RST instead of FIN."""
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with self._all_closed:
            self._cut.add(connection)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection and forget it."""
        if request in self._cut:
            self.close_request(request)
        else:
            super().shutdown_request(request)
        with self._all_closed:
            self._open.discard(request)
            self._cut.discard(request)
            self._all_closed.notify_all()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing about lost connections: the client may have been killed."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def close(self, wait_s: float = 5) -> None:
        """Stop listening and cut all connections."""
        end_serving(self)
        self.server_close()
        with self._all_closed:
            for connection in self._open:
                _hang_up(connection)
            self._all_closed.wait_for(lambda: not self._open, wait_s)


def _hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the client was faster


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Listener

    def setup(self) -> None:
        super().setup()
        self.server.opened(self.request)

    def do_GET(self) -> None:
        """Answer one request, whatever its method."""
        try:
            outgoing = self.server.answer(self._read())
        except RefusalError as refusal:  # the rest of the request is unread
            self.close_connection = True
            outgoing = refused(refusal)
        self._write(outgoing)

    do_POST = do_GET  # noqa: N815 - the name is the library's

    def _read(self) -> Incoming:
        if len(self.path) > MAX_URL:
            raise RefusalError(414, "Request-URI Too Long")
        if sum(len(name) + len(value) for name, value in self.headers.items()) > MAX_HEADERS_BYTES:
            raise RefusalError(431, "Request Header Fields Too Large")
        path, _, query = self.path.partition("?")
        return Incoming(path, _form(query), self._read_body())

    def _read_body(self) -> dict[str, Any]:
        size = int(self.headers.get("Content-Length") or 0)
        if not size:
            return {}
        kind = self.headers.get("Content-Type", "")
        multipart = kind.startswith("multipart/form-data")
        if size > (MAX_BODY_BYTES if multipart else MAX_FORM_BYTES):
            raise RefusalError(413, "Request Entity Too Large")
        body = self.rfile.read(size)
        if multipart:
            return parse_multipart(kind, body)
        if kind.startswith("application/json"):
            return _json_object(body)
        return _form(body.decode("latin-1"))

    def _write(self, outgoing: Outgoing) -> None:
        if outgoing.cut:
            self.server.cut(self.request)
            self.close_connection = True
            return
        head = (
            f"HTTP/1.1 {outgoing.status} {self.responses.get(outgoing.status, ('',))[0]}\r\n"
            f"Date: {formatdate(time.time() + self.server.ahead_s, usegmt=True)}\r\n"
            f"Content-Type: {outgoing.content_type}\r\n"
            f"Content-Length: {len(outgoing.body)}\r\n"
            f"Connection: {'close' if self.close_connection else 'keep-alive'}\r\n\r\n"
        )
        self.wfile.write(head.encode() + outgoing.body)

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing: calls are recorded elsewhere."""


def _form(encoded: str) -> dict[str, Any]:
    try:
        return dict(parse_qsl(encoded, keep_blank_values=True, errors="strict"))
    except UnicodeDecodeError:
        raise bad_request("strings must be encoded in UTF-8") from None


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(body)
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict):
        raise bad_request("can't parse JSON object")
    return parsed


def parse_multipart(content_type: str, body: bytes) -> dict[str, Any]:
    """Return the parts of a multipart/form-data body: strings, and files as `Upload`."""
    boundary = email.message_from_string(f"Content-Type: {content_type}").get_boundary()
    if not boundary:
        raise bad_request("boundary not found")
    fields: dict[str, Any] = {}
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary.encode())[1:-1]:
        head, _, data = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        headers = email.message_from_string(head.decode(errors="replace"))
        name = headers.get_param("name", header="content-disposition")
        filename = headers.get_filename()
        if filename is None:
            fields[str(name)] = data.decode(errors="surrogateescape")
        else:
            fields[str(name)] = Upload(filename, headers.get_content_type(), data)
    return fields
