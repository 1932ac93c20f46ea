"""When a model fails, others answer; when no other model can help, the person learns what can."""

import re
import time
from collections.abc import Callable, Iterator

import pytest

import support.openrouter_replies as replies
from support.harness import FOOTER, Harness, Message, Person
from support.openrouter_replies import Behaviour, Call, answer, chunk, daily_cap, sse, status, stream
from support.registry_people import (
    FIRST,
    FOURTH,
    GEMMA,
    LUNA,
    OWNER,
    ROUTER,
    SECOND,
    THIRD,
    asked,
    begin,
    begin_elsewhere,
    buttons,
    by_model,
    listed,
    paid,
    seen,
    settled,
)

AFTERWARDS = ["🔁 Ещё раз", "🤖 Другая модель"]
BUSY = status(429, metadata={"provider_name": "Chutes", "raw": "temporarily rate-limited upstream"})
LIMITED = "Ошибка: [429] Превышены лимиты бесплатной модели. Попробуйте позднее."
NO_ENDPOINTS = status(404, "No endpoints found for x/y:free.")
DATA_POLICY = status(404, "No endpoints found matching your data policy (Free model publication).")

NewBot = Callable[..., Harness]


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """A bot with four free models and the router; the first is active."""
    with Harness(tmp_path_factory.mktemp("bot")) as harness:
        yield begin(harness, *listed(FIRST, SECOND, THIRD, FOURTH, ROUTER))


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """The same models; an answer has two seconds, and silence half a second."""
    with Harness(tmp_path_factory.mktemp("hasty"), ASK_TIMEOUT="2") as harness:
        yield begin(harness, *listed(FIRST, SECOND, THIRD, FOURTH, ROUTER))


@pytest.fixture(scope="module")
def dying(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """The same models, for tests in which they fail and recover."""
    with Harness(tmp_path_factory.mktemp("dying")) as harness:
        yield begin(harness, *listed(FIRST, SECOND, THIRD, FOURTH, ROUTER))


@pytest.fixture
def question(request: pytest.FixtureRequest) -> str:
    """A question unique to the test, so that its answers can be scripted."""
    return str(request.node.name)


def ask(
    bot: Harness, question: str, behaviour: Behaviour | None = None, who: Person | None = None
) -> Message:
    """Ask with a scripted answer, as a new person by default, and return the complete answer."""
    if behaviour:
        bot.answers[question] = behaviour
    return (who or bot.person()).asks_model(question)[-1]


def models_asked(bot: Harness, question: str) -> list[str]:
    return [request.body["model"] for request in asked(bot, question)]


def footer(message: Message) -> str:
    """Return the last line without the milliseconds."""
    return re.sub(r"^\(\d+ мс; ", "(", message["text"].splitlines()[-1])


# When another model may help


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        pytest.param(status(401, metadata={"provider_name": "Chutes"}), 401, id="401 of a provider"),
        pytest.param(status(408, "Request timed out"), 408, id="408"),
        pytest.param(BUSY, 429, id="busy upstream"),
        pytest.param(status(429), 429, id="429 without a word"),
        pytest.param(status(500), 500, id="500"),
        pytest.param(status(502), 502, id="502"),
        pytest.param(status(503), 503, id="503"),
        pytest.param(status(504), 504, id="504"),
        pytest.param(replies.html(524), 524, id="524 of the edge"),
        pytest.param(status(529), 529, id="529"),
        pytest.param(replies.body({"error": {"code": 502, "message": "Upstream"}}), 502, id="502 inside 200"),
        pytest.param(replies.reset(headers=False), 503, id="reset"),
        pytest.param(replies.html(200), 502, id="html"),
    ],
)
def test_the_next_model_answers_and_the_footer_says_why(
    bot: Harness, question: str, failure: Behaviour, code: int
) -> None:
    message = ask(bot, question, by_model({FIRST: failure}, answer("отвечаю")))
    assert message["text"].startswith("отвечаю\n\n(")
    assert footer(message) == f"(модель: {SECOND}; {FIRST} недоступна: {code})"
    assert models_asked(bot, question) == [FIRST, SECOND]


