"""The buttons under an answer (stop, again, another model, continue, save), and who may press them."""

import time
from collections.abc import Callable, Iterator

import pytest

import support.openrouter_replies as replies
from support.asking_bot import (
    AGAIN,
    FINISHED,
    MORE,
    OTHER,
    SAVE,
    STOP,
    Steps,
    dialogue,
    exported,
    new_group,
    next_answer,
    reply,
)
from support.harness import CATALOGUE, FOOTER, Harness, Message, Person
from support.openrouter_replies import answer, chunk
from support.registry_people import asked, begin_elsewhere, buttons, seen

pytestmark = pytest.mark.usefixtures("telegrams_pace")
NewBot = Callable[..., Harness]
FIRST, SECOND, THIRD = list(CATALOGUE)[:3]
LABELS = list(CATALOGUE.values())
OWNER = 1
BEFORE_A_WORD = {
    "ждёт заголовков": replies.hang(headers=False),
    "ждёт слова": replies.hang(replies.PROCESSING),
    "думает": replies.hang(chunk("", reasoning="хм")),
}


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """A bot whose owner has let in everybody the harness creates."""
    let_in = ",".join(map(str, [OWNER, *range(1001, 1100)]))
    with Harness(tmp_path_factory.mktemp("bot"), ALLOWED_USERS=let_in, STOP_TIMEOUT="2") as harness:
        yield harness.start()


@pytest.fixture
def owner(bot: Harness) -> Person:
    return bot.person(OWNER)


@pytest.fixture
def question(request: pytest.FixtureRequest) -> str:
    """A question unique to the test, so that its answers can be scripted."""
    return str(request.node.name)


def left(bot: Harness, question: str) -> bool:
    """Return whether the bot has closed the connection to the model that was answering a question."""
    return any(request.question == question for request in bot.ai.closed_by_client)


def requests(bot: Harness) -> int:
    return len(bot.ai.questions)


# ---- Stop -----------------------------------------------------------------------------------


def test_stop_hangs_up_within_a_second_and_keeps_what_has_come(
    bot: Harness, anna: Person, question: str
) -> None:
    steps = bot.answers[question] = Steps("Начало **ответа**", " и конец")
    message = anna.asks(f"/ask {question}")
    steps.next()
    seen(bot, message, "Начало")
    pressed_at = time.monotonic()
    anna.press(message, STOP)
    bot.ai.wait(lambda: left(bot, question))
    took = time.monotonic() - pressed_at
    assert took < 10, f"{took:.2f} s until the stream was closed"
    stopped = seen(bot, message, "мс; модель")
    found = FOOTER.search(stopped["text"])
    assert found
    assert stopped["text"][: found.start()] == "Начало ответа"
    assert (found["model"], found["more"]) == (FIRST, "; остановлено")
    assert buttons(stopped) == FINISHED


@pytest.mark.parametrize("when", BEFORE_A_WORD)
def test_stopped_before_the_first_word_the_message_says_just_that(
    bot: Harness, anna: Person, when: str
) -> None:
    bot.answers[when] = BEFORE_A_WORD[when]
    message = anna.asks(f"/ask {when}")
    bot.ai.wait(lambda: asked(bot, when))
    pressed_at = time.monotonic()
    anna.press(message, STOP)
    bot.ai.wait(lambda: left(bot, when))
    took = time.monotonic() - pressed_at
    assert took < 10, f"{took:.2f} s until the stream was closed"
    stopped = seen(bot, message, "становлено")
    assert stopped["text"] == "Остановлено."
    assert buttons(stopped) == [AGAIN, OTHER]
    assert len(asked(bot, when)) == 1, "no other model is asked instead"


def test_stop_frees_the_place_of_the_person(bot: Harness, anna: Person, question: str) -> None:
    bot.answers |= {f"{question} {number}": replies.hang() for number in (1, 2)}
    first, second, third = (anna.asks(f"/ask {question} {number}") for number in (1, 2, 3))
    bot.ai.wait(lambda: asked(bot, f"{question} 2"))
    assert not asked(bot, f"{question} 3"), "two at a time"
    anna.press(first, STOP)
    bot.ai.wait(lambda: asked(bot, f"{question} 3"))
    anna.press(second, STOP)
    anna.press(third, STOP)


