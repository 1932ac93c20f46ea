"""Nobody reaches another person's data: by number, button, reply, or forged button data."""

import sqlite3
from contextlib import closing

import pytest

import support.openrouter_replies as replies
from support.harness import Harness, Message, Person, name_of

GROUP = -1001


def crafted(answer: Message, turn: str) -> list[str]:
    """Return callback data that somebody who knows a turn's number could forge."""
    own = [button["callback_data"] for row in answer["reply_markup"]["inline_keyboard"] for button in row]
    names = ["save", "again", "more", "other", "with", "stop", "page", "use", "note", "note_del", "delete"]
    return [*own, *(f"{name}:{turn}" for name in names), f"with:{turn}.1"]


def test_nobody_reaches_another_persons_conversation_by_a_button(
    bot: Harness, anna: Person, boris: Person
) -> None:
    bot.answers["личное"] = replies.answer("тайна Анны")
    (answer,) = anna.asks_model("личное")
    ours = boris.asks("/models")  # a bot's message in Boris's chat, as if Anna's had been forwarded
    turn = answer["reply_markup"]["inline_keyboard"][0][0]["callback_data"].partition(":")[2]
    asked = len(bot.ai.questions)
    for data in crafted(answer, turn):
        boris.press(ours, data=data)
    assert boris.says("/note_count") == anna.says("/note_count") == "Заметок: 0."
    assert "тайна" not in "\n".join(str(message.get("text")) for message in bot.server.messages(boris.id))
    assert len(bot.ai.questions) == asked


def test_a_reply_does_not_reach_into_another_chat(bot: Harness, anna: Person, boris: Person) -> None:
    (answer,) = anna.asks_model("личное")
    shown = boris.asks("/note_count")
    assert shown["message_id"] == answer["message_id"]  # the same number in another chat
    asked = bot.server.say("что там?", user_id=boris.id, reply_to=shown["message_id"])
    assert bot.reply_to(asked)["text"] == "Заметка #1 сохранена."
    other = bot.server.say("/ask что там?", user_id=boris.id, reply_to=shown["message_id"])
    boris.answer_to(other)
    assert "личное" not in str(bot.ai.questions[-1].body["messages"])


@pytest.mark.parametrize(
    "data",
    [
        *("save:²", "save:-1", "save:", "save", "save:" + "9" * 30, "save:1 OR 1=1", "save:999999"),
        *("page:0", "page:999999", "page:" + "9" * 19, "use:1", "use:1.999", "use:x.y"),
        *("with:1", "with:.", "with:1.99", "stop:x", "stop:1"),
        *("nothing:1", "__class__:1", ":", " ", "x" * 64, "💥"),
    ],
)
def test_made_up_button_data_does_nothing(anna: Person, data: str) -> None:
    shown = anna.asks("/models")
    anna.press(shown, data=data)  # every press is answered; otherwise the client shows a spinner for a minute
    assert anna.says("/note_count") == "Заметок: 0."
    assert name_of(1) in anna.says("/model")


def test_a_note_is_edited_and_deleted_by_its_owner_alone_whatever_the_number(
    bot: Harness, anna: Person, boris: Person
) -> None:
    anna.says("/note_add тайна")
    with closing(sqlite3.connect(bot.db_path)) as conn:
        ((row,),) = conn.execute("SELECT number FROM notes WHERE user_id = ?", (anna.id,)).fetchall()
    for number in (1, row):
        boris.says(f"/note_edit {number} подмена")
        boris.says(f"/note_del {number}")
    assert "тайна" in anna.says("/note_list")


def test_a_note_of_somebody_else_is_saved_for_nobody_by_a_reply(
    bot: Harness, anna: Person, boris: Person
) -> None:
    shown = anna.asks("/note_add тайна", chat_id=GROUP)
    asked = bot.server.say("/note_del 1", user_id=boris.id, chat_id=GROUP, reply_to=shown["message_id"])
    assert "Нет заметки #1" in bot.reply_to(asked)["text"]
    assert anna.says("/note_count") == "Заметок: 1."
