"""A model is told the earlier turns of the conversation, and the message that somebody replies to."""

from collections.abc import Callable, Iterator

import pytest

import support.openrouter_replies as replies
from support.asking_bot import STOP, Steps, dialogue, new_group, reply, told
from support.harness import CATALOGUE, Harness, Message, Person
from support.openrouter_replies import answer
from support.registry_people import FIRST, asked, begin_elsewhere, seen

NewBot = Callable[..., Harness]
SYSTEM = "Отвечай кратко и по существу. На технические вопросы отвечай корректно и по пунктам."


@pytest.fixture
def question(request: pytest.FixtureRequest) -> str:
    """A question unique to the test."""
    return str(request.node.name)


# ---- It continues ---------------------------------------------------------------------------


def test_a_reply_to_an_answer_goes_on_with_the_conversation(
    bot: Harness, anna: Person, question: str
) -> None:
    bot.answers[question] = answer("**Сорок** два")
    (first,) = anna.asks_model(question)
    (second,) = reply(anna, first, f"{question}!")
    assert second["text"].startswith(f"Вы спросили: {question}!\n\n")
    assert asked(bot, f"{question}!")[0].body["messages"] == [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": question},
        {"role": "assistant", "content": "**Сорок** два"},
        {"role": "user", "content": f"{question}!"},
    ]


def test_it_survives_a_restart(bot: Harness, anna: Person, question: str) -> None:
    (first,) = anna.asks_model(question)
    bot.restart()
    assert told(anna, f"{question}!", first) == [question, f"Вы спросили: {question}", f"{question}!"]


def test_a_reply_to_any_message_of_a_long_answer_goes_on_with_the_whole_of_it(
    bot: Harness, anna: Person, question: str
) -> None:
    long = " ".join(f"слово{number}" for number in range(900))
    bot.answers[question] = answer(long)
    messages = anna.asks_model(question)
    assert len(messages) > 1
    for number, message in enumerate(messages):
        text = f"{question} {number}"
        assert told(anna, text, message) == [question, long, text]


def test_branches_keep_a_past_of_their_own(bot: Harness, anna: Person, question: str) -> None:
    def said(mark: str) -> str:
        return f"{question} {mark}"

    def heard(mark: str) -> str:
        return f"Вы спросили: {said(mark)}"

    (one,) = anna.asks_model(said("1"))
    (two,) = reply(anna, one, said("1-2"))
    assert told(anna, said("1-2-3"), two) == [
        said("1"), heard("1"), said("1-2"), heard("1-2"), said("1-2-3"),
    ]  # fmt: skip
    assert told(anna, said("1-4"), one) == [said("1"), heard("1"), said("1-4")]


def test_what_was_stopped_is_remembered_as_far_as_it_came(bot: Harness, anna: Person, question: str) -> None:
    steps = bot.answers[question] = Steps("Раз, два", "три")
    message = anna.asks(f"/ask {question}")
    steps.next()
    anna.press(seen(bot, message, "Раз, два"), STOP)
    seen(bot, message, "остановлено")
    assert told(anna, f"{question}!", message) == [question, "Раз, два", f"{question}!"]


def test_a_question_without_an_answer_leaves_nothing_in_the_conversation(
    bot: Harness, anna: Person, question: str
) -> None:
    bot.answers[question] = replies.status(402)
    (failed,) = anna.asks_model(question)
    assert told(anna, f"{question}!", failed) == [f"{question}!"]


def test_a_conversation_goes_on_with_the_model_that_is_active_now(
    bot: Harness, anna: Person, question: str
) -> None:
    (first,) = anna.asks_model(question)
    anna.says("/model 2")
    told(anna, f"{question}!", first)
    anna.says("/model 1")
    models = [request.body["model"] for request in bot.ai.questions if question in request.question]
    assert models == list(CATALOGUE)[:2]


def test_in_a_group_others_join_a_conversation_by_replying(
    bot: Harness, anna: Person, boris: Person, question: str
) -> None:
    (first,) = anna.asks_model(question, chat_id=(group := new_group()))
    expected = [question, f"Вы спросили: {question}", f"{question}!"]
    assert told(boris, f"{question}!", first, chat_id=group) == expected


def test_what_people_say_to_each_other_in_a_group_is_not_for_the_model(
    bot: Harness, anna: Person, boris: Person, question: str
) -> None:
    anna.asks_model(question, chat_id=(group := new_group()))
    words = bot.server.say("Как дела?", user_id=boris.id, chat_id=group)
    answer_to_them = bot.server.say("Хорошо", user_id=anna.id, chat_id=group, reply_to=words["message_id"])
    assert anna.is_ignored(answer_to_them)
    assert not asked(bot, "Хорошо")


# ---- It starts again ------------------------------------------------------------------------


def test_a_question_by_command_begins_anew(bot: Harness, anna: Person, question: str) -> None:
    anna.asks_model(f"{question} 1")
    bot.server.say(f"/ask {question} 2", user_id=anna.id)
    bot.ai.wait(lambda: asked(bot, f"{question} 2"))
    assert dialogue(asked(bot, f"{question} 2")[0]) == [f"{question} 2"]


def test_a_reply_to_what_is_no_answer_asks_nothing(bot: Harness, anna: Person, question: str) -> None:
    note = anna.asks(f"/note_add {question}")
    assert anna.says(question, reply_to=note["message_id"]) == "Заметка #1 дополнена."
    assert not asked(bot, question)


