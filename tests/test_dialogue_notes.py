"""A dialogue about notes: what a person types, and exactly what comes back."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from conftest import FAR_EAST
from harness import Harness, Message, Person

HELP = """Привет! Это заметочник на SQLite.

Команды:
  /note_add <текст>
  /note_list [N]
  /note_find <подстрока>
  /note_edit <id> <текст>
  /note_del <id>
  /note_count
  /note_export
  /note_stats [days]
  /models
  /model <id>
  /ask <вопрос>"""
USAGE = {
    "/note_add": "Использование: /note_add <текст>",
    "/note_list": "Использование: /note_list [N]",
    "/note_find": "Использование: /note_find <подстрока>",
    "/note_edit": "Использование: /note_edit <id> <текст>",
    "/note_del": "Использование: /note_del <id>",
    "/note_stats": "Использование: /note_stats [days]",
}
NOT_NUMBERS = ["abc", "-1", "0", "1.5", "²", "٣", "½", "1 2", "0x1", "9" * 30, "1;DROP TABLE notes", "++1"]
GROUP = -1001


def numbers(text: str) -> list[int]:
    """Return the #numbers in a reply, in order."""
    return [int(number) for number in re.findall(r"#(\d+)", text)]


def exported(person: Person) -> str:
    """Return the content of the export."""
    message = person.asks("/note_export")
    sent = [d for d in person.bot.server.documents if d.chat_id == person.id]
    assert sent[-1].message_id == message["message_id"]
    assert sent[-1].name.endswith(".txt")
    return sent[-1].data.decode("utf-8")


# ---- /start and /help -----------------------------------------------------------------------


@pytest.mark.parametrize("command", ["/start", "/help"])
def test_help_lists_the_commands_as_the_menu_does(anna: Person, command: str) -> None:
    said = anna.says(command)
    assert said.startswith(HELP)
    assert all(re.match(r"  /[a-z_]+", line) for line in said.splitlines()[3:])


def test_start_with_a_code_that_means_nothing_is_a_start(anna: Person) -> None:
    assert anna.says("/start abcdef").startswith(HELP)


# ---- How a command may be written -----------------------------------------------------------


@pytest.mark.parametrize(
    "written",
    [
        "/note_add купить хлеб",
        "/note_add@zametochnik_bot купить хлеб",
        "/note_add@Zametochnik_BOT купить хлеб",
        "/NOTE_ADD купить хлеб",
        "/note_add\nкупить хлеб",
        "/note_add\tкупить хлеб",
        "/note_add   \n  купить хлеб",
        "/note_add@zametochnik_bot\nкупить хлеб",
        "/note_add\u00a0купить хлеб",
    ],
)
def test_a_command_may_be_written_in_any_of_these_ways(anna: Person, written: str) -> None:
    assert anna.says(written) == "Заметка #1 сохранена."
    assert exported(anna).splitlines()[1:] == ["купить хлеб"]


@pytest.mark.parametrize(
    "command",
    [
        "start",
        "help",
        "note_add",
        "note_list",
        "note_find",
        "note_edit",
        "note_del",
        "note_count",
        "note_stats",
        "models",
        "model",
        "ask",
    ],
)
def test_every_command_may_name_the_bot(anna: Person, command: str) -> None:
    plain = anna.says(f"/{command}")
    assert "Нет команды" not in plain
    assert anna.says(f"/{command}@Zametochnik_Bot") == plain


@pytest.mark.parametrize(
    "written", ["/note_count@other_bot", "/note_add@zametochnik_bot2 хлеб", "/x@other_bot"]
)
def test_a_command_for_another_bot_is_ignored(bot: Harness, anna: Person, written: str) -> None:
    assert anna.is_ignored(bot.server.say(written, user_id=anna.id))
    assert anna.says("/note_count") == "Заметок: 0."


@pytest.mark.parametrize("written", ["/foo", "/notes_add хлеб", "/note_addхлеб", "/привет", "/note_list5"])
def test_an_unknown_command_leads_to_help(anna: Person, written: str) -> None:
    said = anna.says(written)
    assert "/help" in said
    assert "\n" not in said


def test_words_that_are_no_command_get_a_hint(anna: Person) -> None:
    assert "/help" in anna.says("просто слова")
    assert "/help" in anna.says("не /note_add в начале")


def test_every_answer_quotes_its_command(bot: Harness, anna: Person) -> None:
    asked = bot.server.say("/note_count", user_id=anna.id)
    assert bot.reply_to(asked)["reply_to_message"]["message_id"] == asked["message_id"]


@pytest.mark.parametrize("command", ["/note_add", "/note_find", "/note_edit", "/note_del", "/note_edit 1"])
def test_missing_arguments_get_the_usage(anna: Person, command: str) -> None:
    assert anna.says(command) == USAGE[command.split()[0]]
    assert anna.says(f"{command}   \n ") == USAGE[command.split()[0]]


@pytest.mark.parametrize("number", NOT_NUMBERS)
@pytest.mark.parametrize("command", ["/note_list", "/note_del", "/note_stats"])
def test_what_is_no_number_gets_the_usage(anna: Person, command: str, number: str) -> None:
    anna.says("/note_add цела")
    assert anna.says(f"{command} {number}") == USAGE[command]
    assert anna.says("/note_count") == "Заметок: 1."


