"""Handling of one action: make the reply, deliver it, mark the update done in the journal."""

import logging
import sqlite3
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import replace

from db import FileReplacedError
from dispatch.desk import Desk
from dispatch.gathering import Gathered
from dispatch.reading import joined, read
from dispatch.replying import answer
from dispatch.working import STOPPED, Working
from in_words import UNEXPECTED, in_words, storage_trouble
from telegram.api import RefusedError
from telegram.attachments import Outgoing
from telegram.delivery import GIVE_UP_S, Pause, UndeliverableError
from telegram.outgoing import outgoing
from telegram.replies import Reply
from transfer.works import Work

log = logging.getLogger(__name__)
MAX_TRIES = 3
RETRY_S = 1.0
LONGEST_STORAGE_PAUSE_S = 15.0


class Handling:
    """A lane's job that handles one action; it is called again after each pause."""

    def __init__(self, gathered: Gathered, desk: Desk) -> None:
        self._gathered = gathered
        self._entry = gathered.entries[0]
        self._update = gathered.updates[0]
        self._desk = desk
        # Monotonic from here on; the wall clock only adds the time that passed before this run.
        self._since = time.monotonic() - max(0.0, time.time() - self._entry.received_at)
        self._reply = Reply()
        self._outgoing: deque[Outgoing] | None = None
        self._sent: list[int] = []
        self._tries = self._entry.tries
        self._storage_pause = 0.0

    def __call__(self) -> float | None:
        """Advance as far as possible; return the seconds until the next call, or None when finished."""
        try:
            return self._gathered.wait() or self._step()
        except FileReplacedError as exc:  # the journal is gone too; the polling loop stops the bot
            log.error("Обновление %s: %s", self._entry.entry_id, storage_trouble(exc))
            return None
        except sqlite3.Error as exc:
            trouble = storage_trouble(exc)
            if trouble is None:
                return self._failed(exc)
            return self._wait_for_storage(trouble)

    @property
    def _ids(self) -> list[int]:
        return [entry.entry_id for entry in self._gathered.entries]

    def _step(self) -> float | None:
        if fault := self._update.fault:
            log.error("Обновление %s отложено: %s", self._entry.entry_id, fault)
            self._desk.journal.park(*self._ids)
            return None
        try:
            if self._outgoing is None:
                self._outgoing = self._begin()
            while self._outgoing:
                instead = self._send(self._outgoing[0])
                self._outgoing.popleft()
                self._outgoing.extendleft(reversed(instead))
        except Pause as exc:
            return self._pause(exc.seconds)
        except UndeliverableError as exc:
            log.info("Обновление %s: ответить некому (%s)", self._entry.entry_id, exc)
            self._reply = Reply()
        except (sqlite3.Error, FileReplacedError):
            raise
        except Exception as exc:  # noqa: BLE001 - the lane must survive; the update is parked after three tries
            return self._failed(exc)
        self._end()
        return None

    def _begin(self) -> deque[Outgoing]:
        call = read(self._desk.app, self._entry, self._update, joined(self._gathered.messages))
        if call is None:
            return deque()
        # Somebody removed since this was journalled gets no answer, but a «⏳» must not stay in the chat.
        admitted = self._desk.app.gate.admits(call.user_id)
        self._reply = reply = answer(call) if admitted else Reply(STOPPED if call.answer_ids else "")
        if call.query_id:
            self._desk.delivery.toast(call.query_id, reply.notice)
        if not call.answer_ids:
            return deque(outgoing(reply, call.message.id))
        # An earlier run sent the placeholder: continue in it, or end it if the question cannot be asked now.
        self._sent = list(call.answer_ids)
        goes_on = reply.then or reply.later or reply.work
        return deque(() if goes_on else outgoing(replace(reply, in_place=True), call.answer_ids[0]))

    def _send(self, call: Outgoing) -> tuple[Outgoing, ...]:
        """Make a call; return the calls to make instead if Telegram refuses it."""
        try:
            result = self._desk.delivery.attempt(self._update.place, call.method, **call.params)
        except RefusedError as exc:
            if call.instead is None:
                raise
            log.info("Обновление %s: отправляю иначе (%s)", self._entry.entry_id, exc)
            return call.instead
        if call.method.startswith("edit_") and not isinstance(result, dict):
            result = {"message_id": call.params["message_id"]}
        messages = result if isinstance(result, list) else [result]
        self._sent += [message["message_id"] for message in messages if isinstance(message, dict)]
        return ()

    def _end(self) -> None:
        reply, journal = self._reply, self._desk.journal
        first, *others = self._ids
        if reply.then:
            reply.then(self._sent)
            journal.done(*others)
        elif reply.later:
            journal.answered_in(first, self._sent)
            self._desk.background.put(("later", first), self._go_on)
        elif reply.work:
            self._begin_work(reply.work())
            journal.done(*others)
        else:
            with self._desk.app.db.write():  # save the message ids and mark it done: both or neither
                if reply.sent:
                    reply.sent(self._sent)
                journal.done(first, *others)

    def _begin_work(self, steps: Iterator[str | Reply]) -> None:
        """Continue in this person's own work lane, where it holds up nobody else."""
        desk, entry_id, speaker = self._desk, self._entry.entry_id, self._update.speaker
        user_id = speaker.id if speaker else 0
        desk.journal.answered_in(entry_id, self._sent[:1])
        desk.app.works[entry_id] = Work(user_id)
        desk.work_lanes.put(user_id, Working(desk, entry_id, self._update.place, self._sent[0], steps))

    def _go_on(self) -> float | None:
        """Compute the slow part of the reply and edit it into the message that was sent at once."""
        if later := self._reply.later:
            try:
                reply = later()
            except Exception as exc:  # noqa: BLE001 - in_words logs what is unexpected
                reply = Reply(in_words(exc))
            self._reply = reply
            target = self._sent[0] if self._sent else self._gathered.messages[0].id
            self._sent = []
            self._outgoing = deque(outgoing(replace(reply, in_place=True), target))
        return self()

    def _pause(self, seconds: float) -> float | None:
        if time.monotonic() - self._since < GIVE_UP_S:
            return seconds
        log.error("Обновление %s: сутки не удавалось ответить, больше не пытаюсь", self._entry.entry_id)
        self._desk.journal.done(*self._ids)
        return None

    def _failed(self, exc: Exception) -> float | None:
        self._tries += 1
        number, tries = self._entry.entry_id, self._tries
        log.error("Обновление %s не обработано (%s-я попытка)", number, tries, exc_info=exc)
        self._desk.journal.count_try(number)
        if self._tries < MAX_TRIES:
            return RETRY_S
        self.park()
        return None

    def park(self) -> None:
        """Give up on the update, and try to tell the person."""
        log.error("Обновление %s отложено после %s попыток", self._entry.entry_id, self._tries)
        self._desk.journal.park(*self._ids)
        begun = self._sent or self._entry.answer_ids
        self._desk.tell(self._update, UNEXPECTED, instead_of=begun[0] if begun else None)

    def _wait_for_storage(self, trouble: str) -> float:
        if not self._storage_pause:
            log.error("База данных: %s", trouble)
            if self._outgoing is None:  # else it is answered, only not marked done yet
                self._desk.tell_of_trouble(self._update, trouble)
        self._storage_pause = min(LONGEST_STORAGE_PAUSE_S, 2 * self._storage_pause or 0.5)
        return self._storage_pause
