"""Searching notes: what is found, the position of hits, and suggestions."""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from db import Database, Note
from storage.folding import fold
from storage.forms import beginnings, same_word
from storage.notebook import Notebook
from storage.query import QueryError
from support.harness import ROOT

ANNA, BORIS = 1, 2
MESSAGES, PEOPLE = count(1), count(10_000)
RECALL: dict[str, Any] = json.loads((ROOT / "tests" / "recall.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with closing(Database(tmp_path_factory.mktemp("search") / "notes.db")) as database:
        yield database


def add(db: Database, user_id: int, *texts: str, created_at: int = 1_700_000_000) -> list[Note]:
    return [db.add_note(user_id, text, created_at=created_at, source=f"m {next(MESSAGES)}") for text in texts]


def found(db: Database, user_id: int, query: str) -> list[str]:
    total, hits = db.find_notes(user_id, query, 1000)
    assert total == len(hits)
    return [hit.note.text for hit in hits]


def finds(db: Database, text: str, query: str) -> bool:
    person = next(PEOPLE)
    add(db, person, text)
    return found(db, person, query) == [text]


# ---- Everything the course's search found is found --------------------------------------------

# A combining mark changes the letter before it: a text might not contain its own tail.
LETTERS = st.characters(exclude_categories=("Cs", "Mn", "Mc", "Me", "Lo", "Cn", "Cf"))
SIGNS = st.text("абв ёАБ\nC+%_\\*?'\"[]#-.,:12«»", min_size=1, max_size=12)


@given(before=st.text(LETTERS, max_size=20), needle=st.text(LETTERS, min_size=1), after=st.text(LETTERS))
def test_a_note_is_found_by_every_part_of_it(db: Database, before: str, needle: str, after: str) -> None:
    if needle.strip():
        assert finds(db, before + needle + after, needle)


@given(before=SIGNS, needle=SIGNS, after=SIGNS)
@example(before="язык ", needle="C++", after=" и")
@example(before="скидка", needle="50%", after="")
@example(before="x", needle="a_b", after="y")
@example(before="", needle="\\", after="")
@example(before="он сказал ", needle='"да нет', after="")
@example(before="", needle='"', after="")
@example(before="д", needle="о", after="м")
def test_signs_are_letters_like_others(db: Database, before: str, needle: str, after: str) -> None:
    if needle.strip():
        assert finds(db, before + needle + after, needle)


MARKS = st.text("🎂→x1!:)-#\0\u0301\u200d\ufe0f👨👩🇷🇺❤ ", min_size=1, max_size=5)


@given(before=MARKS, needle=MARKS, after=MARKS, other=MARKS)
@example(before="a", needle="\0!", after="", other="!")
def test_signs_and_emoji_are_found_by_the_index(
    db: Database, before: str, needle: str, after: str, other: str
) -> None:
    person, parts = next(PEOPLE), fold(needle).split()
    texts = [before + needle + after, other, "слова"]
    add(db, person, *texts)
    assert not parts or found(db, person, needle) == [
        text for text in texts[::-1] if all(part in fold(text) for part in parts)
    ]


def naive(texts: list[str], words: list[str], literals: list[str]) -> list[str]:
    """Search without an index: compare each word of the query with each word of every text."""

    def holds(text: str, word: str) -> bool:
        folded = fold(text)
        return word in folded or any(same_word(word, other) for other in re.findall(r"\w+", folded))

    return [
        text
        for text in reversed(texts)
        if all(holds(text, fold(word)) for word in words) and all(fold(one) in fold(text) for one in literals)
    ]


WORDS = st.sampled_from(
    "врач врача врачу день дня дни Пушкин пушки ёлка елку петли петель долг должен стиралка стиральная"
    " копейка копеек машина машинка кот коты run runs running день-деньской".split()
)
SPOKEN = st.lists(WORDS, min_size=1, max_size=5).map(" ".join)


@given(
    texts=st.lists(SPOKEN, min_size=1, max_size=12, unique=True),
    words=st.lists(WORDS.filter(str.isalpha), max_size=2),
    literals=st.lists(SPOKEN, max_size=1),
)
def test_the_index_finds_what_a_look_at_every_note_would(
    db: Database, texts: list[str], words: list[str], literals: list[str]
) -> None:
    person = next(PEOPLE)
    add(db, person, *texts)
    if words or literals:
        query = " ".join([*words, *(f'"{literal}"' for literal in literals)])
        assert found(db, person, query) == naive(texts, words, literals)


@given(
    texts=st.lists(SPOKEN, min_size=1, max_size=10),
    edits=st.lists(st.tuples(st.integers(1, 10), SPOKEN | st.none()), max_size=12),
)
def test_the_index_follows_edits_and_deletions(
    db: Database, texts: list[str], edits: list[tuple[int, str | None]]
) -> None:
    person = next(PEOPLE)
    add(db, person, *texts)
    there = dict(enumerate(texts, 1))
    for number, text in edits:
        if number not in there:
            continue
        if text is None:
            db.delete_note(person, number, deleted_at=1, source=f"d {next(MESSAGES)}")
            del there[number]
        else:
            db.edit_note(person, number, text, edited_at=1)
            there[number] = text
    for word in ("врач", "дн", "день", "пет", "run"):
        wanted = [n for n, text in there.items() if naive([text.replace("-", " ")], [word], [])]
        _, hits = db.find_notes(person, word, 100)
        assert [hit.note.number for hit in hits] == sorted(wanted, reverse=True)


# ---- What else is found -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("записаться к врачам", "врачу"),
        ("к врачам", "врача"),
        ("купить хлеб, молоко и сыр", "сыра молока"),
        ("Алекса\u0301ндр Пу\u0301шкин", "пушкин"),
        ("Пушкин", "Пу\u0301шкин"),
        ("résumé", "resume"),
        ("resume", "résumé"),
        ("5\u00a0кг сахара", "5 кг"),
        ("5 кг сахара", "5\u00a0кг"),
        ("при\u00adвет", "привет"),
        ("д’Артаньян", "д'артаньян"),
        ("д'Артаньян", "Д’Артаньян"),
        ("«Мастер и Маргарита»", '"мастер и маргарита"'),
        ("«Мастер и Маргарита»", '"«Мастер и Маргарита»"'),
        ("раз — два", "раз - два"),
        ("код ３８К２５８０", "38к2580"),
        ("код 38К2580", "38k2580"),
        ("листы А4", "a4"),
        ("пpивет всем", "привет"),
        ("привет всем", "пpивет"),
        ("зайти к врачам-терапевтам", "врачу-терапевту"),
        ("к врачам, срочно", "врачу,"),
        ("осталось два дня", "день"),
        ("#Работа: отчёт", "#работа"),
        ("running late", "run"),
        ("👍🏽 готово", "👍"),
    ],
)
def test_what_was_meant_is_found(db: Database, text: str, query: str) -> None:
    assert finds(db, text, query)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("записаться к врачам", '"врачу"'),
        ("мастер Маргарита", '"мастер и маргарита"'),
        ("в мае", "врачу"),
        ("река", "рок"),
        ("мой", '"мои"'),
        ("язык Си", "C++"),
        ("процентов 50", "50%"),
        ("молоко", "молоко сыр"),
        ("C#", "#c"),
    ],
)
def test_what_was_not_meant_is_not_found(db: Database, text: str, query: str) -> None:
    assert not finds(db, text, query)


