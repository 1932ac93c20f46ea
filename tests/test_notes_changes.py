"""Notes change by commands, replies and edits of their messages; whatever is deleted can be restored."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.changing import NOT_AGAIN
from support.harness import Harness, Message, Person
from support.notes import (
    BACK,
    CHANGE,
    DROP,
    answers_to,
    card,
    formatted,
    labels,
    opened,
    pressed,
    reaction,
    say,
    settle,
    text_of,
)
from telegram.formatted import concat, replaced
from telegram.splitting import utf16_len

NewBot = Callable[..., Harness]


# ---- Replies --------------------------------------------------------------------------------


def test_a_reply_to_a_receipt_or_a_card_appends(anna: Person) -> None:
    receipt = anna.asks("молоко")
    answer = say(anna, "хлеб", receipt, entities=[{"type": "bold", "offset": 0, "length": 4}])
    assert answer["text"] == "Заметка #1 дополнена."
    say(anna, "сыр", card(anna, 1)[-1])
    last = say(anna, "соль", answer)
    assert text_of(anna, 1) == "молоко\nхлеб\nсыр\nсоль"
    assert formatted(card(anna, 1)[-1], "bold") == ["хлеб"]
    _, after = pressed(anna, last, BACK)
    assert after["text"].startswith("Заметка #1: вернулся прежний текст.\nмолоко")
    assert text_of(anna, 1) == "молоко\nхлеб\nсыр"


def test_a_reply_with_a_file_adds_the_file(bot: Harness, anna: Person) -> None:
    receipt = anna.asks("чек")
    photo = bot.server.send_photo(b"JPEG", caption="вот он", user_id=anna.id, reply_to=receipt["message_id"])
    assert bot.reply_to(photo)["text"] == "Заметка #1 дополнена."
    messages = card(anna, 1)
    assert "photo" in messages[0]
    assert "чек\nвот он" in messages[-1]["text"]


def test_a_reply_to_a_deleted_note_is_a_note_of_its_own(anna: Person) -> None:
    receipt = anna.asks("раз")
    anna.says("/note_del 1")
    assert say(anna, "два", receipt)["text"] == "Заметка #2 сохранена."


def test_edit_and_del_as_replies_mean_the_note_replied_to(anna: Person) -> None:
    anna.says("раз")
    receipt = anna.asks("два")
    assert say(anna, "/note_edit 5 литров", receipt)["text"] == "Заметка #2 изменена."
    assert text_of(anna, 2) == "5 литров"
    assert say(anna, "/note_del", receipt)["text"] == "Заметка #2 удалена.\n5 литров"
    assert anna.says("/note_count") == "Заметок: 1."
    assert say(anna, "/note_edit", receipt)["text"] == "Использование: /note_edit <id> <текст>"


# ---- /note_edit and «↩️ Вернуть» ------------------------------------------------------------


@pytest.mark.parametrize(
    ("caption", "text"), [("/note_edit 1 новый чек", "новый чек"), ("/note_edit 1", "чек")]
)
def test_a_photo_under_note_edit_goes_into_the_note(
    bot: Harness, anna: Person, caption: str, text: str
) -> None:
    anna.says("чек")
    sent = bot.server.send_photo(b"JPEG", caption=caption, user_id=anna.id)
    bot.reply_to(sent)
    assert photos_of(card(anna, 1)) == photos_of([sent])
    assert text_of(anna, 1) == text
    assert anna.says("/note_edit 1") == "Использование: /note_edit <id> <текст>"


def test_each_button_takes_back_its_own_edit(anna: Person) -> None:
    first, *edits = (anna.asks(text) for text in ("A", "/note_edit 1 B", "/note_edit 1 C"))
    edits.append(say(anna, "D", first))
    _, after = pressed(anna, edits[0], BACK)
    assert after["text"].startswith(
        "Заметка #1: вернулся текст, который был до этой правки и следующих за ней (2).\nA"
    )
    pressed(anna, edits[0], BACK)
    assert text_of(anna, 1) == "C\nD"
    for edit, before in zip(edits[:0:-1], ("C", "B"), strict=True):
        pressed(anna, edit, BACK)
        assert text_of(anna, 1) == before


def test_an_edit_can_be_taken_back_and_done_again(anna: Person) -> None:
    anna.says("старое", entities=[{"type": "italic", "offset": 0, "length": 6}])
    answer = anna.asks("/note_edit 1 новое")
    assert answer["text"] == "Заметка #1 изменена."
    _, answer = pressed(anna, answer, BACK)
    assert text_of(anna, 1) == "старое"
    assert formatted(card(anna, 1)[-1], "italic") == ["старое"]
    _, answer = pressed(anna, answer, BACK)
    assert text_of(anna, 1) == "новое"


def test_an_edit_keeps_formatting_and_indent(anna: Person) -> None:
    anna.says("старое")
    anna.says("/note_edit 1 код:\n  x = 1", entities=[{"type": "code", "offset": 20, "length": 5}])
    (message,) = card(anna, 1)
    assert "код:\n  x = 1" in message["text"]
    assert formatted(message, "code") == ["x = 1"]


@pytest.mark.parametrize("text", ["/note_edit 1 \u200b", "/note_edit 1", "/note_edit 1 \u2800"])
def test_an_edit_to_nothing_gets_the_usage(bot: Harness, anna: Person, text: str) -> None:
    anna.says("старое")
    said = bot.server.send_content(user_id=anna.id, text=text)
    assert bot.reply_to(said)["text"] == "Использование: /note_edit <id> <текст>"
    assert text_of(anna, 1) == "старое"


# ---- Edits in Telegram ----------------------------------------------------------------------


def test_editing_the_message_edits_the_note(bot: Harness, anna: Person) -> None:
    said = bot.server.say("купить хле", user_id=anna.id)
    bot.reply_to(said)
    edited = bot.server.edit(said, "купить хлеб", entities=[{"type": "bold", "offset": 7, "length": 4}])
    settle(anna)
    assert text_of(anna, 1) == "купить хлеб"
    assert formatted(card(anna, 1)[-1], "bold") == ["хлеб"]
    assert reaction(bot, said) == "✍"
    assert len(bot.server.replies_to(anna.id, said["message_id"])) == 1, "no second answer"
    bot.server.edit(edited, "купить сыр")
    settle(anna)
    assert text_of(anna, 1) == "купить сыр"


def test_a_live_location_changes_the_note_when_it_ends(bot: Harness, anna: Person) -> None:
    place = {"latitude": 55.75, "longitude": 37.61, "live_period": 900}
    said = bot.server.send_content(user_id=anna.id, location=place)
    bot.reply_to(said)
    moved = said | {"location": place | {"latitude": 59.93}, "edit_date": said["date"] + 5}
    bot.server.push({"edited_message": moved})
    anna.says("/note_count")
    assert "55.75,37.61" in text_of(anna, 1)
    bot.server.push({"edited_message": moved | {"location": {"latitude": 59.93, "longitude": 30.36}}})
    bot.wait(lambda: "59.93,30.36" in text_of(anna, 1))


def test_editing_a_command_edits_its_note(bot: Harness, anna: Person) -> None:
    said = bot.server.say("/note_add раз", user_id=anna.id)
    bot.reply_to(said)
    bot.server.edit(said, "/note_add два")
    settle(anna)
    assert text_of(anna, 1) == "два"
    assert anna.says("/note_count") == "Заметок: 1."


def test_editing_a_caption_edits_the_note(bot: Harness, anna: Person) -> None:
    first = bot.server.send_photo(b"JPEG", user_id=anna.id)
    second = bot.server.send_photo(b"JPEG", caption="было", user_id=anna.id)
    bot.reply_to(second)
    bot.server.edit(first, "подпись потом")
    bot.server.edit(second, "стало")
    settle(anna)
    assert text_of(anna, 1) == "подпись потом"
    assert text_of(anna, 2) == "стало"


def test_editing_one_piece_of_a_cut_text_changes_that_piece(bot: Harness, anna: Person) -> None:
    pieces = ["а" * 4096, "б" * 4096, "конец"]
    with bot.at_once():
        said = [bot.server.say(piece, user_id=anna.id) for piece in pieces]
    bot.reply_to(said[0])
    bot.server.edit(said[1], "середина")
    settle(anna)
    assert f"{pieces[0]}середина{pieces[2]}" in anna.exports()
    bot.server.edit(said[2], "хвост")
    bot.server.edit(said[0], "начало ")
    settle(anna)
    assert "начало серединахвост" in anna.exports()


def test_editing_a_caption_of_an_album_leaves_the_others(bot: Harness, anna: Person) -> None:
    said = [
        bot.server.send_photo(b"JPEG", caption=caption, user_id=anna.id, media_group_id="91")
        for caption in ("первая", "", "третья")
    ]
    bot.reply_to(said[0])
    bot.server.edit(said[2], "другая")
    settle(anna)
    assert text_of(anna, 1) == "первая\nдругая"


@pytest.mark.parametrize("order", [(0, 2, 1), (2, 1, 0), (1, 0, 2)])
def test_captions_that_come_later_have_lines_of_their_own(
    bot: Harness, anna: Person, order: tuple[int, ...]
) -> None:
    with bot.at_once():
        said = [
            bot.server.send_photo(b"JPEG", user_id=anna.id, media_group_id=f"92{order}") for _ in range(3)
        ]
    bot.reply_to(said[0])
    captions = ["первая", "вторая 🏠", "третья"]
    for number in order:
        said[number] = bot.server.edit(said[number], captions[number])
    settle(anna)
    assert text_of(anna, 1) == "первая\nвторая 🏠\nтретья"
    said[1] = bot.server.edit(said[1], "")
    bot.server.edit(said[2], "последняя")
    settle(anna)
    assert text_of(anna, 1) == "первая\nпоследняя"


def photos_of(messages: list[Message]) -> list[str]:
    return [message["photo"][-1]["file_id"] for message in messages if "photo" in message]


def test_an_edit_that_swaps_a_photo_swaps_it_in_the_note(bot: Harness, anna: Person) -> None:
    said = [
        bot.server.send_photo(b"JPEG", caption=caption, user_id=anna.id, media_group_id="93")
        for caption in ("три фото", "", "")
    ]
    bot.reply_to(said[0])
    old = photos_of(said)
    new, newest = ([bot.server.photo_sizes(data)[-1]] for data in (b"NEW", b"NEWEST"))
    said[1] = bot.server.edit(said[1], "", photo=new)
    settle(anna)
    assert photos_of(card(anna, 1)) == [old[0], new[0]["file_id"], old[2]]
    assert reaction(bot, said[1]) == "✍"
    bot.server.edit(said[1], "и подпись", photo=newest)
    settle(anna)
    assert photos_of(card(anna, 1)) == [old[0], newest[0]["file_id"], old[2]]
    assert text_of(anna, 1) == "три фото\nи подпись"


def test_a_photo_is_swapped_even_where_the_text_was_changed_since(bot: Harness, anna: Person) -> None:
    said = bot.server.send_photo(b"JPEG", caption="чек", user_id=anna.id)
    bot.reply_to(said)
    anna.says("/note_edit 1 чек за хлеб")
    new = bot.server.photo_sizes(b"NEW")
    bot.server.edit(said, "чек", photo=new)
    settle(anna)
    assert photos_of(card(anna, 1)) == [new[-1]["file_id"]]
    assert text_of(anna, 1) == "чек за хлеб"


def test_an_edit_that_brings_a_file_adds_it(bot: Harness, anna: Person) -> None:
    said = bot.server.say("чек", user_id=anna.id)
    bot.reply_to(said)
    new = bot.server.photo_sizes(b"NEW")
    bot.server.edit(said, "чек", photo=new)
    settle(anna)
    assert photos_of(card(anna, 1)) == [new[-1]["file_id"]]


def test_what_was_appended_stays_when_the_first_message_is_edited(bot: Harness, anna: Person) -> None:
    said = bot.server.say("молоко", user_id=anna.id)
    addition = bot.server.say("хлеб", user_id=anna.id, reply_to=bot.reply_to(said)["message_id"])
    bot.reply_to(addition)
    bot.server.edit(said, "молоко и кефир")
    bot.server.edit(addition, "хлеб белый")
    settle(anna)
    assert text_of(anna, 1) == "молоко и кефир\nхлеб белый"


def test_an_edit_of_what_was_changed_since_leaves_the_note_and_says_so(bot: Harness, anna: Person) -> None:
    said = bot.server.say("раз", user_id=anna.id)
    bot.reply_to(said)
    anna.says("/note_edit 1 два")
    bot.server.edit(said, "три")
    settle(anna)
    assert text_of(anna, 1) == "два"
    assert "/note_edit 1 <текст>" in bot.server.replies_to(anna.id, said["message_id"])[-1]["text"]


def test_editing_the_message_of_a_deleted_note_does_nothing(bot: Harness, anna: Person) -> None:
    said = bot.server.say("раз", user_id=anna.id)
    bot.reply_to(said)
    answer = anna.asks("/note_del 1")
    bot.server.edit(said, "два")
    settle(anna)
    assert reaction(bot, said) == ""
    pressed(anna, answer, BACK)
    assert text_of(anna, 1) == "раз"


@pytest.mark.parametrize("first", ["/note_ad новое", "/note_list", "новое"])
def test_an_edit_does_no_command_and_says_so(bot: Harness, anna: Person, first: str) -> None:
    said = bot.server.say(first, user_id=anna.id)
    bot.reply_to(said)
    before = anna.says("/note_count")
    bot.server.edit(said, "/note_count" if first == "новое" else "/note_add новое")
    settle(anna)
    assert anna.says("/note_count") == before
    assert bot.server.replies_to(anna.id, said["message_id"])[-1]["text"] == NOT_AGAIN


def test_in_a_group_an_edit_that_is_no_note_does_nothing(bot: Harness, anna: Person) -> None:
    said = bot.server.say("/note_list", user_id=anna.id, chat_id=-1030)
    bot.reply_to(said)
    bot.server.edit(said, "/note_add новое")
    settle(anna)
    assert anna.says("/note_count") == "Заметок: 0."
    assert len(bot.server.replies_to(-1030, said["message_id"])) == 1


def test_an_edit_that_leaves_nothing_is_refused(bot: Harness, anna: Person) -> None:
    said = bot.server.say("/note_add раз", user_id=anna.id)
    bot.reply_to(said)
    bot.server.edit(said, "/note_add")
    settle(anna)
    assert text_of(anna, 1) == "раз"
    assert "/note_del 1" in bot.server.replies_to(anna.id, said["message_id"])[-1]["text"]


def test_an_edit_that_a_kill_has_cut_off_is_done_once(new_bot: NewBot) -> None:
    bot = new_bot().start()
    anna = bot.person()
    said = bot.server.say("раз", user_id=anna.id)
    receipt = bot.reply_to(said)
    settle(anna)
    bot.kill()
    bot.server.edit(said, "два")
    reply = bot.server.say("три", user_id=anna.id, reply_to=receipt["message_id"])
    bot.start()
    assert bot.reply_to(reply)["text"] == "Заметка #1 дополнена."
    assert text_of(anna, 1) == "два\nтри"


# ---- Deleting and the bin -------------------------------------------------------------------


def test_a_deletion_shows_what_went_and_gives_it_back(anna: Person) -> None:
    anna.says("важное\nи ещё")
    answer = anna.asks("/note_del 1")
    assert answer["text"] == "Заметка #1 удалена.\nважное…"
    assert labels(answer) == [BACK]
    _, answer = pressed(anna, answer, BACK)
    assert answer["text"].startswith("Заметка #1 возвращена.")
    assert anna.says("/note_count") == "Заметок: 1."
    assert anna.says("/note_find важное").startswith("Найдено: 1.")
    pressed(anna, answer, DROP)
    assert anna.says("/note_count") == "Заметок: 0."


def test_several_are_deleted_at_once_and_given_back_at_once(anna: Person) -> None:
    for number in range(1, 9):
        anna.says(f"мысль {number}")
    answer = anna.asks("/note_del 3 5, №8 5")
    assert answer["text"].split("\n") == [
        "Заметки #3, #5, #8 удалены.", "#3 · мысль 3", "#5 · мысль 5", "#8 · мысль 8",
    ]  # fmt: skip
    assert anna.says("/note_count") == "Заметок: 5."
    pressed(anna, answer, BACK)
    assert anna.says("/note_count") == "Заметок: 8."


def test_if_one_is_not_there_none_is_deleted(anna: Person) -> None:
    anna.says("раз")
    anna.says("два")
    assert anna.says("/note_del 1 7 2") == "Нет заметки #7, поэтому ничего не удалено. Список: /note_list"
    assert anna.says("/note_count") == "Заметок: 2."
    assert "«1 x» не подходит" in anna.says("/note_del 1 x")


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("3,5 и 8", [1, 2, 4, 6, 7, 9]),
        ("3-8", [1, 2, 9]),
        ("#3–#5, 9", [1, 2, 6, 7, 8]),
        ("8 — 6; 1", [2, 3, 4, 5, 9]),
        ("7 7 7.", [1, 2, 3, 4, 5, 6, 8, 9]),
        ("8-100", [1, 2, 3, 4, 5, 6, 7]),
        ("-3", list(range(1, 10))),
        ("3-", list(range(1, 10))),
        ("три", list(range(1, 10))),
        ("3-8-9", list(range(1, 10))),
        ("20-30 1", list(range(1, 10))),
    ],
)
def test_numbers_are_read_as_people_write_them(anna: Person, said: str, left: list[int]) -> None:
    for number in range(9):
        anna.bot.server.say(f"/note_add {number}", user_id=anna.id)
    answer = anna.asks(f"/note_del {said}")
    assert [int(n) for n in labels(anna.asks("/note_list 20"))] == left[::-1]
    if len(left) == 9:
        assert said in answer["text"] or "с #20 по #30" in answer["text"]
    else:
        pressed(anna, answer, BACK)
        assert anna.says("/note_count") == "Заметок: 9."


def test_a_range_takes_what_is_there_of_it(anna: Person) -> None:
    for number in range(70):
        anna.bot.server.say(f"/note_add {number}", user_id=anna.id)
    anna.says("/note_del 4")
    answer = anna.asks("/note_del 3-69")["text"]
    assert "#3 · 2\n#5 · 4" in answer
    assert answer.endswith("… и ещё 16: /note_trash")
    assert anna.says("/note_count") == "Заметок: 3."
    assert anna.says("/note_trash").startswith("В корзине: 67,")


def test_a_very_long_list_of_numbers_comes_back_by_one_button(anna: Person) -> None:
    for number in range(60):
        anna.bot.server.say(f"/note_add {number}", user_id=anna.id)
    answer = anna.asks("/note_del " + " ".join(str(number) for number in range(1, 61, 2)))
    pressed(anna, answer, BACK)
    assert anna.says("/note_count") == "Заметок: 60."


def test_the_bin_lists_what_was_deleted_and_gives_it_back(anna: Person) -> None:
    assert "пусто" in anna.says("/note_trash")
    for number in range(1, 13):
        anna.says(f"мысль {number}")
    anna.says("/note_del " + " ".join(map(str, range(1, 13))))
    shown = anna.asks("/note_trash")
    assert shown["text"].startswith("В корзине: 12, хранятся 30 дней.")
    assert labels(shown)[-2:] == ["1/2", "▶"]
    _, shown = pressed(anna, shown, "▶")
    assert len(labels(shown)) == 2 + 2
    notice, shown = pressed(anna, shown, 0)
    assert notice.endswith("возвращена.")
    assert shown["text"].startswith("В корзине: 11,")
    assert labels(shown)[1:] == ["◀", "2/2"]  # the page where the button was pressed
    assert anna.says("/note_count") == "Заметок: 1."
    anna.press(shown, data=f"untrash:{anna.id}.3")  # a button as an earlier version made it
    assert anna.says("/note_count") == "Заметок: 2."


def test_the_bin_keeps_a_note_for_thirty_days(anna: Person) -> None:
    day = 86_400
    anna.says("давно")
    anna.says("недавно")
    now = anna.bot.server.say("/note_count", user_id=anna.id)["date"]
    anna.says("/note_del 1", date=now - 31 * day)
    anna.says("/note_del 2", date=now - 29 * day)
    shown = anna.asks("/note_trash")
    assert labels(shown) == ["2"]
    assert anna.says("новая") == "Заметка #3 сохранена."


def test_of_several_those_come_back_that_are_still_there(anna: Person) -> None:
    for text in ("раз", "два", "три"):
        anna.says(text)
    answer = anna.asks("/note_del 1 2")
    pressed(anna, anna.asks("/note_trash"), "1")
    anna.says("/note_del 1", date=answer["date"] - 31 * 86_400)
    anna.says("/note_del 3")  # now the first one leaves the bin for good
    _, answer = pressed(anna, answer, BACK)
    assert answer["text"] == "Заметки #2 возвращены."
    assert anna.says("/note_count") == "Заметок: 1."


def test_nobody_gives_back_or_deletes_anothers(anna: Person, boris: Person) -> None:
    anna.says("раз")
    answer = anna.asks("/note_del 1", chat_id=-1041)
    assert boris.press(answer, BACK) == "Это чужая кнопка."
    shown = anna.asks("/note_trash", chat_id=-1041)
    assert boris.press(shown, 0) == "Это чужая кнопка."
    assert anna.says("/note_count") == "Заметок: 0."
    assert "пусто" in boris.says("/note_trash")


def test_two_questions_for_another_text_wait_for_a_reply_each(anna: Person) -> None:
    asked = []
    for number, text in enumerate(("раз", "два"), 1):
        anna.says(text)
        asked += opened(anna, card(anna, number)[-1], CHANGE)
    for question, text in zip(asked, ("новое раз", "новое два"), strict=True):
        assert say(anna, text, question)["text"].endswith(" изменена.")
    assert [text_of(anna, number) for number in (1, 2)] == ["новое раз", "новое два"]
    assert say(anna, "и ещё", asked[0])["text"] == "Заметка #1 дополнена."


def test_a_reply_after_change_that_comes_twice_replaces_once(new_bot: NewBot) -> None:
    bot = new_bot().start()
    anna = bot.person()
    anna.says("старое")
    opened(anna, card(anna, 1)[-1], CHANGE)
    question = bot.server.messages(anna.id)[-2]
    bot.server.fail("sendMessage", "hang")
    said = bot.server.say("новое", user_id=anna.id, reply_to=question["message_id"])
    bot.wait(lambda: [call for call in bot.server.calls_of("sendMessage", anna.id) if call.failure])
    bot.kill()
    bot.start()
    bot.wait(lambda: len(bot.server.replies_to(anna.id, said["message_id"])) == 2)
    assert text_of(anna, 1) == "новое"


# ---- Invariants -----------------------------------------------------------------------------

TEXTS = st.text("аб😀\n ", max_size=12)


@given(TEXTS, TEXTS, TEXTS, TEXTS)
def test_a_piece_is_replaced_and_its_surroundings_keep_their_formatting(
    before: str, piece: str, after: str, new: str
) -> None:
    def bold(text: str) -> tuple[str, list[dict[str, object]]]:
        size = utf16_len(text)
        return text, [{"type": "bold", "offset": 0, "length": size}] if size else []

    old = concat(bold(before), (piece, []), bold(after))
    assert replaced(old, utf16_len(before), utf16_len(piece), (new, [])) == concat(
        bold(before), (new, []), bold(after)
    )


def test_several_answers_are_one(bot: Harness, anna: Person) -> None:
    with bot.at_once():
        said = [bot.server.forward(f"слово {n}", user_id=anna.id) for n in range(3)]
    assert len(answers_to(bot, said)) == 1