def test_words_without_a_command_or_a_reply_ask_nothing(bot: Harness, anna: Person, question: str) -> None:
    anna.asks_model(f"{question} 1")
    assert anna.says(question) == "Заметка #1 сохранена."
    assert not asked(bot, question)


def test_a_command_in_reply_to_an_answer_begins_anew_with_that_answer_as_context(
    bot: Harness, anna: Person, question: str
) -> None:
    bot.answers[f"{question} 1"] = answer("Первый **ответ**")
    (first,) = anna.asks_model(f"{question} 1")
    (only,) = told(anna, f"/ask {question} 2", first)
    assert only.startswith("Первый **ответ**")
    assert only.endswith(f"\n{question} 2")
    assert f"{question} 1" not in only


def test_such_a_context_stays_in_the_conversation_that_it_began(
    bot: Harness, anna: Person, question: str
) -> None:
    (first,) = anna.asks_model(f"{question} 1")
    (second,) = reply(anna, first, f"/ask {question} 2")
    begun, heard, last = told(anna, f"{question} 3", second)
    assert begun.startswith(f"Вы спросили: {question} 1")
    assert begun.endswith(f"\n{question} 2")
    assert heard.startswith("Вы спросили: ")
    assert last == f"{question} 3"


# ---- A reply to some message ----------------------------------------------------------------


def forwarded(bot: Harness, person: Person) -> Message:
    return bot.server.forward("Съезд 3 июня\nв Твери.", "channel", user_id=person.id)


def own_words(bot: Harness, person: Person) -> Message:
    return bot.server.say("Съезд 3 июня\nв Твери.", user_id=person.id)


def own_note(bot: Harness, person: Person) -> Message:
    return bot.server.say("/note_add Съезд 3 июня\nв Твери.", user_id=person.id)


@pytest.mark.parametrize("write", [forwarded, own_words, own_note])
def test_a_message_that_is_replied_to_stands_before_the_question(
    bot: Harness, anna: Person, question: str, write: Callable[[Harness, Person], Message]
) -> None:
    (only,) = told(anna, f"/ask {question}", write(bot, anna))
    context, _, last = only.rpartition("\n\n")
    assert "Съезд 3 июня\nв Твери." in context
    assert last == question


def test_a_list_of_the_bot_can_be_asked_about(bot: Harness, anna: Person, question: str) -> None:
    anna.says("/note_add купить хлеб")
    (only,) = told(anna, f"/ask {question}", anna.asks("/note_list"))
    assert "купить хлеб" in only


def test_of_a_message_with_a_marked_part_only_that_stands_before_the_question(
    bot: Harness, anna: Person, question: str
) -> None:
    message = own_words(bot, anna)
    quote = {"text": "3 июня", "position": 6, "is_manual": True}
    (only,) = told(anna, f"/ask {question}", message, quote=quote)
    assert "3 июня" in only
    assert "Съезд" not in only


def test_a_reply_to_what_has_no_words_says_so(bot: Harness, anna: Person, question: str) -> None:
    sticker = bot.server.sticker(user_id=anna.id)
    text = anna.says(f"/ask {question}", reply_to=sticker["message_id"])
    assert text.startswith("В том сообщении нет ничего, что модель прочтёт")
    assert not asked(bot, question)


def test_in_a_topic_of_a_group_a_question_that_replies_to_nothing_is_just_a_question(
    bot: Harness, anna: Person, question: str
) -> None:
    # In a topic every message «replies» to the service message that opened the topic.
    group = new_group()
    opening = {"forum_topic_created": {"name": "Разное", "icon_color": 7322096}}
    topic = {"message_id": 1, "chat": {"id": group, "type": "supergroup"}, "date": 1, **opening}
    said = bot.server.say(
        f"/ask {question}",
        user_id=anna.id,
        chat_id=group,
        reply_to_message=topic,
        message_thread_id=1,
        is_topic_message=True,
    )
    assert "нет ничего" not in bot.reply_to(said)["text"]
    bot.ai.wait(lambda: asked(bot, question))
    assert dialogue(asked(bot, question)[0]) == [question]


# ---- No longer than the model's context -----------------------------------------------------


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """A bot whose model has a context of 2000 tokens, 200 of them for its answer."""
    with Harness(tmp_path_factory.mktemp("small"), MAX_TOKENS="200") as harness:
        yield begin_elsewhere(harness, replies.model_entry(FIRST, CATALOGUE[FIRST], context_length=2000))


def long_talk(bot: Harness, question: str, letters: int) -> list[str]:
    """Hold two turns of `letters` letters each, and return what the model is told with the third."""
    person = bot.person()
    texts = [f"{number} {question} ".ljust(letters, "я") for number in (1, 2, 3)]
    (first,) = person.asks_model(texts[0])
    (second,) = reply(person, first, texts[1])
    return told(person, texts[2], second)


def numbers(texts: list[str]) -> list[int]:
    return [int(text.removeprefix("Вы спросили: ").split()[0]) for text in texts]


def test_the_oldest_turns_are_dropped_and_the_newest_stay(small: Harness, question: str) -> None:
    said = long_talk(small, question, 900)
    assert numbers(said) == [2, 2, 3]
    letters = sum(map(len, said)) + len(SYSTEM)
    assert letters / 2 <= 2000 - 200, f"{letters} letters; a token has two or three of Russian"


def test_a_conversation_that_fits_is_told_whole(small: Harness, question: str) -> None:
    assert numbers(long_talk(small, question, 450)) == [1, 1, 2, 2, 3]