def test_a_search_counts_all_and_returns_a_page_the_newest_first(db: Database) -> None:
    person, other = next(PEOPLE), next(PEOPLE)
    add(db, person, *(f"кот {number}" for number in range(5)), "пёс")
    add(db, other, "кот Бориса")
    for offset, numbers in ((0, [5, 4]), (2, [3, 2]), (4, [1]), (6, [])):
        total, hits = db.find_notes(person, "КОТЫ", 2, offset)
        assert (total, [hit.note.number for hit in hits]) == (5, numbers)


def test_days_bound_what_is_found(db: Database) -> None:
    person = next(PEOPLE)
    for day in range(1, 5):
        add(db, person, f"день {day}", created_at=1_767_225_600 + (day - 1) * 86_400)  # 01.01.2026 …
    for query, days in (
        ("от:02.01.2026", [4, 3, 2]),
        ("до:2026-01-02", [2, 1]),
        ("день от:02.01.26 до: 03.01.2026", [3, 2]),
        ("до:03.01.2026, от:02.01.2026. день", [3, 2]),
        ("день 1 от:02.01.2026", []),
    ):
        assert found(db, person, query) == [f"день {day}" for day in days]
    assert found(db, person, "от:врача") == []
    with pytest.raises(QueryError, match="32"):
        db.find_notes(person, "день от:32.01.2026", 10)


