"""Questions on their way to a model: who may ask how many, and a thread for each that is running."""

import threading
import time
from collections.abc import Iterable

from answers.answering import Answering, Question, Tools
from telegram.replies import UserError

RUNNING, WAITING = 2, 5  # of one person
TOO_MANY = f"Уже отвечаю на {RUNNING} ваших вопроса, и ещё {WAITING} ждут. Спросите, когда придёт ответ."


class Questions:
    """Runs the questions of all people beside each other, a few of each person at a time."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._changed = threading.Condition()
        self._closed = False
        self._waiting: list[Answering] = []
        self._running: list[Answering] = []

    def check_room(self, user_id: int) -> None:
        """Raise UserError if this person has asked as much as is good for the others."""
        with self._changed:
            if self._of(user_id, self._running) >= RUNNING and self._of(user_id, self._waiting) >= WAITING:
                raise UserError(TOO_MANY)

    def start(self, question: Question, messages: list[int]) -> None:
        """Ask as soon as it is this person's turn; the answer goes on in the messages that stand."""
        self._tools.journal.answered_in(question.entry_id, messages)
        answering = Answering(question, messages, self._tools)
        with self._changed:
            self._waiting.append(answering)
            self._start_next()

    def asker(self, entry_id: int) -> int | None:
        """Return who asked a question that waits or runs; None if it does neither."""
        with self._changed:
            return next((one.question.turn.user_id for one in self._found(entry_id)), None)

    def stop(self, entry_id: int) -> None:
        """End a question that waits or runs."""
        with self._changed:
            for one in self._found(entry_id):
                one.stop()
                if one in self._waiting:  # it only has to say so, which takes nobody's place
                    self._waiting.remove(one)
                    self._run(one)

    def is_idle(self) -> bool:
        """Tell whether every question has its answer."""
        with self._changed:
            return not self._running and not self._waiting

    def close(self, timeout: float) -> None:
        """Start no other question, and wait so many seconds for those that run."""
        deadline = time.monotonic() + timeout
        with self._changed:
            self._closed = True
            while self._running and (left := deadline - time.monotonic()) > 0:
                self._changed.wait(left)
            for one in self._running:
                one.abandon()

    def _found(self, entry_id: int) -> list[Answering]:
        return [one for one in self._waiting + self._running if one.question.entry_id == entry_id]

    @staticmethod
    def _of(user_id: int, answerings: Iterable[Answering]) -> int:
        return sum(one.question.turn.user_id == user_id for one in answerings)

    def _start_next(self) -> None:
        for one in list(self._waiting):
            if not self._closed and self._of(one.question.turn.user_id, self._running) < RUNNING:
                self._waiting.remove(one)
                self._run(one)

    def _run(self, one: Answering) -> None:
        self._running.append(one)
        threading.Thread(
            target=self._answer, args=(one,), name=f"ask-{one.question.entry_id}", daemon=True
        ).start()

    def _answer(self, one: Answering) -> None:
        try:
            one.run()
        finally:
            with self._changed:
                self._running.remove(one)
                self._start_next()
                self._changed.notify_all()
