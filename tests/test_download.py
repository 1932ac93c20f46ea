"""Downloads of a file that Telegram announces and never sends."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from settings import Settings
from support.loopback import Loopback
from telegram import api

RELEASED = threading.Event()


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps({"ok": True, "result": {"file_id": "1", "file_path": "photos/1.jpg"}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write(b"the first bytes")
        RELEASED.wait(30)

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


@pytest.fixture
def silent() -> Iterator[str]:
    """A server that starts sending a file, and then nothing for half a minute."""
    with Loopback(ThreadingHTTPServer(("127.0.0.1", 0), _Handler)) as server:
        yield server.url
        RELEASED.set()


def test_a_download_that_stands_still_is_given_up(
    silent: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    connect_s, piece_s = api.DOWNLOAD_TIMEOUT_S
    assert connect_s <= 60
    assert piece_s <= 60
    monkeypatch.setattr(api, "DOWNLOAD_TIMEOUT_S", (1, 0.5))
    environment = {"TOKEN": "123456:TEST", "TELEGRAM_API_URL": silent, "DB_PATH": str(tmp_path / "notes.db")}
    telegram = api.Telegram(Settings.from_env(environment))
    outcome: list[Exception] = []

    def download() -> None:
        try:
            telegram.download("1")
        except api.TelegramError as exc:
            outcome.append(exc)

    thread = threading.Thread(target=download, daemon=True)
    thread.start()
    thread.join(20)
    assert [type(exc) for exc in outcome] == [api.UnreachableError]
    assert "TEST" not in str(outcome[0])
