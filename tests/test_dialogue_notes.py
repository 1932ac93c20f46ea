"""A dialogue about notes: what a person types, and the exact reply."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from conftest import FAR_EAST
from support.harness import Harness, Message, Person

GROUP = -1001


def numbers(text: str) -> list[int]:
    """Return the #numbers in a reply, in order."""
    return [int(number) for number in re.findall(r"#(\d+)", text)]


# ---- Adding and listing ---------------------------------------------------------------------


def test_notes_are_numbered_from_one_for_everybody(anna: Person, boris: Person) -> None:
    assert anna.says("/note_add первая") == "Заметка #1 сохранена."
    assert anna.says("/note_add вторая") == "Заметка #2 сохранена."
    assert boris.says("/note_add своя первая") == "Заметка #1 сохранена."


def test_the_list_has_the_newest_ten_first(anna: Person) -> None:
    for number in range(1, 13):
        anna.says(f"/note_add мысль{number}.")
    said = anna.says("/note_list")
    assert numbers(said) == list(range(12, 2, -1))
    assert re.findall(r"мысль(\d+)\.", said) == [str(number) for number in range(12, 2, -1)]


def test_the_list_has_as_many_as_were_asked_for(anna: Person) -> None:
    for number in range(1, 5):
        anna.says(f"/note_add мысль{number}")
    assert numbers(anna.says("/note_list 1")) == [4]
    assert numbers(anna.says("/note_list 3")) == [4, 3, 2]
    assert numbers(anna.says("/note_list 100")) == [4, 3, 2, 1]


def test_a_line_of_the_list_has_number_date_and_the_first_line(anna: Person) -> None:
    written = datetime(2026, 3, 7, 23, 30, tzinfo=ZoneInfo("UTC"))  # already the next morning in the Far East
    anna.says("/note_add первая строка\nвторая строка", date=int(written.timestamp()))
    line = anna.says("/note_list").splitlines()[-1]
    assert line.startswith("#1")
    assert "08.03.2026" in line
    assert "первая строка" in line
    assert "вторая" not in line


def test_a_long_note_is_shortened_in_the_list(anna: Person) -> None:
    anna.says("/note_add " + "слово " * 300 + "конец")
    line = anna.says("/note_list").splitlines()[-1]
    assert line.endswith("…")
    assert len(line) < 200
    assert "конец" not in line


def test_a_short_note_is_not_shortened(anna: Person) -> None:
    anna.says("/note_add короткая")
    assert "…" not in anna.says("/note_list")


def test_a_long_list_is_split_and_not_cut(bot: Harness, anna: Person) -> None:
    for number in range(1, 101):
        bot.server.say(f"/note_add {number} " + "длинная " * 20, user_id=anna.id)
    parts = anna.all_answers("/note_list 100")
    assert len(parts) > 1
    assert numbers("\n".join(part["text"] for part in parts)) == list(range(100, 0, -1))
    assert all(re.match(r"#\d+ ", part["text"]) for part in parts[1:])  # split between notes


def test_an_empty_list_says_so(anna: Person) -> None:
    assert "/note_add" in anna.says("/note_list")
    assert anna.says("/note_count") == "Заметок: 0."
    assert "/note_add" in anna.says("/note_export")


# ---- Searching ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("note", "needle"),
    [
        ("Привет, мир", "привет"),
        ("привет, мир", "ПРИВЕТ"),
        ("ЕЛКА", "ёлка"),
        ("Ёлка", "елка"),
        ("ΑΘΗΝΑ", "αθηνα"),
        ("Straße", "STRASSE"),
        ("скидка 100% сегодня", "100%"),
        ("snake_case", "_"),
        ("2*2=4", "*"),
        ('он сказал "да"', '"'),
        ("it's", "'"),
        ("C:\\temp\\x", "\\"),
        ("[скобки]", "[с"),
        ("а" * 50 + "б", "б"),
        ("эмодзи 🎄 здесь", "🎄"),
        ("два слова рядом", "слова рядом"),
        ("первая\nвторая", "вторая"),
        ("сто́ит", "то́и"),
        ("йод", "и\u0306"),
    ],
)
def test_a_search_finds(anna: Person, note: str, needle: str) -> None:
    anna.says("/note_add ничего")
    anna.says(f"/note_add {note}")
    assert numbers(anna.says(f"/note_find {needle}")) == [2]


@pytest.mark.parametrize(
    ("note", "needle"),
    [
        ("скидка 100 сегодня", "100%"),
        ("абв", "а%в"),
        ("абв", "а_в"),
        ("абв", "а*в"),
        ("абв", "а?в"),
        ("абв", "[а-в]"),
        ("слово", "слово другое"),
        ("абв", "' OR '1'='1"),
        ("абв", "вба"),
    ],
)
def test_a_search_takes_every_character_for_itself(anna: Person, note: str, needle: str) -> None:
    anna.says(f"/note_add {note}")
    said = anna.says(f"/note_find {needle}")
    assert "ичего не найдено" in said
    assert numbers(said) == []


