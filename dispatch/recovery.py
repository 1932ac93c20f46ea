"""What an earlier run left unanswered, taken up again in order; what kills the process is found out.

Each is tried with its try counted beforehand, so a death leaves a trace. Whatever ends, or is stopped,
in order, has not killed anybody: its try is taken back. What died three times is put aside; what goes on
beside others, who may be the guilty ones, after twice as many.
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
    """Takes up the leftovers of the journal, one after another."""

    def __init__(self, desk: Desk, lanes: Lanes, gathering: Gathering, stopping: threading.Event) -> None:
        self._desk = desk
        self._lanes = lanes
        self._gathering = gathering
        self._stopping = stopping
        self._tried: set[int] = set()  # ids of entries

    def run(self) -> None:
        """Handle what is left; what has to wait goes on in its lane. Raises StoppingError."""
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
        beside = more_may_come or bool(entry.answer_ids)  # while others are tried, too
        if entry.tries >= (2 * MAX_TRIES if beside else MAX_TRIES):
            handling.park()
            return
        if self._lanes.is_idle(update.lane):  # else its turn comes, if need be after another start
            self._desk.journal.count_try(entry.entry_id)
            self._tried.add(entry.entry_id)
            # What waits for more to come is tried beside others first, and only when that went ill, alone.
            if not more_may_come or entry.tries >= MAX_TRIES:
                gathered.close()
                pause = handling()  # a question that is being asked is suspected no more
                if not self._goes_on(entry.entry_id):
                    self._take_back([entry.entry_id])
                if pause is None:
                    return
        self._lanes.put(update.lane, handling)

    def _goes_on(self, entry_id: int) -> bool:
        """Return whether there is work of minutes or an answer that comes later, which may kill yet."""
        return entry_id in self._desk.app.works or not self._desk.background.is_idle(("later", entry_id))

    def _waits_for_telegram(self, update: Update) -> bool:
        """Return whether it cannot be answered here: in the terminal there is nobody but its owner."""
        app = self._desk.app
        return not app.settings.token and not (update.speaker and app.gate.admits(update.speaker.id))

    def was_no_death(self) -> None:
        """Take back the tries of what is not done yet: the bot is stopped in order."""
        self._take_back(list(self._tried))

    def _take_back(self, entry_ids: list[int]) -> None:
        self._tried -= set(entry_ids)
        self._desk.journal.count_try(*entry_ids, by=-1)
