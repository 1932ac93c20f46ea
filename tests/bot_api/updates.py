"""The queue of updates for one bot, with the rules of getUpdates."""

import threading
import time
from collections import deque
from typing import Any

from bot_api.rules import RefusalError

KINDS_ON_REQUEST = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
MAX_TIMEOUT_S = 50
MAX_LIMIT = 100
# An offset further ahead than this is ignored: the numbering has been restarted.
FUTURE = 10

_CONFLICT = "Conflict: "


class UpdateQueue:
    """Unconfirmed updates, oldest first. Every method is thread-safe."""

    def __init__(self, changed: threading.Condition) -> None:
        self._changed = changed
        self._queue: deque[dict[str, Any]] = deque()
        self._allowed: frozenset[str] | None = None
        self._poll = 0
        self._waiting = 0
        self._closed = False
        self._webhook = ""
        self.next_id = 100_001

    def __len__(self) -> int:
        return len(self._queue)

    @property
    def polled(self) -> bool:
        """Whether a poll is waiting right now."""
        return self._waiting > 0

    @property
    def allowed(self) -> list[str]:
        """The update kinds the bot asked for, empty for the default."""
        return sorted(self._allowed or ())

    @property
    def webhook(self) -> str:
        """The URL that gets the updates instead; empty while polling is possible."""
        return self._webhook

    @webhook.setter
    def webhook(self, url: str) -> None:
        with self._changed:
            self._webhook = url
            self._changed.notify_all()

    def push(self, kind: str, payload: dict[str, Any]) -> None:
        """Append an update, unless the bot did not ask for its kind."""
        with self._changed:
            if not self._wanted(kind):
                return
            self._queue.append({"update_id": self.next_id, kind: payload})
            self.next_id += 1
            self._changed.notify_all()

    def _wanted(self, kind: str) -> bool:
        if self._allowed is None:
            return kind not in KINDS_ON_REQUEST
        return kind in self._allowed

    def allow(self, kinds: list[str]) -> None:
        """Set the kinds to queue from now on; an empty list means the default."""
        self._allowed = frozenset(kinds) if kinds else None

    def clear(self) -> None:
        """Drop all pending updates."""
        with self._changed:
            self._queue.clear()
            self._changed.notify_all()

    def close(self, *, closed: bool = True) -> None:
        """Make waiting polls return (`closed=False`: let polls wait again)."""
        with self._changed:
            self._closed = closed
            self._changed.notify_all()

    def take(self, offset: int, limit: int, timeout_s: int) -> list[dict[str, Any]]:
        """Confirm the updates below the offset and return those from it on, waiting if there are none.

        Raises RefusalError (409) if another poll begins meanwhile or a webhook is set.
        """
        deadline = time.monotonic() + min(max(timeout_s, 0), MAX_TIMEOUT_S)
        limit = min(max(limit, 1), MAX_LIMIT) if limit else MAX_LIMIT
        with self._changed:
            self._poll += 1
            ticket = self._poll
            self._changed.notify_all()  # an older poll has to notice this one
            if self._webhook:
                raise RefusalError(
                    409,
                    _CONFLICT + "can't use getUpdates method while webhook is active; "
                    "use deleteWebhook to delete the webhook first",
                )
            self._confirm(offset)
            while not (batch := self._from(offset)[:limit]) and not self._closed:
                left = deadline - time.monotonic()
                if left <= 0:
                    break
                self._wait(left)
                self._check_alone(ticket)
            return batch

    def _wait(self, seconds: float) -> None:
        self._waiting += 1
        self._changed.notify_all()
        try:
            self._changed.wait(seconds)
        finally:
            self._waiting -= 1

    def _check_alone(self, ticket: int) -> None:
        if self._webhook:
            raise RefusalError(409, _CONFLICT + "terminated by setWebhook request")
        if ticket != self._poll:
            raise RefusalError(
                409,
                _CONFLICT + "terminated by other getUpdates request; "
                "make sure that only one bot instance is running",
            )

    def _confirm(self, offset: int) -> None:
        if offset > self.next_id + FUTURE:
            return
        keep = -offset if offset < 0 else len(self._queue)
        while self._queue and (self._queue[0]["update_id"] < offset or len(self._queue) > keep):
            self._queue.popleft()

    def _from(self, offset: int) -> list[dict[str, Any]]:
        if offset > self.next_id + FUTURE:
            offset = 0
        return [update for update in self._queue if update["update_id"] >= offset]
