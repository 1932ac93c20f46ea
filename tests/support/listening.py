"""A question to a model, and what comes of it step by step, for whoever wants to be told of that."""

from collections.abc import Callable, Sequence
from typing import Any

from openrouter_client import Answer, Stream, Thinking


def listen(
    messages: Sequence[dict[str, Any]],
    *,
    on_text: Callable[[str], None] | None = None,
    on_thinking: Callable[[], None] | None = None,
    **options: Any,
) -> Answer:
    """Ask, streamed where somebody hears the text, and wait for the whole answer."""
    with Stream(messages, streamed=on_text is not None, **options) as stream:
        while not isinstance(news := stream.next(), Answer):
            if isinstance(news, str) and on_text:
                on_text(news)
            elif isinstance(news, Thinking) and on_thinking:
                on_thinking()
    return news
