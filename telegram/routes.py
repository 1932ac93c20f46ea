"""Routes to Telegram: each address through each proxy, and which one is in use."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import product
from urllib.parse import urlsplit

from settings import Settings
from starting.addresses import DIRECT

log = logging.getLogger(__name__)
PROBE_S = 8.0  # for all probes together; they run in parallel


@dataclass(frozen=True, slots=True)
class Route:
    """One address of the Bot API and its proxy; printed, it shows no password."""

    url: str
    proxy: str = field(default="", repr=False)  # "" means the environment's proxy, if any

    @property
    def proxies(self) -> dict[str, str]:
        """The proxies for requests; empty if the route has none of its own."""
        return {} if self.proxy in ("", DIRECT) else {"http": self.proxy, "https": self.proxy}

    def __str__(self) -> str:
        way = {"": "", DIRECT: " напрямую"}.get(self.proxy, f" через {_host(self.proxy)}")
        return f"{_host(self.url)}{way}"


def routes_of(settings: Settings) -> list[Route]:
    """Return the configured routes in order: the first address with each proxy, then the next address."""
    return [Route(*way) for way in product(settings.telegram_api_url, settings.telegram_proxy or ("",))]


class Routes:
    """The route in use; when it fails, the next one that answers replaces it."""

    def __init__(self, routes: Sequence[Route], answers: Callable[[Route], bool]) -> None:
        self._routes = list(routes)
        self._answers = answers
        self._looking = threading.Lock()  # held for PROBE_S at most; nobody waits for it
        self.current = self._routes[0]

    @property
    def is_only_one(self) -> bool:
        """Whether there is no other route."""
        return len(self._routes) == 1

    def lost(self, route: Route) -> None:
        """Look for another route, since this one has failed; other threads meanwhile return at once."""
        if self.is_only_one or not self._looking.acquire(blocking=False):
            return
        try:
            if route is self.current:  # else another thread has already switched
                self._look()
        finally:
            self._looking.release()

    def _look(self) -> None:
        at = self._routes.index(self.current)
        # The failed route comes last: it may work again.
        found = self._first([*self._routes[at + 1 :], *self._routes[: at + 1]])
        if found and found is not self.current:
            log.warning("Telegram: %s не отвечает, дальше — %s", self.current, found)
            self.current = found

    def _first(self, routes: list[Route]) -> Route | None:
        """Return the first route in order that answers; all are probed in parallel."""
        until = time.monotonic() + PROBE_S
        good: set[Route] = set()

        def ask(route: Route) -> None:
            if self._answers(route):
                good.add(route)

        # Daemon threads: a hanging probe must not delay the program's exit.
        probes = [threading.Thread(target=ask, args=(route,), name="probe", daemon=True) for route in routes]
        for probe in probes:
            probe.start()
        for probe, route in zip(probes, routes, strict=True):
            probe.join(max(0.0, until - time.monotonic()))
            if route in good:
                return route
        return None


def _host(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)
