"""The queue of questions: how many each person may ask, and a thread for each running one."""

import logging
import threading
import time
from collections import Counter
from dataclasses import replace

from answers import frame
from answers.answering import Answering, NoThreadsError
from answers.asking import Question, Tools, is_thread_shortage
from telegram.replies import UserError
from telegram.updates import read

log = logging.getLogger(__name__)
RUNNING, WAITING = 2, 5  # per person
MOST_RUNNING = 100  # for all people together: each takes two threads, and all share one interpreter
TOO_MANY = f"Уже отвечаю на {RUNNING} ваших вопроса, и ещё {WAITING} ждут. Спросите, когда придёт ответ."
NO_THREADS = "Машина, где я работаю, перегружена. Вопрос не потерян: спрошу, как только смогу."
NO_THREADS_PAUSE_S = 5
CROWD, START_PAUSE_S = 32, 0.05  # with more running, one starts at a time: starting takes the most CPU


class Questions:
    """Runs the questions of all people in parallel, a few per person at a time."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._changed = threading.Condition()
        self._closed = False
        self._waiting: list[Answering] = []
        self._running: list[Answering] = []
        self._stopped_early: set[int] = set()  # journal numbers of questions stopped before they were queued
        self._rest_until = 0.0  # monotonic
        threading.Thread(target=self._start_one_after_another, name="questions", daemon=True).start()

    def check_room(self, user_id: int) -> None:
        """Raise UserError if this person already has as many questions here as is allowed."""
        with self._changed:
            if _of(user_id, self._running) >= RUNNING and _of(user_id, self._waiting) >= WAITING:
                raise UserError(TOO_MANY)

    def start(self, question: Question, messages: list[int]) -> None:
        """Store the question, and ask it when its turn comes; the answer grows in these messages."""
        turn = self._tools.dialogue.begin(question.entry_id, question.turn, question.place.chat_id, messages)
        answering = Answering(replace(question, turn=turn), messages, self._tools)
        with self._changed:
            if question.entry_id in self._stopped_early:
                self._stopped_early.remove(question.entry_id)
                answering.stop()
            self._waiting.append(answering)
            self._changed.notify_all()

    def asker(self, entry_id: int) -> int | None:
        """Return who asked a question that has no answer yet; None if there is no such question."""
        with self._changed:
            for one in self._found(entry_id):
                return one.question.turn.user_id
        # Not queued yet, though its stop button is shown, by this run or an earlier one.
        entry = self._tools.journal.find(entry_id)
        speaker = read(entry.body).speaker if entry else None
        return speaker.id if speaker else None

    def stop(self, entry_id: int) -> None:
        """Stop a question, even one that has not been queued yet."""
        with self._changed:
            found = self._found(entry_id)
            for one in found:
                one.stop()
            if not found:
                self._stopped_early.add(entry_id)
                find = self._tools.journal.find  # forget those that are no longer open
                self._stopped_early = {number for number in self._stopped_early if find(number)}
            self._changed.notify_all()

    def drop(self, user_id: int) -> None:
        """Stop all questions of a person."""
        with self._changed:
            for one in self._waiting + self._running:
                if one.question.turn.user_id == user_id:
                    one.stop()
            self._changed.notify_all()

    def is_idle(self) -> bool:
        """Return whether no question is running or waiting."""
        with self._changed:
            return not self._running and not self._waiting

    def begin_no_more(self) -> None:
        """Leave the waiting questions, and those still to come, to the next start."""
        with self._changed:
            if self._waiting and not self._closed:
                log.info("До следующего запуска ждут вопросов: %s", len(self._waiting))
            self._closed = True
            self._changed.notify_all()

    def close(self, timeout: float) -> None:
        """Start no more questions, wait up to `timeout` seconds for the running ones, then abandon them."""
        deadline = time.monotonic() + timeout
        self.begin_no_more()
        with self._changed:
            while self._running and (left := deadline - time.monotonic()) > 0:
                self._changed.wait(left)
            for one in self._running:
                one.abandon()

    def _found(self, entry_id: int) -> list[Answering]:
        return [one for one in self._waiting + self._running if one.question.entry_id == entry_id]

    # Whose turn it is

    def _start_one_after_another(self) -> None:
        while (one := self._next()) is not None:
            try:
                threading.Thread(
                    target=self._answer, args=(one,), name=f"ask-{one.question.entry_id}", daemon=True
                ).start()
            except RuntimeError as exc:
                if not is_thread_shortage(exc):
                    raise
                self._put_back(one)

    def _next(self) -> Answering | None:
        """Wait for a question that may run, and count it as running; None once closed."""
        with self._changed:
            while not self._closed:
                rest = self._rest_until - time.monotonic()
                if rest <= 0 and (one := self._startable()):
                    self._waiting.remove(one)
                    self._running.append(one)
                    if len(self._running) > CROWD:
                        self._rest_until = time.monotonic() + START_PAUSE_S
                    return one
                self._changed.wait(rest if rest > 0 else None)
            return None

    def _startable(self) -> Answering | None:
        running = Counter(one.question.turn.user_id for one in self._running)
        unanswered = {one.question.turn.id for one in self._waiting + self._running}
        for one in self._waiting:
            turn = one.question.turn
            if one.stopped:  # it only has to say so, so no limit applies
                return one
            if turn.parent_id in unanswered:  # a reply to a growing answer needs all of it
                continue
            if len(self._running) < MOST_RUNNING and running[turn.user_id] < RUNNING:
                return one
        return None

    def _answer(self, one: Answering) -> None:
        try:
            one.run()
        except NoThreadsError:
            self._put_back(one)
        finally:
            with self._changed:
                if one in self._running:
                    self._running.remove(one)
                self._changed.notify_all()

    def _put_back(self, one: Answering) -> None:
        """Put a question back into the queue until the machine has threads again."""
        log.error("Нет потоков для вопроса %s, он подождёт", one.question.entry_id)
        if not one.stopped:
            one.tell(f"{frame.waiting(one.question.model)}\n{NO_THREADS}")
        with self._changed:
            self._running.remove(one)
            self._waiting.insert(0, one.anew())
            self._rest_until = time.monotonic() + NO_THREADS_PAUSE_S
            self._changed.notify_all()  # close() waits for running questions


def _of(user_id: int, answerings: list[Answering]) -> int:
    return sum(one.question.turn.user_id == user_id for one in answerings)