def test_a_search_shows_the_found_place_of_a_long_note(anna: Person) -> None:
    anna.says("/note_add " + "раньше " * 100 + "иголка " + "позже " * 100)
    said = anna.says("/note_find ИГОЛКА")
    assert "иголка" in said
    assert said.count("…") == 2
    assert len(said) < 250


def test_a_search_shows_the_found_place_behind_letters_that_fold_to_two(anna: Person) -> None:
    anna.says("/note_add " + "ß" * 300 + " иголка " + "позже " * 100)
    assert "иголка" in anna.says("/note_find иголка")


def test_a_search_says_how_many_it_found(anna: Person) -> None:
    for text in ("кот", "Кот и пёс", "пёс"):
        anna.says(f"/note_add {text}")
    said = anna.says("/note_find кот")
    assert "2" in said.splitlines()[0]
    assert numbers(said) == [2, 1]


def test_a_search_with_many_hits_is_split_and_not_cut(bot: Harness, anna: Person) -> None:
    for number in range(1, 61):
        bot.server.say(f"/note_add {number} иголка " + "длинная " * 20, user_id=anna.id)
    parts = anna.all_answers("/note_find иголка")
    shown = numbers("\n".join(part["text"] for part in parts))
    assert "60" in parts[0]["text"].splitlines()[0]
    assert shown == list(range(60, 60 - len(shown), -1))
    assert len(shown) >= 50


def test_a_search_does_not_find_what_was_edited_away(anna: Person) -> None:
    anna.says("/note_add старое")
    anna.says("/note_edit 1 новое")
    assert "ичего не найдено" in anna.says("/note_find старое")
    assert numbers(anna.says("/note_find НОВОЕ")) == [1]


# ---- Editing and deleting -------------------------------------------------------------------


def test_an_edit_replaces_the_text_with_all_its_lines(anna: Person) -> None:
    anna.says("/note_add старый текст")
    assert "#1" in anna.says("/note_edit 1 новый\n\n  текст  с отступом")
    assert anna.exports().splitlines()[1:] == ["новый", "", "  текст  с отступом"]


def test_an_edit_may_put_the_text_on_the_next_line(anna: Person) -> None:
    anna.says("/note_add старый")
    assert "#1" in anna.says("/note_edit\n1\nновый")
    assert anna.exports().splitlines()[1:] == ["новый"]


def test_a_number_may_be_written_as_the_bot_writes_it(anna: Person) -> None:
    anna.says("/note_add старый")
    assert "#1" in anna.says("/note_edit #1 новый")
    assert "#1" in anna.says("/note_del #1")
    assert anna.says("/note_count") == "Заметок: 0."


def test_a_number_that_is_not_there_is_named(anna: Person) -> None:
    anna.says("/note_add одна")
    for text in ("/note_edit 7 текст", "/note_del 7"):
        assert "#7" in anna.says(text)
    assert "#999999999999999999" in anna.says("/note_del 999999999999999999")
    assert anna.says("/note_count") == "Заметок: 1."


def test_a_deleted_note_is_gone_everywhere(anna: Person) -> None:
    anna.says("/note_add останется")
    anna.says("/note_add исчезнет")
    assert "#2" in anna.says("/note_del 2")
    assert anna.says("/note_count") == "Заметок: 1."
    assert numbers(anna.says("/note_list")) == [1]
    assert "ичего не найдено" in anna.says("/note_find исчезнет")
    assert "исчезнет" not in anna.exports()
    assert "Нет заметки #2" in anna.says("/note_edit 2 вернись")
    assert "Нет заметки #2" in anna.says("/note_del 2")


def test_a_number_is_never_used_twice(anna: Person) -> None:
    anna.says("/note_add один")
    anna.says("/note_add два")
    anna.says("/note_del 2")
    assert anna.says("/note_add три") == "Заметка #3 сохранена."
    anna.says("/note_del 1")
    anna.says("/note_del 3")
    assert anna.says("/note_add четыре") == "Заметка #4 сохранена."


# ---- Other people's notes -------------------------------------------------------------------


def test_nobody_reaches_another_persons_notes(anna: Person, boris: Person) -> None:
    anna.says("/note_add тайна Анны")
    anna.says("/note_add вторая тайна")
    boris.says("/note_add дело Бориса")
    assert boris.says("/note_count") == "Заметок: 1."
    assert "тайна" not in boris.says("/note_list 100")
    assert "ичего не найдено" in boris.says("/note_find тайна")
    assert "Нет заметки #2" in boris.says("/note_edit 2 подмена")
    assert "Нет заметки #2" in boris.says("/note_del 2")
    assert "тайна" not in boris.exports()
    boris.says("/note_edit 1 изменено Борисом")
    boris.says("/note_del 1")
    assert [line for line in anna.exports().splitlines() if "тайна" in line] == ["тайна Анны", "вторая тайна"]
    assert "Всего: 0" in boris.says("/note_stats")
    assert "Всего: 2" in anna.says("/note_stats")


