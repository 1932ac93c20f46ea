"""No log line contains a secret in any spelling; a string of under eight letters is no secret."""

import logging
from urllib.parse import quote

import pytest

from logs import RedactingFormatter

SECRET = "123456:TEST/a'b\\c"


def line(text: str, *secrets: str) -> str:
    """Return the log line for a message."""
    record = logging.LogRecord("bot", logging.INFO, __file__, 1, text, (), None)
    return RedactingFormatter(secrets).format(record).partition(" bot: ")[2]


@pytest.mark.parametrize("form", [SECRET, quote(SECRET, safe=""), repr(SECRET)[1:-1], repr({"key": SECRET})])
def test_a_secret_is_blotted_out_in_every_form(form: str) -> None:
    shown = line(f"GET /bot{form}/getMe", SECRET)
    assert "***" in shown
    assert "TEST" not in shown


def test_a_secret_in_a_traceback_is_blotted_out() -> None:
    try:
        int(SECRET)
    except ValueError as exc:
        record = logging.LogRecord("bot", logging.INFO, "", 1, "", (), (ValueError, exc, exc.__traceback__))
    assert "TEST" not in RedactingFormatter([SECRET]).format(record)


@pytest.mark.parametrize("short", ["x", "", "ollama", "1234567"])
def test_what_is_short_is_no_secret(short: str) -> None:
    assert line("x: ollama 1234567", short) == "x: ollama 1234567"


def test_what_has_eight_letters_is_one() -> None:
    assert line("key 12345678.", "12345678") == "key ***."
