"""Rendering and splitting take linear time, whatever a model writes."""

import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from telegram.markdown import markdown
from telegram.splitting import split

# fmt: off
REPEATED = [
    "__a_", "a://)", "\\(", "\\[", "\\(a", "\\[\n", "$", "$$", "$a ", "$$\n", "$$a\n", "\\(x^2\\)", "[", "![",
    "[[a](",
    "*[a", "[*a", "[]", "](", "[a](b", "[a](https://x.y)", "*a", "*a ", "**a ", "_a ", "*a* ", "**a*",
    "***a ", "*_~`", "~~a ", "`", "`a``b", "``` ", "\n```\n", "> ", ">", "\n>", "- ", "\n- a\n", "\n  - ",
    "1. ", "|", "| a ", "|\n", "|a|\n|-|\n", "<", "<a ", "<a b='", "<!--", "<https://", "&", "&#", "\\",
    "https://", "https://a.b/_c_ ", "www.", "a@", "a.", "_", "__a__", "\n# a\n", "x_1 ", "C:\\",
    "a\u0301", "\u200d", "😀", "🇷🇺", "**`b` ", "\n", " \n", "a\n", "\t", "слово ",
]
# fmt: on


def calls_of(work: Callable[[], Any]) -> int:
    """Return how many functions are called; unlike time, this does not depend on other load."""
    calls = 0

    def count(_frame: object, event: str, _arg: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return calls


def seconds_of(work: Callable[[], Any]) -> float:
    """Return this thread's CPU seconds, independent of other load."""
    start = time.thread_time()
    work()
    return time.thread_time() - start


@pytest.mark.parametrize("sign", REPEATED)
def test_four_times_the_answer_is_four_times_the_work(sign: str) -> None:
    small, large = (sign * (letters // len(sign)) for letters in (600, 2400))
    assert calls_of(lambda: markdown(large)) < 6 * calls_of(lambda: markdown(small)) + 1000


@pytest.mark.parametrize("sign", REPEATED)
def test_fifteen_thousand_letters_take_a_moment(sign: str) -> None:
    text = sign * (15_000 // len(sign))
    assert seconds_of(lambda: split(*markdown(text))) < 1  # it takes 0.3 at most


@pytest.mark.parametrize("before", ["", "- ", "1. ", "```\n", "|a|\n|-|\n"])
@pytest.mark.parametrize("blank", [" ", "\t", "\u00a0"])
def test_blanks_of_many_messages_take_a_moment(before: str, blank: str) -> None:
    text = before + blank * 40_000 + "конец"
    parts = split(*markdown(text))
    assert parts[-1].text.endswith("конец")
    assert seconds_of(lambda: split(*markdown(text))) < 1


def test_styles_in_each_other_are_linear() -> None:
    for text in ("*a " * 8000 + "b* " * 8000, "**a " * 6000 + "b** " * 6000, "[" * 20_000 + "](https://a.b)"):
        assert seconds_of(lambda text=text: markdown(text)) < 5  # type: ignore[misc]


@pytest.mark.parametrize(
    "text",
    [
        "а" * 300_000,
        "слово " * 50_000,
        "\u0301" * 100_000,
        "🇷🇺" * 25_000,
        "👨\u200d" * 33_000,
        "\n" * 300_000 + "а",
    ],
)
def test_a_long_text_is_split_in_a_moment(text: str) -> None:
    assert seconds_of(lambda: split(text)) < 5


def test_ten_thousand_entities_are_split_in_a_moment() -> None:
    text = "сло во " * 10_000
    entities = [{"type": "bold", "offset": 7 * i, "length": 6} for i in range(10_000)]
    parts = split(text, entities)
    assert sum(len(part.entities) for part in parts) == 10_000
    assert max(len(part.entities) for part in parts) == 100
    assert seconds_of(lambda: split(text, entities)) < 5
