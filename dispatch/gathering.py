"""Group updates that are one action: an album, a text that the client split, messages forwarded at once.

Telegram delivers each part as a separate update. An album is recognised by its id; the other parts by sender
and date (at most 2 s apart), and a split text also by its nearly full first part. Each update is journalled
as it arrives, so a kill loses nothing.
"""

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import replace

from dispatch.reading import is_command
from storage.journal import Entry
from telegram.splitting import LIMIT, utf16_len
from telegram.updates import Message, Update

AWAITED_S, LONGEST_S = 0.8, 2.0  # longest wait for more: after the last one, in total
SAME_S = 2  # seconds between the dates of messages sent at once
NEARLY_FULL = LIMIT - 200  # UTF-16 units; a client splits a bit early, at a good place


class Gathered:
    """One action of a person: an update, or several that came at once."""

    def __init__(self, entry: Entry, update: Update, clock: Callable[[], float] = time.monotonic) -> None:
        self.entries, self.updates = [entry], [update]
        self._clock = clock
        self._lock = threading.Lock()
        self._first_at = self._last_at = clock()
        self._complete = False  # set by close()
        self._closed = False

    @property
    def messages(self) -> list[Message]:
        """The messages of this action, in order."""
        return [
            replace(update.message, entry_id=entry.entry_id)
            for entry, update in zip(self.entries, self.updates, strict=True)
            if update.message
        ]

    def take(self, entry: Entry, update: Update) -> bool:
        """Add an update if it belongs to this action and handling has not begun; return whether it did."""
        with self._lock:
            if self._closed or not belongs(self.updates[-1], update):
                return False
            self.entries.append(entry)
            self.updates.append(update)
            self._last_at = self._clock()
            return True

    def wait(self) -> float:
        """Return how many seconds to keep waiting for more; at 0 the action is complete and takes no more."""
        with self._lock:
            due = min(self._last_at + AWAITED_S, self._first_at + LONGEST_S) if self._may_go_on() else 0
            left = max(0.0, due - self._clock())
            self._closed = left == 0
            return left

    def close(self) -> None:
        """Stop waiting for more."""
        self._complete = True

    def _may_go_on(self) -> bool:
        last = self.updates[-1]
        if last.message is None or self._complete or last.kind != "message":
            return False
        return _may_have_more(last.message)


class Gathering:
    """The newest action of each person in each lane; in a group, others may write in between."""

    def __init__(self) -> None:
        self._newest: dict[Hashable, Gathered] = {}

    def add(self, entry: Entry, update: Update) -> Gathered | None:
        """Return the action that an update begins, or None if it joins the current one."""
        whose = update.lane, update.speaker
        newest = self._newest.get(whose)
        if newest and newest.take(entry, update):
            return None
        gathered = Gathered(entry, update)
        if gathered.wait():
            self._newest[whose] = gathered
        else:
            self._newest.pop(whose, None)
        return gathered


def belongs(before: Update, update: Update) -> bool:
    """Return whether two consecutive updates are one action."""
    first, more = before.message, update.message
    if first is None or more is None or not before.kind == update.kind == "message":
        return False
    same = before.speaker == update.speaker and first.place == more.place
    if not same or not 0 <= more.date - first.date <= SAME_S:
        return False
    if first.album or more.album:
        return first.album == more.album or (first.foreign and more.foreign)
    if first.foreign or more.foreign:
        return first.foreign and more.foreign
    return _is_full(first) and not more.files and not is_command(more)


def _may_have_more(message: Message) -> bool:
    return bool(message.album) or (message.foreign and message.private) or _is_full(message)


def _is_full(message: Message) -> bool:
    return not message.files and utf16_len(message.text) >= NEARLY_FULL
