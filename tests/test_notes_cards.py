"""A whole note: its card with formatting and files, and the buttons below it."""

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from conftest import FAR_EAST
from support.harness import Harness, Person
from support.notes import (
    BACK,
    CHANGE,
    COPY,
    PIN,
    THROW,
    UNPIN,
    card,
    formatted,
    labels,
    now,
    opened,
    pressed,
    say,
    text_of,
)
from telegram.attachments import NOT_SENT

NewBot = Callable[..., Harness]
MOMENT = datetime(2026, 3, 8, 12, 0, tzinfo=ZoneInfo(FAR_EAST))


def test_a_card_has_the_text_the_date_and_the_tags(anna: Person) -> None:
    anna.says("/note_add первая #Работа\n\nвторая #дом", date=int(MOMENT.timestamp()))
    (message,) = card(anna, 1)
    lines = message["text"].split("\n")
    assert lines[0] == "#1 · 08.03.2026 12:00"
    assert lines[1:4] == ["первая #Работа", "", "вторая #дом"]
    assert lines[4] == "Теги: #работа #дом"
    assert labels(message) == [CHANGE, PIN, THROW, COPY]


def test_a_card_opens_by_a_tap_on_its_number(anna: Person) -> None:
    anna.says("раз")
    anna.says("два")
    (message,) = opened(anna, anna.asks("/note_list"), "1")
    assert "\nраз" in message["text"]


def test_note_as_a_reply_to_a_receipt_shows_the_card(anna: Person) -> None:
    receipt = anna.asks("слова")
    assert "\nслова" in say(anna, "/note", receipt)["text"]


def test_a_note_that_is_not_there_is_named(anna: Person) -> None:
    assert anna.says("/note 7") == "Нет заметки #7. Список: /note_list"
    assert anna.says("/note") == "Использование: /note <id>"
    assert "«семь» не подходит" in anna.says("/note семь")


def test_a_long_note_is_split_and_the_buttons_stand_under_the_last_part(bot: Harness, anna: Person) -> None:
    text = "слово " * 1500 + "конец"
    with bot.at_once():
        said = [bot.server.say(text[at : at + 4096], user_id=anna.id) for at in range(0, len(text), 4096)]
    bot.reply_to(said[0])
    parts = card(anna, 1)
    assert len(parts) == 3
    assert [labels(part) for part in parts] == [[], [], [CHANGE, PIN, THROW, "Кратко"]]
    assert " ".join(part["text"] for part in parts).split("\n", 1)[1].split() == text.split()
    assert say(anna, "добавка", parts[0])["text"] == "Заметка #1 дополнена."


def test_formatting_goes_on_in_the_next_part(bot: Harness, anna: Person) -> None:
    long = 4000
    bold = {"type": "bold", "offset": 0, "length": long}
    with bot.at_once():
        said = [bot.server.say("сло" * 1365, user_id=anna.id, entities=[bold]) for _ in range(2)]
    bot.reply_to(said[0])
    parts = card(anna, 1)
    assert len(parts) == 3
    assert sum(len(words) for part in parts for words in formatted(part, "bold")) == 2 * long


def test_a_short_text_can_be_copied_and_a_long_one_cannot(anna: Person) -> None:
    anna.says("ы" * 256)
    anna.says("ы" * 257)
    anna.says("😀" * 128)
    assert COPY in labels(card(anna, 1)[-1])
    assert COPY not in labels(card(anna, 2)[-1])
    (button,) = [
        b for row in card(anna, 3)[-1]["reply_markup"]["inline_keyboard"] for b in row if b["text"] == COPY
    ]
    assert button["copy_text"]["text"] == "😀" * 128


def test_a_file_that_is_gone_is_said_to_be(bot: Harness, anna: Person) -> None:
    sent = bot.server.send_file(b"x", "паспорт.pdf", caption="скан", user_id=anna.id)
    bot.reply_to(sent)
    bot.server.forget(sent["document"]["file_id"])
    gone, message = card(anna, 1)
    assert gone["text"] == f"{NOT_SENT} 📄 файл паспорт.pdf"
    assert "скан" in message["text"]


