"""What the polling loop gets: on disk before anything else, then to the lane of its chat."""

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
    """The way in, for one batch after another."""

    def __init__(self, desk: Desk, door: Door, lanes: Lanes, gathering: Gathering) -> None:
        self._desk = desk
        self._door = door
        self._lanes = lanes
        self._gathering = gathering
        self._inline = Inline(desk.app, door, lanes)
        self._told_of_trouble: set[int] = set()  # chats, until the disk can be written again

    def take(self, batch: object) -> int | None:
        """Take an answer to getUpdates; returns the offset that confirms it, None if it is empty.

        Raises NonsenseError for what holds no update at all, and what SQLite raises: nothing of it is
        confirmed then, so that it comes again.
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
        # Of this batch, not of all time: after a quiet week Telegram may number from lower down.
        return max(update.number for update in updates) + 1

    def publish_menu(self) -> None:
        """Let everybody's client show the commands, and the owner's its own."""
        app = self._desk.app
        self._lanes.put("menu", menu(self._door, app.gate, in_telegram=bool(app.settings.token)))

    def _journalled(self, updates: list[Update]) -> list[tuple[Entry, Update]]:
        """Put updates on disk, and return those that are new."""
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
        # The talk of a group's admins, who may stand behind its name, is left alone.
        heard = not update.stands_in or speaks_to(self._desk.app, update.message)
        refusal = gate.refusal(update) if heard else ""
        # A button waits for an answer, even an empty one.
        if refusal or (update.query_id and gate.spares_a_word()):
            self._lanes.put("strangers", lambda: self._refuse(update, refusal), costly=True)
        return False

    def _refuse(self, update: Update, refusal: str) -> None:
        if update.query_id:
            self._desk.delivery.toast(update.query_id, refusal)
        else:
            self._desk.tell(update, refusal)

    def _tell_of_trouble(self, updates: list[Update], exc: Exception) -> None:
        """Say once to each chat what is the matter."""
        trouble = storage_trouble(exc)
        for update in updates:
            if trouble and update.place.chat_id not in self._told_of_trouble:
                self._told_of_trouble.add(update.place.chat_id)
                self._desk.tell_of_trouble(update, trouble)
