"""A clock that a test turns by hand: waiting moves it on, and nobody waits."""

from datetime import UTC, datetime, timedelta, tzinfo


class TurningClock:
    """The time in `zone`; `wait` passes for a threading.Event whose owner stops at `until`.

    `jumps` are moments at which the machine sleeps or somebody sets its clock: when `wait` reaches one,
    the time goes on at the other.
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
        """Return the time as a wall clock shows it."""
        return self._time.astimezone(self._zone)

    def wait(self, seconds: float) -> bool:
        """Let time pass, and return whether it is time to stop."""
        self._time += timedelta(seconds=seconds)
        if self._jumps and self._time >= self._jumps[0][0]:
            _, self._time = self._jumps.pop(0)
        return self._time >= self._until
