"""From an update to its delivered answer: read it, call its handler, deliver the reply, mark it done."""

import logging
import re
import sqlite3
import time
from collections import deque
from dataclasses import replace
from typing import Any

from commands import BUTTONS, COMMANDS, App, Call, WrongArgumentsError
from handlers import ask, basics
from in_words import UNEXPECTED, in_words, storage_trouble
from storage.journal import Entry, Journal
from telegram.api import RefusedError
from telegram.delivery import GIVE_UP_S, Delivery, Outgoing, Pause, UndeliverableError, outgoing, quote
from telegram.replies import Reply, UserError
from telegram.updates import chat_id_of, dig

log = logging.getLogger(__name__)
MAX_TRIES = 3
RETRY_S = 1.0
GONE = "Остановлено."
LONGEST_STORAGE_PAUSE_S = 15.0


class UnreadableUpdateError(Exception):
    """An update in a shape that we do not know."""


def read(app: App, update: Entry) -> Call | None:
    """Make a Call of an update; None for what nobody expects an answer to. Raises UnreadableUpdateError."""
    try:
        if query := update.body.get("callback_query"):
            return _read_button(app, update, query)
        if message := update.body.get("message"):
            return _read_message(app, update, message)
    except (KeyError, TypeError, AttributeError) as exc:
        raise UnreadableUpdateError(f"{type(exc).__name__}: {exc}") from None
    return None


def _read_message(app: App, update: Entry, message: dict[str, Any]) -> Call | None:
    text = message.get("text") or message.get("caption") or ""
    found = re.match(r"/(\w+)(?:@(\w+))?(?:\s+|$)", text)
    if found and found[2] and found[2].lower() != app.username.lower():
        return None  # for another bot
    name, args = (found[1].lower(), text[found.end() :]) if found else ("", text)
    return _call(app, update, message["from"], message, name=name, args=args)


def _read_button(app: App, update: Entry, query: dict[str, Any]) -> Call | None:
    if "message" not in query:
        return None
    name, _, data = query.get("data", "").partition(":")
    return _call(app, update, query["from"], query["message"], name=name, args=data, query_id=query["id"])


def _call(app: App, update: Entry, person: dict[str, Any], message: dict[str, Any], **more: Any) -> Call:
    return Call(
        app,
        update_id=update.entry_id,
        user_id=person["id"],
        chat_id=message["chat"]["id"],
        private=message["chat"]["type"] == "private",
        message_id=message["message_id"],
        date=update.received_at if "query_id" in more else message["date"],
        message=message,
        answer_ids=update.answer_ids,
        **more,
    )


def answer(call: Call) -> Reply:
    """Call the handler, and make its reply, or what it raised, a Reply.

    Trouble with the file itself passes through: the update waits in the journal until it is over.
    """
    try:
        reply = _run(call)
    except Exception as exc:  # every answer, even that to a mistake of ours, is made here
        if isinstance(exc, sqlite3.Error) and storage_trouble(exc):
            raise
        sentence = in_words(exc)
        reply = Reply(notice=sentence) if call.query_id else Reply(sentence)
    return Reply(reply) if isinstance(reply, str) else reply


def _run(call: Call) -> Reply | str:
    if call.query_id:
        return _press(call)
    if not call.name:
        return ask.plain_message(call)
    command = COMMANDS.get(call.name)
    if command is None:
        return basics.unknown_command(call)
    if command.owner_only:
        basics.owner_only(call)
    try:
        return command.run(call)
    except WrongArgumentsError:
        raise UserError(command.wrong) from None


def _press(call: Call) -> Reply | str:
    # A button of an older version, or data that somebody made up, is no error of ours.
    gone = Reply(notice="Эта кнопка больше не действует.")
    press = BUTTONS.get(call.name)
    try:
        return press(call) if press else gone
    except WrongArgumentsError:
        return gone


