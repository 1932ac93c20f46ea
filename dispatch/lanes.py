"""Lanes: queues of jobs on a few threads; one chat's jobs run in order, different chats run in parallel.

A job that has to wait (Telegram said "retry after 30") gives its thread back and is called again when due;
its lane waits with it, so later messages of the chat cannot overtake it. Cheap jobs go first, and costly
jobs never take all threads: a note is saved at once even while 500 people ask a model.
"""

import heapq
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable
from itertools import count

log = logging.getLogger(__name__)

Job = Callable[[], float | None]  # returns None when done, or the seconds until its next call


class Lanes:
    """A fixed thread pool for any number of lanes."""

    def __init__(self, workers: int = 16) -> None:
        self._lanes: dict[Hashable, deque[tuple[Job, bool]]] = {}  # a job, and whether it is costly
        self._waiting: list[tuple[float, int, Hashable]] = []  # heap of (when, running number, lane)
        self._ready: list[tuple[bool, int, Hashable]] = []  # heap of (costly, running number, lane)
        self._numbers = count()
        self._costly_room = workers // 4
        self._changed = threading.Condition()
        self._closed = False
        self._threads = [
            threading.Thread(target=self._work, name=f"lane-{n}", daemon=True) for n in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    def put(self, lane: Hashable, job: Job, *, costly: bool = False) -> None:
        """Append a job to a lane."""
        with self._changed:
            jobs = self._lanes.setdefault(lane, deque())
            jobs.append((job, costly))
            if len(jobs) == 1:
                self._schedule(lane, 0)

    def is_idle(self, lane: Hashable = None) -> bool:
        """Return whether a lane, or without one every lane, has no jobs left."""
        return not self._lanes if lane is None else lane not in self._lanes

    def close(self, timeout: float) -> None:
        """Start no more jobs, and wait up to `timeout` seconds for the running ones."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        deadline = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0, deadline - time.monotonic()))

    def _schedule(self, lane: Hashable, pause: float) -> None:
        if pause > 0:
            heapq.heappush(self._waiting, (time.monotonic() + pause, next(self._numbers), lane))
        else:
            heapq.heappush(self._ready, (self._lanes[lane][0][1], next(self._numbers), lane))
        self._changed.notify()

    def _work(self) -> None:
        while (lane := self._next()) is not None:
            job, costly = self._lanes[lane][0]
            pause = self._call(job)
            with self._changed:
                self._costly_room += 1 if costly else 0
                if pause is None:
                    self._lanes[lane].popleft()
                if not self._lanes[lane]:
                    del self._lanes[lane]
                else:
                    self._schedule(lane, pause or 0)

    @staticmethod
    def _call(job: Job) -> float | None:
        try:
            return job()
        except Exception:
            log.exception("Задание прервано")  # a bug; the thread must go on serving other chats
            return None

    def _next(self) -> Hashable:
        """Wait for the next due lane; return None once closed."""
        with self._changed:
            while not self._closed:
                self._collect_due()
                if self._ready and (not self._ready[0][0] or self._costly_room):
                    costly, _, lane = heapq.heappop(self._ready)
                    self._costly_room -= 1 if costly else 0
                    return lane
                self._changed.wait(self._waiting[0][0] - time.monotonic() if self._waiting else None)
            return None

    def _collect_due(self) -> None:
        while self._waiting and self._waiting[0][0] <= time.monotonic():
            _, number, lane = heapq.heappop(self._waiting)
            heapq.heappush(self._ready, (self._lanes[lane][0][1], number, lane))
