"""The bot's work in a thread of its own, while the main thread waits for signals."""

import threading
from collections.abc import Callable


def in_another_thread(work: Callable[[], None]) -> None:
    """Do the work and wait for its end; raises what ended it, or KeyboardInterrupt.

    A signal interrupts the main thread wherever that is, even between two statements of a transaction
    or inside the library's bare `except`. So the main thread only waits.
    """
    failures: list[Exception] = []
    ended = threading.Event()

    def run() -> None:
        try:
            work()
        except Exception as exc:  # noqa: BLE001 - handed to the main thread
            failures.append(exc)
        ended.set()

    threading.Thread(target=run, name="polling", daemon=True).start()
    while not ended.wait(1):  # not for ever, or Windows would not notice Ctrl-C
        pass
    for failure in failures:
        raise failure
