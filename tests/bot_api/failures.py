"""Failures of Telegram and of the network, on demand."""

import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, get_args

from bot_api.http import Outgoing
from bot_api.rules import PARAMETERS, RefusalError, Request

Kind = Literal[
    "reset",  # the connection breaks before anything happens
    "reset_after",  # the method takes effect, then the connection breaks
    "hang",  # the method takes effect, the answer comes after hold_s or never
    "429",
    "500",
    "502",  # with an HTML page, as from a proxy
    "invalid_json",  # status 200, truncated JSON
    "no_ok",  # status 200, JSON without "ok"
    "entities",  # refuses a call that carries entities
    "401",
    "403",
    "409",
]

_REFUSALS = {
    "401": RefusalError(401, "Unauthorized"),
    "403": RefusalError(403, "Forbidden: bot was blocked by the user"),
    "409": RefusalError(
        409,
        "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
    ),
    "500": RefusalError(500, "Internal Server Error"),
    "entities": RefusalError(400, "Bad Request: can't parse entities: refused on demand"),
}
_BROKEN_ANSWERS = {
    "reset": Outgoing(cut=True),
    "reset_after": Outgoing(cut=True),
    "502": Outgoing(502, b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n</html>", "text/html"),
    "invalid_json": Outgoing(200, b'{"ok":true,"result":[{"upda'),
    "no_ok": Outgoing(200, b'{"result":[]}'),
}


@dataclass(slots=True)
class Failure:
    """One kind of failure and the calls it applies to."""

    kind: str
    method: str = "*"
    times: int | None = None
    chat_id: int | None = None
    retry_after: int = 1
    hold_s: float | None = None

    @property
    def after_effect(self) -> bool:
        """Whether the method takes effect in spite of the failure."""
        return self.kind in ("reset_after", "hang")

    @property
    def refusal(self) -> RefusalError | None:
        """The error to answer with, None if the failure is of another kind."""
        return too_many(self.retry_after) if self.kind == "429" else _REFUSALS.get(self.kind)

    @property
    def broken_answer(self) -> Outgoing | None:
        """The reply sent in place of the proper one, None if the failure has none."""
        return _BROKEN_ANSWERS.get(self.kind)

    def fits(self, request: Request) -> bool:
        """Return whether the failure applies to this call."""
        if self.method not in ("*", request.method) or self.times == 0:
            return False
        if self.chat_id not in (None, request.params.get("chat_id")):
            return False
        return self.kind != "entities" or bool(request.params.get("entities"))


class FailsOnDemand:
    """The part of the server that decides which calls fail, and how."""

    def __init__(self) -> None:
        self._failures: list[Failure] = []
        self._chaos: tuple[random.Random, Mapping[Kind, float], Failure] | None = None
        self._failures_lock = threading.Lock()

    def fail(
        self,
        method: str,
        kind: Kind,
        times: int | None = 1,
        *,
        chat_id: int | None = None,
        retry_after: int = 1,
        hold_s: float | None = None,
    ) -> None:
        """Make the next `times` calls of a method fail (`*`: of any method; None: until `heal`).

        With `hold_s=None` a "hang" lasts until the server stops.
        """
        if kind not in get_args(Kind) or method not in ("*", *PARAMETERS):
            raise ValueError(f"no failure {kind!r} of {method!r}")
        with self._failures_lock:
            self._failures.append(Failure(kind, method, times, chat_id, retry_after, hold_s))

    def chaos(
        self,
        rng: random.Random,
        probabilities: Mapping[Kind, float],
        *,
        retry_after: int = 1,
        hold_s: float = 1.0,
    ) -> None:
        """Make every call from now on fail at random, each kind with its probability."""
        with self._failures_lock:
            pattern = Failure("", retry_after=retry_after, hold_s=hold_s)
            self._chaos = rng, dict(probabilities), pattern

    def heal(self) -> None:
        """Stop all failures, including `chaos`."""
        with self._failures_lock:
            self._failures.clear()
            self._chaos = None

    def next_failure(self, request: Request) -> Failure | None:
        """Return the failure for this call, None if there is none, and use up one of its `times`."""
        with self._failures_lock:
            for failure in self._failures:
                if failure.fits(request):
                    failure.times = None if failure.times is None else failure.times - 1
                    return failure
            drawn = self._draw()
        return drawn if drawn and drawn.fits(request) else None

    def _draw(self) -> Failure | None:
        if self._chaos is None:
            return None
        rng, probabilities, pattern = self._chaos
        left = rng.random()
        for kind, probability in probabilities.items():
            left -= probability
            if left < 0:
                return replace(pattern, kind=kind)
        return None


def too_many(retry_after: int) -> RefusalError:
    """Return the error for a chat that gets too many messages."""
    description = f"Too Many Requests: retry after {retry_after}"
    return RefusalError(429, description, retry_after=retry_after)
