"""Run bot.py under a clock that another process moves: `python under_a_clock.py CLOCK bot.py [keys]`.

CLOCK is a file of two doubles: how many seconds the wall clock and the monotonic clock are ahead of the
machine's; `TurnedClock` writes it. Waits of a minute or more follow the monotonic clock, so that a day can
pass in no time. The program is unchanged.
"""

import datetime
import mmap
import runpy
import struct
import sys
import threading
import time
from pathlib import Path

_SHIFTS = struct.Struct("dd")
LONG_S = 60.0
LOOK_S = 0.02


class TurnedClock:
    """The clock of a bot run by `under_a_clock.py`; this process keeps the machine's time."""

    def __init__(self, file: Path, start: datetime.datetime) -> None:
        self._file = file
        self._wall, self._steady = start.timestamp() - time.time(), 0.0
        file.write_bytes(_SHIFTS.pack(self._wall, self._steady))
        with file.open("r+b") as opened:
            self._shifts = mmap.mmap(opened.fileno(), _SHIFTS.size)

    @property
    def time(self) -> float:
        """The bot's time in seconds since 1970."""
        return time.time() + self._wall

    def forward(self, hours: float) -> None:
        """Move both clocks forward."""
        self._set(self._wall + 3600 * hours, self._steady + 3600 * hours)

    def set_wall(self, hours: float) -> None:
        """Move only the wall clock, forward or back, as when it is set or the machine has slept."""
        self._set(self._wall + 3600 * hours, self._steady)

    def _set(self, wall: float, steady: float) -> None:
        self._wall, self._steady = wall, steady
        _SHIFTS.pack_into(self._shifts, 0, wall, steady)


def turn_by(clock: Path) -> None:
    """Make this process take its time from the file."""
    with clock.open("rb") as file:
        shifts = mmap.mmap(file.fileno(), _SHIFTS.size, access=mmap.ACCESS_READ)
    wall, steady, waits = time.time, time.monotonic, threading.Event.wait

    class Datetime(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> "Datetime":
            return cls.fromtimestamp(time.time(), tz)

    def wait(event: threading.Event, timeout: float | None = None) -> bool:
        if timeout is None or timeout < LONG_S:
            return waits(event, timeout)
        until = time.monotonic() + timeout
        while not event.is_set() and (left := until - time.monotonic()) > 0:
            waits(event, min(left, LOOK_S))
        return event.is_set()

    time.time = lambda: wall() + _SHIFTS.unpack_from(shifts)[0]
    time.time_ns = lambda: int(time.time() * 1e9)
    time.monotonic = lambda: steady() + _SHIFTS.unpack_from(shifts)[1]
    datetime.datetime = Datetime  # type: ignore[misc]
    threading.Event.wait = wait  # type: ignore[method-assign,assignment]


if __name__ == "__main__":
    clock, program = map(Path, sys.argv[1:3])
    sys.argv[:3] = [str(program)]
    sys.path[0] = str(program.parent)
    turn_by(clock)
    runpy.run_path(str(program), run_name="__main__")
