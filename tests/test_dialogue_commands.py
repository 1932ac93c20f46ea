"""How a command may be written, the reply to a wrong one, and what is no command at all."""

import re
from typing import Any

import pytest

from commands import COMMANDS
from support.harness import Harness, Person

HELP = """Привет! Это заметочник на SQLite.

Команды:
  /note_add <текст> — добавить заметку
  /note_list [N] — список заметок
  /note_find <подстрока> — поиск заметок
  /note_edit <id> <текст> — изменить заметку
  /note_del <id> — удалить заметку
  /note_count — сколько заметок
  /note_export — экспорт заметок в .txt
  /note_stats [days] — статистика по датам

Модели:
  /models — получить список моделей
  /model <id> — установить активную модель
  /ask <вопрос> — задать вопрос модели
  /usage — сколько спрошено и сколько осталось"""
USAGE = {
    "/note_add": "Использование: /note_add <текст>",
    "/note_list": "Использование: /note_list [N]",
    "/note_find": "Использование: /note_find <подстрока>",
    "/note_edit": "Использование: /note_edit <id> <текст>",
    "/note_del": "Использование: /note_del <id>",
    "/note_stats": "Использование: /note_stats [days]",
}
NOT_NUMBERS = ["abc", "-1", "0", "1.5", "²", "½", "1 2", "0x1", "9" * 30, "1;DROP TABLE notes", "++1"]
GROUP = -1001


# ---- /start and /help -----------------------------------------------------------------------


@pytest.mark.parametrize("command", ["/start", "/help"])
def test_help_says_what_each_command_does(anna: Person, command: str) -> None:
    said = anna.says(command)
    assert said.startswith(HELP)
    assert all(re.match(r"  /[a-z_]+.* — [а-яё`.]", line) for line in said.splitlines() if line[:3] == "  /")


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
        "/note_add   \nкупить хлеб",
        "/note_add: купить хлеб",
        "/note_add:купить хлеб",
        "/note_addкупить хлеб",
        "/note-add купить хлеб",
        "／note_add купить хлеб",
        "\ufeff/note_add купить хлеб",
        "\u200e /note_add. купить хлеб",
        "/note_add@zametochnik_bot\nкупить хлеб",
        "/note_add\u00a0купить хлеб",
    ],
)
def test_a_command_may_be_written_in_any_of_these_ways(anna: Person, written: str) -> None:
    assert anna.says(written) == "Заметка #1 сохранена."
    assert anna.exports().splitlines()[1:] == ["купить хлеб"]


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


@pytest.mark.parametrize("written", ["/foo", "/notes_add хлеб", "/note_adхлеб", "/привет", "/note_list5"])
def test_an_unknown_command_leads_to_help(anna: Person, written: str) -> None:
    said = anna.says(written)
    assert "/help" in said
    assert "\n" not in said


def test_words_that_are_no_command_are_a_note(anna: Person) -> None:
    assert anna.says("просто слова") == "Заметка #1 сохранена."
    assert anna.says("не /note_add в начале") == "Заметка #2 сохранена."


def test_every_answer_quotes_its_command(bot: Harness, anna: Person) -> None:
    asked = bot.server.say("/note_count", user_id=anna.id)
    assert bot.reply_to(asked)["reply_to_message"]["message_id"] == asked["message_id"]


@pytest.mark.parametrize("command", ["/note_add", "/note_find", "/note_edit", "/note_del", "/note_edit 1"])
def test_missing_arguments_get_the_usage(anna: Person, command: str) -> None:
    assert anna.says(command) == USAGE[command.split()[0]]
    assert anna.says(f"{command}   \n ") == USAGE[command.split()[0]]


@pytest.mark.parametrize("number", NOT_NUMBERS)
@pytest.mark.parametrize(
    ("command", "needed"),
    [("/note_list", "от 1 до 100"), ("/note_del", "от 1"), ("/note_stats", "от 1 до 365")],
)
def test_what_is_no_number_gets_the_usage(anna: Person, command: str, needed: str, number: str) -> None:
    if (command, number) == ("/note_del", "1 2"):
        return  # a valid command: two notes at once
    anna.says("/note_add цела")
    said = anna.says(f"{command} {number}")
    assert said == f"{USAGE[command]}\n«{number}» не подходит: нужно целое число {needed}."
    assert anna.says("/note_count") == "Заметок: 1."