def test_a_question_that_waits_for_its_turn_is_stopped_without_being_asked(
    bot: Harness, anna: Person, question: str
) -> None:
    bot.answers |= {f"{question} {number}": replies.hang() for number in (1, 2)}
    first, second, third = (anna.asks(f"/ask {question} {number}") for number in (1, 2, 3))
    anna.press(third, STOP)
    assert seen(bot, third, "Остановлено.")["text"] == "Остановлено."
    anna.press(first, STOP)
    anna.press(second, STOP)
    bot.ai.wait(lambda: left(bot, f"{question} 1") and left(bot, f"{question} 2"))
    assert not asked(bot, f"{question} 3")


def test_stop_does_not_wait_until_telegram_lets_the_bot_write_again(
    bot: Harness, anna: Person, question: str
) -> None:
    steps = bot.answers[question] = Steps("Начало")
    message = anna.asks(f"/ask {question}")
    bot.server.fail("editMessageText", "429", chat_id=anna.id, retry_after=20)
    steps.next()
    bot.wait(lambda: bot.server.calls_of("editMessageText", anna.id))
    bot.server.say("/note_count", user_id=anna.id)  # its answer has to wait
    bot.wait(lambda: not bot.server.pending)
    pressed_at = time.monotonic()
    bot.server.press(anna.id, message["message_id"], STOP)
    bot.ai.wait(lambda: left(bot, question))
    took = time.monotonic() - pressed_at
    assert took < 10, f"{took:.2f} s until the stream was closed"


def test_a_second_press_says_that_it_is_over_and_changes_nothing(
    bot: Harness, anna: Person, question: str
) -> None:
    steps = bot.answers[question] = Steps("Начало")
    message = anna.asks(f"/ask {question}")
    (button,) = message["reply_markup"]["inline_keyboard"][0]
    steps.next()
    steps.next()
    finished = seen(bot, message, "мс; модель")
    # The last text is shown a moment before the answer counts as finished.
    bot.wait(lambda: anna.press(finished, data=button["callback_data"]) == "Уже закончено.")
    assert bot.server.find(anna.id, message["message_id"]) == finished


# ---- Who may press them ---------------------------------------------------------------------


def in_group(person: Person, question: str) -> Message:
    return person.asks_model(question, chat_id=new_group())[-1]


def test_somebody_else_in_the_group_cannot_stop_an_answer(
    bot: Harness, anna: Person, boris: Person, question: str
) -> None:
    steps = bot.answers[question] = Steps("Начало", " и конец")
    message = anna.asks(f"/ask {question}", chat_id=new_group())
    assert boris.press(message, STOP) != ""
    for _ in range(3):
        steps.next()
    text = seen(bot, message, "мс; модель")["text"]
    assert text.startswith("Начало и конец\n\n")
    assert "остановлено" not in text


def test_the_owner_can_stop_an_answer(bot: Harness, anna: Person, owner: Person, question: str) -> None:
    bot.answers[question] = replies.hang()
    message = anna.asks(f"/ask {question}", chat_id=new_group())
    bot.ai.wait(lambda: asked(bot, question))
    owner.press(message, STOP)
    assert seen(bot, message, "становлено")["text"] == "Остановлено."


@pytest.mark.parametrize("button", [AGAIN, MORE, SAVE, OTHER])
def test_somebody_else_gets_a_hint_and_nothing_happens(
    bot: Harness, anna: Person, boris: Person, button: str
) -> None:
    bot.answers[f"чужое {button}"] = answer("Ответ", finish="length")
    message = in_group(anna, f"чужое {button}")
    chat_id = message["chat"]["id"]
    before = requests(bot), bot.server.messages(chat_id)
    assert boris.press(message, button) == "Это ответ на чужой вопрос."
    notes = [person.says("/note_count") for person in (anna, boris)]
    assert notes == ["Заметок: 0.", "Заметок: 0."]
    assert (requests(bot), bot.server.messages(chat_id)) == before


