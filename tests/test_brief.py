"""«Кратко»: a long note's summary, saved only on request; «📝 В заметки» with the answer's formatting."""

import json
from typing import Any

import pytest

from handlers.brief import LONG
from support.asking_bot import SAVE, next_answer
from support.harness import Harness, Message, Person
from support.notes import BACK
from support.openrouter_replies import answer
from support.registry_people import buttons, seen

KEEP, DROP, YES = "💾 Сохранить", "Не надо", "Да, спрашивать"
BRIEF = "Перескажи эту заметку кратко"


def notes(person: Person) -> list[dict[str, Any]]:
    """Return a person's notes as exported to JSON."""
    message = person.asks("/note_export json")
    sent = [file for file in person.bot.server.documents if file.chat_id == person.id]
    (file,) = [file for file in sent if file.message_id == message["message_id"]]
    found: list[dict[str, Any]] = json.loads(file.data)["notes"]
    return found


def summary(person: Person) -> Message:
    """Write a long note, agree to send it, and return its summary."""
    bot = person.bot
    bot.ai.always(answer("**Главное**: молоко."))
    person.says("/note_add " + "молоко и хлеб " * (LONG // 10))
    card = person.asks("/note_count")  # any message from the bot will do: only the button's data counts
    person.press(card, data=f"brief:{person.id}.1")
    asked = bot.wait(lambda: [m for m in bot.server.messages(person.id) if YES in buttons(m)])[-1]
    person.press(asked, YES)
    return next_answer(bot, asked)


def test_a_summary_is_kept_where_it_belongs_if_it_is_wanted(bot: Harness, anna: Person) -> None:
    message = summary(anna)
    assert buttons(message) == [KEEP, DROP]
    (before,) = notes(anna)
    assert anna.press(message, KEEP) == "Добавлено в заметку #1."
    (after,) = notes(anna)
    assert after["text"] == before["text"] + "\nКратко: Главное: молоко."
    bold = {"type": "bold", "offset": len(before["text"]) + len("\nКратко: "), "length": len("Главное")}
    assert after["entities"] == [bold]
    anna.press(bot.server.find(anna.id, message["message_id"]), BACK)
    assert [note["text"] for note in notes(anna)] == [before["text"]]


def test_a_summary_is_kept_once(anna: Person) -> None:
    message = summary(anna)
    for _ in range(2):
        anna.press(message, data=message["reply_markup"]["inline_keyboard"][0][0]["callback_data"])
    (note,) = notes(anna)
    assert note["text"].count("Кратко: ") == 1


def test_a_summary_that_is_not_wanted_leaves_the_note_as_it_was(bot: Harness, anna: Person) -> None:
    message = summary(anna)
    before = notes(anna)
    anna.press(message, DROP)
    seen(bot, message, "Не сохранено.")
    assert notes(anna) == before


def test_a_note_goes_to_the_model_as_data(bot: Harness, anna: Person) -> None:
    summary(anna)
    asked = [request for request in bot.ai.questions if BRIEF in request.question][-1]
    system, told = asked.body["messages"]
    assert "молоко" not in system["content"]
    assert told["role"] == "user"
    assert '<заметка номер="1"' in told["content"]


def test_nobody_else_keeps_it(anna: Person, boris: Person) -> None:
    message = summary(anna)
    assert boris.press(message, KEEP) == "Это ответ на чужой вопрос."


# ---- «📝 В заметки» -------------------------------------------------------------------------


def test_an_answer_in_the_notes_keeps_its_formatting(bot: Harness, anna: Person) -> None:
    bot.ai.always(answer("**Важно**: `код` и [ссылка](https://example.com/a)"))
    (message,) = anna.asks_model("что?")
    anna.press(message, SAVE)
    (note,) = notes(anna)
    assert note["text"] == "что?\n\nВажно: код и ссылка"
    assert [(e["type"], e["offset"], e["length"], e.get("url")) for e in note["entities"]] == [
        ("bold", 6, 5, None),
        ("code", 13, 3, None),
        ("text_link", 19, 6, "https://example.com/a"),
    ]


@pytest.mark.parametrize("words", [800])
def test_a_long_answer_is_kept_whole_with_its_formatting(bot: Harness, anna: Person, words: int) -> None:
    bot.ai.always(answer("\n\n".join(f"**слово{number}** и" for number in range(words))))
    message = anna.asks_model("много?")[-1]
    anna.press(message, SAVE)
    (note,) = notes(anna)
    assert all(f"слово{number} и" in note["text"] for number in range(words))
    assert len(note["entities"]) == words
