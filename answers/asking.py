"""Puts one question to its model, and to other models where that may help."""

import logging
import math
import sqlite3
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from threading import Thread
from typing import TypeVar

from answers.about_notes import numbers_told, without_others
from answers.conversation import Told, request, room_of
from answers.media import Download, Files, can_read, needs
from answers.rendering import Rendered, Renderer
from db import Model
from openrouter_client import (
    Abort,
    Answer,
    Kind,
    OpenRouterError,
    Stream,
    Thinking,
    is_fallback,
    no_answer,
)
from settings import Settings
from storage.dialogue import Dialogue, Turn
from storage.journal import Journal
from storage.registry import Attempt, Registry
from telegram.delivery import Delivery
from telegram.updates import Place

log = logging.getLogger(__name__)
T = TypeVar("T")
SUBSTITUTES = 2  # each attempt, even a failed one, costs one of the day's free questions
LONGEST_WAIT_S = 60
STOP_S = 0.2  # the longest delay of a stop while files are fetched


@dataclass(frozen=True, slots=True)
class Question:
    """A turn that waits for its answer, and where the answer goes."""

    entry_id: int
    place: Place
    turn: Turn
    model: Model
    note: str = ""  # for the footer: why not the active model
    answered: Callable[[], object] | None = None  # called once an answer with any text is stored


@dataclass(frozen=True, slots=True)
class Tools:
    """What answering a question needs."""

    settings: Settings
    journal: Journal
    registry: Registry
    dialogue: Dialogue
    delivery: Delivery
    download: Download


@dataclass(slots=True)
class Outcome:
    """How a question ended: an answer, or an exception, or neither if somebody stopped it."""

    model: Model  # the one that answered, or was asked last
    answer: Answer | None = None
    error: Exception | None = None
    failures: list[tuple[Model, OpenRouterError]] = field(default_factory=list)  # all models that failed
    attempts: list[Attempt] = field(default_factory=list)
    asked: bool = False  # whether any model was asked


