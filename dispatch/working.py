"""Long work: done step by step in a lane of its own, with progress and a stop button."""

import logging
import sqlite3
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from dispatch.desk import Desk
from in_words import in_words, storage_trouble
from telegram.api import RefusedError
from telegram.attachments import Outgoing
from telegram.delivery import Pause, UndeliverableError
from telegram.outgoing import not_taken, outgoing
from telegram.replies import Button, Reply
from telegram.updates import Place

log = logging.getLogger(__name__)
STOPPED = "Остановлено."
STORAGE_PAUSE_S = 2.0


class Working:
    """A lane's job for one long work, called again after each step and each pause.

    The journal keeps the update that began it, so a killed work starts again, in the same message.
    """

    def __init__(
        self,
        desk: Desk,
        entry_id: int,
        place: Place,
        message_id: int,
        steps: Iterator[str | Reply],
    ) -> None:
        self._desk = desk
        self._work = desk.app.works[entry_id]
        self._entry_id = entry_id
        self._place = place
        self._message_id = message_id  # shows the progress, then the result
        self._steps = steps
        self._progress = ""
        self._outgoing: deque[Outgoing] = deque()
        self._reply = Reply()  # the last one

    def __call__(self) -> float | None:
        """Make one step; return the seconds until the next, or None when finished."""
        admitted = self._desk.app.gate.admits(self._work.user_id)
        if not self._work.ending and (self._work.stopped or not admitted):
            self._work.ending = True
            self._outgoing.clear()
            self._take(Reply(f"{STOPPED}\n{self._progress}".rstrip()))
        try:
            while self._outgoing:
                self._send(self._outgoing[0])
                self._outgoing.popleft()
            if self._work.ending:
                return self._end()
            self._take(self._next())
            self._note_advance()
        except Pause as exc:
            return exc.seconds
        except (UndeliverableError, RefusedError) as exc:
            log.warning("Работа %s: не доставлено (%s)", self._entry_id, exc)
            self._outgoing.clear()
            if isinstance(exc, RefusedError) and not self._work.ending:
                self._take(Reply(not_taken(self._reply)))
            self._work.ending = True
        return 0

    def _next(self) -> str | Reply | None:
        """Return the work's next progress text or reply; None when it is over."""
        try:
            return next(self._steps, None)
        except Exception as exc:  # noqa: BLE001 - in_words logs what is unexpected
            self._work.ending = True
            return Reply(in_words(exc))

    def _note_advance(self) -> None:
        """Take back the try once the work has advanced: it is no longer suspected of crashing the process."""
        if self._work.advanced:
            self._work.advanced = False
            self._desk.journal.count_try(self._entry_id, by=-1)

    def _take(self, news: str | Reply | None) -> None:
        if news is None:
            self._work.ending = True
        elif isinstance(news, Reply):
            if not news.document:  # a reply without a file is the result
                self._work.ending = True
            self._reply = news
            self._outgoing.extend(outgoing(replace(news, in_place=True), self._message_id))
        else:
            self._progress = news
            self._show()

    def _show(self) -> None:
        """Show the progress; skip it if Telegram asks to wait, since a newer one will follow."""
        stop = [[Button("⏹ Стоп", "stop", self._entry_id)]]
        with suppress(Pause, RefusedError):
            for call in outgoing(Reply(self._progress, buttons=stop, in_place=True), self._message_id):
                self._send(call)

    def _send(self, call: Outgoing) -> None:
        result = self._desk.delivery.attempt(self._place, call.method, **call.params)
        # If the message was gone, the edit sent a new one.
        if call.method == "edit_message_text" and isinstance(result, dict):
            self._message_id = result["message_id"]

    def _end(self) -> float | None:
        try:
            if self._reply.sent:
                self._reply.sent([self._message_id])
            if self._reply.then:
                self._reply.then([self._message_id])
            else:
                self._desk.journal.done(self._entry_id)
        except sqlite3.Error as exc:
            log.error("Работа %s: %s", self._entry_id, storage_trouble(exc) or exc)
            return STORAGE_PAUSE_S
        self._desk.app.works.pop(self._entry_id, None)
        return None