def test_in_a_group_everybody_still_has_notes_of_their_own(anna: Person, boris: Person) -> None:
    assert anna.says("/note_add от Анны", chat_id=GROUP) == "Заметка #1 сохранена."
    assert boris.says("/note_add от Бориса", chat_id=GROUP) == "Заметка #1 сохранена."
    assert "от Анны" in anna.says("/note_list")
    assert "от Анны" not in boris.says("/note_list", chat_id=GROUP)


# ---- Export ---------------------------------------------------------------------------------


def test_the_export_has_every_note_with_number_and_date(anna: Person) -> None:
    written = datetime(2026, 3, 7, 23, 30, tzinfo=ZoneInfo("UTC"))
    anna.says("/note_add первая\nс двумя строками", date=int(written.timestamp()))
    anna.says("/note_add вторая", date=int((written + timedelta(days=1)).timestamp()))
    anna.says("/note_add третья")
    anna.says("/note_del 3")
    first, second = re.split(r"\n\n(?=#)", anna.exports().rstrip("\n"))
    assert re.match(r"#1\b.*08\.03\.2026", first)
    assert first.splitlines()[1:] == ["первая", "с двумя строками"]
    assert re.match(r"#2\b.*09\.03\.2026", second)


def test_the_export_keeps_every_character(bot: Harness, anna: Person) -> None:
    text = (
        "«Ёлочки» “quotes” 'a' \"b\" `c` <b>&amp;</b> *звёзды* _подчёркнуто_ 100% \\n \\\\ {0} %s $1 ;--\n"
        "\n  отступ   и   пробелы\n👩‍👩‍👧‍👦 🇷🇺 é е\u0301 й и\u0306 漢字 עברית ﷽ \u200b\ufeff \u00a0| конец"
    )
    sent: Message = bot.server.say(f"/note_add {text}", user_id=anna.id)
    bot.reply_to(sent)
    stored = sent["text"].removeprefix("/note_add ")  # the text as Telegram delivers it
    assert stored == text
    assert anna.exports().split("\n", 1)[1].rstrip("\n") == stored


def test_the_longest_note_of_all_is_exported_whole(anna: Person) -> None:
    text = "ж" * (4096 - len("/note_add "))
    anna.says(f"/note_add {text}")
    assert anna.exports().splitlines()[1] == text


# ---- Statistics -----------------------------------------------------------------------------


def stats(person: Person, text: str, now: datetime) -> tuple[dict[str, tuple[int, int]], str, list[Message]]:
    """Return the statistics: day -> (count, length of the bar), the last line, and the messages."""
    parts = [part for part in person.all_answers(text, date=int(now.timestamp())) if "text" in part]
    lines = "\n".join(part["text"] for part in parts).splitlines()
    found = (re.fullmatch(r"(\d\d\.\d\d) +(\d+) *(\S*)", line) for line in lines)
    return {m[1]: (int(m[2]), len(m[3])) for m in found if m}, lines[-1], parts


NOON = datetime(2026, 3, 8, 12, 0, tzinfo=ZoneInfo(FAR_EAST))


def add(person: Person, when: datetime, times: int = 1) -> None:
    for _ in range(times):
        person.says("/note_add мысль", date=int(when.timestamp()))


def test_statistics_show_the_last_seven_days_with_the_empty_ones(anna: Person) -> None:
    add(anna, NOON)
    add(anna, NOON - timedelta(days=2), times=4)
    add(anna, NOON - timedelta(days=7))  # one day too old
    days, total, _ = stats(anna, "/note_stats", NOON)
    assert list(days) == ["02.03", "03.03", "04.03", "05.03", "06.03", "07.03", "08.03"]
    assert {day: count for day, (count, _) in days.items() if count} == {"06.03": 4, "08.03": 1}
    assert "5" in total


def test_a_bar_is_as_long_as_its_day_was_busy(anna: Person) -> None:
    add(anna, NOON)
    add(anna, NOON - timedelta(days=1), times=4)
    days, _, _ = stats(anna, "/note_stats 3", NOON)
    assert days["06.03"] == (0, 0)
    assert days["07.03"][1] == 4 * days["08.03"][1] > 0


def test_statistics_are_in_monospace_in_every_part(anna: Person) -> None:
    add(anna, NOON)
    _, total, parts = stats(anna, "/note_stats 365", NOON)
    assert "1" in total
    for part in parts:
        (entity,) = part["entities"]
        assert entity["type"] == "pre"
        assert (entity["offset"], entity["length"]) == (0, len(part["text"]))


def test_a_day_begins_at_midnight_where_the_person_lives(anna: Person) -> None:
    add(anna, NOON.replace(hour=0, minute=1))
    add(anna, NOON.replace(hour=0, minute=0) - timedelta(minutes=1))
    days, _, _ = stats(anna, "/note_stats 2", NOON)
    assert [count for count, _ in days.values()] == [1, 1]
    days, total, _ = stats(anna, "/note_stats 1", NOON)
    assert list(days) == ["08.03"]
    assert "1" in total
