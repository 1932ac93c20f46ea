"""What belongs together: an album, a text that the client cut in pieces, messages forwarded at once.

Telegram hands each of them over as an update of its own. They are told by what it gives: the album's id,
or the same person in the same second behind a full message. Each is journalled as it comes, so a kill loses
nothing.
"""

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import replace

from dispatch.reading import is_command
from storage.journal import Entry
from telegram.splitting import LIMIT, utf16_len
from telegram.updates import Message, Update

AWAITED_S, LONGEST_S = 0.8, 2.0  # for more to come: since the last one, in all
SAME_S = 2  # seconds between the dates of what came at once
NEARLY_FULL = LIMIT - 200  # UTF-16 units: a client looks for a good place to cut at


class Gathered:
    """One action of a person: an update, or several that came at once."""

    def __init__(self, entry: Entry, update: Update, clock: Callable[[], float] = time.monotonic) -> None:
        self.entries, self.updates = [entry], [update]
        self._clock = clock
        self._lock = threading.Lock()
        self._first_at = self._last_at = clock()
        self._complete = False  # for whoever does not want to wait
        self._closed = False

    @property
    def messages(self) -> list[Message]:
        """What was written, in order."""
        return [
            replace(update.message, entry_id=entry.entry_id)
            for entry, update in zip(self.entries, self.updates, strict=True)
            if update.message
        ]

    def take(self, entry: Entry, update: Update) -> bool:
        """Add another update if it belongs to this action and nothing was made of that yet."""
        with self._lock:
            if self._closed or not belongs(self.updates[-1], update):
                return False
            self.entries.append(entry)
            self.updates.append(update)
            self._last_at = self._clock()
            return True

    def wait(self) -> float:
        """Return the seconds that more may take to come; with 0 it is complete, and takes up no more."""
        with self._lock:
            due = min(self._last_at + AWAITED_S, self._first_at + LONGEST_S) if self._may_go_on() else 0
            left = max(0.0, due - self._clock())
            self._closed = left == 0
            return left

    def close(self) -> None:
        """Take up no more, whatever may be on its way."""
        self._complete = True

    def _may_go_on(self) -> bool:
        last = self.updates[-1]
        if last.message is None or self._complete or last.kind != "message":
            return False
        return _may_have_more(last.message)


class Gathering:
    """The newest action of each person in each lane: in a group somebody else may write in its midst."""

    def __init__(self) -> None:
        self._newest: dict[Hashable, Gathered] = {}

    def add(self, entry: Entry, update: Update) -> Gathered | None:
        """Return the action that an update begins; None if it belongs to one that began before."""
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
    """Return whether two updates, one right behind the other, are one action of a person."""
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
    """Return whether more that belongs to it may be on its way."""
    return bool(message.album) or (message.foreign and message.private) or _is_full(message)


def _is_full(message: Message) -> bool:
    return not message.files and utf16_len(message.text) >= NEARLY_FULL
