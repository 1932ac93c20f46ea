"""Helpers for tests of answers and conversations: answers that advance step by step, and what a person and a
model see of a question.
"""

import time
from collections import deque
from itertools import count
from typing import Any

from bot_api.server import Call as ApiCall
from support.harness import Harness, Message, Person
from support.openrouter_replies import DONE, Call, Gate, Request, chunk, usage_chunk
from support.registry_people import seen

STOP, AGAIN, MORE = "⏹ Стоп", "🔁 Ещё раз", "➡️ Продолжить"
SAVE, OTHER = "📝 В заметки", "🤖 Другая модель"
FINISHED = [AGAIN, SAVE, OTHER]


class Steps:
    """A streamed answer that sends one piece per `next()`; one more call ends it."""

    def __init__(self, *pieces: str, finish: str = "stop") -> None:
        self._pieces = pieces
        self._finish = finish
        self._gates = [Gate() for _ in range(len(pieces) + 1)]
        self._closed = deque(self._gates)

    def __call__(self, call: Call) -> None:
        model = call.request.body["model"]
        try:
            call.start()
            for piece, gate in zip(self._pieces, self._gates, strict=False):
                call.wait_at(gate)
                call.part(chunk(piece, model=model))
            call.wait_at(self._gates[-1])
            for part in (chunk(None, model=model, finish=self._finish), usage_chunk(model), DONE):
                call.part(part)
            call.end()
        finally:
            for gate in self._gates:
                gate.close()

    def next(self) -> float:
        """Release one more piece, and return the time (monotonic seconds)."""
        self._closed.popleft().open()
        return time.monotonic()


_groups = count(-1001, -1)


def new_group() -> int:
    """Return the id of an unused group, so that no pause between messages applies there."""
    return next(_groups)


def exported(person: Person) -> str:
    """Return the exported notes of a person as text."""
    person.asks("/note_export")
    return person.bot.server.documents[-1].data.decode("utf-8-sig")


def edits(bot: Harness, chat_id: int) -> list[ApiCall]:
    """Return the successful edits in a chat."""
    return [call for call in bot.server.calls_of("editMessageText", chat_id) if call.ok]


def reply(person: Person, to: Message, text: str, **more: Any) -> list[Message]:
    """Reply to a message, and return the messages of the model's answer."""
    chat_id = to["chat"]["id"]
    said = person.bot.server.say(text, user_id=person.id, chat_id=chat_id, reply_to=to["message_id"], **more)
    return person.answer_to(said)


def told(person: Person, text: str, to: Message, **more: Any) -> list[Any]:
    """Reply, and return the conversation sent to the model, without waiting for its answer to end."""
    ai, question = person.bot.ai, text.removeprefix("/ask ")

    def answering() -> list[Request]:
        return [request for request in ai.questions if question in request.question]

    person.bot.server.say(text, user_id=person.id, reply_to=to["message_id"], **more)
    ai.wait(answering)
    (request,) = answering()
    return dialogue(request)


def next_answer(bot: Harness, under: Message, fragment: str = "мс; модель") -> Message:
    """Wait for the answer that a button under a message started, and return it once it shows the fragment."""
    chat_id = under["chat"]["id"]

    def newest() -> Message | None:
        quoting = bot.server.replies_to(chat_id, under["message_id"])
        return quoting[-1] if quoting else None

    return seen(bot, bot.wait(newest), fragment)


def dialogue(request: Request) -> list[Any]:
    """Return the messages sent to a model, without the system prompt: user and assistant in turn."""
    system, *said = request.body["messages"]
    assert system["role"] == "system"
    assert [message["role"] for message in said] == (["user", "assistant"] * len(said))[: len(said)]
    return [message["content"] for message in said]
