"""In a private chat, whatever is no command becomes a note at once: one action, one note, one answer."""

from collections.abc import Callable
from typing import Any

import pytest

from handlers.notes import ONLY_MARKED
from support.harness import Harness, Message, Person
from support.notes import (
    ASK,
    BACK,
    COPY,
    DROP,
    answers_to,
    card,
    formatted,
    labels,
    pressed,
    reaction,
    say,
    settle,
    text_of,
)
from support.openrouter_replies import answer, hang, status
from support.registry_people import seen

NewBot = Callable[..., Harness]
SAVED = "Заметка #1 сохранена."
PLACE = {"latitude": 55.75, "longitude": 37.61}


# ---- What is saved --------------------------------------------------------------------------


def test_words_are_a_note(anna: Person) -> None:
    said = anna.asks("купить хлеб")
    assert said["text"] == SAVED
    assert labels(said) == [ASK, DROP]
    assert text_of(anna, 1) == "купить хлеб"


@pytest.mark.parametrize("text", ["/etc/hosts", "/ привет", "1/2 стакана", "привет /note_add"])
def test_what_only_looks_like_a_command_is_a_note(anna: Person, text: str) -> None:
    assert anna.says(text) == SAVED


def test_a_command_that_is_not_there_is_none(anna: Person) -> None:
    assert anna.says("/note_bad") != SAVED
    assert anna.says("/привет") != SAVED
    assert anna.says("/note_count") == "Заметок: 0."


@pytest.mark.parametrize("kind", ["video", "animation", "audio", "voice", "video_note"])
def test_what_was_recorded_is_a_note_with_its_file(bot: Harness, anna: Person, kind: Any) -> None:
    sent = bot.server.send_media(kind, user_id=anna.id)
    assert bot.reply_to(sent)["text"] == SAVED
    first, second = card(anna, 1)
    assert first[kind]["file_id"] == sent[kind]["file_id"]
    assert second["text"].startswith("#1 · ")


def test_a_photo_without_words_is_a_note(bot: Harness, anna: Person) -> None:
    sent = bot.server.send_photo(b"JPEG", user_id=anna.id)
    assert bot.reply_to(sent)["text"] == SAVED
    assert card(anna, 1)[0]["photo"][0]["file_id"] == sent["photo"][-1]["file_id"]
    assert "🖼 фото" in anna.says("/note_list")


def test_a_document_is_known_by_its_name(bot: Harness, anna: Person) -> None:
    bot.reply_to(bot.server.send_file(b"x", "договор.zip", user_id=anna.id))
    assert "📄 файл договор.zip" in anna.says("/note_list")


def test_a_caption_is_the_text_of_its_file(bot: Harness, anna: Person) -> None:
    bot.reply_to(bot.server.send_photo(b"JPEG", caption="чек из магазина", user_id=anna.id))
    photo, words = card(anna, 1)
    assert "photo" in photo
    assert "чек из магазина" in words["text"]


def test_a_sticker_is_a_note_with_its_emoji(bot: Harness, anna: Person) -> None:
    assert bot.reply_to(bot.server.sticker(user_id=anna.id))["text"] == SAVED
    assert "👍" in anna.says("/note_list")
    assert card(anna, 1)[0]["sticker"]["emoji"] == "👍"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"location": PLACE}, "55.75,37.61"),
        (
            {"venue": {"location": PLACE, "title": "Кафе", "address": "Тверская, 1"}, "location": PLACE},
            "Кафе",
        ),
        ({"contact": {"phone_number": "+79000000000", "first_name": "Иван"}}, "Иван +79000000000"),
        ({"poll": {"question": "Когда?", "options": [{"text": "завтра"}]}}, "завтра"),
        ({"dice": {"emoji": "🎲", "value": 4}}, "🎲 4"),
        ({"story": {"chat": {"id": -1, "title": "Канал", "username": "kanal"}, "id": 7}}, "t.me/kanal/s/7"),
        (
            {"audio": {"file_id": "CQADa", "file_unique_id": "a", "performer": "Хор", "title": "Зима"}},
            "Хор — Зима",
        ),
        ({"game": {"title": "Тетрис", "description": "складывать", "photo": []}}, "складывать"),
        ({"invoice": {"title": "Счёт", "description": "за свет", "currency": "RUB"}}, "за свет"),
        ({"giveaway": {"chats": [{"id": -1, "title": "Канал"}], "winner_count": 1}}, "Канал"),
        ({"giveaway_winners": {"chat": {"id": -1, "title": "Канал"}, "prize_description": "чай"}}, "чай"),
    ],
)
def test_what_has_no_text_is_kept_in_words(
    bot: Harness, anna: Person, content: dict[str, Any], words: str
) -> None:
    assert bot.reply_to(bot.server.send_content(user_id=anna.id, **content))["text"] == SAVED
    assert words in text_of(anna, 1)


