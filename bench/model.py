"""The model: a fake OpenRouter, run in a process of its own, and a bare client that reads the same stream."""

import json
import time
from collections.abc import Iterator
from itertools import cycle, islice

import requests

from support.fake_openrouter import FakeOpenRouter
from support.openrouter_replies import DONE, MODEL, PROCESSING, Call, chunk, usage_chunk

FIRST_WORD_S = 0.8  # free models are rarely quicker
WORD_S = 0.04
KEY = "sk-or-v1-TEST"
PATIENCE_S = 60
TEXT = (
    "**Коротко:** заметки лежат в `SQLite`, и журнал записан на диск раньше, чем ответ. Вот что это значит: "
    "\n\n- ничего не *теряется*, даже когда гаснет свет; \n- ничего не приходит дважды. \n\n"
    "```python\nprint('строка кода') \n``` \n\nИ ещё [ссылка](https://example.org/страница) для порядка. "
)


class Model:
    """A fake OpenRouter that answers a question, which is a number, with a stream of that many words."""

    def __init__(self) -> None:
        self._fake = FakeOpenRouter().__enter__()
        self._fake.always(_answer)

    def address(self) -> str:
        """Return the address for OPENROUTER_BASE_URL."""
        return self._fake.base_url

    def hold(self) -> None:
        """Make every question wait from now on."""
        self._fake.hold()

    def fall_silent(self) -> None:
        """Make every request for the list of models wait from now on."""
        self._read = self._readings()
        self._fake.always(lambda call: call.wait_at(self._fake.gate()), path="/models")

    def await_readers(self) -> None:
        """Wait until somebody requests the list of models."""
        self._fake.wait(lambda: self._readings() > self._read, PATIENCE_S)

    def _readings(self) -> int:
        return sum(request.path.endswith("/models") for request in self._fake.requests)

    def release(self) -> None:
        """Answer the waiting questions, and hang up on other waiting requests."""
        self._fake.release()

    def await_questions(self, count: int) -> None:
        """Wait until `count` questions are in flight."""
        self._fake.wait(lambda: self._fake.in_flight == count, PATIENCE_S)


def _answer(call: Call) -> None:
    begun = time.monotonic()
    call.start()
    call.part(PROCESSING)
    call.part(chunk(None, role="assistant"))
    for number, word in enumerate(_words(int(call.request.question))):
        # Timed by the clock, not by successive pauses: the stream is the same on a busy machine.
        call.pause(max(0.0, begun + FIRST_WORD_S + number * WORD_S - time.monotonic()))
        call.part(chunk(word))
    for part in (chunk(None, finish="stop"), usage_chunk(), DONE):
        call.part(part)
    call.end()


def _words(count: int) -> Iterator[str]:
    words = [f"{word} " for word in TEXT.split(" ") if word]  # keeps the line breaks
    return islice(cycle(words), count)


def read_bare(address: str, question: str) -> tuple[float, float]:
    """Read an answer with plain `requests`, and return the seconds to its first and last word."""
    asked = {"model": MODEL, "messages": [{"role": "user", "content": question}], "stream": True}
    begun = time.monotonic()
    first = last = 0.0
    with requests.post(
        f"{address}/chat/completions",
        json=asked,
        headers={"Authorization": f"Bearer {KEY}"},
        stream=True,
        timeout=PATIENCE_S,
    ) as response:
        for line in response.iter_lines():
            if line.startswith(b"data: {") and _word(line):
                last = time.monotonic() - begun
                first = first or last
    return first, last


def _word(line: bytes) -> bool:
    choices = json.loads(line.removeprefix(b"data: "))["choices"]
    return bool(choices and choices[0]["delta"]["content"])
