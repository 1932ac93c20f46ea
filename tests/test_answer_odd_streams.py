"""Answers that begin with nothing visible, shrink, break off, or are too long to read in a chat."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest

import support.openrouter_replies as replies
from support.asking_bot import AGAIN, FINISHED, SAVE, STOP, Steps, exported, reply
from support.harness import CATALOGUE, FOOTER, Harness, Message, Person
from support.openrouter_replies import DONE, answer, chunk, stream
from support.registry_people import asked, buttons, seen

pytestmark = pytest.mark.usefixtures("telegrams_pace")
NewBot = Callable[..., Harness]
LABEL = next(iter(CATALOGUE.values()))
MINUTE = replies.error_body(429, "Rate limit exceeded: free-models-per-min.")


@pytest.fixture
def question(request: pytest.FixtureRequest) -> str:
    """A question unique to the test, so that its answers can be scripted."""
    return str(request.node.name)


# ---- Nothing visible yet --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("nothing", "rest", "shown"),
    [
        (["##", "##"], " План", "План"),
        ([">", " "], "Цитата", "Цитата"),
        (["```", "python\n"], "print(1)\n```", "print(1)"),
        (["**"], "Важно**", "Важно"),
        (["[a]: https://example.org/a"], " это не сноска", "[a]: https://example.org/a это не сноска"),
        (["\n", " \n"], "Слово", "Слово"),
    ],
)
def test_what_shows_nothing_yet_leaves_the_message_standing(
    bot: Harness, anna: Person, question: str, nothing: list[str], rest: str, shown: str
) -> None:
    steps = bot.answers[question] = Steps(*nothing, rest)
    events = bot.server.watch()
    message = anna.asks(f"/ask {question}")
    for _ in nothing:
        steps.next()
        anna.says("/note_count")  # enough time for a draft to appear
        (standing,) = (m for m in bot.server.messages(anna.id) if buttons(m))
        assert standing["message_id"] == message["message_id"]
        assert standing["text"].startswith(f"⏳ {LABEL}")
        assert buttons(standing) == [STOP]
    steps.next()
    steps.next()
    finished = seen(bot, message, "мс; модель")
    assert FOOTER.sub("", finished["text"]) == shown
    kinds = [kind for kind, payload in _drained(events) if payload.get("chat", {}).get("id") == anna.id]
    assert "deleted" not in kinds
    assert kinds.count("sent") == 1 + len(nothing), "the answer's one message, and the counts"


def test_what_a_tag_shows_to_have_been_thoughts_goes_from_the_answer(
    bot: Harness, anna: Person, question: str
) -> None:
    steps = bot.answers[question] = Steps("Хм, посчитаю", "\n</think>\n\n", "Ответ: 42")
    message = anna.asks(f"/ask {question}")
    steps.next()
    seen(bot, message, "Хм, посчитаю")
    steps.next()
    assert seen(bot, message, "Думает")["message_id"] == message["message_id"]
    steps.next()
    steps.next()
    assert FOOTER.sub("", seen(bot, message, "мс; модель")["text"]) == "Ответ: 42"


def _drained(events: object) -> list[tuple[str, dict[str, dict[str, int]]]]:
    drained = []
    while not events.empty():  # type: ignore[attr-defined]
        drained.append(events.get())  # type: ignore[attr-defined]
    return drained


def test_an_answer_that_becomes_shorter_as_it_grows_loses_its_messages_at_the_end_only(
    bot: Harness, anna: Person, question: str
) -> None:
    address = "https://example.org/" + "a" * 4500
    steps = bot.answers[question] = Steps(f"Смотри [слово]({address}", ") вот")
    message = anna.asks(f"/ask {question}")
    steps.next()
    bot.wait(lambda: len(bot.server.messages(anna.id)) == 2)
    steps.next()
    assert buttons(seen(bot, message, "Смотри слово вот")) == [STOP]
    typed = len(bot.server.calls_of("sendChatAction", anna.id))
    bot.wait(lambda: len(bot.server.calls_of("sendChatAction", anna.id)) > typed)  # seconds later
    assert not bot.server.calls_of("deleteMessage", anna.id)
    steps.next()
    seen(bot, message, "мс; модель")
    bot.wait(lambda: len(bot.server.messages(anna.id)) == 1)
    assert buttons(bot.server.find(anna.id, message["message_id"])) == FINISHED


# ---- Broken off after the first word --------------------------------------------------------


@pytest.mark.parametrize("failure", [MINUTE, replies.error_body(429), replies.error_body(502)])
def test_what_has_been_shown_is_not_asked_for_again(
    bot: Harness, anna: Person, question: str, failure: dict[str, object]
) -> None:
    bot.answers[question] = replies.events(chunk("Начало. "), {**failure, "choices": []}, DONE)
    (message,) = anna.asks_model(question)
    assert message["text"].startswith("Начало.\n\nОшибка: [")
    assert message["text"].count("Начало.") == 1
    assert len(asked(bot, question)) == 1


# ---- Telegram is slow -----------------------------------------------------------------------


def test_stop_hangs_up_although_an_edit_hangs(bot: Harness, anna: Person, question: str) -> None:
    steps = bot.answers[question] = Steps("Начало", " и конец")
    message = anna.asks(f"/ask {question}")
    bot.server.fail("editMessageText", "hang", chat_id=anna.id, hold_s=9)
    steps.next()
    seen(bot, message, "Начало")
    anna.press(message, STOP)
    bot.ai.wait(lambda: question in [request.question for request in bot.ai.closed_by_client])
    assert bot.server.find(anna.id, message["message_id"])["text"] == "Начало", "the edit hangs on"


def test_what_came_while_an_edit_hung_came_in_time(new_bot: NewBot, question: str) -> None:
    bot = new_bot(ASK_TIMEOUT="4").start()  # the limit for silence is a quarter of it
    anna = bot.person()
    bot.answers[question] = stream("Начало", *[" и ещё"] * 5, " и конец", delay=0.3)
    bot.server.fail("editMessageText", "hang", chat_id=anna.id, hold_s=5)
    (message,) = anna.asks_model(question)
    assert FOOTER.sub("", message["text"]) == "Начало" + " и ещё" * 5 + " и конец"


# ---- Far too long ---------------------------------------------------------------------------


def test_after_ten_messages_the_whole_answer_comes_as_one_file(
    bot: Harness, anna: Person, question: str
) -> None:
    whole = "\n\n".join(f"{number}-й абзац из **нескольких** слов" for number in range(9000))
    assert len(whole.encode()) > 300_000
    bot.answers[question] = replies.stream(*(whole[i : i + 3000] for i in range(0, len(whole), 3000)))
    message = anna.asks(f"/ask {question}")
    document = bot.wait(lambda: [d for d in bot.server.documents if d.chat_id == anna.id])[0]
    assert document.name.endswith(".md")
    assert document.data.decode() == whole
    *messages, file = bot.server.messages(anna.id)
    assert file["message_id"] == document.message_id
    assert len(messages) == 10
    assert messages[0]["message_id"] == message["message_id"]
    assert messages[0]["text"].startswith("0-й абзац")
    found = FOOTER.search(messages[-1]["text"])
    assert found
    assert messages[-1]["text"][: found.start()].endswith("… ответ целиком — в файле ниже.")
    assert [buttons(m) for m in messages] == [[]] * 9 + [FINISHED]
    assert len(bot.server.calls_of("sendMessage", anna.id)) == 10
    bot.wait(lambda: in_conversation(bot, file))
    goes_on_from(bot, anna, file, question)
    anna.press(messages[-1], SAVE)
    assert whole.replace("**", "") in exported(anna)  # real bold, no asterisks


def in_conversation(bot: Harness, message: Message) -> bool:
    """Return whether the bot has already recorded a message as part of an answer."""
    with closing(sqlite3.connect(bot.db_path)) as conn:
        place = message["chat"]["id"], message["message_id"]
        query = "SELECT count(*) FROM turn_messages WHERE chat_id = ? AND message_id = ?"
        return bool(conn.execute(query, place).fetchone()[0])


def goes_on_from(bot: Harness, anna: Person, file: Message, question: str) -> None:
    """Assert that a reply to the file continues the conversation."""
    reply(anna, file, f"{question}!")
    (request,) = asked(bot, f"{question}!")
    assert "8999-й абзац" in json.dumps(request.body["messages"], ensure_ascii=False)


def test_an_answer_of_ten_messages_needs_no_file(bot: Harness, anna: Person, question: str) -> None:
    bot.answers[question] = answer("\n\n".join("слово " * 600 for _ in range(10)))
    messages = anna.asks_model(question)
    assert len(messages) == 10
    assert not [document for document in bot.server.documents if document.chat_id == anna.id]
    assert buttons(messages[-1])[0] == AGAIN