def test_a_forward_is_kept_with_where_it_came_from(bot: Harness, anna: Person) -> None:
    chat = {"id": -100777, "type": "channel", "title": "Кулинария", "username": "kulinar"}
    origin = {"type": "channel", "date": 1_700_000_000, "chat": chat, "message_id": 42}
    assert anna.says("борщ", forward_origin=origin) == SAVED
    (message,) = card(anna, 1)
    assert "\nОткуда: Кулинария, 1" in message["text"]
    (link,) = [entity for entity in message["entities"] if entity["type"] == "text_link"]
    assert link["url"] == "https://t.me/kulinar/42"
    assert formatted(message, "text_link") == ["Кулинария"]


def test_a_reply_to_a_message_of_another_chat_keeps_what_telegram_gives_of_it(
    bot: Harness, anna: Person
) -> None:
    chat = {"id": -100777, "type": "channel", "title": "Кулинария", "username": "kulinar"}
    origin = {"type": "channel", "date": 1_700_000_000, "chat": chat, "message_id": 42}
    photo = [{"file_id": "AgACfar", "file_unique_id": "far", "width": 9, "height": 9}]
    outside = {"origin": origin, "chat": chat, "message_id": 42, "photo": photo}
    marked = {"text": "две свёклы", "position": 4}
    assert anna.says("/note_add на завтра", external_reply=outside, quote=marked) == SAVED
    *_, message = card(anna, 1)
    assert "две свёклы\nна завтра\nОткуда: Кулинария" in message["text"]
    outside.pop("photo")
    assert anna.says("/note_add", external_reply=outside) == ONLY_MARKED
    assert anna.says("и соль", external_reply=outside) == "Заметка #2 сохранена."


def test_a_forward_of_a_hidden_person_has_no_link(bot: Harness, anna: Person) -> None:
    bot.reply_to(bot.server.forward("слова", "hidden_user", user_id=anna.id))
    (message,) = card(anna, 1)
    assert "Откуда: Скрытый автор" in message["text"]
    assert formatted(message, "text_link") == []


def test_a_foreign_command_is_only_words(bot: Harness, anna: Person) -> None:
    anna.says("первая")
    assert bot.reply_to(bot.server.forward("/note_del 1", user_id=anna.id))["text"] == "Заметка #2 сохранена."
    assert anna.says("/note_count") == "Заметок: 2."


@pytest.mark.parametrize(
    "text", ["\u200b", "\u2063\u2063", "\u3164", "\u2800 \u2800", "\u00ad", "\u115f", "\ufe0f"]
)
def test_nothing_to_see_is_no_note(bot: Harness, anna: Person, text: str) -> None:
    said = bot.server.send_content(user_id=anna.id, text=text)
    assert "нечего записать" in bot.reply_to(said)["text"]
    assert anna.says(f"/note_add {text}x{text}") == SAVED
    asked = bot.server.send_content(user_id=anna.id, text=f"/note_add {text}")
    assert bot.reply_to(asked)["text"] == "Использование: /note_add <текст>"
    assert anna.says("/note_count") == "Заметок: 1."


@pytest.mark.parametrize("caption", ["\u200b", "\u2800 \u2800"])
def test_a_caption_of_nothing_to_see_is_none(bot: Harness, anna: Person, caption: str) -> None:
    said = bot.server.send_photo(b"JPEG", user_id=anna.id, caption=caption)
    bot.reply_to(said)
    assert COPY not in labels(card(anna, 1)[-1])
    assert "🖼 фото" in anna.says("/note_list")
    bot.server.edit(said, "чек")
    settle(anna)
    assert text_of(anna, 1) == "чек"


