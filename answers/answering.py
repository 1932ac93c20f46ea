"""An answer as the person sees it grow: its messages, its footer, its buttons, and its end."""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from answers.asking import Asking, Outcome
from answers.conversation import Download
from answers.screen import Screen
from db import Model
from in_words import UNEXPECTED, in_words, storage_trouble
from openrouter.parse import whole
from openrouter_client import Kind, OpenRouterError
from settings import Settings
from storage.dialogue import Dialogue, Turn
from storage.journal import Journal
from storage.registry import Registry
from telegram.api import RefusedError
from telegram.delivery import GIVE_UP_S, Delivery, Pause, UndeliverableError
from telegram.markdown import to_parts
from telegram.replies import Button, Buttons
from telegram.splitting import Part, split
from telegram.updates import Place

log = logging.getLogger(__name__)
TYPING_S = 4  # Telegram shows «печатает…» for five seconds
FIRST_WORDS_S = 0.15  # so that the first edit shows words and not a letter
LONGEST_GAP_S = 3
THOUGHT_S = 5  # how often it is said for how long the model has been thinking
STORAGE_PAUSE_S = 2
STOPPED = "остановлено"
INCOMPLETE = "… ответ неполный: исчерпан MAX_TOKENS."


@dataclass(frozen=True, slots=True)
class Question:
    """A turn that waits for its answer, and where that belongs."""

    entry_id: int
    place: Place
    turn: Turn
    model: Model
    note: str = ""  # for the footer: why not the active model


@dataclass(frozen=True, slots=True)
class Tools:
    """What an answer needs."""

    settings: Settings
    journal: Journal
    registry: Registry
    dialogue: Dialogue
    delivery: Delivery
    download: Download


class AbandonedError(Exception):
    """The program ends; the question stays in the journal."""


