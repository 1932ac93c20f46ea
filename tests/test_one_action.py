"""One action that Telegram delivers as several updates: split texts, albums, forwards."""

from collections.abc import Callable

import pytest

from support.asking_bot import new_group
from support.harness import Harness, Message, Person

NewBot = Callable[..., Harness]
LIMIT = 4096


def pasted(bot: Harness, person: Person, text: str, size: int = LIMIT) -> list[Message]:
    """Send a long text as a client does: in pieces of one size, within the same second."""
    pieces = [text[i : i + size] for i in range(0, len(text), size)]
    with bot.at_once():
        return [bot.server.say(piece, user_id=person.id) for piece in pieces]


def answers(bot: Harness, said: list[Message]) -> list[str]:
    """Return the bot's answers to any of the messages, after it has answered a later one."""
    chat_id = said[0]["chat"]["id"]
    bot.reply_to(bot.server.say("/note_count", user_id=said[0]["from"]["id"], chat_id=chat_id))
    return [m["text"] for one in said for m in bot.server.replies_to(chat_id, one["message_id"])]


@pytest.mark.parametrize("length", [9000, LIMIT - 1, LIMIT, 2 * LIMIT, 2 * LIMIT + 1])
def test_a_pasted_text_is_one_note(bot: Harness, anna: Person, length: int) -> None:
    text = ("начало" + "слово" * length)[: length - 5] + "конец"
    said = pasted(bot, anna, f"/note_add {text}")
    assert answers(bot, said) == ["Заметка #1 сохранена."]
    assert text in anna.exports()


def test_a_line_end_that_the_cut_has_swallowed_is_there_again(bot: Harness, anna: Person) -> None:
    line = "слово " * 660 + "раз"
    said = pasted(bot, anna, f"/note_add {line}", size=5000)
    said += pasted(bot, anna, "вторая строка")
    assert answers(bot, said) == ["Заметка #1 сохранена."]
    assert f"{line}\nвторая строка" in anna.exports()


def test_a_pasted_question_is_asked_as_a_whole(bot: Harness, anna: Person) -> None:
    text = "вопрос " * 1000 + "и всё?"
    said = pasted(bot, anna, f"/ask {text}")
    anna.answer_to(said[0])
    assert [request.question for request in bot.ai.questions if "и всё?" in request.question] == [text]


def test_a_command_behind_a_full_message_is_a_command(bot: Harness, anna: Person) -> None:
    text = "о" * (LIMIT - len("/note_add "))
    said = [bot.server.say(f"/note_add {text}", user_id=anna.id)]
    said.append(bot.server.say("/note_list", user_id=anna.id))
    assert len(answers(bot, said)) == 2
    assert text in anna.exports()


def test_a_short_message_is_not_joined_with_the_next(bot: Harness, anna: Person) -> None:
    with bot.at_once():
        said = [bot.server.say(text, user_id=anna.id) for text in ("/note_add раз", "/note_add два")]
    assert len(answers(bot, said)) == 2
    assert anna.says("/note_count") == "Заметок: 2."


def test_a_full_message_of_another_person_in_the_same_second_is_his(bot: Harness) -> None:
    group, anna, boris = new_group(), bot.person(), bot.person()
    text = "о" * (LIMIT - len("/note_add "))
    said = bot.server.say(f"/note_add {text}", user_id=anna.id, chat_id=group)
    bot.server.say("а это моё", user_id=boris.id, chat_id=group)
    assert bot.reply_to(said)["text"] == "Заметка #1 сохранена."
    assert "моё" not in anna.exports()


def test_what_somebody_else_writes_in_its_midst_does_not_cut_a_pasted_text(bot: Harness) -> None:
    group, anna, boris = new_group(), bot.person(), bot.person()
    whole = "/note_add " + "слово" * 1000 + "конец"
    with bot.at_once():
        said = bot.server.say(whole[:LIMIT], user_id=anna.id, chat_id=group)
        between = bot.server.say("/note_count", user_id=boris.id, chat_id=group)
        bot.server.say(whole[LIMIT:], user_id=anna.id, chat_id=group)
    assert bot.reply_to(said)["text"] == "Заметка #1 сохранена."
    assert bot.reply_to(between)["text"] == "Заметок: 0."
    assert whole.removeprefix("/note_add ") in anna.exports()


def test_an_album_is_one_message_with_one_answer(bot: Harness, anna: Person) -> None:
    with bot.at_once():
        said = [
            bot.server.send_photo(b"JPEG", caption=caption, user_id=anna.id, media_group_id="42")
            for caption in ("/note_count", "", "", "", "")
        ]
    assert answers(bot, said) == ["Заметок: 0."]


def test_an_album_without_a_command_has_one_answer(bot: Harness, anna: Person) -> None:
    with bot.at_once():
        said = [bot.server.send_photo(b"JPEG", user_id=anna.id, media_group_id="43") for _ in range(5)]
    assert len(answers(bot, said)) == 1


def test_two_albums_have_two_answers(bot: Harness, anna: Person) -> None:
    with bot.at_once():
        said = [
            bot.server.send_photo(b"JPEG", user_id=anna.id, media_group_id=album)
            for album in ("44", "44", "45", "45")
        ]
    assert len(answers(bot, said)) == 2


def test_ten_forwards_at_once_have_one_answer(bot: Harness, anna: Person) -> None:
    with bot.at_once():
        said = [bot.server.forward(f"слово {n}", user_id=anna.id) for n in range(10)]
    assert len(answers(bot, said)) == 1


def test_what_a_kill_cuts_in_the_middle_is_one_note_all_the_same(new_bot: NewBot) -> None:
    bot = new_bot().start()
    anna = bot.person()
    text = "начало" + "слово" * 1800 + "конец"
    whole = f"/note_add {text}"
    with bot.at_once():
        first = bot.server.say(whole[:LIMIT], user_id=anna.id)
        second = bot.server.say(whole[LIMIT : 2 * LIMIT], user_id=anna.id)
    bot.wait(lambda: not bot.server.pending)
    bot.kill()
    third = bot.server.say(whole[2 * LIMIT :], user_id=anna.id)
    bot.start()
    assert answers(bot, [first, second, third]) == ["Заметка #1 сохранена."]
    assert text in anna.exports()