@pytest.mark.parametrize(
    "nothing",
    [
        pytest.param(answer(""), id="no word"),
        pytest.param(answer(" \n"), id="blanks"),
        pytest.param(answer("", thinking="Хм", finish="length"), id="only thoughts"),
        pytest.param(replies.body({"choices": []}), id="no choices"),
        pytest.param(answer("```\n```"), id="an empty code fence"),
        pytest.param(answer("$$\n$$"), id="an empty formula"),
        pytest.param(stream("$$", "\n\n", "$$"), id="an empty formula in pieces"),
    ],
)
def test_after_an_empty_answer_the_next_model_is_asked(
    bot: Harness, question: str, nothing: Behaviour
) -> None:
    message = ask(bot, question, by_model({FIRST: nothing}))
    assert footer(message) == f"(модель: {SECOND}; {FIRST}: пустой ответ)"
    assert len(asked(bot, question)) == 2


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        pytest.param(NO_ENDPOINTS, 404, id="no endpoints"),
        pytest.param(status(404, "The free Qwen period has ended."), 404, id="free period over"),
        pytest.param(status(400, "x/y:free is not a valid model ID"), 400, id="400 no model"),
    ],
)
def test_a_dead_model_is_marked_and_the_next_one_answers(
    dying: Harness, question: str, failure: Behaviour, code: int
) -> None:
    owner = dying.person(OWNER)
    owner.press(owner.asks("/models"), "🔄 Обновить")
    owner.says("/model 1")
    message = ask(dying, question, by_model({FIRST: failure}, answer("отвечаю")))
    assert message["text"].startswith(
        f"отвечаю\n\n⚠ {FIRST} больше недоступна, активной стала другая модель: /models\n\n("
    )
    assert footer(message) == f"(модель: {SECOND}; {FIRST} недоступна: {code})"
    assert SECOND in owner.says("/model")
    assert footer(ask(dying, f"{question} 2")) == f"(модель: {SECOND})"


@pytest.mark.parametrize("failure", [status(404, "No such page"), BUSY, status(400, "Bad Request")])
def test_a_model_is_not_dead_because_it_was_refused_once(
    bot: Harness, question: str, failure: Behaviour
) -> None:
    message = ask(bot, question, by_model({FIRST: failure}))
    assert "активной стала" not in message["text"]
    assert FIRST in bot.person().says("/model")


def test_a_question_too_long_for_one_model_goes_to_one_that_holds_more(
    new_bot: NewBot, question: str
) -> None:
    too_long = status(400, "This endpoint's maximum context length is 4096 tokens. You requested 9000")
    sizes = {FIRST: 8000, SECOND: 8000, THIRD: 64_000}
    entries = [replies.model_entry(key, key, context_length=size) for key, size in sizes.items()]
    bot = begin(new_bot(), *entries)
    message = ask(bot, question, by_model({FIRST: too_long}))
    assert models_asked(bot, question) == [FIRST, THIRD]
    assert footer(message) == f"(модель: {THIRD}; {FIRST} недоступна: 400)"
    message = ask(bot, f"{question} 2", too_long)
    assert models_asked(bot, f"{question} 2") == [FIRST, THIRD]
    assert message["text"].startswith(
        "Ошибка: [400] Неверный формат запроса. Вопрос вместе с беседой длиннее"
    )


def test_the_router_says_which_model_it_has_picked(new_bot: NewBot, question: str) -> None:
    bot = begin(new_bot(), *listed(ROUTER))
    message = ask(bot, question, answer("Да", model=GEMMA))
    assert footer(message) == f"(модель: {ROUTER}; ответила {GEMMA})"


def test_a_filter_that_leaves_no_word_is_named_and_the_next_model_asked(bot: Harness, question: str) -> None:
    message = ask(bot, question, by_model({FIRST: answer("", finish="content_filter")}))
    assert footer(message) == f"(модель: {SECOND}; {FIRST}: фильтр)"


