"""Intake of updates: each batch is written to the journal first, then queued by chat."""

import logging
import sqlite3

from commands import menu
from db import FileReplacedError
from dispatch.desk import Desk
from dispatch.gathering import Gathering
from dispatch.handling import Handling
from dispatch.inline import Inline
from dispatch.lanes import Lanes
from dispatch.reading import asks_a_model, speaks_to
from in_words import storage_trouble
from storage.journal import Entry
from telegram.api import Door
from telegram.patience import NonsenseError
from telegram.updates import Update, updates_in

log = logging.getLogger(__name__)


class Intake:
    """Takes the batches of the polling loop."""

    def __init__(self, desk: Desk, door: Door, lanes: Lanes, gathering: Gathering) -> None:
        self._desk = desk
        self._door = door
        self._lanes = lanes
        self._gathering = gathering
        self._inline = Inline(desk.app, door, lanes)
        self._told_of_trouble: set[int] = set()  # chats told so already; cleared by the next successful write

    def take(self, batch: object) -> int | None:
        """Take the result of getUpdates; return the offset that confirms it, or None if it is empty.

        Raises NonsenseError if it holds no valid update, and SQLite's errors. Nothing is confirmed then, so
        Telegram sends the batch again.
        """
        updates, sound = updates_in(batch)
        if not updates:
            if not sound:
                raise NonsenseError
            self._desk.app.db.check_file()
            return None
        if not sound:
            log.error("Telegram прислал не только обновления, остальное пропущено")
        for entry, update in self._journalled([update for update in updates if self._lets_pass(update)]):
            if gathered := self._gathering.add(entry, update):
                job = Handling(gathered, self._desk)
                self._lanes.put(update.lane, job, costly=asks_a_model(update.message))
        # The maximum of this batch, not of all time: after a quiet week Telegram may restart lower.
        return max(update.number for update in updates) + 1

    def publish_menu(self) -> None:
        """Publish the command menu for everybody, and the owner's own menu."""
        app = self._desk.app
        self._lanes.put("menu", menu(self._door, app.gate, in_telegram=bool(app.settings.token)))

    def _journalled(self, updates: list[Update]) -> list[tuple[Entry, Update]]:
        """Write updates to the journal; return the new ones with their entries."""
        if not updates:
            return []
        try:
            fresh = self._desk.journal.add([update.body for update in updates])
        except (sqlite3.Error, FileReplacedError) as exc:
            self._tell_of_trouble(updates, exc)
            raise
        self._told_of_trouble.clear()
        by_body = {id(update.body): update for update in updates}
        return [(entry, by_body[id(entry.body)]) for entry in fresh]

    def _lets_pass(self, update: Update) -> bool:
        if update.kind == "inline_query":
            self._inline.take(update)
            return False
        gate, owner = self._desk.app.gate, self._desk.app.gate.owner
        if gate.lets_pass(update):
            if gate.owner != owner:  # just now, by the one-time link
                self.publish_menu()
            return True
        # Admins may write in the group's name: their talk gets no refusal, only their commands to us do.
        heard = not update.stands_in or speaks_to(self._desk.app, update.message)
        refusal = gate.refusal(update) if heard else ""
        # The client waits for an answer to a pressed button, even an empty one.
        if refusal or (update.query_id and gate.spares_a_word()):
            self._lanes.put("strangers", lambda: self._refuse(update, refusal), costly=True)
        return False

    def _refuse(self, update: Update, refusal: str) -> None:
        if update.query_id:
            self._desk.delivery.toast(update.query_id, refusal)
        else:
            self._desk.tell(update, refusal)

    def _tell_of_trouble(self, updates: list[Update], exc: Exception) -> None:
        """Tell each chat once that the database cannot be used."""
        trouble = storage_trouble(exc)
        for update in updates:
            if trouble and update.place.chat_id not in self._told_of_trouble:
                self._told_of_trouble.add(update.place.chat_id)
                self._desk.tell_of_trouble(update, trouble)
