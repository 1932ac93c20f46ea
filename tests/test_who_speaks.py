"""Who speaks, and whose words they are: nobody reads another's notes, and others' words are no command."""

from collections.abc import Callable
from typing import Any

import pytest

from support.asking_bot import new_group
from support.harness import Harness, Message, Person

NewBot = Callable[..., Harness]
ANONYMOUS_ADMIN, CHANNEL_BOT, TELEGRAM = 1087968824, 136817688, 777000
REFUSED = "Под этим именем может писать не один человек"


def says_as(bot: Harness, user_id: int, text: str, group: int, **more: Any) -> Message:
    return bot.server.say(text, user_id=user_id, chat_id=group, **more)


def chat(group: int, kind: str = "supergroup") -> dict[str, Any]:
    return {"id": group, "type": kind, "title": "Группа"}


@pytest.mark.parametrize("stand_in", [ANONYMOUS_ADMIN, CHANNEL_BOT])
def test_two_anonymous_admins_share_no_notebook(bot: Harness, stand_in: int) -> None:
    first, second = new_group(), new_group()
    kept = says_as(bot, stand_in, "/note_add тайна А", first, sender_chat=chat(first))
    read = says_as(bot, stand_in, "/note_list", second, sender_chat=chat(second))
    assert bot.reply_to(kept)["text"].startswith(REFUSED)
    assert bot.reply_to(read)["text"].startswith(REFUSED)


def test_a_person_who_speaks_as_a_channel_is_no_person(bot: Harness, anna: Person) -> None:
    group = new_group()
    masked = says_as(bot, anna.id, "/note_count", group, sender_chat=chat(-100777, "channel"))
    assert bot.reply_to(masked)["text"].startswith(REFUSED)
    assert anna.says("/note_count", chat_id=group) == "Заметок: 0."


def test_the_talk_of_anonymous_admins_is_left_alone(bot: Harness, anna: Person) -> None:
    group = new_group()
    talk = says_as(bot, ANONYMOUS_ADMIN, "всем привет", group, sender_chat=chat(group))
    posted = says_as(bot, TELEGRAM, "запись канала", group, is_automatic_forward=True)
    anna.says("/note_count", chat_id=group)
    assert not bot.server.replies_to(group, talk["message_id"])
    assert not bot.server.replies_to(group, posted["message_id"])


def test_an_anonymous_admin_who_means_another_bot_is_left_alone(bot: Harness, anna: Person) -> None:
    group = new_group()
    other = says_as(bot, ANONYMOUS_ADMIN, "/ban@other_bot 5", group, sender_chat=chat(group))
    anna.says("/note_count", chat_id=group)
    assert not bot.server.replies_to(group, other["message_id"])


@pytest.mark.parametrize("text", ["\ufeff/note_list", "／note_list", "/note_list@zametochnik_bot"])
def test_an_anonymous_admin_is_told_however_the_command_is_written(bot: Harness, text: str) -> None:
    group = new_group()
    said = says_as(bot, ANONYMOUS_ADMIN, text, group, sender_chat=chat(group))
    assert bot.reply_to(said)["text"].startswith(REFUSED)


def test_an_anonymous_admin_is_told_once_an_hour(bot: Harness, anna: Person) -> None:
    group = new_group()
    first = says_as(bot, ANONYMOUS_ADMIN, "/note_count", group, sender_chat=chat(group))
    bot.reply_to(first)
    again = says_as(bot, ANONYMOUS_ADMIN, "/note_count", group, sender_chat=chat(group))
    anna.says("/note_count", chat_id=group)
    assert not bot.server.replies_to(group, again["message_id"])


@pytest.mark.parametrize(
    "mark",
    [
        {"forward_origin": {"type": "hidden_user", "date": 1, "sender_user_name": "Кто-то"}},
        {"forward_date": 1, "forward_sender_name": "Кто-то"},
        {"via_bot": {"id": 99, "is_bot": True, "first_name": "Другой", "username": "other_bot"}},
    ],
    ids=["forwarded", "forwarded, of old", "by another bot"],
)
def test_foreign_words_are_no_command(anna: Person, mark: dict[str, Any]) -> None:
    anna.says("/note_add дороже всего")
    anna.bot.server.say("/note_del 1", user_id=anna.id, **mark)
    assert "дороже всего" in anna.says("/note_list")


def test_ones_own_words_are_a_command_although_they_quote_foreign_ones(bot: Harness, anna: Person) -> None:
    forwarded = bot.server.forward("/note_del 1", user_id=anna.id)
    assert anna.says("/note_count", reply_to=forwarded["message_id"]) == "Заметок: 1."


@pytest.mark.parametrize("text", ["/start", "/note_count", "привет"])
def test_a_bot_is_no_person(bot: Harness, anna: Person, text: str) -> None:
    robot = bot.person()
    bot.server.user(robot.id)["is_bot"] = True
    said = bot.server.say(text, user_id=robot.id)
    anna.says("/note_count")
    assert not bot.server.replies_to(robot.id, said["message_id"])
