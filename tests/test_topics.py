"""In a group or private chat with topics, every answer stays in the topic of its question."""

from typing import Any

import pytest

from support.asking_bot import STOP, Steps, new_group
from support.harness import Harness, Message, Person
from support.registry_people import buttons


@pytest.fixture(params=["group", "private"])
def where(request: pytest.FixtureRequest, anna: Person) -> dict[str, Any]:
    chat_id = new_group() if request.param == "group" else anna.id
    return {"chat_id": chat_id, "message_thread_id": 42, "is_topic_message": True}


def sent(bot: Harness, where: dict[str, Any]) -> list[Message]:
    """Return the bot's messages in the chat, and assert that all are in the topic."""
    messages = bot.server.messages(where["chat_id"])
    assert [message.get("message_thread_id") for message in messages] == [42] * len(messages)
    return messages


def has_grown_to(count: int, bot: Harness, where: dict[str, Any]) -> bool:
    messages = sent(bot, where)
    return len(messages) == count and "слово" in messages[-1]["text"]


def test_a_list_of_several_messages_stays_there(bot: Harness, anna: Person, where: dict[str, Any]) -> None:
    for number in range(100):
        bot.server.say(f"/note_add {number} {'слово ' * 20}", user_id=anna.id, **where)
    assert len(anna.says("/note_list 100", **where)) > 1000
    anna.says("/note_count", **where)
    assert len(sent(bot, where)) > 102


def test_a_file_stays_there(bot: Harness, anna: Person, where: dict[str, Any]) -> None:
    anna.says("/note_add мысль", **where)
    bot.reply_to(bot.server.say("/note_export", user_id=anna.id, **where))
    assert [m for m in sent(bot, where) if "document" in m]


def test_a_long_answer_stays_there_while_it_grows_and_so_does_typing(
    bot: Harness, anna: Person, where: dict[str, Any]
) -> None:
    question = f"тема {where['chat_id']}"
    steps = bot.answers[question] = Steps("слово " * 500, "слово " * 500, "и всё")
    anna.asks(f"/ask {question}", **where)
    for count in (1, 2):
        steps.next()
        bot.wait(lambda: has_grown_to(count, bot, where))  # noqa: B023 - waited for at once
        assert buttons(sent(bot, where)[-1]) == [STOP]
    steps.next()
    steps.next()
    bot.wait(lambda: "мс; модель" in sent(bot, where)[-1]["text"])
    typing = bot.server.calls_of("sendChatAction", where["chat_id"])
    assert typing
    assert {call.params.get("message_thread_id") for call in typing} == {42}


def test_in_a_closed_topic_a_question_is_given_up_and_no_model_goes_on_writing(
    bot: Harness, anna: Person
) -> None:
    where = {"chat_id": new_group(), "message_thread_id": 42, "is_topic_message": True}
    question = "в закрытой теме"
    steps = bot.answers[question] = Steps("слово ", "и ещё ")
    anna.asks(f"/ask {question}", **where)
    bot.server.chat(where["chat_id"]).topics[42] = False
    bot.server.chat(where["chat_id"]).refusal = "TOPIC_CLOSED"
    before = len(bot.server.calls)
    steps.next()
    bot.ai.wait(lambda: question in [request.question for request in bot.ai.closed_by_client])
    assert anna.says("/note_count") == "Заметок: 0."
    refused = [c for c in bot.server.calls[before:] if c.chat_id == where["chat_id"] and not c.ok]
    assert [call.method for call in refused].count("editMessageText") == 1


@pytest.mark.parametrize(
    "refusal",
    ["TOPIC_CLOSED", "not enough rights to send text messages to the chat", "message thread not found"],
)
def test_what_is_refused_for_good_costs_one_call_and_one_line(
    bot: Harness, anna: Person, refusal: str
) -> None:
    group = new_group()
    bot.server.chat(group, "supergroup").refusal = refusal
    lines = len(bot.err)
    bot.server.say("/note_count", user_id=anna.id, chat_id=group)
    bot.wait(lambda: any(refusal in line for line in bot.err[lines:]))
    anna.says("/note_count")
    assert len(bot.server.calls_of("sendMessage", group)) == 1
    assert len([line for line in bot.err[lines:] if refusal in line]) == 1
    assert "отложено" not in "".join(bot.err[lines:])