@pytest.mark.parametrize("number", [number for number in NOT_NUMBERS if " " not in number])
def test_an_edit_of_no_number_gets_the_usage(anna: Person, number: str) -> None:
    anna.says("/note_add цела")
    said = anna.says(f"/note_edit {number} испорчена")
    assert said == f"{USAGE['/note_edit']}\n«{number}» не подходит: нужно целое число от 1."
    assert "цела" in anna.exports()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("/note_list 101", "«101» не подходит: нужно целое число от 1 до 100."),
        ("/note_list 1000", "«1000» не подходит: нужно целое число от 1 до 100."),
        ("/note_stats 366", "«366» не подходит: нужно целое число от 1 до 365."),
        ("/note_stats 400 дней", "«400 дней» не подходит: нужно целое число от 1 до 365."),
        (f"/note_stats {'я' * 4000}", f"«{'я' * 29}…» не подходит: нужно целое число от 1 до 365."),
    ],
)
def test_a_number_out_of_range_is_told_the_range(anna: Person, text: str, why: str) -> None:
    assert anna.says(text) == f"{USAGE[text.split()[0]]}\n{why}"


@pytest.mark.parametrize(
    "number",
    ["1", "#1", "№1", "№ 1", "1.", "#1.", "1)", "١", " 1 ", "01", "<1>", "«1»", "[1]", "\u200e1\u200e"],
)
def test_a_number_may_be_written_as_people_do(anna: Person, number: str) -> None:
    anna.says("/note_add первая\nи её вторая строка")
    assert anna.says(f"/note_del {number}") == "Заметка #1 удалена.\nпервая…"


def test_a_deletion_shows_what_went(anna: Person) -> None:
    for text in ("восьмая", "девятая " + "слово " * 100, "\n\n  десятая"):
        anna.says(f"/note_add {text}")
    head, gone = anna.says("/note_del 2").splitlines()
    assert head == "Заметка #2 удалена."
    assert gone.startswith("девятая слово")
    assert gone.endswith("…")
    assert len(gone) <= 80
    assert anna.says("/note_del 3") == "Заметка #3 удалена.\nдесятая"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("/note_ad хлеб", "/note_add"),
        ("/note-lst", "/note_list"),
        ("/notefind хлеб", "/note_find"),
        ("/modles", "/models"),
        ("/MODELL 3", "/model"),
        ("/hepl", "/help"),
        ("/asks привет", "/ask"),
        ("/export", "/note_export"),
        ("/фыл привет", "/ask"),
        ("/тщеу_ддше", "/note_list"),
        ("/тщеу_фвв хлеб", "/note_add"),
        ("/ьщвуды", "/models"),
    ],
)
def test_the_nearest_command_is_suggested(anna: Person, written: str, meant: str) -> None:
    name = written.split()[0].lower().replace("-", "_")
    assert anna.says(written) == f"Нет команды {name}. Может быть, {meant}? Все команды: /help"


@pytest.mark.parametrize("written", ["/foo", "/weather", "/1", "/погода", "/" + "x" * 100])
def test_nothing_is_suggested_that_is_far(anna: Person, written: str) -> None:
    assert anna.says(written) == f"Нет команды {written}. Все команды: /help"


@pytest.mark.parametrize("written", ["/invit", "/peoples", "/remov 5", "/model_dell 1", "/model_adds x"])
def test_what_is_only_the_owners_is_suggested_to_nobody_else(anna: Person, written: str) -> None:
    said = anna.says(written)
    assert said.startswith("Нет команды")
    assert not [name for name, row in COMMANDS.items() if row.owner_only and f"/{name}?" in said]


# ---- What is no command at all --------------------------------------------------------------


def test_editing_a_message_does_not_do_its_command_again(bot: Harness, anna: Person) -> None:
    sent = bot.server.say("/note_add первая", user_id=anna.id)
    bot.reply_to(sent)
    bot.server.edit(sent, "/note_add исправленная")
    assert anna.says("/note_count") == "Заметок: 1."


def test_a_sticker_or_a_photo_is_a_note(bot: Harness, anna: Person) -> None:
    for message in (
        bot.server.sticker(user_id=anna.id),
        bot.server.send_photo(b"JPEG", user_id=anna.id),
        bot.server.send_file(b"data", "a.bin", user_id=anna.id),
        bot.server.forward("чужие слова", user_id=anna.id),
    ):
        assert "сохранена." in bot.reply_to(message)["text"]
    assert anna.says("/note_count") == "Заметок: 4."


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
    strange_updates: list[dict[str, Any]] = [
        {"message": {}},
        {"message": {"message_id": 1, "chat": chat, "date": 1}},
        {"message": {"message_id": "x", "from": {"id": anna.id}, "chat": chat, "date": "y", "text": 5}},
        {"message": {"message_id": 1, "from": None, "chat": None, "date": 1, "text": "/note_add x"}},
        {"message": None},
        {"edited_message": []},
        {"callback_query": {"id": "1", "from": {"id": anna.id}, "chat_instance": "1"}},
        {"callback_query": {"id": "2", "from": {"id": anna.id}, "inline_message_id": "z", "data": "save:1"}},
        {"callback_query": {"id": "3", "from": {"id": anna.id}, "data": 5, "message": {"chat": chat}}},
    ]
    for strange in strange_updates:
        bot.server.push(strange)
    assert anna.says("/note_count") == "Заметок: 0."