def test_somebody_else_cannot_choose_from_the_list_of_other_models_either(
    bot: Harness, anna: Person, boris: Person, question: str
) -> None:
    message = in_group(anna, question)
    anna.press(message, OTHER)
    models = next_answer(bot, message, "Кого спросить")
    before = requests(bot)
    assert boris.press(models, 1) == "Это ответ на чужой вопрос."
    assert requests(bot) == before


def test_a_button_taken_to_a_chat_of_ones_own_does_not_help(
    bot: Harness, anna: Person, boris: Person, question: str
) -> None:
    rows = in_group(anna, question)["reply_markup"]["inline_keyboard"]
    own = boris.asks_model("своё")[-1]
    before = requests(bot)
    for button in (button for row in rows for button in row):
        assert boris.press(own, data=button["callback_data"]) == "Это ответ на чужой вопрос."
    assert requests(bot) == before
    assert boris.says("/note_count") == "Заметок: 0."


def test_the_owner_may_press_them_all(bot: Harness, anna: Person, owner: Person, question: str) -> None:
    message = in_group(anna, question)
    owner.press(message, OTHER)
    models = next_answer(bot, message, "Кого спросить")
    owner.press(models, 1)
    bot.ai.wait(lambda: len(asked(bot, question)) == 2)
    owner.press(message, AGAIN)
    bot.ai.wait(lambda: len(asked(bot, question)) == 3)


# ---- Again, or with another model -----------------------------------------------------------


def test_again_asks_the_same_of_the_same_model_in_a_new_message(
    bot: Harness, anna: Person, question: str
) -> None:
    (message,) = anna.asks_model(question)
    bot.answers[question] = answer("другой ответ")
    anna.press(message, AGAIN)
    again = next_answer(bot, message)
    assert again["text"].startswith("другой ответ\n\n")
    assert bot.server.find(anna.id, message["message_id"]) == message
    first, second = (request.body for request in asked(bot, question))
    assert first == second


def test_again_keeps_to_the_conversation(bot: Harness, anna: Person, question: str) -> None:
    (first,) = anna.asks_model(f"{question} 1")
    (second,) = reply(anna, first, question)
    anna.press(second, AGAIN)
    bot.ai.wait(lambda: len(asked(bot, question)) == 2)
    before, after = (request.body["messages"] for request in asked(bot, question))
    assert before == after
    assert len(after) == 4


def test_another_model_answers_there_and_the_active_one_stays_active(
    bot: Harness, anna: Person, question: str
) -> None:
    (message,) = anna.asks_model(question)
    active = anna.says("/model")
    anna.press(message, OTHER)
    models = next_answer(bot, message, question)
    assert set(LABELS) - {LABELS[0]} <= set(buttons(models))
    bot.answers[question] = answer("а я думаю иначе")
    anna.press(models, LABELS[2])
    elsewhere = next_answer(bot, models)
    assert elsewhere["text"].startswith("а я думаю иначе\n\n")
    assert f"модель: {THIRD}" in elsewhere["text"]
    assert anna.says("/model") == active
    first, second = (request.body for request in asked(bot, question))
    assert (first["model"], second["model"]) == (FIRST, THIRD)
    assert first["messages"] == second["messages"]


def test_a_conversation_that_went_elsewhere_goes_on_with_the_answer_from_there(
    bot: Harness, anna: Person, question: str
) -> None:
    (message,) = anna.asks_model(question)
    anna.press(message, OTHER)
    models = next_answer(bot, message, question)
    bot.answers[question] = answer("оттуда")
    anna.press(models, LABELS[1])
    said = next_answer(bot, models)
    bot.server.say(question + "!", user_id=anna.id, reply_to=said["message_id"])
    bot.ai.wait(lambda: asked(bot, question + "!"))
    assert dialogue(asked(bot, question + "!")[0]) == [question, "оттуда", question + "!"]


# ---- Continue -------------------------------------------------------------------------------