class Handling:
    """One update on its way to its answer: a job for a lane, called again after each pause."""

    def __init__(self, app: App, update: Entry, journal: Journal, delivery: Delivery) -> None:
        self._app = app
        self._update = update
        self._journal = journal
        self._delivery = delivery
        self._reply = Reply()
        self._outgoing: deque[Outgoing] | None = None
        self._sent: list[int] = []
        self._tries = update.tries
        self._storage_pause = 0.0

    def __call__(self) -> float | None:
        """Go on as far as possible; returns the seconds to wait, or None when there is no more to do."""
        try:
            return self._step()
        except sqlite3.Error as exc:
            trouble = storage_trouble(exc)
            if trouble is None:
                return self._failed(exc)
            return self._wait_for_storage(trouble)

    def _step(self) -> float | None:
        try:
            if self._outgoing is None:
                self._outgoing = self._begin()
            while self._outgoing:
                self._send(*self._outgoing[0])
                self._outgoing.popleft()
        except Pause as exc:
            return self._pause(exc.seconds)
        except UndeliverableError as exc:
            log.info("Обновление %s: ответить некому (%s)", self._update.entry_id, exc)
            self._reply = Reply()
        except UnreadableUpdateError as exc:
            log.error("Обновление %s отложено: %s", self._update.entry_id, exc)
            self._journal.park(self._update.entry_id)
            return None
        except sqlite3.Error:
            raise
        except Exception as exc:  # noqa: BLE001 - a lane must live on; three times, then the update is parked
            return self._failed(exc)
        self._end()
        return None

    def _begin(self) -> deque[Outgoing]:
        call = read(self._app, self._update)
        if call is None:
            return deque()
        # Whoever was removed since this was journalled gets no answer, but no «⏳» is left standing.
        admitted = self._app.gate.admits(call.user_id)
        self._reply = reply = answer(call) if admitted else Reply(GONE if call.answer_ids else "")
        if call.query_id:
            self._delivery.toast(call.query_id, reply.notice)
        if not call.answer_ids:
            return deque(outgoing(reply, call.message_id))
        # An earlier run has sent the message in which this goes on; or ends, if it cannot be asked any more.
        self._sent = list(call.answer_ids)
        return deque(() if reply.then else outgoing(replace(reply, in_place=True), call.answer_ids[0]))

    def _send(self, method: str, params: dict[str, Any]) -> None:
        chat_id = chat_id_of(self._update.body)
        result = self._delivery.attempt(chat_id, method, **params)
        self._sent.append(result["message_id"] if isinstance(result, dict) else params["message_id"])

    def _end(self) -> None:
        if self._reply.then:
            self._reply.then(self._sent)
        else:
            self._journal.done(self._update.entry_id)

    def _pause(self, seconds: float) -> float | None:
        if time.time() < self._update.received_at + GIVE_UP_S:
            return seconds
        log.error("Обновление %s: сутки не удавалось ответить, больше не пытаюсь", self._update.entry_id)
        self._journal.done(self._update.entry_id)
        return None

    def _failed(self, exc: Exception) -> float | None:
        self._tries += 1
        number, tries = self._update.entry_id, self._tries
        log.error("Обновление %s не обработано (%s-я попытка)", number, tries, exc_info=exc)
        self._journal.count_try(self._update.entry_id)
        if self._tries < MAX_TRIES:
            return RETRY_S
        self.park()
        return None

    def park(self) -> None:
        """Put the update aside for good, and say so to the person if that is possible at all."""
        log.error("Обновление %s отложено после %s попыток", self._update.entry_id, self._tries)
        self._journal.park(self._update.entry_id)
        tell(self._delivery, self._update.body, UNEXPECTED)

    def _wait_for_storage(self, trouble: str) -> float:
        if not self._storage_pause:
            log.error("База данных: %s", trouble)
            if self._outgoing is None:  # else there is an answer, and only its end is not noted yet
                tell_of_trouble(self._delivery, self._update.body, trouble)
        self._storage_pause = min(LONGEST_STORAGE_PAUSE_S, 2 * self._storage_pause or 0.5)
        return self._storage_pause


def tell(delivery: Delivery, body: dict[str, Any], sentence: str) -> None:
    """Say something to whoever sent an update, once, if it works out."""
    try:
        delivery.attempt(
            chat_id_of(body),
            "send_message",
            text=sentence,
            reply_parameters=quote(dig(body, "message", "message_id")),
        )
    except (Pause, UndeliverableError, RefusedError) as exc:
        log.info("Не сказано (%s): %s", type(exc).__name__, sentence)


def tell_of_trouble(delivery: Delivery, body: dict[str, Any], trouble: str) -> None:
    """Say to whoever sent an update that the file cannot be used just now, and that nothing is lost."""
    tell(delivery, body, f"Не получилось: {trouble}. Сообщение не потеряно, отвечу, как только смогу.")
