"""One question put to its model, and to other models where that may help; a thread of its own."""

import logging
import math
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from answers.conversation import Download, needs, request
from db import Model
from openrouter_client import Abort, Answer, Kind, OpenRouterError, chat_once
from settings import Settings
from storage.dialogue import Dialogue, Turn
from storage.registry import Registry

log = logging.getLogger(__name__)
SUBSTITUTES = 2  # each attempt, failed ones too, costs one of the day's free questions
LONGEST_WAIT_S = 60


@dataclass(slots=True)
class Outcome:
    """How it ended: an answer, or an exception, or neither if somebody stopped it."""

    model: Model  # that answered, or was asked last
    answer: Answer | None = None
    error: Exception | None = None
    failures: list[tuple[Model, OpenRouterError]] = field(default_factory=list)  # of other models before


class Asking:
    """A question on its way; its public attributes are for whoever shows it, who is told when to look."""

    def __init__(
        self,
        turn: Turn,
        model: Model,
        settings: Settings,
        registry: Registry,
        dialogue: Dialogue,
        download: Download,
        tell: Callable[[], None],
    ) -> None:
        self.model = model
        self.text = ""
        self.thinking_since: float | None = None  # monotonic
        self.wait_s = 0  # that the account has to be silent
        self.outcome: Outcome | None = None  # None as long as it goes on
        self._turn = turn
        self._settings = settings
        self._registry = registry
        self._dialogue = dialogue
        self._download = download
        self._tell = tell  # called when there is something to see
        self._abort = Abort()
        self._deadline = 0.0

    def start(self) -> None:
        """Begin to ask; from now on the time counts."""
        self._deadline = time.monotonic() + self._settings.ask_timeout
        threading.Thread(target=self._run, name="model", daemon=True).start()

    def stop(self) -> None:
        """End it within a moment, wherever it is."""
        self._abort.set()

    def _run(self) -> None:
        outcome = Outcome(self.model)
        try:
            self._ask_one_after_another(outcome)
        except Exception as exc:  # noqa: BLE001 - whoever shows the answer words it, and logs what nobody expected
            outcome.error = exc
        self.outcome = outcome
        self._tell()

    def _ask_one_after_another(self, outcome: Outcome) -> None:
        others = self._registry.substitutes(self.model, needs(self._turn))[:SUBSTITUTES]
        for model in (self.model, *others):
            self.model = outcome.model = model
            try:
                outcome.answer = self._ask(model)
            except OpenRouterError as exc:
                outcome.failures.append((model, exc))
                if exc.partial or not exc.falls_back or self._left() < 1:
                    break
            else:
                return
        outcome.error = outcome.failures[-1 if self.text else 0][1]

    def _ask(self, model: Model) -> Answer:
        """Ask one model; a second time after the account's minute is over, if that was the matter."""
        try:
            return self._attempt(model)
        except OpenRouterError as exc:
            if exc.kind is not Kind.MINUTE_CAP:
                raise
            self.wait_s = min(LONGEST_WAIT_S, math.ceil(exc.retry_after_s or LONGEST_WAIT_S))
            self._tell()
            if self._abort.wait(min(self.wait_s, self._left())) or self._left() < 1:
                raise
            self.wait_s = 0
            return self._attempt(model)

    def _attempt(self, model: Model) -> Answer:
        self.thinking_since = None
        started = time.monotonic()
        past = self._dialogue.past(self._turn)
        messages, plugins = request(self._turn, past, model, self._download, self._settings.max_tokens)
        try:
            answer = chat_once(
                messages,
                model=model.key,
                max_tokens=self._settings.max_tokens,
                timeout_s=self._left(),
                silence_s=self._settings.ask_timeout / 4,
                on_text=self._on_text,
                on_thinking=self._on_thinking,
                abort=self._abort,
                plugins=plugins,
            )
        except OpenRouterError as exc:
            if exc.kind in (Kind.UPSTREAM, Kind.EMPTY):  # the rest is no fault of the model
                self._note(model, started, failed=True)
            raise
        self._note(model, started, (answer.prompt_tokens or 0) + (answer.completion_tokens or 0))
        return answer

    def _note(self, model: Model, started: float, tokens: int = 0, *, failed: bool = False) -> None:
        """Note the attempt for /usage; a full disk does not spoil an answer."""
        ms = round(1000 * (time.monotonic() - started))
        try:
            self._registry.note_attempt(self._turn.user_id, model, ms=ms, tokens=tokens, failed=failed)
        except sqlite3.OperationalError as exc:
            log.warning("Попытка не записана: %s", exc)

    def _left(self) -> float:
        return max(0.0, self._deadline - time.monotonic())

    def _on_text(self, piece: str) -> None:
        self.text += piece
        self._tell()

    def _on_thinking(self) -> None:
        self.thinking_since = self.thinking_since or time.monotonic()
        self._tell()
