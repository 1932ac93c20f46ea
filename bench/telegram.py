"""A Telegram server that keeps a bot busy and takes the time; it runs in a process of its own.

Everything is timed on this side, where both bots look the same: an update is handed out when the response
to getUpdates leaves, and a reply has arrived when its whole request is here.
"""

import gc
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import cycle, islice

from bot_api.server import BotApiServer, Call

PEOPLE = range(1001, 1051)
OTHERS = range(5001, 5501)  # who keep the bot busy while PEOPLE write
PATIENCE_S = 120
WAITING = "⏳"  # the start of an answer's placeholder
FOOTER = " мс; модель: "
REFRESH = "🔄 Обновить"


@dataclass(slots=True)
class Talk:
    """How fast a bot replied: its start and end (monotonic), and each reply's latency, all in seconds."""

    begun: float = 0.0
    ended: float = 0.0
    latencies: list[float] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """The time from the first update handed out to the last reply."""
        return self.ended - self.begun


@dataclass(slots=True)
class Answer:
    """An answer that grew in a chat: seconds since its question was handed out, and the number of edits."""

    first_word: float = 0.0
    last_word: float = 0.0
    edits: int = 0


class _Server(BotApiServer):
    """Passes each call to `on_call` instead of keeping it: there would be too many."""

    def __init__(self, on_call: Callable[[Call], None]) -> None:
        super().__init__()
        self._on_call = on_call

    def _record(self, call: Call, violations: list[str]) -> None:
        with self.changed:
            self.violations += violations
            self._on_call(call)
            self.changed.notify_all()


class Telegram:
    """The server and the people who write to the bot."""

    def __init__(self) -> None:
        gc.disable()  # its pauses would be counted as the bot's
        self._server = _Server(self._on_call).start()
        self._handed_out: dict[int, float] = {}  # chat -> when its latest update was handed out
        self._talk = Talk()
        self._text = ""
        self._unsaid = 0
        self._unanswered = 0
        self._answers: dict[int, Answer] = defaultdict(Answer)  # chat -> its growing answer
        self._finished = 0
        self._askers = cycle(PEOPLE)

    # For the bench

    def address(self) -> tuple[str, str]:
        """Return the server's URL and the bot's token."""
        return self._server.url, self._server.token

    def violations(self) -> list[str]:
        """Return the bot's mistakes that Telegram would silently ignore."""
        return self._server.violations

    def first_poll(self) -> float:
        """Wait for a bot's first getUpdates, and return its time (monotonic seconds)."""
        self._server.wait(lambda: self._server.updates.polled, PATIENCE_S)
        return time.monotonic()

    def hang_up(self) -> None:
        """Cut the connections of a stopped bot."""
        self._server.stop()
        self._server.start()

    def forget(self) -> None:
        """Drop all messages, which would otherwise accumulate."""
        with self._server.changed:
            for chat in self._server.chats.values():
                chat.messages.clear()

    def talk(self, text: str, count: int) -> Talk:
        """Let all PEOPLE send the text, again after each reply, `count` times in all."""
        with self._server.changed:
            self._talk, self._text = Talk(), text
            self._unanswered, self._unsaid = count, count
            for person in PEOPLE[:count]:
                self._say(person)
            self._server.wait(lambda: not self._unanswered, PATIENCE_S)
        return self._talk

    def talk_in_turn(self, text: str, count: int, pause_s: float) -> Talk:
        """Let PEOPLE send the text one after another, each `pause_s` after the reply to the one before."""
        self._talk, self._text = Talk(), text
        for person in islice(cycle(PEOPLE), count):
            with self._server.changed:
                self._unanswered = self._unsaid = 1
                self._say(person)
                self._server.wait(lambda: not self._unanswered, PATIENCE_S)
            time.sleep(pause_s)
        return self._talk

    def ask(self, questions: list[str]) -> list[Answer]:
        """Let a different person ask each question, and return how the answers grew.

        They are not the people of the last call: a chat that was just edited has to wait for its next edit.
        """
        people = list(islice(self._askers, len(questions)))
        with self._server.changed:
            self._answers.clear()
            self._finished = 0
            for person, question in zip(people, questions, strict=True):
                self._server.say(f"/ask {question}", user_id=person)
            self.await_answers(len(questions))
            return [self._answers[person] for person in people]

    def ask_at_once(self, question: str) -> None:
        """Let all OTHERS ask the model at the same moment, without waiting for the answers."""
        with self._server.changed:
            self._finished = 0
            for person in OTHERS:
                self._server.say(f"/ask {question}", user_id=person)

    def refresh_at_once(self, count: int) -> None:
        """Let `count` of OTHERS press the button that reloads the list of models."""
        people = OTHERS[:count]
        with self._server.changed:
            for person in people:
                self._server.say("/models", user_id=person)
            self._server.wait(lambda: all(map(self._server.messages, people)), PATIENCE_S)
            for person in people:
                self._server.press(person, self._server.messages(person)[-1]["message_id"], REFRESH)

    def await_answers(self, count: int) -> None:
        """Wait until `count` answers are complete."""
        self._server.wait(lambda: self._finished >= count, PATIENCE_S)
        self._finished = 0

    # What the bot does

    def _say(self, person: int) -> None:
        if self._unsaid:
            self._unsaid -= 1
            self._server.say(self._text, user_id=person)

    def _on_call(self, call: Call) -> None:
        if call.method == "getUpdates" and call.result:
            self._on_updates(call)
        elif call.method == "sendMessage" and self._unanswered and call.params["chat_id"] in PEOPLE:
            self._on_reply(call)
        elif call.method == "editMessageText" and call.ok:
            self._on_edit(call)

    def _on_updates(self, call: Call) -> None:
        now = time.monotonic()
        self._talk.begun = self._talk.begun or now
        for update in call.result:
            message = update.get("message") or update["callback_query"]["message"]
            self._handed_out[message["chat"]["id"]] = now

    def _on_reply(self, call: Call) -> None:
        chat_id = call.params["chat_id"]
        self._talk.latencies.append(call.at - self._handed_out[chat_id])
        self._talk.ended = call.at
        self._unanswered -= 1
        self._say(chat_id)

    def _on_edit(self, call: Call) -> None:
        chat_id, text = call.params["chat_id"], call.params["text"]
        answer, age = self._answers[chat_id], call.at - self._handed_out[chat_id]
        answer.edits += 1
        if not answer.first_word and not text.startswith(WAITING):
            answer.first_word = age
        if FOOTER in text:
            answer.last_word = age
            self._finished += 1
