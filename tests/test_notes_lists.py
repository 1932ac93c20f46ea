"""Lists and hits: the course's lines, a button for each note, pages turned within the same message."""

from collections.abc import Callable
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.lists import start_of
from handlers.pages import last_page
from support.harness import Harness, Message, Person
from support.notes import formatted, labels, now, opened, pressed
from telegram.lines import around
from telegram.splitting import utf16_len

NewBot = Callable[..., Harness]


def fill(person: Person, total: int, text: str = "мысль {}") -> None:
    """Write notes, and wait until they are saved."""
    for number in range(1, total + 1):
        person.bot.server.say(f"/note_add {text.format(number)}", user_id=person.id)
    person.says("/note_count")


def numbers(message: Message) -> list[int]:
    """Return the numbers of the notes in a list."""
    return [int(line[1:].partition(" ")[0]) for line in message["text"].split("\n")[1:] if line[0] == "#"]


# ---- /note_list -----------------------------------------------------------------------------


def test_a_short_list_has_a_button_for_each_note_and_no_pages(anna: Person) -> None:
    fill(anna, 7)
    shown = anna.asks("/note_list")
    assert shown["text"].split("\n")[0] == "Последние заметки (7 из 7):"
    rows = shown["reply_markup"]["inline_keyboard"]
    assert [[button["text"] for button in row] for row in rows] == [["7", "6", "5", "4", "3"], ["2", "1"]]


def test_a_long_list_is_turned_in_its_place(anna: Person) -> None:
    fill(anna, 23)
    shown = anna.asks("/note_list")
    assert labels(shown)[-2:] == ["1/3", "▶"]
    _, shown = pressed(anna, shown, "▶")
    assert shown["text"].split("\n")[0] == "Заметки 11–20 из 23:"
    assert numbers(shown) == list(range(13, 3, -1))
    assert labels(shown)[-3:] == ["◀", "2/3", "▶"]
    assert anna.press(shown, "2/3")
    _, shown = pressed(anna, shown, "▶")
    assert numbers(shown) == [3, 2, 1]
    assert labels(shown)[-2:] == ["◀", "3/3"]
    _, shown = pressed(anna, shown, "◀")
    assert numbers(shown)[0] == 13


def test_a_page_that_is_gone_becomes_the_last(anna: Person) -> None:
    fill(anna, 11)
    shown = anna.asks("/note_list")
    anna.says("/note_del 1")
    _, after = pressed(anna, shown, "▶")
    assert numbers(after) == list(range(11, 1, -1))
    anna.says("/note_del " + " ".join(map(str, range(2, 12))))
    _, after = pressed(anna, shown, 0)
    shown = anna.asks("/note_list")
    assert shown["text"] == "Заметок пока нет. Добавить: /note_add <текст>"


def test_the_persons_number_of_lines_is_a_page(anna: Person) -> None:
    fill(anna, 7)
    shown = anna.asks("/note_list 3")
    assert labels(shown) == ["7", "6", "5", "1/3", "▶"]
    _, shown = pressed(anna, shown, "▶")
    assert numbers(shown) == [4, 3, 2]


def test_a_hundred_notes_have_no_more_buttons_than_telegram_takes(anna: Person) -> None:
    fill(anna, 112)
    parts = anna.all_answers("/note_list 100")
    shown = [number for part in parts for number in numbers({"text": "\n" + part["text"]})]
    assert shown == list(range(112, 12, -1))
    assert labels(parts[-1])[-2:] == ["1–10/12", "▶"]
    _, after = pressed(anna, parts[-1], "▶")
    assert numbers(after) == list(range(12, 2, -1))


def test_a_list_is_turned_after_a_restart(new_bot: NewBot) -> None:
    bot = new_bot().start()
    anna = bot.person()
    fill(anna, 11)
    shown, found = anna.asks("/note_list"), anna.asks("/note_find мысль")
    assert labels(found)[-1] == "1"
    bot.restart()
    _, shown = pressed(anna, shown, "▶")
    assert numbers(shown) == [1]
    (message,) = opened(anna, found, "3")
    assert "мысль 3" in message["text"]


# ---- /note_find -----------------------------------------------------------------------------


def test_a_hit_is_bold_with_words_around_it(anna: Person) -> None:
    anna.says("/note_add " + "раньше " * 40 + "😀 иголка " + "позже " * 40)
    shown = anna.asks("/note_find ИГОЛКА")
    assert shown["text"].startswith("Найдено: 1.\n#1 · ")
    assert formatted(shown, "bold") == ["иголка"]
    assert labels(shown) == ["1"]


def test_many_hits_are_shown_as_ever_and_the_rest_by_pages(anna: Person) -> None:
    fill(anna, 63, "{} иголка")
    parts = anna.all_answers("/note_find иголка")
    assert parts[0]["text"].startswith("Найдено: 63, последние 50.")
    assert labels(parts[-1])[-2:] == ["1–5/7", "▶"]
    _, shown = pressed(anna, parts[-1], "▶")
    assert shown["text"].split("\n")[0] == "Найдено: 63 (51–60)."
    assert numbers(shown) == list(range(13, 3, -1))
    assert formatted(shown, "bold") == ["иголка"] * 10
    _, shown = pressed(anna, shown, "▶")
    assert numbers(shown) == [3, 2, 1]
    _, shown = pressed(anna, shown, "◀")
    assert numbers(shown)[0] == 13