def test_in_a_group_words_are_no_note(bot: Harness, anna: Person) -> None:
    said = bot.server.say("просто разговор", user_id=anna.id, chat_id=-1009, chat_type="supergroup")
    assert anna.is_ignored(said)
    assert anna.says("/note_count") == "Заметок: 0."


# ---- One action -----------------------------------------------------------------------------


def test_an_album_is_one_note_with_all_its_files(bot: Harness, anna: Person) -> None:
    said = [
        bot.server.send_photo(b"JPEG", caption=caption, user_id=anna.id, media_group_id="71")
        for caption in ("отпуск", *[""] * 9)
    ]
    assert answers_to(bot, said) == [SAVED]
    messages = card(anna, 1)
    assert [message["photo"][0]["file_id"] for message in messages[:-1]] == [
        message["photo"][-1]["file_id"] for message in said
    ]
    assert len({message["media_group_id"] for message in messages[:-1]}) == 1
    assert "отпуск" in messages[-1]["text"]


def test_a_text_that_the_client_has_cut_is_one_note(bot: Harness, anna: Person) -> None:
    text = "начало " + "слово " * 2000 + "конец"
    with bot.at_once():
        said = [bot.server.say(text[at : at + 4096], user_id=anna.id) for at in range(0, len(text), 4096)]
    assert len(said) == 3
    assert answers_to(bot, said) == [SAVED]
    assert text in anna.exports()


def test_ten_forwards_at_once_are_ten_notes_and_one_answer(bot: Harness, anna: Person) -> None:
    with bot.at_once():
        said = [bot.server.forward(f"слово {n}", user_id=anna.id) for n in range(1, 11)]
    assert answers_to(bot, said) == ["Заметки #1–#10 сохранены."]
    assert text_of(anna, 10) == "слово 10"
    receipt = bot.reply_to(said[0])
    _, after = pressed(anna, receipt, DROP)
    assert after["text"].startswith("Заметки #1–#10 удалены.")
    assert anna.says("/note_count") == "Заметок: 0."
    _, after = pressed(anna, after, BACK)
    assert after["text"] == "Заметки #1–#10 возвращены."
    assert anna.says("/note_count") == "Заметок: 10."


def test_what_is_cut_off_by_a_kill_is_one_note_all_the_same(new_bot: NewBot) -> None:
    bot = new_bot().start()
    anna = bot.person()
    with bot.at_once():
        said = [bot.server.send_photo(b"JPEG", user_id=anna.id, media_group_id="9") for _ in range(2)]
    bot.wait(lambda: not bot.server.pending)
    bot.kill()
    said.append(bot.server.send_photo(b"JPEG", user_id=anna.id, media_group_id="9"))
    bot.start()
    assert answers_to(bot, said) == [SAVED]
    assert len(card(anna, 1)) == 4


# ---- It was a question ----------------------------------------------------------------------


def test_ask_puts_it_to_the_model_and_takes_the_note_back(bot: Harness, anna: Person) -> None:
    anna.says("останется")
    receipt = anna.asks("сколько будет дважды два?")
    anna.press(receipt, ASK)
    done = seen(bot, receipt, "мс; модель")
    assert "Вы спросили: сколько будет дважды два?" in done["text"]
    assert anna.says("/note_count") == "Заметок: 1."
    assert "#1" in anna.says("/note_list")


def test_a_note_that_no_model_answers_stays(bot: Harness, anna: Person) -> None:
    bot.answers["что это?"] = status(401, "нет")
    receipt = anna.asks("что это?")
    anna.press(receipt, ASK)
    seen(bot, receipt, "[401]")
    assert anna.says("/note_count") == "Заметок: 1."


def test_a_note_that_cannot_even_be_asked_keeps_its_receipt(bot: Harness, anna: Person) -> None:
    receipt = bot.reply_to(bot.server.send_file(b"x", "a.zip", caption="что тут?", user_id=anna.id))
    notice, after = pressed(anna, receipt, DROP)
    assert notice == ""
    assert after["text"] == "Заметка #1 удалена.\nчто тут?"
    _, after = pressed(anna, after, BACK)
    assert after["text"] == "Заметка #1 возвращена.\nчто тут?"


