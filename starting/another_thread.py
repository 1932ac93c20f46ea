"""Runs the bot in a thread of its own, while the main thread waits for signals."""

import threading
from collections.abc import Callable


def in_another_thread(work: Callable[[], None]) -> None:
    """Run `work` and wait for it; raises whatever exception ended it, or KeyboardInterrupt.

    A signal interrupts the main thread wherever it is, even between two statements of a transaction
    or inside the library's bare `except`. So the main thread only waits.
    """
    failures: list[Exception] = []
    ended = threading.Event()

    def run() -> None:
        try:
            work()
        except Exception as exc:  # noqa: BLE001 - raised again in the main thread
            failures.append(exc)
        ended.set()

    threading.Thread(target=run, name="polling", daemon=True).start()
    while not ended.wait(1):  # with a timeout, or Windows would not notice Ctrl-C
        pass
    for failure in failures:
        raise failure
