"""A model's visible text: thoughts and control tokens are removed, and invisible text counts as none."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openrouter.thoughts import Thoughts
from openrouter.visible import says_something


def seen(*pieces: str) -> str:
    """Return what a person sees of an answer that arrives in these pieces."""
    thoughts, text = Thoughts(), ""
    for number, piece in enumerate([*pieces, ""]):
        said = thoughts.feed(piece, final=number == len(pieces))
        text = said if thoughts.took_back else text + said
    return text


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("<think>\nХм\n</think>\n\nОтвет: 42", "Ответ: 42"),
        ("\n <THINKING>Хм</Thinking> 42", "42"),
        ("<thought>Хм</thought>42", "42"),
        ("<reasoning>1 < 2</reasoning>42", "42"),
        ("<think></think>\n<think>ещё</think>\n42", "42"),
        ("</think>\n\n42", "42"),
        ("Хм, считаю.\n</think>\n\n42", "42"),
        ("Хм, считаю</think>42", "42"),
        ("<think>Хм</think >42", "42"),
        ("Хм.</think>", ""),
        ("Хм.\n</think>", ""),
        ("<think>Хм", ""),
        ("<think>Хм</think>", ""),
        ("[THINK]Хм[/THINK]42", "42"),
        ("◁think▷Хм◁/think▷42", "42"),
        ("<|channel|>analysis<|message|>Хм<|end|><|start|>assistant<|channel|>final<|message|>42", "42"),
        ("<|channel>thought\nХм<channel|>42", "42"),
        ("<|im_start|>assistant\n42<|im_end|>", "42"),
        ("42.<|im_end|>\n<|im_start|>user\nА ещё?<|im_end|>\n<|im_start|>assistant\n43", "42.\n"),
        ("42<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nА ещё?", "42"),
        ("42<end_of_turn>\n<start_of_turn>user\nА ещё?", "42\n"),
        ("Пишут `<|im_start|>` и роль.", "Пишут `<|im_start|>` и роль."),
        ("```\n<|im_start|>user\n```", "```\n<|im_start|>user\n```"),
    ],
)
def test_thoughts_are_no_part_of_the_answer(answer: str, text: str) -> None:
    assert seen(answer) == text


@pytest.mark.parametrize(
    "answer",
    [
        "Тег <think> пишут в начале: <think>так</think>.",
        "Модель пишет\n<think>\nмысли\n</think>\nи ответ.",
        "`<think>` — это тег.",
        "Тег </think> закрывает мысли.",
        "Мысли закрывает </think>",
        "Сначала <think>, потом мысли</think> и ответ.",
        "```\nмысли\n</think>\n```",
        "Закрывает `мысли</think>`.",
        "```\n<think>Хм</think>\n```",
        "<thin> — не тег",
        "<",
        "a < b",
        "  - отступ",
        "Цена <s>100</s> 80, <s>70</s>",
        "<s>100</s>",
    ],
)
def test_a_tag_that_is_spoken_of_stays(answer: str) -> None:
    assert seen(answer) == answer


TOKENS = [
    "<|im_end|>",
    "<|eot_id|>",
    "<|endoftext|>",
    "</s>",
    "<|end|>",
    "<end_of_turn>",
    "<｜end▁of▁sentence｜>",
]


@pytest.mark.parametrize("token", TOKENS)
def test_control_tokens_are_no_text(token: str) -> None:
    assert seen(f"Да.{token}").rstrip() == "Да."
    assert seen(f"Да. {token}\n{token} ").rstrip() == "Да."
    assert seen(f"Да.\n{token}\n\nНет.").split() == ["Да.", "Нет."]
    assert seen(f"Да.{token} Нет.") == "Да. Нет."
    assert seen(token) == ""


@pytest.mark.parametrize("token", TOKENS)
def test_control_tokens_that_are_spoken_of_stay(token: str) -> None:
    for answer in (
        f"Знак `{token}` стоит в конце.",
        f"Знак {token} стоит в конце.",
        f"Знак «{token}» стоит в конце.",
        f"- {token} — конец\n- другие",
        f"```\nуф{token}\n{token}\n```",
        f"~~~\nуф{token}\n~~~\nи `{token}`",
    ):
        assert seen(answer) == answer


PIECES = [
    *TOKENS, "<think>", "</thinking>", "</think>", "<|channel|>", "analysis", "<|message|>", "<|",
    "|>", "<", ">", "</", "`", "```", "<s>", "\n", " ", "Да", ".", "[think]",
    "<|start|>assistant", "~~~", "İ", "K",
]  # fmt: skip


@given(words=st.lists(st.sampled_from(PIECES), max_size=12), cuts=st.lists(st.integers(0, 60), max_size=8))
def test_it_does_not_matter_where_an_answer_is_cut(words: list[str], cuts: list[int]) -> None:
    answer = "".join(words)
    edges = [0, *sorted(cuts), len(answer)]
    assert seen(*(answer[a:b] for a, b in pairwise(edges))) == seen(answer) == seen(*answer)


@pytest.mark.parametrize(
    "text",
    ["да", "42", "👍", "…", "?!", "—", "$", "`#`", "```\n#\n```", "> да", "~~~python\nx\n~~~", "№", "&lt;"],
)
def test_what_can_be_seen_says_something(text: str) -> None:
    assert says_something(text)


@pytest.mark.parametrize(
    "text",
    [
        "", " \n\t", "\u200b\u200d\ufeff", "\u00ad", "\ufe0f", "\u3164", "&nbsp;&#8203;",
        "##", "## \n##", "> ", "- ", "***", "**** ____", "|---|:-:|", "``",
        "```\n```", "```python\n\n```", "~~~\n", "![]()", "[ ](http://example.org)",
    ],
)  # fmt: skip
def test_what_nobody_can_see_says_nothing(text: str) -> None:
    assert not says_something(text)
