"""Asks one model one question, through OpenRouter or any compatible server.

    text, latency_ms = chat_once([{"role": "user", "content": "Привет"}], model="openrouter/free")

A failure is an `OpenRouterError` with a Russian text. `python openrouter_client.py "вопрос" [модель]`
asks from the command line: the shortest way to see what is wrong with a key.
"""

import sys
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import Any, TextIO

from openrouter.answer import Answer, Thinking
from openrouter.errors import Kind, OpenRouterError, no_answer
from openrouter.http import Abort
from openrouter.models import (
    FREE_ROUTER,
    KeyInfo,
    RemoteModel,
    described_fallback,
    fallback_model,
    fetch_models,
    key_info,
    server_date,
)
from openrouter.service import FALLBACK, Service
from openrouter.stream import Stream
from starting import env_file

__all__ = [
    "FALLBACK",
    "FREE_ROUTER",
    "Abort",
    "Answer",
    "KeyInfo",
    "Kind",
    "OpenRouterError",
    "RemoteModel",
    "Stream",
    "Thinking",
    "chat_once",
    "described_fallback",
    "fallback_model",
    "fallback_name",
    "fetch_models",
    "hosts",
    "is_fallback",
    "is_openrouter",
    "key_info",
    "missing_key",
    "no_answer",
    "server_date",
]

DEFAULT_MODEL = FREE_ROUTER


def chat_once(
    messages: Sequence[dict[str, Any]],
    *,
    model: str,
    temperature: float = 0.2,
    max_tokens: int = 400,
    timeout_s: float = 30,
) -> Answer:
    """Ask once and wait for the whole answer; raises OpenRouterError.

    A `model` that starts with `fallback:` is asked at the second service, any other at the first.
    `timeout_s` is the total time. `Stream` returns the answer piece by piece.
    """
    with Stream(
        messages,
        model=model,
        temperature=temperature,
        max_tokens=max_tokens,
        timeout_s=timeout_s,
        streamed=False,
    ) as stream:
        while not isinstance(news := stream.next(), Answer):
            pass
    return news


def is_openrouter(model: str = "") -> bool:
    """Return whether this model's service (by default the first) is OpenRouter itself, by its host."""
    return Service.of(model).is_openrouter


def is_fallback(model: str) -> bool:
    """Return whether this model key belongs to the second service."""
    return model.startswith(FALLBACK)


def fallback_name() -> str:
    """Return the second service's host as shown to people; "" if there is no second service."""
    return Service.fallback().name


def hosts() -> list[str]:
    """Return the hosts that questions may go to: the first service's, and the second's if there is one."""
    return [name for name in (Service.from_env().name, fallback_name()) if name]


def missing_key() -> OpenRouterError | None:
    """Return the error that the first service's key causes for every question; None if it is usable."""
    try:
        Service.from_env().with_key()
    except OpenRouterError as error:
        return error
    return None


# ---- From the command line ------------------------------------------------------------------


def main(arguments: Sequence[str]) -> int:
    """Ask the question in the arguments; returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # None if closed
            stream.reconfigure(encoding="utf-8", errors="replace")
    if len(arguments) not in (1, 2) or not arguments[0].strip() or arguments[0].startswith("--"):
        _say('Использование: python openrouter_client.py "вопрос" [модель]', sys.stderr)
        return 2
    question, model = (*arguments, DEFAULT_MODEL)[:2]
    try:
        env_file.load(Path(__file__).with_name(".env"))
        answer = chat_once([{"role": "user", "content": question}], model=model, max_tokens=2000)
    except (OpenRouterError, env_file.EnvFileError) as error:
        told = f"Ошибка: {error}".replace(": /models", "")  # a command of the bot
        _say("\n".join(filter(None, [told, getattr(error, "hint", "")])), sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130  # the shell's code for Ctrl-C
    footer = f"({answer.latency_ms} мс; модель: {answer.model})"
    _say("\n\n".join(filter(None, [answer.text, answer.unfinished, footer])), sys.stdout)
    return 0


def _say(text: str, stream: TextIO) -> None:
    print(text, file=stream)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