def test_a_hidden_address_and_the_name_of_a_file_are_found(db: Database) -> None:
    person = next(PEOPLE)
    link = {"type": "text_link", "offset": 0, "length": 3, "url": "https://example.com/soup"}
    note = db.add_note(person, "тут", created_at=1, source=f"m {next(MESSAGES)}", entities=[link])
    _, hits = db.find_notes(person, "example.com/soup", 5)
    assert [(hit.note, hit.spans) for hit in hits] == [(note, ())]


def test_signs_in_code_are_found_and_make_no_tag(db: Database) -> None:
    person = next(PEOPLE)
    code = {"type": "code", "offset": 0, "length": 16}
    db.add_note(person, "#include <x> c# ", created_at=1, source=f"m {next(MESSAGES)}", entities=[code])
    for query in ("#", "#include", "c#", "# <", "<x>", "include"):
        assert found(db, person, query), query
    assert Notebook(db).tags(person) == []


def test_a_word_of_hundreds_of_notes_is_found_in_all_that_are_left(db: Database) -> None:
    person = next(PEOPLE)
    add(db, person, *("кот" for _ in range(450)))
    for number in (1, 200, 201, 402, 450):
        db.delete_note(person, number, deleted_at=1, source=f"d {next(MESSAGES)}")
    db.edit_note(person, 300, "пёс", edited_at=1)
    assert db.find_notes(person, "кот", 1)[0] == 444
    assert db.list_notes(person, 2)[0].number == 449
    db.edit_note(person, 300, "кот", edited_at=2)
    assert db.find_notes(person, "кот", 1)[0] == 445


# ---- Positions of hits ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "query", "parts"),
    [
        ("записаться к врачам", "врачу", ["врачам"]),
        ("привет, неприветливо", "привет", ["привет", "привет"]),
        ("наша Straße", "STRASSE", ["Straße"]),
        ("чита\u0438\u0306 ёлку", "читай", ["чита\u0438\u0306"]),
        ("Пу\u0301шкин", "пушкин", ["Пу\u0301шкин"]),
        ("мало молока, масло", "масло молоко", ["молока", "масло"]),
        ("раз два", '"раз два"', ["раз два"]),
        ("код 38К2580", "38k2580", ["38К2580"]),
    ],
)
def test_hits_know_where_they_are(db: Database, text: str, query: str, parts: list[str]) -> None:
    person = next(PEOPLE)
    add(db, person, text)
    _, (hit,) = db.find_notes(person, query, 1)
    assert [text[start : start + length] for start, length in hit.spans] == parts


@given(text=SIGNS, query=SIGNS)
def test_places_are_in_order_and_within_the_text(db: Database, text: str, query: str) -> None:
    person = next(PEOPLE)
    add(db, person, text)
    end = 0
    for hit in db.find_notes(person, query, 1)[1] if query.strip() and ":" not in query else ():
        for start, length in hit.spans:
            assert end <= start < start + length <= len(text)
            end = start + length


