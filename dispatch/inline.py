"""Inline queries: answered on their own lanes, and not journalled, since each expires in thirty seconds."""

import logging
import threading

from commands import App
from dispatch.lanes import Lanes
from handlers.inline import notes_to_paste
from telegram.api import Door, RefusedError, TelegramError
from telegram.inline import Choice, results
from telegram.updates import Update

log = logging.getLogger(__name__)


class Inline:
    """Answers inline queries; of each person only the newest."""

    def __init__(self, app: App, door: Door, lanes: Lanes) -> None:
        self._app = app
        self._door = door
        self._lanes = lanes
        self._lock = threading.Lock()
        self._newest: dict[int, Update] = {}

    def take(self, update: Update) -> None:
        """Queue an answer to a query; a newer query of the same person replaces it while it waits."""
        if update.speaker is None:
            return
        user_id = update.speaker.id
        with self._lock:
            self._newest[user_id] = update
        # Strangers share one low-priority lane, so that many of them delay nobody.
        known = self._app.gate.admits(user_id)
        lane = ("inline", user_id) if known else "strangers"
        self._lanes.put(lane, lambda: self._answer(user_id), costly=not known)

    def _answer(self, user_id: int) -> None:
        with self._lock:
            update = self._newest.pop(user_id, None)
        if update is None:
            return
        choices, following = self._choices(user_id, update)
        try:
            self._send(update, choices, following)
        except TelegramError as exc:
            log.info("Inline-запрос не отвечен: %s", exc)

    def _choices(self, user_id: int, update: Update) -> tuple[list[Choice], str]:
        if not self._app.gate.admits(user_id):
            return [], ""
        return notes_to_paste(self._app, user_id, update.data, update.offset)

    def _send(self, update: Update, choices: list[Choice], following: str) -> None:
        answer = {
            "inline_query_id": update.query_id,
            "cache_time": 0,
            "is_personal": True,
            "next_offset": following,
        }
        try:
            self._door.call("answer_inline_query", results=results(choices), **answer)
        except RefusedError as exc:
            if not any(choice.file for choice in choices) or exc.says("query is too old"):
                raise
            log.info("Inline-запрос: отправляю без файлов (%s)", exc)  # one missing file spoils all
            self._door.call("answer_inline_query", results=results(choices, files=False), **answer)