def test_a_header_that_is_none_is_no_matter_for_the_log(bot: Harness, question: str) -> None:
    def half(call: Call) -> None:
        call.send(b"HTTP/1.1 200 OK\r\nContent-Ty")
        call.keep_alive = False  # otherwise the client waits for the rest

    assert footer(ask(bot, question, by_model({FIRST: half}))).startswith(f"(модель: {SECOND}; ")
    assert "Traceback" not in bot.log


def test_a_silent_model_is_given_up_for_the_next(hasty: Harness, question: str) -> None:
    message = ask(hasty, question, by_model({FIRST: replies.hang()}))
    assert footer(message) == f"(модель: {SECOND}; {FIRST} недоступна: 504)"


def test_two_models_may_fail_before_the_third_answers(bot: Harness, question: str) -> None:
    message = ask(bot, question, by_model({FIRST: BUSY, SECOND: answer("")}))
    assert footer(message) == f"(модель: {THIRD}; {FIRST} недоступна: 429; {SECOND}: пустой ответ)"


def test_the_active_model_stays_active(bot: Harness, question: str) -> None:
    before = bot.person().says("/model")
    ask(bot, question, by_model({FIRST: BUSY}))
    assert bot.person().says("/model") == before


def test_a_reply_to_an_answer_falls_back_too(bot: Harness, question: str) -> None:
    somebody = bot.person()
    message = ask(bot, question, who=somebody)
    bot.answers["а дальше?"] = by_model({FIRST: BUSY})
    said = bot.server.say("а дальше?", user_id=somebody.id, reply_to=message["message_id"])
    assert footer(somebody.answer_to(said)[-1]).startswith(f"(модель: {SECOND}; ")


def test_at_another_host_the_next_model_is_asked_as_well(new_bot: NewBot, question: str) -> None:
    bot = begin_elsewhere(new_bot(), paid("qwen3:8b", "Qwen"), paid("llama3", "Llama"))
    message = ask(bot, question, by_model({"qwen3:8b": status(500)}))
    assert footer(message).endswith("(модель: llama3; qwen3:8b недоступна: 500)")


def test_a_picture_goes_only_to_models_that_see(new_bot: NewBot, question: str) -> None:
    sees = [replies.model_entry(key, key, inputs=["text", "image"]) for key in (GEMMA, ROUTER)]
    bot = begin(new_bot(), *listed(FIRST, SECOND), *sees)
    bot.answers[question] = by_model({GEMMA: status(503)})
    said = bot.server.send_photo(b"\xff\xd8\xff", caption=f"/ask {question}", user_id=OWNER)
    message = bot.person(OWNER).answer_to(said)[-1]
    assert footer(message) == f"(модель: {ROUTER}; {FIRST} не видит картинок; {GEMMA} недоступна: 503)"


# How many models are tried


def test_no_more_than_two_others_are_asked_and_then_the_first_error_is_shown(
    bot: Harness, question: str
) -> None:
    message = ask(bot, question, by_model({FIRST: BUSY, SECOND: status(500), THIRD: status(502)}))
    assert models_asked(bot, question) == [FIRST, SECOND, THIRD]
    assert message["text"] == LIMITED
    assert buttons(message) == AFTERWARDS


def test_after_the_last_error_the_question_can_be_asked_again(bot: Harness, question: str) -> None:
    somebody = bot.person()
    message = ask(bot, question, BUSY, who=somebody)
    bot.answers[question] = answer("теперь да")
    somebody.press(message, AFTERWARDS[0])
    assert bot.server.wait_text(somebody.id, "теперь да")


def test_after_the_last_error_another_model_can_be_asked(bot: Harness, question: str) -> None:
    somebody = bot.person()
    message = ask(bot, question, BUSY, who=somebody)
    bot.answers[question] = answer("теперь да")
    somebody.press(message, AFTERWARDS[1])
    somebody.press(bot.server.wait_text(somebody.id, "Кого спросить"), 3)
    seen_answer = seen(bot, bot.server.wait_text(somebody.id, "теперь да"), "мс; модель")
    assert footer(seen_answer) == f"(модель: {FOURTH})"


def test_an_error_that_others_cannot_help_with_ends_the_search(bot: Harness, question: str) -> None:
    message = ask(bot, question, by_model({FIRST: BUSY, SECOND: status(402)}))
    assert models_asked(bot, question) == [FIRST, SECOND]
    assert message["text"] == LIMITED