# ---- Word forms -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pair",
    "день дня, сон сна, отец отца, лев льва, палец пальца, письмо писем, окно окон, песня песен,"
    " копейка копеек, батарейка батареек, чашка чашек, сестра сестёр, просить прошу, любить люблю,"
    " купить куплю, долг должен, стиральная стиралка, врач врачам, run running, box boxes,"
    " юбилей юбилея, Оксана Оксаной, сметана сметаны, вокзал вокзале, Николай Николаю, Вадим Вадима,"
    " диван диваном, кровать кровати, кредит кредиту, яйцо яиц, дочь дочери, время времени,"
    " записать запишу, заказать закажу, заказать заказ, работать работа, проверить проверяли,"
    " стул стульями".split(", "),
)
def test_forms_of_one_word(pair: str) -> None:
    one, other = map(fold, pair.split())
    assert same_word(one, other)
    assert same_word(other, one)
    assert other.startswith(tuple(beginnings(one)))
    assert one.startswith(tuple(beginnings(other)))


@pytest.mark.parametrize(
    "pair",
    "рок река, нож нога, муж муха, мир мор, дело для, кот кит, дива диван, смета сметана, кровь кровать,"
    " меня менять, полы поляна, сталь стул".split(", "),
)
def test_words_that_only_look_alike(pair: str) -> None:
    assert not same_word(*pair.split())


# ---- Number of hits ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def everyday(db: Database) -> Database:
    for note in RECALL["notes"]:
        add(db, ANNA, note["text"])
    return db


def test_one_word_finds_the_note(everyday: Database) -> None:
    hits = {q["word"]: everyday.find_notes(ANNA, q["word"], 1000) for q in RECALL["questions"]}
    missed = [
        q["word"]
        for q in RECALL["questions"]
        if q["answer"] not in {hit.note.number for hit in hits[q["word"]][1]}
    ]
    total = sum(total for total, _ in hits.values())
    print(f"/note_find: {len(RECALL['questions']) - len(missed)} of 40, {total} hits; missed: {missed}")
    assert len(missed) <= 2
    assert total <= 150


def test_a_question_finds_its_note_among_eight(everyday: Database) -> None:
    notebook = Notebook(everyday)
    missed = [
        q["ask"]
        for q in RECALL["questions"]
        if q["answer"] not in {note.number for note in notebook.rank_notes(ANNA, [q["ask"]], 8)}
    ]
    print(f"/note_ask: {len(RECALL['questions']) - len(missed)} of 40 among eight; missed: {missed}")
    assert len(missed) <= 2


def test_ranking_takes_the_union_of_its_queries_and_needs_no_hit(everyday: Database) -> None:
    notebook = Notebook(everyday)
    texts = [note.text for note in notebook.rank_notes(ANNA, ["код домофона", "каштановый мёд"], 8)]
    assert any("домофона" in text for text in texts)
    assert any("мёд" in text for text in texts)
    assert notebook.rank_notes(ANNA, ["что и как", ""], 8) == []


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("домафон", "домофона"), ("крыжовнек", "крыжовника"), ("шошлыка", "шашлыка"), ("щсаго", "осаго")],
)
def test_a_misspelt_word_has_neighbours(everyday: Database, typed: str, meant: str) -> None:
    assert meant in Notebook(everyday).similar_words(ANNA, typed)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("молоко домафон", ["домофон"]),
        ("мололо домафон", ["молоко", "домофон"]),
        ("молоко домофона", []),  # each word is in some note
        ('"мололо" от:01.01.2020', ["молоко"]),
        ("#рабта", ["#работа"]),
        ("vjkjrj ljvjajyf", ["молоко домофона"]),  # typed in the other keyboard layout
        ("Vjkjrj ljv", ["молоко дом"]),
        ("vjkjrj ,jhn", []),
        ("удалёное", []),  # its note is in the bin
    ],
)
def test_of_several_words_those_are_corrected_that_stand_nowhere(
    db: Database, typed: str, meant: list[str]
) -> None:
    person = next(PEOPLE)
    add(db, person, "молоко, домофон", "домофон", "#работа", "удалённое")
    db.delete_note(person, 4, deleted_at=5, source="")
    assert Notebook(db).similar_words(person, typed) == meant


def test_neighbours_are_of_ones_own_notes_only(everyday: Database) -> None:
    assert Notebook(everyday).similar_words(BORIS, "домафон") == []
