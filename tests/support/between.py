"""A proxy between the bot and the fake Telegram, which can answer chosen calls differently."""

import json
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from http.server import ThreadingHTTPServer
from urllib.parse import unquote_plus, urlsplit

from support.loopback import Loopback, QuietHandler


@dataclass(slots=True)
class Rule:
    """The response to the first `times` calls with `method` in the path and `fragment` in the body."""

    method: str
    fragment: str
    status: int
    body: bytes
    times: int
    used: int = 0


class Between(Loopback):
    """The proxy; give the bot `url` as Telegram's address."""

    def __init__(self, target: str) -> None:
        self.target = urlsplit(target).netloc
        self.rules: deque[Rule] = deque()
        self._lock = threading.Lock()
        super().__init__(_Server(self))

    def answer(
        self, method: str, body: bytes | str, *, status: int = 200, fragment: str = "", times: int = 1
    ) -> Rule:
        """Answer the next `times` calls of a method like this; an empty body cuts the connection."""
        rule = Rule(method, fragment, status, body.encode() if isinstance(body, str) else body, times)
        self.rules.append(rule)
        return rule

    def hand_over(self, *updates: str) -> Rule:
        """Answer the next getUpdates with these updates, which need not be valid JSON."""
        return self.answer("getUpdates", f'{{"ok":true,"result":[{",".join(updates)}]}}')

    def refuse(self, method: str, description: str, *, fragment: str = "", times: int = 1) -> Rule:
        """Answer the next calls of a method with 400 and this description."""
        body = json.dumps({"ok": False, "error_code": 400, "description": f"Bad Request: {description}"})
        return self.answer(method, body, status=400, fragment=fragment, times=times)

    def rule_for(self, path: str, body: str) -> Rule | None:
        """Return the rule for a call, None if there is none, and count its use."""
        with self._lock:
            for rule in self.rules:
                if rule.used < rule.times and rule.method in path and rule.fragment in body:
                    rule.used += 1
                    return rule
        return None


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, between: Between) -> None:
        self.between = between
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(QuietHandler):
    server: _Server

    def handle_request(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        rule = self.server.between.rule_for(self.path, unquote_plus(body.decode("latin-1")))
        try:
            self._send(*((rule.status, rule.body) if rule else self._forward(body)))
        except (HTTPException, OSError):  # Telegram or the bot is gone
            self.close_connection = True

    def _forward(self, body: bytes) -> tuple[int, bytes]:
        with _connection(self.server.between.target) as target:
            kind = {"Content-Type": self.headers.get("Content-Type", "")}
            target.request(self.command, self.path, body, kind)
            answer = target.getresponse()
            return answer.status, answer.read()

    def _send(self, status: int, body: bytes) -> None:
        if not body:
            self.close_connection = True
            return
        head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self.wfile.write(head.encode() + body)


@contextmanager
def _connection(target: str) -> Iterator[HTTPConnection]:
    connection = HTTPConnection(target, timeout=60)
    try:
        yield connection
    finally:
        connection.close()
