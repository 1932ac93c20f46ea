"""A clock that a test controls: waiting moves it forward, without taking real time."""

from datetime import UTC, datetime, timedelta, tzinfo


class TurningClock:
    """The time in `zone`; `wait` replaces that of a threading.Event that is set at `until`.

    `jumps` are pairs of moments, for a machine that sleeps or a clock that is set: when `wait` reaches the
    first, the time continues from the second.
    """

    def __init__(
        self,
        start: datetime,
        until: datetime,
        zone: tzinfo = UTC,
        jumps: tuple[tuple[datetime, datetime], ...] = (),
    ) -> None:
        self._time = start.astimezone(UTC)
        self._until = until.astimezone(UTC)
        self._zone = zone
        self._jumps = [(at.astimezone(UTC), to.astimezone(UTC)) for at, to in jumps]

    def now(self) -> datetime:
        """Return the time in `zone`."""
        return self._time.astimezone(self._zone)

    def wait(self, seconds: float) -> bool:
        """Advance the time, and return whether `until` is reached."""
        self._time += timedelta(seconds=seconds)
        if self._jumps and self._time >= self._jumps[0][0]:
            _, self._time = self._jumps.pop(0)
        return self._time >= self._until