def test_a_question_from_a_receipt_goes_on_after_a_kill(new_bot: NewBot) -> None:
    bot = new_bot().start()
    anna = bot.person()
    bot.answers["долгий вопрос"] = hang()
    receipt = anna.asks("долгий вопрос")
    anna.press(receipt, ASK)
    bot.ai.wait(lambda: [r for r in bot.ai.questions if r.question == "долгий вопрос"])
    bot.kill()
    bot.answers["долгий вопрос"] = answer("ответ")
    bot.start()
    seen(bot, receipt, "мс; модель")
    assert anna.says("/note_count") == "Заметок: 0."


# ---- /settings ------------------------------------------------------------------------------


def choose(person: Person, *fragments: str) -> Message:
    shown = person.asks("/settings")
    for fragment in fragments:
        label = next(label for label in labels(shown) if fragment in label)
        _, shown = pressed(person, shown, label)
    return shown


def test_settings_show_what_is_chosen(anna: Person) -> None:
    assert "● это заметка" in anna.says("/settings")
    assert "● это вопрос модели" in choose(anna, "вопрос модели")["text"]
    assert "○ это заметка" in anna.says("/settings")


def test_words_can_be_questions(bot: Harness, anna: Person) -> None:
    choose(anna, "вопрос модели")
    said = bot.server.say("привет", user_id=anna.id)
    assert "Вы спросили: привет" in anna.answer_to(said)[-1]["text"]
    assert bot.reply_to(bot.server.forward("чужое", user_id=anna.id))["text"] == SAVED
    assert bot.reply_to(bot.server.send_media("voice", user_id=anna.id))["text"] == "Заметка #2 сохранена."


def test_the_bot_can_ask_each_time(bot: Harness, anna: Person) -> None:
    choose(anna, "каждый раз")
    first = anna.asks("записать это")
    assert labels(first) == ["📝 Записать", ASK]
    assert anna.says("/note_count") == "Заметок: 0."
    _, after = pressed(anna, first, "📝 Записать")
    assert after["text"] == SAVED
    second = anna.asks("спросить это")
    anna.press(second, ASK)
    assert "Вы спросили: спросить это" in seen(bot, second, "мс; модель")["text"]
    assert anna.says("/note_count") == "Заметок: 1."


def test_what_waits_for_a_choice_follows_the_edits_of_its_message(bot: Harness, anna: Person) -> None:
    choose(anna, "каждый раз")
    said = bot.server.say("опечтка", user_id=anna.id)
    shown = bot.reply_to(said)
    bot.server.edit(said, "опечатка")
    settle(anna)
    assert anna.says("/note_count") == "Заметок: 0."
    pressed(anna, shown, "📝 Записать")
    assert text_of(anna, 1) == "опечатка"


def test_a_receipt_can_be_a_reaction(bot: Harness, anna: Person) -> None:
    choose(anna, "👌")
    said = bot.server.say("тихо", user_id=anna.id)
    settle(anna)
    assert reaction(bot, said) == "👌"
    assert bot.server.replies_to(anna.id, said["message_id"]) == []
    assert text_of(anna, 1) == "тихо"
    assert anna.says("/note_add громко") == "Заметка #2 сохранена."


def test_each_of_several_gets_the_reaction(bot: Harness, anna: Person) -> None:
    choose(anna, "👌")
    with bot.at_once():
        said = [bot.server.forward(f"слово {n}", user_id=anna.id) for n in range(4)]
    settle(anna)
    assert [reaction(bot, one) for one in said] == ["👌"] * 4
    with bot.at_once():
        pieces = [bot.server.say(text, user_id=anna.id) for text in ("а" * 4096, "б" * 4096, "конец")]
    settle(anna)
    assert [reaction(bot, one) for one in pieces] == ["👌"] * 3
    with bot.at_once():
        album = [bot.server.send_photo(b"JPEG", user_id=anna.id, media_group_id="94") for _ in range(3)]
    settle(anna)
    assert [reaction(bot, one) for one in album] == ["👌", "", ""]  # an album looks like one message


def test_a_hundred_at_once_have_no_more_buttons_than_telegram_takes(bot: Harness, anna: Person) -> None:
    with bot.at_once():
        said = [bot.server.forward(f"слово {n}", user_id=anna.id) for n in range(100)]
    assert answers_to(bot, said) == ["Заметки #1–#100 сохранены."]
    assert len(labels(bot.reply_to(said[0]))) <= 100