@pytest.mark.parametrize("number", [number for number in NOT_NUMBERS if " " not in number])
def test_an_edit_of_no_number_gets_the_usage(anna: Person, number: str) -> None:
    anna.says("/note_add цела")
    assert anna.says(f"/note_edit {number} испорчена") == USAGE["/note_edit"]
    assert "цела" in exported(anna)


@pytest.mark.parametrize("text", ["/note_list 101", "/note_list 999", "/note_stats 366", "/note_stats 1000"])
def test_a_number_out_of_range_gets_the_usage(anna: Person, text: str) -> None:
    assert anna.says(text) == USAGE[text.split()[0]]


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
    written = datetime(2026, 3, 7, 23, 30, tzinfo=ZoneInfo("UTC"))  # the next morning in the Far East
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
        ("абв", "[абв]"),
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
    assert exported(anna).splitlines()[1:] == ["новый", "", "  текст  с отступом"]


def test_an_edit_may_put_the_text_on_the_next_line(anna: Person) -> None:
    anna.says("/note_add старый")
    assert "#1" in anna.says("/note_edit\n1\nновый")
    assert exported(anna).splitlines()[1:] == ["новый"]


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
    assert "исчезнет" not in exported(anna)
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
    assert "тайна" not in exported(boris)
    boris.says("/note_edit 1 изменено Борисом")
    boris.says("/note_del 1")
    assert [line for line in exported(anna).splitlines() if "тайна" in line] == ["тайна Анны", "вторая тайна"]
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
    first, second = re.split(r"\n\n(?=#)", exported(anna).rstrip("\n"))
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
    stored = sent["text"].removeprefix("/note_add ")  # as Telegram hands it over
    assert stored == text
    assert exported(anna).split("\n", 1)[1].rstrip("\n") == stored


def test_the_longest_note_of_all_is_exported_whole(anna: Person) -> None:
    text = "ж" * (4096 - len("/note_add "))
    anna.says(f"/note_add {text}")
    assert exported(anna).splitlines()[1] == text


# ---- Statistics -----------------------------------------------------------------------------


def stats(person: Person, text: str, now: datetime) -> tuple[dict[str, tuple[int, int]], str, list[Message]]:
    """Return what the statistics say: day -> (count, length of the bar), the last line, the messages."""
    parts = person.all_answers(text, date=int(now.timestamp()))
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
    add(anna, NOON - timedelta(days=7))  # a day too old
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
    for number in range(0, 365, 5):
        add(anna, NOON - timedelta(days=number))
    days, total, parts = stats(anna, "/note_stats 365", NOON)
    assert len(days) == 365
    assert "73" in total
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


# ---- What is no command at all --------------------------------------------------------------


def test_editing_a_message_does_not_do_its_command_again(bot: Harness, anna: Person) -> None:
    sent = bot.server.say("/note_add первая", user_id=anna.id)
    bot.reply_to(sent)
    bot.server.edit(sent, "/note_add исправленная")
    assert anna.says("/note_count") == "Заметок: 1."


def test_a_sticker_or_a_photo_gets_a_hint_and_the_bot_goes_on(bot: Harness, anna: Person) -> None:
    for message in (
        bot.server.sticker(user_id=anna.id),
        bot.server.send_photo(b"JPEG", user_id=anna.id),
        bot.server.send_file(b"text", "a.txt", user_id=anna.id),
        bot.server.forward("чужие слова", user_id=anna.id),
    ):
        assert "/help" in bot.reply_to(message)["text"]
    assert anna.says("/note_count") == "Заметок: 0."


def test_a_note_may_be_the_caption_of_a_photo(bot: Harness, anna: Person) -> None:
    sent = bot.server.send_photo(b"JPEG", caption="/note_add подпись", user_id=anna.id)
    assert bot.reply_to(sent)["text"] == "Заметка #1 сохранена."


def test_in_a_group_it_answers_commands_and_nothing_else(bot: Harness, anna: Person) -> None:
    anna.says("/note_count", chat_id=GROUP)
    quiet = [
        bot.server.join(user_id=anna.id, chat_id=GROUP),
        bot.server.say("просто разговор", user_id=anna.id, chat_id=GROUP),
        bot.server.say("/unknown", user_id=anna.id, chat_id=GROUP),
        bot.server.sticker(user_id=anna.id, chat_id=GROUP),
    ]
    assert all(anna.is_ignored(message) for message in quiet)


def test_updates_of_unknown_shapes_do_not_stop_the_bot(bot: Harness, anna: Person) -> None:
    chat = {"id": anna.id, "type": "private"}
    for strange in (
        {"message": {}},
        {"message": {"message_id": 1, "chat": chat, "date": 1}},
        {"message": {"message_id": "x", "from": {"id": anna.id}, "chat": chat, "date": "y", "text": 5}},
        {"message": {"message_id": 1, "from": None, "chat": None, "date": 1, "text": "/note_add x"}},
        {"message": None},
        {"edited_message": []},
        {"callback_query": {"id": "1", "from": {"id": anna.id}, "chat_instance": "1"}},
        {"callback_query": {"id": "2", "from": {"id": anna.id}, "inline_message_id": "z", "data": "save:1"}},
        {"callback_query": {"id": "3", "from": {"id": anna.id}, "data": 5, "message": {"chat": chat}}},
    ):
        bot.server.push(strange)
    assert anna.says("/note_count") == "Заметок: 0."
