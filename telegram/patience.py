"""Waiting after errors: how long, and logging each kind of error once."""

import logging
import random
import threading
import time
from typing import Any

from telegram.api import Door, RefusedError, TelegramError
from telegram.delivery import backoff
from upkeep.systemd import ALIVE, notify

log = logging.getLogger("bot")
LONGEST_PAUSE_S = 15
LONGEST_SILENCE_S = 60  # between two signs of life for systemd
SECOND_COPY = "Telegram отдаёт обновления другой копии бота с этим токеном. Остановите её; жду."
WEBHOOK = "Telegram отдаёт обновления другой программе (webhook). Снимаю его; жду."
NONSENSE = "Telegram прислал не обновления, а что-то другое; повторяю, пока не пришлёт"


class BadTokenError(Exception):
    """Telegram does not know this token, or no longer."""


class StoppingError(Exception):
    """The bot is being stopped."""


class NonsenseError(Exception):
    """A successful answer that is not a list of updates."""


class Patience:
    """The backoff of one loop; `calm` resets it."""

    def __init__(self, door: Door, stopping: threading.Event) -> None:
        self._door = door
        self._stopping = stopping
        self._failures = 0
        self._said = ""  # the last logged line, so as not to repeat it

    def calm(self) -> None:
        """Reset after a success."""
        self._failures, self._said = 0, ""
        notify(ALIVE)

    def insist(self, method: str) -> Any:
        """Repeat a call until it succeeds, and return its result; raises BadTokenError, StoppingError."""
        while not self._stopping.is_set():
            try:
                result = self._door.call(method)
            except TelegramError as exc:
                self.wait(exc)
            else:
                self.calm()
                return result
        raise StoppingError

    def wait(self, exc: Exception, sentence: str = "") -> None:
        """Log an error and wait before a retry; raises BadTokenError. `sentence` is the text to log."""
        if isinstance(exc, RefusedError) and exc.code in (401, 404):
            raise BadTokenError
        self._failures += 1
        if (sentence := sentence or _sentence(exc)) != self._said:
            self._said = sentence
            log.warning("%s", sentence)
        self._rest(self._pause(exc))

    def _rest(self, seconds: float) -> None:
        """Wait, and keep telling systemd that the bot is alive: Telegram may order pauses of hours."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and not self._stopping.is_set():
            notify(ALIVE)
            self._stopping.wait(min(left, LONGEST_SILENCE_S))

    def _pause(self, exc: Exception) -> float:
        growing = backoff(self._failures, LONGEST_PAUSE_S)
        if not isinstance(exc, RefusedError):
            return growing
        if exc.code == 409 and exc.says("webhook"):
            self.remove_webhook()
            return growing
        if exc.code == 409:
            return random.uniform(5, 30)  # noqa: S311 - no secret
        return max(float(exc.retry_after), growing)

    def remove_webhook(self) -> None:
        """Try to remove a webhook: while one is set, getUpdates fails with a 409 that names it."""
        try:
            self._door.call("delete_webhook")
        except TelegramError as exc:
            log.debug("Webhook не снят: %s", exc)


def _sentence(exc: Exception) -> str:
    if isinstance(exc, NonsenseError):
        return NONSENSE
    if isinstance(exc, RefusedError) and exc.code == 409:
        return WEBHOOK if exc.says("webhook") else SECOND_COPY
    return f"Telegram недоступен ({exc}); повторяю, пока не ответит"
