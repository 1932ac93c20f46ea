"""A fake OpenRouter on loopback, as strict as the real one; its answers can be scripted.

    with FakeOpenRouter() as fake:
        fake.next(status(429), answer("Привет"))         # the next questions, one each
        fake.always(stream("а", "б"), model="x/y:free")  # every question to one model

The behaviours are in `openrouter_replies`. Without a script it echoes the question in Russian, streamed or
not as requested. In tests/, `python -m support.fake_openrouter --port 8091` runs it as a process.
"""

import argparse
import json
import socket
import ssl
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from support.loopback import QuietHandler, end_serving
from support.openrouter_replies import (
    Behaviour,
    Call,
    ClientGoneError,
    Gate,
    Json,
    Request,
    answer,
    body,
    default_key,
    default_models,
    html,
    status,
    stream,
)

ROLES = {"system", "developer", "user", "assistant", "tool"}
PARTS = {"text", "image_url", "input_audio", "file", "video_url"}
RANGES = {"temperature": (0, 2), "top_p": (0, 1), "max_tokens": (1, 10**9)}


class FakeOpenRouter:
    """The server, its script, and what it received.

    `requests` are all requests in order, `questions` those to /chat/completions, `closed_by_client` those
    whose client left before the end, `in_flight` the number of questions being answered. `models` and `key`
    are the data of GET /models and GET /key; with `api_key`, other keys get 401.
    """

    def __init__(
        self, *, port: int = 0, api_key: str | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        self.models: list[Json] = default_models()
        self.key: Json = default_key()
        self.requests: list[Request] = []
        self.closed_by_client: list[Request] = []
        self.in_flight = 0
        self.stopped = Gate()
        self._api_key = api_key
        self._changed = threading.Condition()
        self._gates: list[Gate] = []
        self._opened: list[Gate] = []
        self._holding = False
        self._coming: deque[Behaviour] = deque()
        self._always: dict[str | None, Behaviour] = {}
        self._server = _Server(self, port, tls)

    @property
    def base_url(self) -> str:
        scheme = "https" if self._server.tls else "http"
        return f"{scheme}://127.0.0.1:{self._server.server_port}/api/v1"

    @property
    def questions(self) -> list[Request]:
        return [request for request in self.requests if request.path.endswith("/chat/completions")]

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.open()
        end_serving(self._server)
        self._thread.join()
        self._server.hang_up()
        self._server.server_close()
        for gate in (self.stopped, *self._gates, *self._opened):
            gate.close()

    def next(self, *behaviours: Behaviour) -> None:
        """Answer the next questions with these behaviours, one each, whatever the model."""
        self._coming.extend(behaviours)

    def always(self, behaviour: Behaviour, *, model: str | None = None, path: str | None = None) -> None:
        """Answer every question (to `model`), or every call of a path such as "/models", like this."""
        self._always[path or model] = behaviour

    def hold(self) -> None:
        """Hold every question, before its headers, until `release()`."""
        self._holding = True

    def release(self) -> None:
        """Release everything held by `hold`, `gate` or `stream(…, hold_after=…)`."""
        with self._changed:
            self._holding = False
            for gate in self._gates:
                gate.open()
            self._opened += self._gates
            self._gates = []

    def gate(self) -> Gate:
        """Return a gate that the next `release()` opens."""
        with self._changed:
            self._gates.append(Gate())
            return self._gates[-1]

    def _held(self) -> Gate | None:
        with self._changed:
            return self.gate() if self._holding else None

    def wait(self, predicate: Callable[[], object], timeout: float = 60) -> None:
        """Wait until the predicate is true; raise AssertionError after `timeout` seconds."""
        with self._changed:
            if not self._changed.wait_for(predicate, timeout):
                raise AssertionError(f"in vain after {timeout} s and {len(self.requests)} requests")

    def handle(self, call: Call) -> None:
        """Record a request, and answer it by the script."""
        with self._change():
            self.requests.append(call.request)
        try:
            self._behaviour(call.request)(call)
        except ClientGoneError:
            call.keep_alive = False
            with self._change():
                self.closed_by_client.append(call.request)

    def _behaviour(self, request: Request) -> Behaviour:
        path = request.path.removeprefix("/api/v1")
        routes: dict[tuple[str, str], Behaviour] = {
            ("GET", "/models"): body({"data": self.models}),
            ("GET", "/key"): body({"data": self.key}),
            ("POST", "/chat/completions"): self._asked,
        }
        route = routes.get((request.method, path), html(404))
        return self._always.get(path) or self._unauthorized(request) or route

    def _unauthorized(self, request: Request) -> Behaviour | None:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not key.strip():
            public = request.path.endswith("/models")
            return None if public else status(401, "No auth credentials found")
        return status(401, "User not found.") if self._api_key not in (None, key) else None

    def _asked(self, call: Call) -> None:
        if complaint := complaint_about(call.request):
            return status(400, complaint, metadata={"error_type": "invalid_request"})(call)
        with self._counted():
            if gate := self._held():
                call.wait_at(gate)
            return self._scripted(call.request)(call)

    def _scripted(self, request: Request) -> Behaviour:
        if self._coming:
            return self._coming.popleft()
        echo = answer(f"Вы спросили: {request.question}")
        return self._always.get(request.body["model"]) or self._always.get(None) or echo

    @contextmanager
    def _change(self) -> Iterator[None]:
        with self._changed:
            yield
            self._changed.notify_all()

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._change():
            self.in_flight += 1
        try:
            yield
        finally:
            with self._change():
                self.in_flight -= 1


# ---- What OpenRouter refuses ----------------------------------------------------------------


def complaint_about(request: Request) -> str | None:
    """Return the message of OpenRouter's 400 for a question, None if the question is valid."""
    asked = request.body
    json_sent = "application/json" in request.headers.get("content-type", "")
    if not json_sent or not isinstance(asked, dict):
        return "Invalid JSON body"
    if not isinstance(asked.get("model"), str) or not asked["model"].strip():
        return "No models provided"
    if len(asked.get("models", [])) > 3:
        return "'models' array must have 3 items or fewer."
    return _out_of_range(asked) or _complaint_about_messages(asked.get("messages"))


def _out_of_range(asked: Json) -> str | None:
    for name, (low, high) in RANGES.items():
        value = asked.get(name, low)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not low <= value <= high:
            return f"{name}: out of range"
    return None


def _complaint_about_messages(messages: object) -> str | None:
    if not isinstance(messages, list) or not messages:
        return "Input required: specify messages"
    for message in messages:
        if not isinstance(message, dict) or message.get("role") not in ROLES:
            return "messages: unknown role"
        content = message.get("content")
        if not content or not isinstance(content, str | list):
            return "messages: empty content"
        if isinstance(content, list) and any(part.get("type") not in PARTS for part in content):
            return "messages: unknown part"
    return None


# ---- HTTP -----------------------------------------------------------------------------------


class _Server(ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = False

    def __init__(self, fake: FakeOpenRouter, port: int, tls: ssl.SSLContext | None) -> None:
        self.fake = fake
        self.tls = tls
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        if self.tls:
            # The handshake runs in the handler's thread, so that a slow client does not stop others.
            connection = self.tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        """Close without socket.shutdown, whose FIN would precede the RST of `reset`."""
        self._open.discard(request)
        request.close()

    def hang_up(self) -> None:
        """Shut down idle keep-alive connections, whose threads would otherwise read forever."""
        for connection in tuple(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing about a client that hung up; other errors are bugs of the fake."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(QuietHandler):
    server: _Server

    def handle_request(self) -> None:
        url = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        raw = self.rfile.read(int(headers.get("content-length", 0)))
        request = Request(self.command, url.path, parse_qs(url.query), headers, _parsed(raw))
        call = Call(self.server.fake, self.connection, request)
        self.server.fake.handle(call)
        self.close_connection = self.close_connection or not call.keep_alive


def _parsed(raw: bytes) -> object:
    try:
        return json.loads(raw) if raw else None
    except ValueError:
        return raw


def main() -> None:
    parser = argparse.ArgumentParser(description="A fake OpenRouter.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--words", type=int, default=0, help="stream so many instead of an echo")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each of them")
    options = parser.parse_args()
    with FakeOpenRouter(port=options.port) as fake:
        if options.words:
            words = [f"слово{number} " for number in range(options.words)]
            fake.always(stream(*words, delay=options.delay))
        sys.stdout.write(fake.base_url + "\n")
        sys.stdout.flush()
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