def test_a_search_can_be_turned_after_a_restart(new_bot: NewBot) -> None:
    bot = new_bot().start()
    anna = bot.person()
    fill(anna, 52, "{} иголка")
    parts = anna.all_answers("/note_find " + "иголка")
    bot.restart()
    _, shown = pressed(anna, parts[-1], "▶")
    assert numbers(shown) == [2, 1]


def test_nothing_found_offers_the_closest_words_of_ones_own(anna: Person, boris: Person) -> None:
    boris.says("позвонить стоматолох")
    anna.says("записаться к стоматологу")
    shown = anna.asks("/note_find стомтолгу")
    assert shown["text"].startswith("Ничего не найдено: стомтолгу")
    assert "стоматологу" in labels(shown)
    assert "стоматолох" not in labels(shown)
    _, shown = pressed(anna, shown, "стоматологу")
    assert shown["text"].startswith("Найдено: 1.")


def test_a_date_that_is_none_is_named(anna: Person) -> None:
    anna.says("слова")
    assert "от:32.01.2026" in anna.says("/note_find от:32.01.2026")


def test_in_a_group_nobody_turns_anothers_pages(anna: Person, boris: Person) -> None:
    fill(anna, 52, "{} иголка Анны")
    fill(boris, 12, "{} иголка Бориса")
    for text in ("/note_list", "/note_find иголка", "/note_trash", "/tags"):
        shown = anna.asks(text, chat_id=-1031)
        last = [m for m in anna.bot.server.messages(-1031) if labels(m)][-1]
        before = now(anna, last)
        for number in range(len(labels(before))):
            assert boris.press(last, number) == "Это чужая кнопка."
        assert now(anna, last) == before
        assert "Бориса" not in shown["text"]


# ---- /tags ----------------------------------------------------------------------------------


def test_tags_have_their_counts_and_find_their_notes(anna: Person) -> None:
    for text in ("отчёт #Работа", "план #работа #дом", "без тега C# и 5#6"):
        anna.says(text)
    shown = anna.asks("/tags")
    assert shown["text"] == "Теги: 2."
    assert labels(shown) == ["#работа · 2", "#дом · 1"]
    (found,) = opened(anna, shown, "#работа · 2")
    assert numbers(found) == [2, 1]
    anna.says("/note_del 2")
    assert labels(anna.asks("/tags")) == ["#работа · 1"]


def test_a_tag_finds_just_itself_on_every_page(anna: Person) -> None:
    anna.says("#домен")
    for number in range(2, 53):
        anna.says(f"#дом {number}")
    (found,) = opened(anna, anna.asks("/tags"), "#дом · 51")
    assert numbers(found) == list(range(52, 2, -1))
    _, last = pressed(anna, found, "▶")
    assert numbers(last) == [2]
    assert formatted(last, "bold") == ["#дом"]
    assert anna.says("/note_find #дом").startswith("Найдено: 52")  # typed, it still searches for a substring


def test_without_tags_it_is_said_what_one_is(anna: Person) -> None:
    anna.says("слова")
    assert "#работа" in anna.says("/tags")
    assert labels(anna.asks("/tags")) == []


def test_many_tags_have_pages(anna: Person) -> None:
    anna.says(" ".join(f"#тег{number:02}ю" for number in range(35)))
    shown = anna.asks("/tags")
    assert len(labels(shown)) == 32
    _, shown = pressed(anna, shown, "▶")
    assert len(labels(shown)) == 5 + 2


def test_a_tag_of_any_length_fits_a_button(anna: Person) -> None:
    tag = "#" + "длинный" * 30
    anna.says(f"слова {tag}")
    shown = anna.asks("/tags")
    assert len(labels(shown)[0]) < 50
    (found,) = opened(anna, shown, 0)
    assert numbers(found) == [1]


# ---- Invariants -----------------------------------------------------------------------------


@given(st.integers(1, 500), st.integers(1, 100))
def test_pages_hold_every_note_once(total: int, asked: int) -> None:
    step = min(asked, 10)
    shown = list(range(min(asked, total)))
    page = len(shown) // step + 1
    seen = set(shown)
    while len(seen) < total:
        start = start_of(page, total, step)
        seen |= set(range(start, min(total, start + step)))
        page += 1
    assert seen == set(range(total))
    assert page - 1 <= last_page(total, step)


@given(st.integers(1, 10**6), st.integers(0, 300), st.integers(1, 30))
def test_a_page_is_never_outside_of_the_list(page: int, total: int, step: int) -> None:
    start = start_of(page, total, step)
    assert 0 <= start <= max(0, total - 1)
    assert start % step == 0


@given(
    st.lists(st.text("аб 😀\u0301\n", max_size=30), min_size=2, max_size=6),
    st.integers(12, 60),
)
def test_the_found_places_of_a_line_are_what_was_found(parts: list[str], limit: int) -> None:
    found = "иголка"
    text, spans, at = parts[0], [], count()
    for part in parts[1:]:
        spans.append((len(text), len(found)))
        text += found + part
        next(at)
    line, places = around(text, spans, limit)
    assert utf16_len(line) <= limit
    assert places
    data = line.encode("utf-16-le")
    for start, length in places:
        piece = data[2 * start : 2 * (start + length)].decode("utf-16-le")
        assert found.startswith(piece)
        assert piece


@pytest.mark.parametrize("name", ["list", "find", "tags", "bin"])
def test_the_data_of_a_button_fits_whatever_the_numbers(name: str) -> None:
    longest = f"{name}:{2**52}.{10**9}.{10**9}"
    assert len(longest.encode()) <= 64