def test_of_an_album_the_rest_is_shown_when_one_file_is_gone(bot: Harness, anna: Person) -> None:
    with bot.at_once():
        said = [bot.server.send_photo(b"JPEG", user_id=anna.id, media_group_id="81") for _ in range(3)]
    bot.reply_to(said[0])
    bot.server.forget(said[1]["photo"][-1]["file_id"])
    first, gone, third, _ = card(anna, 1)
    assert "photo" in first
    assert NOT_SENT in gone["text"]
    assert "photo" in third


def test_files_of_several_kinds_come_in_their_albums(bot: Harness, anna: Person) -> None:
    receipt = bot.reply_to(bot.server.send_photo(b"JPEG", user_id=anna.id))
    for number in range(2):
        reply = bot.server.send_file(b"x", f"{number}.pdf", user_id=anna.id, reply_to=receipt["message_id"])
        assert bot.reply_to(reply)["text"] == "Заметка #1 дополнена."
    photo, one, two, _ = card(anna, 1)
    assert "photo" in photo
    assert "media_group_id" not in photo
    assert one["media_group_id"] == two["media_group_id"]


# ---- ✏️ -------------------------------------------------------------------------------------


def test_the_next_reply_to_the_card_replaces(anna: Person) -> None:
    anna.says("старое")
    (message,) = card(anna, 1)
    (question,) = opened(anna, message, CHANGE)
    assert question["text"] == "Ответьте на это сообщение новым текстом."
    answer = say(anna, "новое", message)
    assert answer["text"] == "Заметка #1 изменена."
    assert text_of(anna, 1) == "новое"
    assert say(anna, "и ещё", message)["text"] == "Заметка #1 дополнена."
    assert text_of(anna, 1) == "новое\nи ещё"


def test_the_clients_are_asked_to_offer_a_reply(bot: Harness, anna: Person) -> None:
    anna.says("старое")
    (question,) = opened(anna, card(anna, 1)[-1], CHANGE)
    (sent,) = [call for call in bot.server.calls_of("sendMessage", anna.id) if call.result == question]
    assert sent.params["reply_markup"]["force_reply"] is True
    assert "entities" not in question
    assert say(anna, "новое", question)["text"] == "Заметка #1 изменена."


def test_in_a_group_it_is_offered_to_whoever_pressed(bot: Harness, anna: Person) -> None:
    anna.says("старое")
    asked = bot.server.say("/note 1", user_id=anna.id, chat_id=-100_700)
    shown = bot.reply_to(asked)
    bot.server.press(-100_700, shown["message_id"], CHANGE, user_id=anna.id)
    question = bot.reply_to(shown)
    [mention] = question["entities"]
    assert (mention["type"], mention["user"]["id"]) == ("text_mention", anna.id)


def test_change_is_remembered_across_a_restart(new_bot: NewBot) -> None:
    bot = new_bot().start()
    anna = bot.person()
    anna.says("старое")
    (message,) = card(anna, 1)
    opened(anna, message, CHANGE)
    bot.restart()
    say(anna, "новое", message)
    assert text_of(anna, 1) == "новое"


# ---- 📌, 🗑 ----------------------------------------------------------------------------------


def test_a_pinned_note_stands_first_in_the_list(anna: Person) -> None:
    for text in ("один", "два", "три"):
        anna.says(text)
    (message,) = card(anna, 1)
    notice, message = pressed(anna, message, PIN)
    assert notice == "Заметка #1 закреплена."
    assert UNPIN in labels(message)
    lines = anna.says("/note_list").split("\n")
    assert lines[1].startswith("📌 #1 · ")
    assert [line.split(" ")[0] for line in lines[2:]] == ["#3", "#2"]
    notice, message = pressed(anna, message, UNPIN)
    assert notice == "Заметка #1 откреплена."
    assert anna.says("/note_list").split("\n")[1].startswith("#3")