class Asking:
    """A question being asked: `steps` advances it, the attributes hold what has arrived so far."""

    def __init__(self, turn: Turn, model: Model, tools: Tools, abort: Abort) -> None:
        self.model = model
        self.text = ""
        self.thinking_since: float | None = None  # monotonic
        self.wait_s = 0  # while the account's limit per minute is used up; else 0
        self.outcome = Outcome(model)
        self._turn = turn
        self._told = numbers_told(turn)
        self._tools = tools
        self._abort = abort
        self._files = Files(tools.download)
        self._renderer = Renderer()
        self._deadline = time.monotonic() + tools.settings.ask_timeout

    @property
    def said(self) -> str:
        """The text so far, without note numbers that the model made up."""
        return self.text if self._told is None else without_others(self.text, self._told)

    def rendered(self) -> Rendered:
        """Return the text so far as messages."""
        return self._renderer.render(self.said)

    def steps(self, till_look_up: Callable[[], float]) -> Generator[None]:
        """Ask, and yield whenever something has arrived, or `till_look_up()` seconds have passed.

        At the end `outcome` is set. Raises nothing except when threads run out (`is_thread_shortage`).
        """
        self._till_look_up = till_look_up
        try:
            yield from self._ask_one_after_another()
        except _StoppedError:
            return
        except Exception as exc:  # `Answering` words it, and logs an unexpected one
            if is_thread_shortage(exc):
                raise
            self.outcome.error = exc

    def _ask_one_after_another(self) -> Generator[None]:
        left = self._candidates()
        while left and (self._seconds_left() >= 1 or not self.outcome.failures):
            model = self.model = self.outcome.model = left.pop(0)
            try:
                yield from self._ask(model)
            except OpenRouterError as exc:
                self.outcome.failures.append((model, exc))
                if exc.model_gone:
                    self._mark_gone(model)
                left = _may_help(exc, model, left)
            else:
                return
        self.outcome.error = self.outcome.failures[-1 if self.text else 0][1]

    def _candidates(self) -> list[Model]:
        """Return the model that should answer, then its substitutes, the second service's last."""
        registry, wanted = self._tools.registry, needs(self._turn)
        fallback = [
            model
            for model in registry.fallback()
            if model.id != self.model.id and can_read(model, self._turn)
        ]
        return [self.model, *registry.substitutes(self.model, wanted)[:SUBSTITUTES], *fallback]

    def _ask(self, model: Model) -> Generator[None]:
        """Ask one model; if the account's limit per minute is reached, wait and ask once more.

        Not after text has been shown: the model would repeat it.
        """
        try:
            yield from self._attempt(model)
        except OpenRouterError as exc:
            if exc.kind is not Kind.MINUTE_CAP or exc.partial:
                raise
            self.wait_s = min(LONGEST_WAIT_S, math.ceil(exc.retry_after_s or LONGEST_WAIT_S))
            until = time.monotonic() + min(self.wait_s, self._seconds_left())
            while not self._abort.is_set() and (left := until - time.monotonic()) > 0:
                yield
                self._abort.wait(min(left, self._till_look_up()))
            if self._abort.is_set() or self._seconds_left() < 1:
                raise
            self.wait_s = 0
            yield from self._attempt(model)

    def _attempt(self, model: Model) -> Generator[None]:
        self.thinking_since = None
        started = time.monotonic()
        try:
            answer = yield from self._listen(model)
        except OpenRouterError as exc:
            if exc.kind in (Kind.UPSTREAM, Kind.EMPTY):  # other kinds are not the model's fault
                self._note(model, started, failed=True)
            raise
        self._note(model, started, (answer.prompt_tokens or 0) + (answer.completion_tokens or 0))
        self.outcome.answer = answer

    def _listen(self, model: Model) -> Generator[None, None, Answer]:
        """Collect a model's answer; raises OpenRouterError, also for an answer with nothing visible."""
        settings = self._tools.settings
        messages, plugins = yield from self._compose(model)
        try:
            with Stream(
                messages,
                model=model.key,
                max_tokens=settings.max_tokens,
                timeout_s=self._seconds_left(),
                silence_s=settings.ask_timeout / 4,
                abort=self._abort,
                plugins=plugins,
            ) as stream:
                self.outcome.asked = True
                while not isinstance(news := stream.next(self._till_look_up()), Answer):
                    if isinstance(news, str):
                        self.text += news
                    elif isinstance(news, Thinking):
                        self.text = "" if news.takes_back else self.text
                        self.thinking_since = self.thinking_since or time.monotonic()
                    yield
        except OpenRouterError as exc:
            if not self.rendered().parts:
                self.text = exc.partial = ""
            raise
        if not self.rendered().parts:
            self.text = ""
            if not news.stopped:
                raise no_answer(news.finish_reason)
        return news

    def _compose(self, model: Model) -> Generator[None, None, Told]:
        """Return the messages and plugins for a model."""
        past = self._tools.dialogue.past(self._turn)

        def compose() -> Told:
            return request(self._turn, past, model, self._files, self._tools.settings.max_tokens)

        if not any(turn.media for turn in (self._turn, *past)):
            return compose()
        return (yield from self._beside(compose))

    def _beside(self, work: Callable[[], T]) -> Generator[None, None, T]:
        """Run slow work in a thread of its own, yielding while it runs, and return its result."""
        future: Future[T] = Future()

        def run() -> None:
            try:
                future.set_result(work())
            except Exception as exc:  # noqa: BLE001 - raised again by result()
                future.set_exception(exc)

        Thread(target=run, name="files", daemon=True).start()
        while not future.done():
            if self._abort.is_set():
                raise _StoppedError
            yield
            wait([future], min(STOP_S, self._till_look_up()))
        return future.result()

    def _note(self, model: Model, started: float, tokens: int = 0, *, failed: bool = False) -> None:
        ms = round(1000 * (time.monotonic() - started))
        self.outcome.attempts.append(Attempt(model.id, ms, tokens, failed))

    def _mark_gone(self, model: Model) -> None:
        """Mark a dead model in the registry; a full disk must not spoil an answer."""
        try:
            self._tools.registry.mark_gone(model)
        except sqlite3.OperationalError as exc:
            log.warning("Модель %s осталась в списке: %s", model.key, exc)

    def _seconds_left(self) -> float:
        return max(0.0, self._deadline - time.monotonic())


def _may_help(exc: OpenRouterError, failed: Model, others: list[Model]) -> list[Model]:
    """Return which of the other models may be asked after this error."""
    if exc.kind is Kind.TOO_LONG and not exc.partial:
        return [model for model in others if room_of(model) > room_of(failed)]
    elsewhere = [model for model in others if is_fallback(model.key) != is_fallback(failed.key)]
    if exc.is_of_the_service and elsewhere:
        return elsewhere
    return others if exc.falls_back else []


class _StoppedError(Exception):
    """Somebody pressed the stop button while files were being fetched."""


def is_thread_shortage(exc: BaseException) -> bool:
    """Return whether the machine has no more threads, which Python reports only in the exception's text."""
    return isinstance(exc, RuntimeError) and "new thread" in str(exc)
