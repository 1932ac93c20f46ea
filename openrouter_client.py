"""Asks one model one question, through OpenRouter or any server like it.

    text, latency_ms = chat_once([{"role": "user", "content": "Привет"}], model="openrouter/free")

What goes wrong is an `OpenRouterError` that says so in Russian. `python openrouter_client.py
"вопрос" [модель]` asks from the command line: the shortest way to see what is wrong with a key.
"""

import codecs
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from dotenv import load_dotenv

from openrouter.errors import (
    Kind,
    OpenRouterError,
    cut_short,
    no_answer,
    refusal,
    unreadable,
)
from openrouter.http import Abort, Exchange, Service, StoppedError
from openrouter.models import FREE_ROUTER, KeyInfo, RemoteModel, fetch_models, key_info
from openrouter.parse import as_count, as_dict, as_list, as_str, parsed

__all__ = [
    "FREE_ROUTER",
    "Abort",
    "Answer",
    "KeyInfo",
    "Kind",
    "OpenRouterError",
    "RemoteModel",
    "chat_once",
    "fetch_models",
    "is_openrouter",
    "key_info",
]

DEFAULT_MODEL = "deepseek/deepseek-chat-v3.1:free"
_THINKING = ("reasoning", "reasoning_content", "reasoning_details")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model said; unpacks as `text, latency_ms`.

    `model` is the one that really answered, `stopped` says that `Abort` ended it early. What the
    service does not tell is None.
    """

    text: str
    latency_ms: int
    model: str
    finish_reason: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    stopped: bool = False

    def __iter__(self) -> Iterator[Any]:
        return iter((self.text, self.latency_ms))


def chat_once(
    messages: Sequence[dict[str, Any]],
    *,
    model: str,
    temperature: float = 0.2,
    max_tokens: int = 400,
    timeout_s: float = 30,
    silence_s: float | None = None,
    on_text: Callable[[str], None] | None = None,
    on_thinking: Callable[[], None] | None = None,
    abort: Abort | None = None,
    plugins: list[dict[str, Any]] | None = None,
) -> Answer:
    """Ask once and wait for the whole answer; raises OpenRouterError.

    `timeout_s` is for everything together. With `on_text` the answer is streamed: it gets each
    piece as it comes, `on_thinking` is called while the model only reasons, and `silence_s`
    without either (a quarter of `timeout_s` unless given) ends the attempt. `abort.set()` ends
    it at once with what has come, which is no error. `plugins` are for openrouter.ai alone.
    """
    started = time.monotonic()
    service = Service.from_env().with_key()
    payload = _payload(service, messages, model, temperature, max_tokens, plugins)
    if on_text:
        payload |= {"stream": True, "stream_options": {"include_usage": True}}
        silence_s = timeout_s / 4 if silence_s is None else silence_s
    draft = _Draft(model, on_text, on_thinking)
    exchange = Exchange(
        service,
        "POST",
        "/chat/completions",
        timeout_s=timeout_s,
        silence_s=silence_s,
        abort=abort,
        payload=payload,
    )
    stopped = _read(exchange, draft)
    return draft.answer(round((time.monotonic() - started) * 1000), stopped=stopped)


def is_openrouter() -> bool:
    """Say whether the service of the settings is OpenRouter itself, by its host."""
    return Service.from_env().is_openrouter


def _payload(
    service: Service,
    messages: Sequence[dict[str, Any]],
    model: str,
    temperature: float,
    max_tokens: int,
    plugins: list[dict[str, Any]] | None,
) -> dict[str, Any]:
    payload = {
        "model": model,
        "messages": list(messages),
        "temperature": temperature,
        "max_tokens": max_tokens,
    }
    if service.is_openrouter:
        # Free models think by themselves, and what they think comes out of max_tokens.
        payload["reasoning"] = {"effort": "low"}
        if plugins:
            payload["plugins"] = plugins
    return payload


# ---- What comes -----------------------------------------------------------------------------


def _read(exchange: Exchange, draft: "_Draft") -> bool:
    """Fill the draft with all that comes; returns whether somebody stopped it."""
    try:
        with exchange:
            for event in _events(exchange):
                draft.take(event)
    except StoppedError:
        return True
    except OpenRouterError as error:
        if not draft.finish_reason:  # what follows the end of an answer does not spoil it
            error.partial = draft.text
            raise
    return False


def _events(exchange: Exchange) -> Iterator[dict[str, Any]]:
    """Yield the parts of an answer: the events of a stream, or the one JSON of a whole answer.

    The first byte tells which of them it is: some servers answer a question for a stream with
    ordinary JSON, and not all name the type of what they send.
    """
    head = exchange.head()
    if head.status >= 300:
        raise refusal(head.status, exchange.json(), head.headers)
    chunks = exchange.chunks()
    start = _without_padding(chunks)
    if start[:1] in (b"", b"{", b"[", b"<"):
        yield _event(b"".join((start, *chunks)))
        return
    for data in _stream_data(chain([start], chunks)):
        exchange.heard()
        if data.strip() == b"[DONE]":
            return
        yield _event(data)
    raise cut_short()


def _without_padding(chunks: Iterator[bytes]) -> bytes:
    """Skip the blanks that keep a slow connection alive, and return what comes first."""
    for chunk in chunks:
        if start := chunk.lstrip(b"\xef\xbb\xbf \t\r\n"):
            return start
    return b""


def _stream_data(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the data of each server-sent event; comments and other fields are left out.

    Lines are cut as bytes, at the newline only: bytes of Russian letters look like other ends.
    """
    data: list[bytes] = []
    for line in _lines(chunks):
        if line.startswith(b"data:"):
            data.append(line[5:].removeprefix(b" "))
        elif not line and data:
            yield b"\n".join(data)
            data = []
    if data:
        yield b"\n".join(data)


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (line.removesuffix(b"\r") for line in lines)
    yield rest


