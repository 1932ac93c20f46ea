"""The ways to a service: its proxies, tried one after another."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Way:
    """A proxy, or a direct connection; its repr shows the host but no password."""

    name: str
    proxy: str | None = field(default=None, repr=False)
    surroundings: bool = False  # whether the machine's own proxy settings count

    @property
    def proxies(self) -> dict[str, str | None] | None:
        """The argument `proxies` for requests, in which None as a value overrides the machine's settings."""
        return None if self.surroundings else dict.fromkeys(("http", "https", "all"), self.proxy)

    @property
    def is_socks(self) -> bool:
        """Whether this is a SOCKS proxy."""
        return bool(self.proxy and self.proxy.lower().startswith("socks"))


ANY, DIRECT = Way("", surroundings=True), Way("direct")

# Which of these ways to try first: each question connects again, and would run into a dead proxy again.
# No lock: the worst result of a race is one such attempt.
_first: dict[frozenset[Way], Way] = {}


def in_turn(ways: Sequence[Way]) -> list[Way]:
    """Return the ways in order, starting with the one that has not failed."""
    at = ways.index(_first.get(frozenset(ways), ways[0]))
    return [*ways[at:], *ways[:at]]


def failed(ways: Sequence[Way], way: Way) -> None:
    """Note that this way has failed: from now on start with the next one."""
    after = ways[(ways.index(way) + 1) % len(ways)]
    if after is not way:
        log.warning("Сервис моделей: не пускает %s, дальше — %s", way.name, after.name)
        _first[frozenset(ways)] = after
