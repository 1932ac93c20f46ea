"""Text folded for a search: texts that read the same become equal; positions map back to the original."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.folding import fold, look_alike, original_places
from storage.tags import tags_in

SAME = [
    ("ЁЛКА", "елка"),
    ("и\u0306", "й"),
    ("IĞDIR ılık Łódź Øresund đak", "igdir ilik lodz oresund dak"),
    ("Straße", "strasse"),
    ("Алекса\u0301ндр Пу\u0301шкин", "александр пушкин"),
    ("résumé", "resume"),
    ("façade, señor, Ångström", "facade, senor, angstrom"),
    ("при\u00adвет\u200b", "привет"),
    ("\ufeff\u200eпри\u2060вет\u200f", "привет"),
    ("сердце ❤\ufe0f", "сердце ❤"),
    ("семья 👨\u200d👩", "семья 👨👩"),
    ("5\u00a0кг\u202fи\u2009ещё\tраз\nтут", "5 кг и еще раз тут"),
    ("д’Артаньян, Д‘Артаньян, дʼАртаньян, д`артаньян", "д'артаньян, д'артаньян, д'артаньян, д'артаньян"),
    ("«Ёж» „Еж“ “еж”", '"еж" "еж" "еж"'),
    ("раз — два – три − четыре ‑ пять", "раз - два - три - четыре - пять"),
    ("и так далее…", "и так далее..."),
    ("０１２３ ＡＢ", "0123 ab"),
    ("ﬁнал ㎏ №5", "fiнал kg no5"),
    ("ΣΊΣΥΦΟΣ", "σισυφοσ"),
    ("İstanbul", "istanbul"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_what_reads_the_same_folds_the_same(one: str, other: str) -> None:
    assert fold(one) == fold(other) == other


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("и", "й"),
        ("і", "ї"),
        ("у", "ў"),
        ("г", "ґ"),
        ("е", "э"),
        ("a", "а"),
        ("1", "١"),
        ("-", "_"),
        ("ъ", "ь"),
    ],
)
def test_different_letters_stay_different(one: str, other: str) -> None:
    assert fold(one) != fold(other)


ODD = st.text(
    st.one_of(
        st.characters(exclude_categories=["Cs"]),
        st.sampled_from(
            "eеиёй\u0301\u0306\u0308\u200d\u00ad\ufe0f\u0338=\u1100\u1161\u11a8가ßİıσς\uff76\uff9e"
        ),
    )
)


@given(ODD)
def test_to_fold_again_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(ODD)
def test_every_folded_letter_has_its_place_in_the_original(text: str) -> None:
    places = original_places(text)
    assert len(places) == len(fold(text)) + 1
    assert places == sorted(places)
    assert places[-1] == len(text)


@given(before=ODD, after=ODD)
def test_a_place_leads_to_the_letters_that_it_comes_from(before: str, after: str) -> None:
    text = f"{before} иголка {after}"
    place = fold(text).rindex(" иголка ") if "иголка" not in after else fold(text).index(" иголка ")
    assert text[original_places(text)[place + 1] :].startswith("иголка")


@pytest.mark.parametrize(
    ("word", "cyrillic"),
    [
        ("пpивет", "привет"), ("38k2580", "38к2580"), ("a4", "а4"), ("38к2580", ""), ("привет", ""),
        ("cop", ""), ("wifi5", ""), ("кафеbar", ""), ("2024", ""),
    ],
)  # fmt: skip
def test_mixed_alphabets_are_seen_through(word: str, cyrillic: str) -> None:
    assert look_alike(word) == cyrillic


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("#Работа и #дом, снова #РАБОТА", ["работа", "дом"]),
        ("(#раз) «#два» — #три_4!", ["раз", "два", "три_4"]),
        ("начало\n#тег", ["тег"]),
        ("https://x.y/#часть и https://x.y/a(#b), C#, a#b, ##раз, &#39;", []),
        ("#1 в списке, #", []),
        ("#ёлка", ["елка"]),
    ],
)
def test_tags_are_those_of_the_text(text: str, tags: list[str]) -> None:
    assert tags_in(text) == tags


def test_code_has_no_tags() -> None:
    text = "😀 #тег #include <x> и #define"
    code = [{"type": "pre", "offset": 8, "length": 12}, {"type": "bold", "offset": 23, "length": 7}]
    assert tags_in(text, code) == ["тег", "define"]