def test_if_the_reactions_are_refused_one_message_says_so(bot: Harness, anna: Person) -> None:
    choose(anna, "👌")
    bot.server.chats[anna.id].reactions_refused = True
    with bot.at_once():
        said = [bot.server.forward(f"слово {n}", user_id=anna.id) for n in range(4)]
    assert answers_to(bot, said) == ["Заметки #1–#4 сохранены."]


def test_a_refused_reaction_falls_back_to_the_message(bot: Harness, anna: Person) -> None:
    choose(anna, "👌")
    bot.server.chats[anna.id].reactions_refused = True
    receipt = anna.asks("слова")
    assert receipt["text"] == SAVED
    assert labels(receipt) == [ASK, DROP]


def test_nobody_chooses_for_another(bot: Harness, anna: Person, boris: Person) -> None:
    shown = anna.asks("/settings", chat_id=-1010)
    assert boris.press(shown, 0) == "Это чужая кнопка."
    assert "● это заметка" in anna.says("/settings")
    assert "● это заметка" in boris.says("/settings")


def test_choices_survive_a_restart(new_bot: NewBot) -> None:
    bot = new_bot().start()
    anna = bot.person()
    choose(anna, "каждый раз")
    bot.restart()
    assert labels(anna.asks("слова"))[0] == "📝 Записать"


# ---- /note_add as a reply, in a caption, with formatting ------------------------------------


def test_note_add_as_a_reply_keeps_the_message(bot: Harness, anna: Person, boris: Person) -> None:
    theirs = bot.server.say(
        "жирное слово", user_id=boris.id, chat_id=-1011, entities=[{"type": "bold", "offset": 0, "length": 6}]
    )
    assert say(anna, "/note_add", theirs)["text"] == SAVED
    (message,) = card(anna, 1)
    assert formatted(message, "bold") == ["жирное"]
    assert boris.says("/note_count") == "Заметок: 0."


def test_a_message_of_somebody_elses_is_kept_with_its_author(
    bot: Harness, anna: Person, boris: Person
) -> None:
    bot.server.chat(-1014, "supergroup").info["username"] = "dacha"
    theirs = bot.server.say("поливать утром", user_id=boris.id, chat_id=-1014)
    own = bot.server.say("моё", user_id=anna.id, chat_id=-1014)
    assert [say(anna, "/note_add", said)["text"] for said in (theirs, own)] == [
        SAVED,
        "Заметка #2 сохранена.",
    ]
    (message,) = card(anna, 1)
    assert "\nОткуда: Борис, " in message["text"]
    (link,) = [entity for entity in message["entities"] if entity["type"] == "text_link"]
    assert link["url"] == f"https://t.me/dacha/{theirs['message_id']}"
    assert "Откуда" not in card(anna, 2)[0]["text"]
    assert say(anna, "/note_add", theirs)["text"] == "Уже в заметках: #1."


def test_a_note_that_another_keeps_too_follows_its_authors_edits(
    bot: Harness, anna: Person, boris: Person
) -> None:
    theirs = bot.server.say("/note_add полив", user_id=boris.id, chat_id=-1015)
    bot.reply_to(theirs)
    assert say(anna, "/note_add", theirs)["text"] == SAVED
    bot.server.edit(theirs, "/note_add полив утром")
    settle(boris, -1015)
    assert text_of(boris, 1) == "полив утром"


def test_a_marked_part_is_kept_with_its_formatting(bot: Harness, anna: Person, boris: Person) -> None:
    link = {"type": "text_link", "offset": 3, "length": 9, "url": "https://example.org/x"}
    theirs = bot.server.say("😀 тут рецепт и ещё", user_id=boris.id, chat_id=-1016, entities=[link])
    quote = {"text": "рецепт и", "position": 7, "is_manual": True}
    say(anna, "/note_add", theirs, quote=quote)
    (message,) = card(anna, 1)
    assert formatted(message, "text_link") == ["рецеп"]
    bold = {"type": "bold", "offset": 0, "length": 6}
    say(anna, "/note_add", theirs, quote={**quote, "position": 9, "entities": [bold]})  # the wrong position
    assert formatted(card(anna, 2)[0], "bold") == ["рецепт"]