class Answering:
    """A question, and the messages that its answer grows in; a thread of its own."""

    def __init__(self, question: Question, messages: list[int], tools: Tools) -> None:
        self.question = question
        self._tools = tools
        self._screen = Screen(tools.delivery, question.place, messages, self._remember)
        self._news = threading.Event()  # something came, or it is over
        self._over = threading.Event()  # answered, failed, stopped, abandoned
        self._abandoned = threading.Event()
        self._stopped = False
        self._begun_at = self._drafted_at = 0.0  # the first words, the last edit; monotonic
        self._typed_at = 0.0
        self._started = time.monotonic()
        self._asking = Asking(
            question.turn,
            question.model,
            tools.settings,
            tools.registry,
            tools.dialogue,
            tools.download,
            self._on_news,
        )

    def stop(self) -> None:
        """End it, for the person: what has come stays."""
        self._stopped = True
        self._interrupt()

    def abandon(self) -> None:
        """End it, for the program: the journal keeps the question."""
        self._abandoned.set()
        self._interrupt()

    def run(self) -> None:
        """Answer the question, whatever happens on the way."""
        self._started = time.monotonic()
        try:
            self._watch()
            self._conclude()
        except AbandonedError:
            log.info("Вопрос %s остаётся в журнале", self.question.entry_id)
        except UndeliverableError as exc:
            log.info("Вопрос %s: ответить некому (%s)", self.question.entry_id, exc)
            self._tools.journal.done(self.question.entry_id)
        except Exception:
            log.exception("Вопрос %s отложен", self.question.entry_id)
            self._tools.journal.park(self.question.entry_id)
            with suppress(Pause, UndeliverableError, RefusedError):
                self._screen.step(split(UNEXPECTED), ())
        finally:
            self._interrupt()

    def _interrupt(self) -> None:
        self._over.set()
        self._news.set()
        self._asking.stop()

    def _on_news(self) -> None:
        if self._asking.outcome is not None:
            self._over.set()
        self._news.set()

    # While the model is at it

    def _watch(self) -> None:
        """Show what comes until it is over."""
        if not self._stopped:
            self._asking.start()
        while not self._over.is_set():
            self._type()
            self._show_draft()
            self._news.wait(1)
            self._news.clear()
        if self._abandoned.is_set():
            raise AbandonedError

    def _type(self) -> None:
        if not self._over.is_set() and time.monotonic() - self._typed_at >= TYPING_S:
            self._typed_at = time.monotonic()
            self._tools.delivery.typing(self.question.place)

    def _show_draft(self) -> None:
        """Show what has come so far, as soon as the chat's pace allows another edit."""
        asking = self._asking
        if not (asking.text or asking.thinking_since or asking.wait_s):
            return  # the reply that began it says all there is
        if asking.text and not self._begun_at:
            self._begun_at = time.monotonic()
            self._over.wait(FIRST_WORDS_S)
        elif asking.text and (early := self._drafted_at + self._gap() - time.monotonic()) > 0:
            self._over.wait(min(early, 1))
            return
        while not self._over.is_set():
            try:
                if self._screen.step(self._draft(), stop_button(self.question.entry_id)):
                    self._drafted_at = time.monotonic()
                return
            except Pause as exc:
                self._over.wait(exc.seconds)
            except RefusedError as exc:  # of a draft; the answer itself may still pass
                log.warning("Черновик ответа не принят: %s", exc)
                return

    def _gap(self) -> float:
        """Return the seconds between two drafts: the longer it lasts, the more.

        The last edit has to keep the pace, too, so each draft is a chance that it comes late.
        """
        return min(LONGEST_GAP_S, max(0.0, self._drafted_at - self._begun_at) / 3)

    def _draft(self) -> list[Part]:
        asking = self._asking
        if asking.text.strip():
            return to_parts(asking.text)
        draft = waiting(asking.model)
        if asking.wait_s:
            draft += f"\nЛимит вопросов в минуту исчерпан, жду {asking.wait_s} с."
        elif asking.thinking_since:
            thought = int((time.monotonic() - asking.thinking_since) // THOUGHT_S) * THOUGHT_S
            draft += f"\nДумает{f', уже {thought} с' if thought else ''}…"
        return split(draft)

    # When it is over

    def _conclude(self) -> None:
        """Show the end of it, and keep it in the conversation."""
        outcome = self._asking.outcome or Outcome(self._asking.model)
        text = whole(self._asking.text).strip()
        parts = self._patiently(lambda: self._final_parts(text, outcome))
        finish_reason = outcome.answer.finish_reason if outcome.answer else None
        buttons = self._buttons(text, finish_reason)
        self._keep(text, finish_reason)  # before the last edit, which may be replied to at once
        while self._patiently(lambda: self._screen.step(parts, buttons)):
            pass
        self._keep(text, finish_reason)
        self._patiently(lambda: self._tools.journal.done(self.question.entry_id))

    def _keep(self, text: str, finish_reason: str | None) -> None:
        turn, chat_id = self.question.turn, self.question.place.chat_id
        self._patiently(
            lambda: self._tools.dialogue.finish(turn.id, text, finish_reason, chat_id, self._screen.messages)
        )

    def _final_parts(self, text: str, outcome: Outcome) -> list[Part]:
        if outcome.error is not None and not self._stopped:
            sentence = in_words(outcome.error)
            return to_parts(text, f"\n\n{sentence}") if text else split(sentence)
        if not text:
            return split(f"{STOPPED.capitalize()}.")
        return to_parts(text, self._ending(outcome))

    def _ending(self, outcome: Outcome) -> str:
        """Return what stands below the answer: what is the matter with it, and the footer."""
        lines = []
        if outcome.answer and outcome.answer.finish_reason == "length":
            lines.append(INCOMPLETE)
        if replaced := self._tools.registry.replaced_untold():
            lines.append(f"⚠ {replaced} больше недоступна, активной стала другая модель: /models")
        return "".join(f"\n\n{line}" for line in [*lines, self._footer(outcome)])

    def _footer(self, outcome: Outcome) -> str:
        ms = outcome.answer.latency_ms if outcome.answer else round(1000 * (time.monotonic() - self._started))
        notes = [f"{ms} мс", f"модель: {outcome.model.key}"]
        notes += [self.question.note] if self.question.note else []
        notes += [_why_not(model, exc) for model, exc in outcome.failures]
        notes += [STOPPED] if self._stopped else []
        return f"({'; '.join(notes)})"

    def _buttons(self, text: str, finish_reason: str | None) -> Buttons:
        turn_id = self.question.turn.id
        again, other = Button("🔁 Ещё раз", "again", turn_id), Button("🤖 Другая модель", "other", turn_id)
        if not text:
            return [[again, other]]
        go_on = [Button("➡️ Продолжить", "more", turn_id)] if finish_reason == "length" else []
        return [[again, *go_on], [Button("📝 В заметки", "save", turn_id), other]]

    def _remember(self, messages: list[int]) -> None:
        self._patiently(lambda: self._tools.journal.answered_in(self.question.entry_id, messages))

    def _patiently(self, step: Callable[[], Any]) -> Any:
        """Do one step, trying again until Telegram and the disk let it; raises AbandonedError."""
        while True:
            try:
                return step()
            except Pause as exc:
                pause = exc.seconds
            except sqlite3.Error as exc:
                if storage_trouble(exc) is None:
                    raise
                log.error("Вопрос %s: %s", self.question.entry_id, storage_trouble(exc))
                pause = STORAGE_PAUSE_S
            if self._abandoned.wait(pause):
                raise AbandonedError
            if time.monotonic() - self._started > GIVE_UP_S:
                raise UndeliverableError("сутки не удавалось ответить")


def waiting(model: Model) -> str:
    """Return what stands in the place of an answer until its first word."""
    return f"⏳ {model.label}"


def stop_button(entry_id: int) -> Buttons:
    """Return the button under an answer that is on its way."""
    return [[Button("⏹ Стоп", "stop", entry_id)]]


def _why_not(model: Model, exc: OpenRouterError) -> str:
    return f"{model.key}: пустой ответ" if exc.kind is Kind.EMPTY else f"{model.key} недоступна: {exc.status}"
