"""/usage: today's questions, the key's remaining limit, and the models' statistics."""

import re
from collections.abc import Callable, Iterator

import pytest

import support.openrouter_replies as replies
from support.harness import Harness, Message
from support.openrouter_replies import Behaviour, Json, answer, default_key, status
from support.registry_people import (
    FIRST,
    GUEST,
    OWNER,
    SECOND,
    THIRD,
    begin,
    begin_elsewhere,
    by_model,
    listed,
    paid,
    result,
    settled,
)

KEY_LINE = "Бесплатных запросов за сутки: 12 из 50, осталось 38."

NewBot = Callable[..., Harness]


@pytest.fixture
def bot(new_bot: NewBot) -> Harness:
    """A bot for one test, at openrouter.ai, with an owner and a guest."""
    return begin(new_bot(ALLOWED_USERS="1,2"), *listed(FIRST, SECOND, THIRD))


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """A bot that got no questions."""
    with Harness(tmp_path_factory.mktemp("calm"), ALLOWED_USERS="1,2") as harness:
        yield begin(harness, *listed(FIRST, SECOND, THIRD))


def table(message: Message) -> list[list[str]]:
    """Return the table's cells, heading first, and assert that it is monospaced and aligned."""
    [entity] = message["entities"]
    assert entity["type"] == "pre"
    start, end = entity["offset"], entity["offset"] + entity["length"]
    text = message["text"].encode("utf-16-le")[2 * start : 2 * end].decode("utf-16-le")
    assert message["text"].endswith(text)
    rows = text.splitlines()
    assert len({len(row) for row in rows}) == 1
    return [re.split(r" {2,}", row.strip()) for row in rows]


def test_before_the_first_question_nothing_is_counted(calm: Harness) -> None:
    assert result(calm.person(OWNER), "/usage") == (
        f"Сегодня у всех: вопросов 0, токенов 0.\n{KEY_LINE}\n\nЗа 7 дней моделей не спрашивали."
    )


def test_a_guest_sees_their_own_questions_and_the_owner_everybodys(bot: Harness) -> None:
    owner, guest = bot.person(OWNER), bot.person(GUEST)
    for somebody, question in ((owner, "раз"), (guest, "два")):
        somebody.asks_model(question)
    assert result(guest, "/usage").startswith("Сегодня: вопросов 1, токенов 14.\n")
    assert result(owner, "/usage").startswith("Сегодня у всех: вопросов 2, токенов 28.\n")


def test_how_each_model_did_stands_in_a_table(bot: Harness) -> None:
    bot.answers["раз"] = by_model({FIRST: status(429), SECOND: answer("")})
    bot.answers["два"] = by_model({FIRST: answer("да")})
    for user_id, question in ((OWNER, "раз"), (GUEST, "два")):
        bot.person(user_id).asks_model(question)
    head, *rows = table(settled(bot.person(OWNER), "/usage"))
    assert head == ["За 7 дней", "раз", "сбоев", "секунд"]
    assert [row[:3] for row in rows] == [
        ["DeepSeek V3.1 (free)", "2", "1"],
        ["DeepSeek R1 (free)", "1", "1"],
        ["Mistral Small 24b (free)", "1", "0"],
    ]
    seconds = [row[3] for row in rows]
    assert seconds[1] == "—"
    assert re.fullmatch(r"0\.\d", seconds[0])
    assert re.fullmatch(r"0\.\d", seconds[2])


def test_the_counts_are_there_after_a_restart(bot: Harness) -> None:
    bot.person(GUEST).asks_model("раз")
    before = result(bot.person(GUEST), "/usage")
    bot.restart()
    assert result(bot.person(GUEST), "/usage") == before


def test_an_answer_that_was_stopped_is_no_failure(bot: Harness) -> None:
    bot.answers["раз"] = replies.stream("слово ", "и ещё", hold_after=1)
    owner = bot.person(OWNER)
    message = owner.asks("/ask раз")
    bot.wait(lambda: "слово" in bot.server.find(OWNER, message["message_id"])["text"])
    owner.press(message)
    bot.server.wait_text(OWNER, "остановлено")
    assert table(settled(owner, "/usage"))[1][:3] == ["DeepSeek V3.1 (free)", "1", "0"]


def test_what_was_never_asked_is_not_counted(calm: Harness) -> None:
    guest = calm.person(GUEST)
    photo = calm.server.send_photo(b"\xff\xd8\xff", caption="/ask что тут?", user_id=GUEST)
    assert "не видит картинок" in calm.reply_to(photo)["text"]
    gone = calm.server.send_file(b"some words", "a.txt", caption="/ask о чём?", user_id=GUEST)
    calm.server.fail("getFile", "500")
    calm.server.wait_text(GUEST, "Telegram не отдал файл.")
    assert calm.reply_to(gone)
    assert guest.says("/usage").startswith("Сегодня: вопросов 0, токенов 0.\n")


def test_a_question_that_no_model_answered_is_counted(bot: Harness) -> None:
    bot.answers["раз"] = status(402)
    bot.person(GUEST).asks_model("раз")
    assert bot.person(GUEST).says("/usage").startswith("Сегодня: вопросов 1, токенов 0.\n")


@pytest.mark.parametrize(
    ("failure", "sentence"),
    [
        (status(401, "User not found."), "[401] Ключ OpenRouter отклонён. Проверьте OPENROUTER_API_KEY."),
        (status(500), "[500] "),
        (replies.html(502), "[502] "),
        (replies.html(200), "[502] "),
        (replies.reset(headers=False), "[503] "),
    ],
)
def test_without_word_from_the_service_the_rest_is_shown(
    calm: Harness, failure: Behaviour, sentence: str
) -> None:
    calm.ai.always(failure, path="/key")
    text = result(calm.person(GUEST), "/usage")
    assert f"Остаток бесплатных запросов неизвестен: {sentence}" in text
    assert text.startswith("Сегодня: вопросов 0, токенов 0.\n")
    assert "user_2SECRET" not in text


@pytest.mark.parametrize(
    ("told", "line"),
    [
        (default_key(), KEY_LINE),
        ({}, "Остаток бесплатных запросов OpenRouter не сообщил."),
        ({"free_model_daily_requests": None}, "Остаток бесплатных запросов OpenRouter не сообщил."),
        ({"free_model_daily_requests": {"used": 12}}, "12"),
    ],
)
def test_what_the_service_tells_of_the_day_is_shown(calm: Harness, told: Json, line: str) -> None:
    calm.ai.always(replies.body({"data": told}), path="/key")
    text = result(calm.person(GUEST), "/usage")
    assert line in text
    assert "None" not in text
    assert "user_2SECRET" not in text


def test_at_another_host_nobody_is_asked_for_the_key(new_bot: NewBot) -> None:
    bot = begin_elsewhere(new_bot(), paid("qwen3:8b", "Qwen"))
    assert "Бесплатный лимит считает только openrouter.ai." in result(bot.person(), "/usage")
    assert not [request for request in bot.ai.requests if request.path.endswith("/key")]


def test_without_a_key_it_says_so(new_bot: NewBot) -> None:
    bot = begin(new_bot(OPENROUTER_API_KEY=""), *listed(FIRST))
    assert "Отсутствует OPENROUTER_API_KEY (.env)." in result(bot.person(), "/usage")
