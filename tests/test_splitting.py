"""Long texts are split into several messages."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from answers.rendering import Rendered, with_ending
from support.entities import assert_nothing_is_lost, covered
from telegram.markdown import markdown
from telegram.splitting import LIMIT, Part, pre, split, utf16_len

FAMILY = "👨‍👩‍👧‍👦"
FLAG = "🇷🇺"


def texts(parts: list[Part]) -> list[str]:
    return [part.text for part in parts]


def test_a_text_that_fits_is_one_message() -> None:
    assert texts(split("а" * LIMIT)) == ["а" * LIMIT]
    assert texts(split("😀" * (LIMIT // 2))) == ["😀" * (LIMIT // 2)]
    assert len(split("😀" * (LIMIT // 2) + "!")) == 2


@pytest.mark.parametrize("blank", ["", " ", "\n\n", " " * 5000])
def test_a_blank_text_is_no_message(blank: str) -> None:
    assert split(blank) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Один два три.\n\nЧетыре\nпять. Шесть", ["Один два три.", "Четыре\nпять. Шесть"]),
        ("Один два три\nчетыре. Пять шесть", ["Один два три", "четыре. Пять шесть"]),
        ("Один два три. Четыре пять шесть", ["Один два три.", "Четыре пять шесть"]),
        ("один два три четыре пять шесть", ["один два три четыре пять", "шесть"]),
        ("а " + "б" * 30, ["а", "б" * 24, "б" * 6]),
    ],
)
def test_it_is_cut_at_a_paragraph_or_a_line_or_a_sentence_or_a_blank(text: str, expected: list[str]) -> None:
    assert texts(split(text, limit=24)) == expected


def test_an_early_paragraph_does_not_leave_a_message_nearly_empty() -> None:
    assert texts(split("а\n\nодин два три четыре", limit=16)) == ["а\n\nодин два три", "четыре"]


@pytest.mark.parametrize(
    "sign", ["😀", FAMILY, FLAG, "👍🏽", "e\u0301", "1️⃣", "🏴\U000e0067\U000e0062\U000e007f", "कि"]
)
def test_what_is_seen_as_one_sign_is_not_torn(sign: str) -> None:
    for limit in range(utf16_len(sign), 3 * utf16_len(sign)):
        parts = split(sign * 20, limit=limit)
        assert {part.text.replace(sign, "") for part in parts} == {""}


def test_a_sign_longer_than_a_message_is_torn_but_no_character() -> None:
    for limit in (3, 4, 5):
        parts = split("👨\u200d" * 20, limit=limit)
        assert "".join(texts(parts)) == "👨\u200d" * 20
        assert all(utf16_len(part.text) <= limit for part in parts)
        assert all(re.fullmatch("[👨\u200d]+", part.text) for part in parts)


def test_bold_goes_on_in_the_next_message() -> None:
    parts = split(*markdown("**" + "слово " * 10 + "конец**"), 30)
    assert len(parts) == 3
    for part in parts:
        assert [covered(part.text, entity) for entity in part.entities] == [part.text]


def test_long_code_stays_code_with_its_language_in_every_message() -> None:
    code = "\n".join(f"    строка {i} 😀" for i in range(500))
    parts = split(*markdown(f"Вот:\n\n```python\n{code}\n```\n\nИтак."))
    assert len(parts) > 2
    assert all(entity["language"] == "python" for part in parts for entity in part.entities)
    shown = "\n".join(covered(part.text, entity) for part in parts for entity in part.entities)
    assert shown == code
    assert all(part.text.startswith("    строка") for part in parts[1:])


def test_code_that_fits_into_a_message_is_not_torn() -> None:
    code = "x = 1\n\n" * 500 + "x = 2"
    parts = split(*markdown("Слова\n\n" * 100 + f"```\n{code}\n```\n\nИтак."))
    assert [covered(part.text, e) for part in parts for e in part.entities] == [code]


def test_a_link_is_not_torn_while_there_is_another_blank() -> None:
    parts = split(*markdown("слово слово слово слово [вот эта ссылка](https://example.org) слово"), 34)
    assert [covered(part.text, e) for part in parts for e in part.entities] == ["вот эта ссылка"]


def test_a_long_quote_is_a_quote_in_both_messages() -> None:
    parts = split(*markdown("\n>\n".join("> " + "слово " * 8 for _ in range(3))), 100)
    assert [[e["type"] for e in part.entities] for part in parts] == [["blockquote"], ["blockquote"]]


@given(st.text("аб в\n.😀\u200d\u0301🇷🇺", max_size=80), st.integers(2, 30))
def test_nothing_is_lost_but_blanks_where_it_is_cut(text: str, limit: int) -> None:
    parts = split(text, limit=limit)
    assert_nothing_is_lost(text, parts)
    assert all(part.text.strip() and utf16_len(part.text) <= limit for part in parts)


@given(st.lists(st.from_regex(r"[а-я]{1,9}", fullmatch=True), max_size=40), st.integers(9, 40))
def test_no_word_is_torn_that_fits_into_a_message(words: list[str], limit: int) -> None:
    assert " ".join(texts(split(" ".join(words), limit=limit))).split() == words


# --- The footer -------------------------------------------------------------------------------

FOOTER = "\n\n(812 мс; модель: x/y_z:free)"


def ended(answer: str, ending: str) -> list[Part]:
    return with_ending(Rendered(split(*markdown(answer)), whole=True), ending)


def test_the_footer_is_plain_text_below_the_answer() -> None:
    (part,) = ended("**да**", FOOTER)
    assert part == Part("да\n\n(812 мс; модель: x/y_z:free)", [{"type": "bold", "offset": 0, "length": 2}])
    assert ended("да", "\n\n*не* <b>разметка</b>")[0].text.endswith("*не* <b>разметка</b>")


def test_the_footer_is_not_in_the_code_that_the_answer_ends_with() -> None:
    (part,) = ended("```\nx\n```", FOOTER)
    assert [covered(part.text, entity) for entity in part.entities] == ["x"]


def test_the_footer_is_whole_and_on_the_last_message() -> None:
    for length in range(LIMIT - utf16_len(FOOTER) - 10, LIMIT):
        parts = ended("а" * length, FOOTER)
        assert parts[-1].text.endswith(FOOTER.strip())
        assert len(parts) == (1 if length + utf16_len(FOOTER) <= LIMIT else 2)


def test_an_empty_answer_has_a_footer_only() -> None:
    assert texts(ended("", FOOTER)) == [FOOTER.strip()]
    assert ended("", "") == []


def test_monospace_covers_the_whole_text() -> None:
    assert pre("пн 😀\n  вт") == ("пн 😀\n  вт", [{"type": "pre", "offset": 0, "length": 10}])
    assert pre(" ") == (" ", [])


# --- Other kinds of entities ------------------------------------------------------------------

OF_A_NOTE: list[dict[str, Any]] = [
    {"type": "underline"},
    {"type": "spoiler"},
    {"type": "expandable_blockquote"},
    {"type": "custom_emoji", "custom_emoji_id": "5368324170671202286"},
    {"type": "text_link", "url": "https://example.org/a_b"},
    {"type": "text_mention", "user": {"id": 5, "is_bot": False, "first_name": "Ян"}},
    {"type": "mention"},
    {"type": "hashtag"},
    {"type": "bot_command"},
    {"type": "pre", "language": "python"},
    {"type": "of_the_next_year", "anything": [1, 2]},
]


@pytest.mark.parametrize("kind", OF_A_NOTE, ids=lambda kind: str(kind["type"]))
def test_an_entity_of_a_note_is_where_it_was(kind: dict[str, Any]) -> None:
    text = "😀 начало слово 😀 середина слово конец"
    entity = {**kind, "offset": utf16_len("😀 начало слово 😀 "), "length": utf16_len("середина")}
    assert split(text, [entity]) == [Part(text, [entity])]
    parts = split(text, [entity], limit=24)
    assert [(covered(part.text, e), {**e, "offset": 0}) for part in parts for e in part.entities] == [
        ("середина", {**entity, "offset": 0})
    ]


@pytest.mark.parametrize("kind", OF_A_NOTE, ids=lambda kind: str(kind["type"]))
def test_an_entity_longer_than_a_message_goes_on_in_the_next(kind: dict[str, Any]) -> None:
    text = "слово " * 20 + "конец"
    parts = split(text, [{**kind, "offset": 0, "length": len(text)}], limit=40)
    assert len(parts) > 2
    for part in parts:
        assert part.entities == [{**kind, "offset": 0, "length": utf16_len(part.text)}]


def test_entities_in_each_other_stay_so() -> None:
    text = "один два три четыре"
    entities = [
        {"type": "spoiler", "offset": 5, "length": 7},
        {"type": "underline", "offset": 0, "length": 19},
        {"type": "bold", "offset": 5, "length": 3},
    ]
    assert split(text, entities)[0].entities == [entities[1], entities[0], entities[2]]


@given(
    st.text("аб .\n😀", min_size=1, max_size=60),
    st.lists(st.tuples(st.sampled_from(OF_A_NOTE), st.integers(0, 60), st.integers(1, 60)), max_size=6),
    st.integers(2, 40),
)
def test_whatever_is_formatted_stays_formatted(
    text: str, marks: list[tuple[dict[str, Any], int, int]], limit: int
) -> None:
    entities = []
    for kind, start, length in marks:
        start, end = utf16_len(text[:start]), utf16_len(text[: start + length])
        if start < end:
            entities.append({**kind, "offset": start, "length": end - start})
    parts = split(text, entities, limit)
    assert_nothing_is_lost(text, parts)
    shown = {kind["type"]: "" for kind in OF_A_NOTE}
    for part in parts:
        for entity in part.entities:
            assert 0 < entity["length"] <= utf16_len(part.text) - entity["offset"]
            shown[entity["type"]] += covered(part.text, entity)
    for kind in OF_A_NOTE:
        ours = [entity for entity in entities if entity["type"] == kind["type"]]
        if len(ours) == 1:
            assert "".join(shown[kind["type"]].split()) == "".join(covered(text, ours[0]).split())
