"""Failures of Telegram and of the network, made on demand."""

import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, get_args

from bot_api.http import Outgoing
from bot_api.rules import PARAMETERS, RefusalError, Request

Kind = Literal[
    "reset",  # the connection breaks before anything happened
    "reset_after",  # the effect is made, then the connection breaks
    "hang",  # the effect is made, the answer comes after hold_s or never
    "429",
    "500",
    "502",  # with a page of HTML, as a proxy answers
    "invalid_json",  # status 200, the JSON breaks off
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
    """One kind of failure and the calls that it is meant for."""

    kind: str
    method: str = "*"
    times: int | None = None
    chat_id: int | None = None
    retry_after: int = 1
    hold_s: float | None = None

    @property
    def after_effect(self) -> bool:
        """Whether the call is carried out all the same."""
        return self.kind in ("reset_after", "hang")

    @property
    def refusal(self) -> RefusalError | None:
        """What the call is refused with, if it is refused."""
        return too_many(self.retry_after) if self.kind == "429" else _REFUSALS.get(self.kind)

    @property
    def broken_answer(self) -> Outgoing | None:
        """What goes out in the place of a proper answer, if anything does."""
        return _BROKEN_ANSWERS.get(self.kind)

    def fits(self, request: Request) -> bool:
        """Whether it is meant for this call."""
        if self.method not in ("*", request.method) or self.times == 0:
            return False
        if self.chat_id not in (None, request.params.get("chat_id")):
            return False
        return self.kind != "entities" or bool(request.params.get("entities"))


class FailsOnDemand:
    """The part of a server that says which call fails, and how."""

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
        """Let the next calls of a method (`*`: of any) fail; `times=None` until `heal`.

        `hold_s=None` lets a hanging answer hang until the server stops.
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
        """Let every call from now on fail at random, each kind with its probability."""
        with self._failures_lock:
            pattern = Failure("", retry_after=retry_after, hold_s=hold_s)
            self._chaos = rng, dict(probabilities), pattern

    def heal(self) -> None:
        """End all failures, the random ones too."""
        with self._failures_lock:
            self._failures.clear()
            self._chaos = None

    def next_failure(self, request: Request) -> Failure | None:
        """Return the failure that this call gets, and count it."""
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
    """The refusal of a chat that gets too much."""
    description = f"Too Many Requests: retry after {retry_after}"
    return RefusalError(429, description, retry_after=retry_after)
