"""Logging that never shows a secret, whoever logs and whatever an exception contains."""

import logging
import sys
import threading
from collections.abc import Iterable
from types import TracebackType
from urllib.parse import quote

import telebot

log = logging.getLogger("bot")
SHORTEST_SECRET = 8  # a local server's key may be just «x»: masking it would mask every x


class RedactingFormatter(logging.Formatter):
    """A formatter that masks the secrets in the finished line, its traceback included."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        known = {secret for secret in secrets if len(secret) >= SHORTEST_SECRET}
        # As they are, as in a URL, and as in the repr of a string.
        forms = {form for secret in known for form in (secret, quote(secret, safe=""), repr(secret)[1:-1])}
        self._secrets = sorted(forms, key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        """Return the line with its secrets masked."""
        line = super().format(record)
        for secret in self._secrets:
            line = line.replace(secret, "***")
        return line


def set_up_logging(level: str, secrets: Iterable[str]) -> None:
    """Log to standard error, including the uncaught exceptions of every thread."""
    handler = logging.StreamHandler()
    handler.setFormatter(RedactingFormatter(secrets))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # The library adds its own handler and at DEBUG logs every text.
    telebot.logger.handlers.clear()
    telebot.logger.setLevel(logging.WARNING)
    # At DEBUG it logs every URL; at WARNING, the traceback of a malformed header, which the caller reports.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    logging.getLogger("markdown_it").setLevel(logging.WARNING)  # at DEBUG it logs every rule it tries
    sys.excepthook = _log_uncaught
    threading.excepthook = lambda args: _log_uncaught(args.exc_type, args.exc_value, args.exc_traceback)


def _log_uncaught(
    kind: type[BaseException], exc: BaseException | None, traceback: TracebackType | None
) -> None:
    if exc is not None:
        log.critical("Необработанная ошибка", exc_info=(kind, exc, traceback))