def test_note_add_with_words_puts_them_below(bot: Harness, anna: Person) -> None:
    theirs = bot.server.send_photo(b"JPEG", caption="рецепт", user_id=777, chat_id=-1012)
    assert say(anna, "/note_add на выходные", theirs)["text"] == SAVED
    photo, message = card(anna, 1)
    assert "photo" in photo
    assert message["text"].split("\n", 1)[1].startswith("рецепт\nна выходные")


def test_note_add_to_what_is_a_note_already_makes_no_second_one(anna: Person) -> None:
    said = anna.bot.server.say("мысль", user_id=anna.id)
    anna.bot.reply_to(said)
    assert say(anna, "/note_add", said)["text"] == "Уже в заметках: #1."
    assert say(anna, "/note_add и ещё", said)["text"] == "Заметка #1 дополнена."
    assert text_of(anna, 1) == "мысль\nи ещё"


def test_to_keep_again_what_was_deleted_brings_it_back(anna: Person) -> None:
    said = anna.bot.server.say("мысль", user_id=anna.id)
    receipt = anna.bot.reply_to(said)
    anna.says("/note_del 1")
    assert say(anna, "/note_add", said)["text"] == SAVED
    anna.says("/note_del 1")
    assert say(anna, "/note_add и ещё", receipt)["text"] == "Заметка #1 дополнена."
    assert text_of(anna, 1) == "мысль\nи ещё"
    anna.says("/note_del 1", date=said["date"] - 31 * 86_400)
    anna.says("/note_trash")  # removes the old note for good
    assert say(anna, "/note_add", said)["text"] == "Заметка #2 сохранена."


def test_note_add_in_a_caption_keeps_the_file(bot: Harness, anna: Person) -> None:
    bot.reply_to(bot.server.send_file(b"x", "акт.pdf", caption="/note_add подписать", user_id=anna.id))
    document, message = card(anna, 1)
    assert document["document"]["file_name"] == "акт.pdf"
    assert "подписать" in message["text"]
    bot.reply_to(bot.server.send_photo(b"JPEG", caption="/note_add", user_id=anna.id))
    assert "photo" in card(anna, 2)[0]


def test_a_hidden_link_is_kept_and_found(anna: Person) -> None:
    link = {"type": "text_link", "offset": 17, "length": 3, "url": "https://example.org/borsch"}
    anna.says("/note_add рецепт тут", entities=[{"type": "bot_command", "offset": 0, "length": 9}, link])
    (message,) = card(anna, 1)
    assert formatted(message, "text_link") == ["тут"]
    assert "#1" in anna.says("/note_find example.org")


def test_formatting_is_kept_as_it_was(anna: Person) -> None:
    entities = [
        {"type": "bold", "offset": 3, "length": 5},
        {"type": "pre", "offset": 9, "length": 4, "language": "python"},
        {"type": "spoiler", "offset": 14, "length": 3},
    ]
    anna.says("😀 жирно код: тсс", entities=entities)
    (message,) = card(anna, 1)
    kinds = ("bold", "pre", "spoiler")
    assert [formatted(message, kind) for kind in kinds] == [["жирно"], ["код:"], ["тсс"]]
    assert [e["language"] for e in message["entities"] if e["type"] == "pre"] == ["python"]


def test_the_indent_behind_the_command_stays(anna: Person) -> None:
    anna.says("/note_add\n    if x:\n        y()")
    assert text_of(anna, 1) == "    if x:\n        y()"


# ---- Answers from models --------------------------------------------------------------------


def test_an_answer_saved_deleted_and_saved_again_is_there(anna: Person) -> None:
    (message,) = anna.asks_model("что такое книга?")
    assert anna.press(message, "📝 В заметки") == "В заметках: #1"
    assert anna.press(message, "📝 В заметки") == "В заметках: #1"
    anna.says("/note_del 1")
    anna.press(message, "📝 В заметки")
    assert anna.says("/note_count") == "Заметок: 1."
    assert "книга" in anna.says("/note_find книга")


def test_a_reply_to_an_answer_is_no_note(bot: Harness, anna: Person) -> None:
    (message,) = anna.asks_model("раз")
    said = bot.server.say("два", user_id=anna.id, reply_to=message["message_id"])
    anna.answer_to(said)
    assert anna.says("/note_count") == "Заметок: 0."