def test_with_two_other_models_left_the_router_is_not_asked(new_bot: NewBot, question: str) -> None:
    bot = begin(new_bot(), *listed(FIRST, SECOND, THIRD, ROUTER))
    ask(bot, question, BUSY)
    assert models_asked(bot, question) == [FIRST, SECOND, THIRD]


def test_with_one_other_model_left_the_router_is_asked(new_bot: NewBot, question: str) -> None:
    bot = begin(new_bot(), *listed(FIRST, SECOND, ROUTER))
    message = ask(bot, question, by_model({FIRST: BUSY, SECOND: status(503)}))
    assert models_asked(bot, question) == [FIRST, SECOND, ROUTER]
    assert footer(message) == f"(модель: {ROUTER}; {FIRST} недоступна: 429; {SECOND} недоступна: 503)"


def test_a_paid_model_is_never_asked_instead_and_free_ones_are_asked_instead_of_it(
    new_bot: NewBot, question: str
) -> None:
    bot = begin(new_bot(ALLOWED_USERS="1"), *listed(FIRST), paid())
    owner = bot.person(OWNER)
    offer = settled(owner, f"/model_add {LUNA}")
    owner.press(offer)
    seen(bot, offer, "Добавлена")
    assert ask(bot, question, BUSY, owner)["text"] == LIMITED
    assert models_asked(bot, question) == [FIRST]
    owner.says(f"/model {LUNA}")
    message = ask(bot, f"{question} 2", by_model({LUNA: status(503)}), owner)
    assert footer(message) == f"(модель: {FIRST}; {LUNA} недоступна: 503)"


def test_what_has_begun_to_answer_is_not_replaced(bot: Harness, question: str) -> None:
    broken = {"error": {"code": 502, "message": "Upstream"}, "choices": []}
    message = ask(bot, question, replies.events(chunk("Начало ответа"), broken, b"data: [DONE]\n\n"))
    assert message["text"].startswith("Начало ответа\n\nОшибка: [502] ")
    assert models_asked(bot, question) == [FIRST]


def test_a_connection_cut_in_the_middle_does_not_fall_back(bot: Harness, question: str) -> None:
    message = ask(bot, question, replies.reset(chunk("Начало ответа")))
    assert message["text"].startswith("Начало ответа\n\nОшибка: [503] ")
    assert models_asked(bot, question) == [FIRST]


# How long they are tried


def test_all_attempts_together_have_one_time(hasty: Harness, question: str) -> None:
    thinking = replies.repeat(sse(chunk("", reasoning="Хм")), delay=0.1)
    began = time.monotonic()
    message = ask(hasty, question, thinking)
    assert 1.9 < time.monotonic() - began < 10
    assert message["text"].startswith("Ошибка: [504] ")
    assert models_asked(hasty, question) == [FIRST]


def test_silent_models_share_that_time(hasty: Harness, question: str) -> None:
    began = time.monotonic()
    message = ask(hasty, question, replies.repeat(replies.PROCESSING))
    assert time.monotonic() - began < 10
    assert message["text"].startswith("Ошибка: [504] ")
    assert buttons(message) == AFTERWARDS


# When no other model can help


@pytest.mark.parametrize(
    ("failure", "code", "advice"),
    [
        pytest.param(status(400, "too long: context length"), 400, "сократите", id="400 too long"),
        pytest.param(status(400, "Bad Request"), 400, "Неверный формат запроса.", id="400"),
        pytest.param(status(401, "User not found."), 401, "openrouter.ai/settings/keys", id="401"),
        pytest.param(status(402, "Insufficient credits"), 402, "openrouter.ai/settings/credits", id="402"),
        pytest.param(status(403, "Flagged"), 403, "Нет прав доступа к модели.", id="403"),
        pytest.param(DATA_POLICY, 404, "openrouter.ai/settings/privacy", id="data policy"),
        pytest.param(status(413), 413, "Сократите", id="413"),
        pytest.param(status(422), 422, "Измените вопрос", id="422"),
        pytest.param(
            replies.body({"error": {"code": 402, "message": "Credits"}}),
            402,
            "Пополните",
            id="402 inside 200",
        ),
    ],
)
def test_what_another_model_cannot_help_with_costs_one_request(
    bot: Harness, question: str, failure: Behaviour, code: int, advice: str
) -> None:
    message = ask(bot, question, failure)
    assert message["text"].startswith(f"Ошибка: [{code}] ")
    assert advice in message["text"]
    assert "user_2SECRET" not in message["text"]
    assert models_asked(bot, question) == [FIRST]
    assert buttons(message) == AFTERWARDS


