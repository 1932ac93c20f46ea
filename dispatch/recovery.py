"""Resume what an earlier run left unanswered, in order, and find the update that crashes the process.

The try is counted before each attempt, so a crash leaves a trace; an attempt that finishes, or is stopped by
an orderly shutdown, takes its try back. An update is parked after three crashes, or after six if it ran
together with others, since one of those may be to blame.
"""

import threading

from dispatch.desk import Desk
from dispatch.gathering import Gathering
from dispatch.handling import MAX_TRIES, Handling
from dispatch.lanes import Lanes
from storage.journal import Entry
from telegram.patience import StoppingError
from telegram.updates import Update, read


class Recovery:
    """Resumes the unanswered entries of the journal, one after another."""

    def __init__(self, desk: Desk, lanes: Lanes, gathering: Gathering, stopping: threading.Event) -> None:
        self._desk = desk
        self._lanes = lanes
        self._gathering = gathering
        self._stopping = stopping
        self._tried: set[int] = set()  # ids of entries

    def run(self) -> None:
        """Handle the unanswered entries; those that must wait go to their lanes. Raises StoppingError."""
        for entry in self._desk.journal.unanswered():
            if self._stopping.is_set():
                raise StoppingError
            self._take_up(entry)

    def _take_up(self, entry: Entry) -> None:
        update = read(entry.body)
        if self._waits_for_telegram(update):
            return
        gathered = self._gathering.add(entry, update)
        if gathered is None:
            return
        handling = Handling(gathered, self._desk)
        more_may_come = gathered.wait() > 0
        beside = more_may_come or bool(entry.answer_ids)  # it runs while others are tried
        if entry.tries >= (2 * MAX_TRIES if beside else MAX_TRIES):
            handling.park()
            return
        if self._lanes.is_idle(update.lane):  # else it waits its turn behind an earlier one
            self._desk.journal.count_try(entry.entry_id)
            self._tried.add(entry.entry_id)
            # One that waits for more runs together with others at first; alone only after three crashes.
            if not more_may_come or entry.tries >= MAX_TRIES:
                gathered.close()
                pause = handling()  # once a question is asked, it is no longer suspected
                if not self._goes_on(entry.entry_id):
                    self._take_back([entry.entry_id])
                if pause is None:
                    return
        self._lanes.put(update.lane, handling)

    def _goes_on(self, entry_id: int) -> bool:
        """Return whether a long job or a slow answer is still running, which may still crash the process."""
        return entry_id in self._desk.app.works or not self._desk.background.is_idle(("later", entry_id))

    def _waits_for_telegram(self, update: Update) -> bool:
        """Return whether it can only be answered in Telegram: the terminal serves nobody but the owner."""
        app = self._desk.app
        return not app.settings.token and not (update.speaker and app.gate.admits(update.speaker.id))

    def was_no_death(self) -> None:
        """Take back the tries of unfinished entries: the bot is shutting down normally."""
        self._take_back(list(self._tried))

    def _take_back(self, entry_ids: list[int]) -> None:
        self._tried -= set(entry_ids)
        self._desk.journal.count_try(*entry_ids, by=-1)
