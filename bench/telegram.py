"""A Telegram that keeps a bot busy and looks at the clock; it runs in a process of its own.

All is timed on this side, where both bots look the same: an update is handed out when the answer to
getUpdates leaves, a reply has come when the whole request is here.
"""

import gc
import time
from collections import deque
from dataclasses import dataclass, field

from bot_api.server import BotApiServer, Call

PEOPLE = range(1001, 1051)
PATIENCE_S = 120
WAITING = "⏳"
FOOTER = " мс; модель: "


@dataclass(slots=True)
class Talk:
    """How a bot did: one number a message, in the order of their replies."""

    seconds: float = 0.0  # from the first update handed out to the last reply
    latencies: list[float] = field(default_factory=list)  # seconds from handed out to replied


@dataclass(slots=True)
class Answer:
    """An answer that grew in a chat: seconds since its question was handed out, and how many edits."""

    first_word: float = 0.0
    last_word: float = 0.0
    edits: int = 0


class _Server(BotApiServer):
    """Remembers no calls, of which there would be too many: it tells of each and forgets it."""

    def __init__(self, stand: "Telegram") -> None:
        super().__init__()
        self._stand = stand

    def _record(self, call: Call, violations: list[str]) -> None:
        with self.changed:
            self.violations += violations
            if call.method == "getUpdates":
                self._stand.handed_out(call)
            elif call.method == "sendMessage":
                self._stand.replied(call)
            elif call.method == "editMessageText":
                self._stand.edited(call)
            self.changed.notify_all()


class Telegram:
    """The server and its people, driven through a manager of `multiprocessing`."""

    def __init__(self) -> None:
        gc.disable()  # its pauses would be taken for the bot's
        self._server = _Server(self).start()
        self._handed_out: dict[int, float] = {}  # chat -> when its update went
        self._free: deque[int] = deque()  # people who have something to say and wait for nothing
        self._text = ""
        self._left = 0  # to be said
        self._missing = 0  # replies
        self._talk = Talk()
        self._answers: dict[int, Answer] = {}  # chat -> the answer that grows there

    def address(self) -> tuple[str, str]:
        """Return the address and the token."""
        return self._server.url, self._server.token

    def violations(self) -> list[str]:
        """Return what the bot did that Telegram would silently ignore."""
        return self._server.violations

    def first_poll(self) -> float:
        """Wait for a bot to ask for updates, and return when it did (monotonic seconds)."""
        self._wait(lambda: self._server.updates.polled)
        return time.monotonic()

    def hang_up(self) -> None:
        """Cut what a bot that is gone has left."""
        self._server.stop()
        self._server.start()

    # Messages and their replies

    def talk(self, text: str, count: int, at_once: int, pause_s: float = 0.0) -> Talk:
        """Let people say something in turn, so many of them waiting for a reply at any time.

        With a pause only one waits, and the next one speaks that much later.
        """
        self._free = deque(PEOPLE)
        self._text, self._talk, self._missing = text, Talk(), count
        if pause_s:
            self._one_by_one(count, pause_s)
        else:
            self._left = count
            with self._server.changed:
                for _ in range(min(at_once, count)):
                    self._next_says()
                self._wait(lambda: not self._missing)
        return self._talk

    def _one_by_one(self, count: int, pause_s: float) -> None:
        for said in range(count):
            with self._server.changed:
                self._left = 1
                self._next_says()
                self._wait(lambda left=count - said - 1: self._missing == left)
            time.sleep(pause_s)

    def _next_says(self) -> None:
        if self._left:
            self._left -= 1
            self._server.say(self._text, user_id=self._free.popleft())

    def handed_out(self, call: Call) -> None:
        """Note when updates went."""
        now = time.monotonic()
        for update in call.result or ():
            self._handed_out[update["message"]["chat"]["id"]] = now

    def replied(self, call: Call) -> None:
        """Note a reply, and let the next one speak."""
        chat_id = call.params["chat_id"]
        if chat_id in self._answers or not self._missing:
            return
        self._talk.latencies.append(call.at - self._handed_out[chat_id])
        self._talk.seconds = call.at - min(self._handed_out.values()) if False else self._talk.seconds
