"""An answer as the person sees it grow, from «⏳» to its buttons."""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from typing import Any

from answers import frame
from answers.asking import Asking, Question, Tools, is_thread_shortage
from answers.rendering import with_ending
from answers.screen import Screen
from db import FileReplacedError
from in_words import UNEXPECTED, in_words, storage_trouble
from openrouter_client import Abort
from telegram.api import RefusedError
from telegram.delivery import GIVE_UP_S, Pause, UndeliverableError
from telegram.splitting import Part, split

log = logging.getLogger(__name__)
TYPING_S = 4  # Telegram shows «печатает…» for five seconds
FIRST_WORDS_S = 0.15  # before the first edit, so that it shows words rather than one letter
LONGEST_GAP_S = 3
THOUGHT_S = 5  # between two values of the displayed thinking time
LOOK_UP_S = 1  # the longest wait for a silent model
STORAGE_PAUSE_S = 2


class AbandonedError(Exception):
    """The program is stopping; the question stays in the journal."""


class NoThreadsError(Exception):
    """The machine has no more threads; the question has to wait."""


class Answering:
    """A question, and the messages that its answer grows in; one thread both asks and shows."""

    def __init__(self, question: Question, messages: list[int], tools: Tools) -> None:
        self.question = question
        self.stopped = False
        self._tools = tools
        self._screen = Screen(tools.delivery, question.place, messages, self._remember)
        self._abort = Abort()
        self._abandoned = threading.Event()
        self._started = time.monotonic()
        self._typed_at = self._begun_at = self._due_at = 0.0  # for «печатает…», first words, next draft

    def stop(self) -> None:
        """Stop it for the person: the text so far stays."""
        self.stopped = True
        self._abort.set()

    def abandon(self) -> None:
        """Stop it because the program is stopping: the journal keeps the question."""
        self._abandoned.set()
        self._abort.set()

    def anew(self) -> "Answering":
        """Return the same question, not started yet, with the same messages."""
        again = Answering(self.question, self._screen.messages, self._tools)
        if self.stopped:
            again.stop()
        return again

    def run(self) -> None:
        """Answer the question, or say why not; raises only NoThreadsError."""
        question = self.question
        self._started = time.monotonic()
        self._asking = Asking(question.turn, question.model, self._tools, self._abort)
        try:
            self._grow()
            self._conclude()
        except AbandonedError:
            log.info("Вопрос %s остаётся в журнале", question.entry_id)
        except UndeliverableError as exc:
            log.info("Вопрос %s: ответить некому (%s)", question.entry_id, exc)
            self._tools.journal.done(question.entry_id)
        except FileReplacedError as exc:  # the journal is gone, too; the polling loop stops the bot
            log.error("Вопрос %s: %s", question.entry_id, storage_trouble(exc))
            self._say_at_last(in_words(exc))
        except Exception as exc:
            if is_thread_shortage(exc):
                raise NoThreadsError from None
            log.exception("Вопрос %s отложен", question.entry_id)
            self._tools.journal.park(question.entry_id)
            self._say_at_last(UNEXPECTED)

    def tell(self, sentence: str) -> None:
        """Replace the answer's placeholder with the reason it has not started; best effort."""
        with suppress(Pause, UndeliverableError, RefusedError):
            self._screen.step(split(sentence), frame.stop_button(self.question.entry_id))

    def _say_at_last(self, sentence: str) -> None:
        """Replace the answer's placeholder with the reason there is no answer; best effort."""
        with suppress(AbandonedError, UndeliverableError, RefusedError, FileReplacedError):
            self._patiently(lambda: self._screen.step(split(sentence), (), final=True))

    # While the model answers

    def _grow(self) -> None:
        """Ask, and show drafts until the answer is complete."""
        if not self.stopped:
            with closing(self._asking.steps(self._till_look_up)) as steps:
                for _ in steps:
                    self._type()
                    self._show_draft()
        if self._abandoned.is_set():
            raise AbandonedError

    def _till_look_up(self) -> float:
        """Return the seconds until something may be due here, even if the model stays silent."""
        early = self._due_at - time.monotonic()
        return min(early, LOOK_UP_S) if early > 0 else LOOK_UP_S

    def _type(self) -> None:
        if not self._abort.is_set() and time.monotonic() - self._typed_at >= TYPING_S:
            self._typed_at = time.monotonic()
            self._tools.delivery.typing(self.question.place)

    def _show_draft(self) -> None:
        """Show the text so far, if the chat's pace allows another edit."""
        asking, now = self._asking, time.monotonic()
        if not (asking.text or asking.thinking_since or asking.wait_s) or self._abort.is_set():
            return  # the placeholder already says everything
        if asking.text and not self._begun_at:
            self._begun_at = now
            self._due_at = max(self._due_at, now + FIRST_WORDS_S)
        if now < self._due_at:
            return
        try:
            if self._screen.step(self._draft(), frame.stop_button(self.question.entry_id)):
                now = time.monotonic()
                self._due_at = now + gap_s(now - self._begun_at) if self._begun_at else now
        except Pause as exc:
            self._due_at = now + exc.seconds
        except RefusedError as exc:  # only a draft: the complete answer may still be accepted
            log.warning("Черновик ответа не принят: %s", exc)
            self._due_at = now + LONGEST_GAP_S

    def _draft(self) -> list[Part]:
        asking = self._asking
        if parts := asking.rendered().parts:
            return parts
        draft = frame.waiting(asking.model)
        if asking.wait_s:
            draft += f"\nЛимит вопросов в минуту исчерпан, жду {asking.wait_s} с."
        elif asking.thinking_since:
            thought = int((time.monotonic() - asking.thinking_since) // THOUGHT_S) * THOUGHT_S
            draft += f"\nДумает{f', уже {thought} с' if thought else ''}…"
        return split(draft)

    # When the answer is complete

    def _conclude(self) -> None:
        """Store the answer, then show it: a button press or a reply may follow at once."""
        outcome, text = self._asking.outcome, self._asking.said.strip()
        reason = outcome.answer.finish_reason if outcome.answer else None
        parts = self._patiently(lambda: self._final_parts(text))
        buttons = frame.buttons(self.question.turn, outcome, text)
        self._patiently(
            lambda: self._tools.dialogue.finish(
                self.question.turn, text, reason, outcome.attempts, asked=outcome.asked
            )
        )
        if text and self.question.answered:
            self._patiently(self.question.answered)
        while self._patiently(lambda: self._screen.step(parts, buttons, final=True)):
            pass
        if not self._asking.rendered().whole:
            self._send_file(text)
        self._patiently(lambda: self._tools.journal.done(self.question.entry_id))

    def _final_parts(self, text: str) -> list[Part]:
        outcome, rendered = self._asking.outcome, self._asking.rendered()
        if outcome.error is not None and not self.stopped:
            sentence = in_words(outcome.error) + frame.elsewhere_too(outcome)
            return with_ending(rendered, f"\n\n{sentence}") if text else split(sentence)
        if not text:
            return split(f"{frame.STOPPED.capitalize()}.")
        return with_ending(rendered, "".join(f"\n\n{line}" for line in self._lines_below()))

    def _lines_below(self) -> list[str]:
        """Return the lines below the answer: warnings, then the footer."""
        outcome = self._asking.outcome
        lines = [outcome.answer.unfinished] if outcome.answer and outcome.answer.unfinished else []
        if replaced := self._tools.registry.replaced_untold():
            lines.append(f"⚠ {replaced} больше недоступна, активной стала другая модель: /models")
        ms = outcome.answer.latency_ms if outcome.answer else round(1000 * (time.monotonic() - self._started))
        return [*lines, frame.footer(outcome, ms, self.question.note, stopped=self.stopped)]

    def _send_file(self, text: str) -> None:
        try:
            self._patiently(lambda: self._screen.attach("answer.md", text))
        except (RefusedError, UndeliverableError) as exc:  # as a group may forbid files
            log.warning("Вопрос %s: файл не принят (%s)", self.question.entry_id, exc)

    def _remember(self, messages: list[int]) -> None:
        question = self.question
        self._patiently(
            lambda: self._tools.dialogue.stands_in(
                question.entry_id, question.turn.id, question.place.chat_id, messages
            )
        )

    def _patiently(self, step: Callable[[], Any]) -> Any:
        """Run a step, again while Telegram or the disk refuse; raises AbandonedError, UndeliverableError."""
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


def gap_s(age_s: float) -> float:
    """Return the seconds between two drafts of an answer that has been growing for `age_s` seconds.

    The last edit has to keep the chat's pace, too, so every draft may delay it.
    """
    return min(LONGEST_GAP_S, max(0.0, age_s) / 3)
