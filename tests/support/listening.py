"""A question to a model with callbacks for each step of the answer."""

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
    """Ask, streamed if `on_text` is given, and return the whole answer."""
    with Stream(messages, streamed=on_text is not None, **options) as stream:
        while not isinstance(news := stream.next(), Answer):
            if isinstance(news, str) and on_text:
                on_text(news)
            elif isinstance(news, Thinking) and on_thinking:
                on_thinking()
    return news
