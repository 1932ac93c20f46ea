"""The ways to the service: several proxies, of which one after another is tried."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Way:
    """A proxy, or none; written, it tells its host and no password."""

    name: str
    proxy: str | None = field(default=None, repr=False)
    surroundings: bool = False  # whether the machine's own proxies count

    @property
    def proxies(self) -> dict[str, str | None] | None:
        """Return what requests wants to know of it: a None keeps it from looking into the surroundings."""
        return None if self.surroundings else dict.fromkeys(("http", "https", "all"), self.proxy)

    @property
    def is_socks(self) -> bool:
        """Whether it is a SOCKS proxy."""
        return bool(self.proxy and self.proxy.lower().startswith("socks"))


ANY, DIRECT = Way("", surroundings=True), Way("direct")

# Of these ways, the one to begin with: every question connects anew, and would run into a dead proxy anew.
# No lock: the worst that a race can do is one such try.
_first: dict[frozenset[Way], Way] = {}


def in_turn(ways: Sequence[Way]) -> list[Way]:
    """Return the ways in their order, beginning with the one that is good."""
    at = ways.index(_first.get(frozenset(ways), ways[0]))
    return [*ways[at:], *ways[:at]]


def failed(ways: Sequence[Way], way: Way) -> None:
    """Begin with the next one of the ways from now on, since this one has failed."""
    after = ways[(ways.index(way) + 1) % len(ways)]
    if after is not way:
        log.warning("Сервис моделей: не пускает %s, дальше — %s", way.name, after.name)
        _first[frozenset(ways)] = after
