"""Sending to Telegram, the one place for it: when something is sent, and what happens if it is refused."""

import logging
import random
import threading
import time
from collections.abc import Callable
from typing import Any

from telegram.api import Door, RefusedError, UnreachableError
from telegram.lines import first_line
from telegram.updates import Place

log = logging.getLogger(__name__)
LONGEST_PAUSE_S = 30
GIVE_UP_S = 86_400  # of trying to deliver one answer
# Between two edits in one chat. Telegram publishes no figure; bots that edit twice a second get 429s of
# minutes. The margin is for the network: calls sent 1.2 s apart may arrive closer together.
EDIT_PAUSE_S, GROUP_EDIT_PAUSE_S = 1.25, 3.05
MAX_SLOWER = 8  # times, after repeated 429s
HALVED_AFTER_S = 6.5  # each time, so even the slowest chat is at full pace after twenty seconds
MAX_TOAST = 200  # characters


class Pause(Exception):  # noqa: N818 - not an error, only a wait
    """Not now; try again in `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class UndeliverableError(Exception):
    """The chat cannot be written to: the bot is blocked or removed, or the chat is gone."""


class Delivery:
    """Sends and edits, one attempt per call; a chat that has to wait does not delay the others."""

    def __init__(self, door: Door, clock: Callable[[], float] = time.monotonic) -> None:
        self._door = door
        self._clock = clock  # seconds; all times below are from it
        self._lock = threading.Lock()
        self._not_before: dict[int, float] = {}  # chat -> time
        self._failures: dict[int, int] = {}  # chat -> failed calls in a row
        self._next_edit: dict[int, float] = {}  # chat -> time
        self._slower: dict[int, tuple[float, float]] = {}  # chat -> (factor, time when it begins to fade)
        self._moved: dict[int, int] = {}  # group -> the supergroup that replaced it
        self._plain: set[tuple[int, int]] = set()  # messages whose entities were refused

    def attempt(self, place: Place, method: str, **params: Any) -> Any:
        """Make one call for a chat and its topic; raises Pause, UndeliverableError, or RefusedError.

        Returns Telegram's result: a message, a list of messages, True, or None if an edit changes nothing.
        RefusedError means that the call is wrong.
        """
        chat_id = self._moved.get(place.chat_id, place.chat_id)
        if place.thread_id and method.startswith("send_"):
            params["message_thread_id"] = place.thread_id
        edits = method == "edit_message_text"
        self._take_turn(chat_id, edits=edits)
        if edits and (chat_id, params["message_id"]) in self._plain:
            params["entities"] = None
        try:
            result = self._door.call(method, chat_id=chat_id, **params)
        except UnreachableError as exc:
            raise self._broken(chat_id, exc) from None
        except RefusedError as exc:
            return self._refused(exc, place, chat_id, method, params)
        finally:
            if edits:
                self._next_edit[chat_id] = self._clock() + self._edit_pause(chat_id)
        with self._lock:
            self._failures.pop(chat_id, None)
            if self._not_before.get(chat_id, 0) < self._clock():  # else another thread has just got a 429
                self._not_before.pop(chat_id, None)
        return result

    def _take_turn(self, chat_id: int, *, edits: bool) -> None:
        """Raise Pause if the chat has to wait, or if an edit follows another one too soon."""
        with self._lock:
            due = max(self._not_before.get(chat_id, 0), self._next_edit.get(chat_id, 0) if edits else 0)
            wait = due - self._clock()
            if wait > 0:
                raise Pause(wait)
            if edits:  # set again when the call has returned
                self._next_edit[chat_id] = self._clock() + self._edit_pause(chat_id)

    def _edit_pause(self, chat_id: int) -> float:
        return (GROUP_EDIT_PAUSE_S if chat_id < 0 else EDIT_PAUSE_S) * self._slowness(chat_id)

    def _slowness(self, chat_id: int) -> float:
        """Return how many times slower than usual a chat is edited; it decreases after the last 429."""
        factor, since = self._slower.get(chat_id, (1.0, 0.0))
        halvings = max(0.0, self._clock() - since) // HALVED_AFTER_S
        return float(max(1.0, factor / 2.0 ** min(halvings, 10)))

    def _refused(
        self, exc: RefusedError, place: Place, chat_id: int, method: str, params: dict[str, Any]
    ) -> Any:
        if exc.code == 429:
            raise self._too_many(chat_id, exc) from None
        if exc.code >= 500 or exc.code in (401, 409):  # the polling loop handles a revoked token
            raise self._broken(chat_id, exc) from None
        if exc.moved_to and place.chat_id not in self._moved:
            self._moved[place.chat_id] = exc.moved_to
            return self.attempt(place, method, **params)
        if _is_final(exc, method):
            raise UndeliverableError(str(exc)) from None
        if exc.says("message is not modified", "message_not_modified"):
            return None
        if method == "edit_message_text" and _is_about_entities(exc, params):
            self._plain.add((chat_id, params["message_id"]))  # the refused edit counts, so the next must wait
            raise Pause(self._edit_pause(chat_id)) from None
        plainer = self._plainer(exc, method, params)
        if plainer is None:
            raise exc
        log.warning("Telegram не принял сообщение, отправляю проще: %s", exc)
        self._next_edit.pop(chat_id, None)  # nothing was edited
        plainer_method, plainer_params = plainer
        return self.attempt(place, plainer_method, **plainer_params)

    @staticmethod
    def _plainer(exc: RefusedError, method: str, params: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
        """Return the call without the refused part, or None if the refusal has another reason."""
        if _is_about_entities(exc, params):
            return method, params | {"entities": None}
        if params.get("reply_parameters") and exc.says(*_NOT_QUOTED):
            return method, params | {"reply_parameters": None}
        if params.get("reply_markup") and "text" in params and exc.says(*_NO_BUTTONS):
            return method, params | {"reply_markup": None}
        if method == "edit_message_text" and exc.says(*_NOT_EDITED):
            return "send_message", {name: value for name, value in params.items() if name != "message_id"}
        return None

    def _too_many(self, chat_id: int, exc: RefusedError) -> Pause:
        """Pause as long as Telegram says, or with backoff if it says nothing; edit more slowly afterwards."""
        pause = exc.retry_after or self._growing_pause(chat_id)
        factor = min(MAX_SLOWER, 2 * self._slowness(chat_id))
        self._slower[chat_id] = factor, self._clock() + pause
        return self._pause(chat_id, pause)

    def _broken(self, chat_id: int, exc: Exception) -> Pause:
        pause = self._growing_pause(chat_id)
        log.warning("Не доставлено (%s), повтор через %.1f с", exc, pause)
        return self._pause(chat_id, pause)

    def _growing_pause(self, chat_id: int) -> float:
        with self._lock:
            failures = self._failures[chat_id] = self._failures.get(chat_id, 0) + 1
        return backoff(failures, LONGEST_PAUSE_S)

    def _pause(self, chat_id: int, seconds: float) -> Pause:
        with self._lock:
            self._not_before[chat_id] = self._clock() + seconds
        return Pause(seconds)

    def toast(self, query_id: str, text: str) -> None:
        """Answer a pressed button; a failure is only logged."""
        text = first_line(text, MAX_TOAST)
        try:
            self._door.call("answer_callback_query", callback_query_id=query_id, text=text)
        except (RefusedError, UnreachableError) as exc:
            log.info("Ответ на кнопку не принят: %s", exc)

    def typing(self, place: Place) -> None:
        """Show «печатает…» for five seconds; a failure is only logged."""
        chat_id, thread_id = self._moved.get(place.chat_id, place.chat_id), place.thread_id
        if self._not_before.get(chat_id, 0) > self._clock():
            return
        try:
            self._door.call("send_chat_action", chat_id=chat_id, action="typing", message_thread_id=thread_id)
        except UnreachableError as exc:
            log.info("«печатает…» не показано: %s", exc)
        except RefusedError as exc:
            if exc.code == 429:
                self._too_many(chat_id, exc)


# Refusals that stay the same however often the call is repeated in this chat or topic. The wordings:
# https://github.com/tdlib/telegram-bot-api/blob/master/telegram-bot-api/Client.cpp
_FINAL = (
    *("chat not found", "user not found", "user is deactivated", "group chat was upgraded"),
    *("group chat was deactivated", "bot is not a member", "bot was kicked", "bot was blocked"),
    *("peer_id_invalid", "chat_id_invalid", "channel_private", "channel_invalid", "user_is_blocked"),
    *("input_user_deactivated", "user_deleted", "chat_restricted", "user_banned_in_channel"),
    *("not enough rights", "have no rights", "have no write access", "need administrator rights"),
    *("chat_write_forbidden", "chat_admin_required", "_forbidden", "chat_guest_send"),
    *("_required", "_groups_blocked", "_monoforum_", "frozen_"),
    *("topic_closed", "topic_deleted", "topic_id_invalid", "message thread not found"),
)
# A group, or a person's privacy settings, may forbid a kind of file and still allow text:
# https://github.com/openclaw/openclaw/pull/1725
_NO_SUCH_FILES = ("not enough rights", "have no rights", "_forbidden")
_NOT_QUOTED = ("replied not found", "reply not found", "reply_message_id_invalid", "quote_text_invalid")
_NO_BUTTONS = ("button_", "reply markup", "keyboard")
_NOT_EDITED = (
    *("to edit not found", "message not found", "can't be edited"),
    *("message_id_invalid", "message_edit_time_expired"),
)


def _is_final(exc: RefusedError, method: str) -> bool:
    """Return whether the chat cannot be written to, so that neither a retry nor an error message helps."""
    is_file = method.startswith("send_") and method != "send_message"
    forbids_file = is_file and exc.says(*_NO_SUCH_FILES)
    return exc.code == 403 or (exc.says(*_FINAL) and not forbids_file)


def _is_about_entities(exc: RefusedError, params: dict[str, Any]) -> bool:
    """Return whether the text may be accepted without its entities, which also count towards its length."""
    return bool(params.get("entities")) and exc.says(
        "entit", "parse", "message is too long", "message_too_long"
    )


def backoff(failures: int, longest: float) -> float:
    """Return the seconds to wait after `failures` in a row: exponential, with jitter, at most `longest`."""
    # The exponent is capped: after a night of failures the power would overflow a float.
    return min(longest, 0.25 * 2.0 ** min(failures, 10) * random.uniform(0.75, 1.25))  # noqa: S311 - no secret