def test_an_answer_that_was_cut_goes_on_where_it_stopped(bot: Harness, anna: Person, question: str) -> None:
    bot.answers[question] = answer("Раз, два,", finish="length")
    (message,) = anna.asks_model(question)
    assert MORE in buttons(message)
    bot.ai.next(answer("три."))
    anna.press(message, MORE)
    more = next_answer(bot, message)
    assert more["text"].startswith("три.\n\n")
    told = bot.ai.questions[-1].body
    assert told["model"] == FIRST
    roles = [entry["role"] for entry in told["messages"]]
    assert roles == ["system", "user", "assistant", "user"]
    assert [entry["content"] for entry in told["messages"][1:3]] == [question, "Раз, два,"]
    assert "Продолж" in told["messages"][-1]["content"]


def test_an_answer_that_goes_on_can_go_on_once_more(bot: Harness, anna: Person, question: str) -> None:
    bot.answers[question] = answer("Раз,", finish="length")
    (message,) = anna.asks_model(question)
    bot.ai.next(answer("два,", finish="length"))
    anna.press(message, MORE)
    more = next_answer(bot, message)
    before = requests(bot)
    anna.press(more, MORE)
    bot.ai.wait(lambda: requests(bot) > before)
    said = [
        entry["content"] for entry in bot.ai.questions[-1].body["messages"] if entry["role"] == "assistant"
    ]
    assert said == ["Раз,", "два,"]


def test_it_goes_on_even_where_the_model_can_hold_little(new_bot: NewBot, question: str) -> None:
    bot = begin_elsewhere(new_bot(), replies.model_entry(FIRST, LABELS[0], context_length=4096))
    anna = bot.person()
    partial = "Слово за слово. " * 400  # about as much as MAX_TOKENS allows
    bot.answers[question] = answer(partial.strip(), finish="length")
    message = anna.asks_model(question)[-1]
    anna.press(message, MORE)
    bot.ai.wait(lambda: requests(bot) == 2)
    told = [entry for entry in bot.ai.questions[-1].body["messages"] if entry["role"] == "assistant"]
    assert told
    assert partial.strip().endswith(told[-1]["content"][-100:])


def test_an_answer_that_ended_by_itself_has_nothing_to_go_on_with(
    bot: Harness, anna: Person, question: str
) -> None:
    assert buttons(anna.asks_model(question)[-1]) == FINISHED


# ---- Save as a note -------------------------------------------------------------------------


def test_question_and_answer_become_a_note(bot: Harness, anna: Person, question: str) -> None:
    bot.answers[question] = answer("**Ответ** из двух слов")
    (message,) = anna.asks_model(question)
    assert "#1" in anna.press(message, SAVE)
    note = exported(anna)
    assert question in note
    assert "из двух слов" in note
    assert "мс; модель" not in note


def test_pressed_twice_it_is_one_note(bot: Harness, anna: Person, question: str) -> None:
    (message,) = anna.asks_model(question)
    first = anna.press(message, SAVE)
    bot.restart()
    assert anna.press(message, SAVE) == first
    assert anna.says("/note_count") == "Заметок: 1."


def test_two_answers_are_two_notes(bot: Harness, anna: Person, question: str) -> None:
    messages = [*anna.asks_model(f"{question} 1"), in_group(anna, f"{question} 2")]
    assert [anna.press(message, SAVE)[-2:] for message in messages] == ["#1", "#2"]
    assert anna.says("/note_count") == "Заметок: 2."


def test_a_note_from_an_answer_so_old_that_telegram_forgot_its_date_is_of_today(
    bot: Harness, anna: Person, question: str
) -> None:
    (message,) = anna.asks_model(question)
    (_, (save, _)) = message["reply_markup"]["inline_keyboard"]
    old = {"message_id": message["message_id"], "chat": message["chat"], "date": 0}
    press = {"id": "1", "from": bot.server.user(anna.id), "chat_instance": "1", "data": save["callback_data"]}
    bot.server.push({"callback_query": press | {"message": old}})
    notes = anna.says("/note_list")
    assert question in notes
    assert ".1970" not in notes


def test_a_long_answer_is_saved_whole(bot: Harness, anna: Person, question: str) -> None:
    words = [f"слово{number}" for number in range(900)]
    bot.answers[question] = answer(" ".join(words))
    message = anna.asks_model(question)[-1]
    anna.press(message, SAVE)
    note = exported(anna)
    assert " ".join(words) in note
