"""Logging that cannot tell a secret, whoever logs and whatever the exception holds."""

import logging
import sys
import threading
from collections.abc import Iterable
from types import TracebackType
from urllib.parse import quote

import telebot

log = logging.getLogger("bot")
SHORTEST_SECRET = 8  # «x», as a local server takes it for a key, is none: it would blot out every x


class RedactingFormatter(logging.Formatter):
    """Blots the secrets out of the finished line, its traceback included."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        known = {secret for secret in secrets if len(secret) >= SHORTEST_SECRET}
        # As they are, in a URL, and in the repr of a text.
        forms = {form for secret in known for form in (secret, quote(secret, safe=""), repr(secret)[1:-1])}
        self._secrets = sorted(forms, key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        """Return the line as it is written."""
        line = super().format(record)
        for secret in self._secrets:
            line = line.replace(secret, "***")
        return line


def set_up_logging(level: str, secrets: Iterable[str]) -> None:
    """Log to standard error, uncaught exceptions of every thread included."""
    handler = logging.StreamHandler()
    handler.setFormatter(RedactingFormatter(secrets))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # The library brings a handler of its own, and at DEBUG prints every text; urllib3 prints every address.
    telebot.logger.handlers.clear()
    for name in (telebot.logger.name, "urllib3"):
        logging.getLogger(name).setLevel(logging.WARNING)
    sys.excepthook = _log_uncaught
    threading.excepthook = lambda args: _log_uncaught(args.exc_type, args.exc_value, args.exc_traceback)


def _log_uncaught(
    kind: type[BaseException], exc: BaseException | None, traceback: TracebackType | None
) -> None:
    if exc is not None:
        log.critical("Необработанная ошибка", exc_info=(kind, exc, traceback))
