"""One question to one model, with the answer returned piece by piece."""

import math
import time
from collections.abc import Generator, Iterator, Sequence
from typing import Any, Self

from openrouter.answer import Answer, Draft, Thinking
from openrouter.errors import OpenRouterError, unreadable
from openrouter.events import EventReader
from openrouter.http import Abort, Exchange, Head, StoppedError
from openrouter.service import FALLBACK, Service

News = str | Thinking | Answer | None


class Stream:
    """One question to one model: a context manager whose `next` returns the answer piece by piece.

        with Stream(messages, model="openrouter/free") as stream:
            while not isinstance(news := stream.next(1), Answer):
                ...  # a piece of text, Thinking, or None: a second has passed

    `timeout_s` is the total time; `silence_s` without text or reasoning (by default a quarter of it, when
    streamed) also ends the question. `abort.set()` ends it at once with the text so far, without an error.
    Leaving the block hangs up at any moment. `plugins` are sent to openrouter.ai only.
    """

    def __init__(
        self,
        messages: Sequence[dict[str, Any]],
        *,
        model: str,
        temperature: float = 0.2,
        max_tokens: int = 400,
        timeout_s: float = 30,
        silence_s: float | None = None,
        abort: Abort | None = None,
        plugins: list[dict[str, Any]] | None = None,
        streamed: bool = True,
    ) -> None:
        self._service = service = Service.of(model)
        try:
            service.with_key()
        except OpenRouterError as error:
            raise service.worded(error) from None
        model = model.removeprefix(FALLBACK)
        payload = {"model": model, "messages": list(messages), "temperature": temperature}
        payload |= {"max_tokens": max_tokens, **_extras(service, plugins, streamed=streamed)}
        if streamed and silence_s is None:
            silence_s = timeout_s / 4
        self._started = time.monotonic()
        self._draft = Draft(model)
        self._exchange = Exchange(
            service,
            "POST",
            "/chat/completions",
            timeout_s=timeout_s,
            silence_s=silence_s,
            abort=abort,
            payload=payload,
        )
        self._look_up_at = math.inf  # when `next` has to return None (monotonic)
        self._steps = self._run()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._steps.close()

    def next(self, wait_s: float = math.inf) -> News:
        """Wait for the next piece of text, for Thinking, or for the Answer, which comes last.

        None means that `wait_s` passed without any of them. Raises OpenRouterError, whose `partial`
        is the text returned so far; after `abort.set()` the Answer comes.
        """
        self._look_up_at = time.monotonic() + wait_s
        return next(self._steps)

    def _run(self) -> Generator[News]:
        stopped = False
        failure = None
        try:
            with self._exchange:
                yield from self._read()
        except StoppedError:
            stopped = True
        except OpenRouterError as error:
            # A failure after the end of the answer does not matter.
            failure = None if self._draft.finish_reason else error
        yield from self._draft.rest()
        if failure:
            failure.partial = self._draft.text
            raise self._service.worded(failure)
        yield self._draft.answer(round((time.monotonic() - self._started) * 1000), stopped=stopped)

    def _read(self) -> Iterator[str | Thinking | None]:
        while (head := self._exchange.receive(self._till_look_up())) is None:
            yield None
        if not isinstance(head, Head):
            raise unreadable()
        reader = EventReader(head)
        for chunk in self._chunks():
            if chunk is None:
                yield None
                continue
            for event in reader.feed(chunk):
                for news in self._draft.take(event):
                    self._exchange.heard()
                    yield news
            if reader.done:
                return
        for event in reader.finish():
            yield from self._draft.take(event)

    def _chunks(self) -> Iterator[bytes | None]:
        """Yield the body as it arrives, and None whenever the caller's waiting time is over."""
        while not isinstance(chunk := self._exchange.receive(self._till_look_up()), Head) and chunk != b"":
            yield chunk
            if self._till_look_up() <= 0:  # though chunks arrive: they may be mere comments
                yield None

    def _till_look_up(self) -> float:
        return self._look_up_at - time.monotonic()


def _extras(service: Service, plugins: list[dict[str, Any]] | None, *, streamed: bool) -> dict[str, Any]:
    extras: dict[str, Any] = {"stream": True, "stream_options": {"include_usage": True}} if streamed else {}
    if service.is_openrouter:
        # Free models reason by default, and their reasoning uses up max_tokens.
        extras["reasoning"] = {"effort": "low"}
        if plugins:
            extras["plugins"] = plugins
    return extras