@pytest.mark.parametrize("in_headers", [True, False])
def test_the_cap_of_the_day_says_when_it_ends(bot: Harness, question: str, in_headers: bool) -> None:
    reset = time.time() + 3 * 3600 + 20 * 60
    message = ask(bot, question, daily_cap(round(reset * 1000), in_headers=in_headers))
    assert message["text"].startswith(LIMITED)
    assert "через 3 ч 20 мин" in message["text"]
    assert models_asked(bot, question) == [FIRST]


def test_a_cap_of_the_day_without_a_time_ends_at_midnight_utc(bot: Harness, question: str) -> None:
    left = 86_400 - time.time() % 86_400
    message = ask(bot, question, status(429, "Rate limit exceeded: free-models-per-day."))
    told = re.search(r"через (?:(\d+) ч)? ?(?:(\d+) мин)?", message["text"])
    assert told, message["text"]
    hours, minutes = (int(number or 0) for number in told.groups())
    assert abs(3600 * hours + 60 * minutes - left) <= 120


# The limit per minute


def minute_cap(left_s: float) -> Behaviour:
    """Refuse the first call and all others for `left_s` seconds, like OpenRouter's limit per minute."""
    refused_at: list[float] = []

    def behave(call: Call) -> None:
        refused_at.append(time.time())
        reset = refused_at[0] + left_s
        headers = {"X-RateLimit-Limit": "20", "X-RateLimit-Remaining": "0"}
        headers["X-RateLimit-Reset"] = str(round(reset * 1000))
        refused = status(429, "Rate limit exceeded: free-models-per-min.", headers=headers)
        (refused if len(refused_at) == 1 or time.time() < reset else answer("дождался"))(call)

    return behave


def test_the_cap_of_the_minute_is_waited_out_on_the_same_model(bot: Harness, question: str) -> None:
    message = ask(bot, question, minute_cap(0.4))
    assert message["text"].startswith("дождался")
    assert footer(message) == f"(модель: {FIRST})"
    assert models_asked(bot, question) == [FIRST, FIRST]


def test_while_it_waits_the_message_says_for_how_long(bot: Harness, question: str) -> None:
    bot.answers[question] = minute_cap(50)
    somebody = bot.person()
    message = seen(bot, somebody.asks(f"/ask {question}"), "исчерпан, жду 50 с")
    assert buttons(message) == ["⏹ Стоп"]
    somebody.press(message)
    assert buttons(seen(bot, message, "Остановлено.")) == AFTERWARDS
    assert len(asked(bot, question)) == 1


def test_it_is_waited_out_once_only(bot: Harness, question: str) -> None:
    soon = status(429, "Rate limit exceeded: free-models-per-min.", headers={"Retry-After": "1"})
    message = ask(bot, question, soon)
    assert message["text"] == LIMITED
    assert models_asked(bot, question) == [FIRST, FIRST]


def test_it_is_not_waited_out_longer_than_the_time_for_an_answer(hasty: Harness, question: str) -> None:
    began = time.monotonic()
    message = ask(hasty, question, minute_cap(50))
    assert time.monotonic() - began < 30
    assert message["text"] == LIMITED
    assert models_asked(hasty, question) == [FIRST]


# The footer of an answer


def test_without_a_failure_the_footer_names_only_the_model(bot: Harness, question: str) -> None:
    message = ask(bot, question, stream("Всё ", "хорошо"))
    found = FOOTER.search(message["text"])
    assert found
    assert (found["model"], found["more"]) == (FIRST, None)
    assert models_asked(bot, question) == [FIRST]