def test_a_note_thrown_away_from_its_card_comes_back(anna: Person) -> None:
    anna.says("раз")
    (message,) = card(anna, 1)
    notice, message = pressed(anna, message, THROW)
    assert notice == "Заметка #1 удалена."
    assert labels(message) == [BACK]
    assert anna.says("/note_count") == "Заметок: 0."
    notice, message = pressed(anna, message, BACK)
    assert labels(message) == [CHANGE, PIN, THROW, COPY]
    assert anna.says("/note_count") == "Заметок: 1."


def test_a_button_of_a_note_that_is_gone_says_so(anna: Person) -> None:
    anna.says("раз")
    (message,) = card(anna, 1)
    anna.says("/note_del 1")
    for button in (CHANGE, PIN, THROW):
        assert anna.press(message, button) == "Нет заметки #1. Список: /note_list"


def test_in_a_group_nobody_presses_for_another(bot: Harness, anna: Person, boris: Person) -> None:
    anna.says("тайна Анны", chat_id=anna.id)
    boris.says("дело Бориса")
    message = anna.asks("/note 1", chat_id=-1021)
    before = now(anna, message)
    for button in (CHANGE, PIN, THROW):
        assert boris.press(message, button) == "Это чужая кнопка."
    listed = anna.asks("/note_list", chat_id=-1021)
    assert boris.press(listed, "1") == "Это чужая кнопка."
    assert boris.is_ignored(
        bot.server.say("и моё", user_id=boris.id, chat_id=-1021, reply_to=message["message_id"])
    )
    assert now(anna, message) == before
    assert text_of(anna, 1) == "тайна Анны"
    assert boris.says("/note_count") == "Заметок: 1."


def test_made_up_data_reaches_no_note_of_another(anna: Person, boris: Person) -> None:
    anna.says("тайна")
    (message,) = card(anna, 1)
    boris.says("моё")
    (mine,) = card(boris, 1)
    for name in ("note", "throw", "pin", "change", "drop", "undo", "askit", "keep"):
        assert boris.press(mine, data=f"{name}:{anna.id}.1") == "Это чужая кнопка."
    for data in (
        "note:",
        "note:x.1",
        f"note:{boris.id}",
        f"note:{boris.id}.1.2",
        f"find:{boris.id}.999.1",
        "note:1.0",
    ):
        assert boris.press(mine, data=data)
    assert anna.says("/note_count") == "Заметок: 1."
    assert message == now(anna, message)


# ---- /note_random ---------------------------------------------------------------------------


def test_a_random_note_is_one_of_the_persons_own(anna: Person, boris: Person) -> None:
    boris.says("чужое")
    assert anna.says("/note_random") == "Заметок пока нет. Добавить: /note_add <текст>"
    anna.says("моё")
    assert "\nмоё" in anna.says("/note_random")
    assert anna.says("/note_random месяц") == "Использование: /note_random [год]"


def test_what_was_written_on_this_day_of_earlier_years(anna: Person) -> None:
    for year, text in ((2022, "давно"), (2025, "прошлый год"), (2026, "сегодня")):
        anna.says(f"/note_add {text}", date=int(MOMENT.replace(year=year).timestamp()))
    anna.says("/note_add другой день", date=int(MOMENT.replace(year=2025, month=2).timestamp()))
    shown = anna.asks("/note_random год", date=int(MOMENT.timestamp()))
    lines = shown["text"].split("\n")
    assert lines[0] == "В этот день прошлых лет: 2."
    assert [line.rpartition(" · ")[2] for line in lines[1:]] == ["прошлый год", "давно"]
    assert labels(shown) == ["2", "1"]
    other = int(MOMENT.replace(month=7).timestamp())
    assert anna.says("/note_random год", date=other) == "В этот день прошлых лет заметок не было."