def _event(data: bytes) -> dict[str, Any]:
    event = parsed(data)
    if not isinstance(event, dict):
        raise unreadable()
    if event.get("error") or event.get("object") == "error":
        raise refusal(200, event)
    return event


# ---- The answer being put together ----------------------------------------------------------


class _Draft:
    """An answer as far as it has come."""

    def __init__(
        self,
        model: str,
        on_text: Callable[[str], None] | None,
        on_thinking: Callable[[], None] | None,
    ) -> None:
        self.text = ""
        self.finish_reason: str | None = None
        self._model = model
        self._usage: dict[str, Any] = {}
        self._on_text = on_text or _ignore
        self._on_thinking = on_thinking or _ignore
        # A letter outside the BMP may come as two halves in two events; Telegram takes no halves.
        self._join = codecs.getincrementaldecoder("utf-16-le")("replace")

    def take(self, event: dict[str, Any]) -> None:
        """Add one part of the answer; raises OpenRouterError if it says that the model failed."""
        self._model = as_str(event.get("model")) or self._model
        self._usage = as_dict(event.get("usage")) or self._usage
        choice = as_dict(next(iter(as_list(event.get("choices"))), None))
        message = as_dict(choice.get("delta") or choice.get("message"))
        self._say(_text(message.get("content")))
        if choice.get("error") or choice.get("finish_reason") == "error":
            raise refusal(200, choice)
        if not message.get("content") and any(message.get(name) for name in _THINKING):
            self._on_thinking()
        self.finish_reason = as_str(choice.get("finish_reason")) or self.finish_reason

    def answer(self, latency_ms: int, *, stopped: bool) -> Answer:
        """Return what has come; raises OpenRouterError if that is nothing and nobody stopped it."""
        self._say("", final=True)
        if not self.text.strip() and not stopped:
            raise no_answer(self.finish_reason)
        return Answer(
            text=self.text,
            latency_ms=latency_ms,
            model=self._model,
            finish_reason=self.finish_reason,
            prompt_tokens=as_count(self._usage.get("prompt_tokens")),
            completion_tokens=as_count(self._usage.get("completion_tokens")),
            stopped=stopped,
        )

    def _say(self, text: str, *, final: bool = False) -> None:
        piece = self._join.decode(text.encode("utf-16-le", "surrogatepass"), final)
        if piece:
            self.text += piece
            self._on_text(piece)


def _ignore(*_: object) -> None:
    """Stand in for a callback that nobody asked for."""


def _text(content: object) -> str:
    """Return the words of a message's content: a text, or an array of parts."""
    if isinstance(content, str):
        return content
    return "".join(as_str(as_dict(part).get("text")) or "" for part in as_list(content))


# ---- From the command line ------------------------------------------------------------------


def main(arguments: Sequence[str]) -> int:
    """Ask the question in the arguments; returns the exit code."""
    if len(arguments) not in (1, 2) or not arguments[0].strip():
        sys.stderr.write('Использование: python openrouter_client.py "вопрос" [модель]\n')
        return 2
    load_dotenv(Path(__file__).with_name(".env"))
    question, model = (*arguments, DEFAULT_MODEL)[:2]
    try:
        answer = chat_once([{"role": "user", "content": question}], model=model, max_tokens=2000)
    except OpenRouterError as error:
        sys.stderr.write(f"Ошибка: {error}\n")
        return 1
    sys.stdout.write(f"{answer.text}\n\n({answer.latency_ms} мс; модель: {answer.model})\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
