"""A second service for models: when the first one fails entirely, the question goes to the second."""

import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

import support.openrouter_replies as replies
from bot_api.chats import callback_buttons
from openrouter_client import OpenRouterError, chat_once
from settings import Settings, SettingsError
from support.asking_bot import new_group
from support.fake_openrouter import FakeOpenRouter
from support.harness import Harness, Message
from support.openrouter_replies import Behaviour, Request, answer, daily_cap, model_entry, status
from support.program import run
from support.real_proxy import free_port
from support.registry_people import (
    FIRST,
    OWNER,
    ROUTER,
    SECOND,
    THIRD,
    asked,
    begin,
    by_model,
    listed,
    refreshed,
    result,
    row_of,
    seen,
)

KEY = "gsk-second-TEST"
LLAMA = "llama-3.3-70b-versatile"
MARKED = f"Запасной сервис groq.com: {LLAMA} [fallback:{LLAMA}]"
INSTEAD = f"(модель: {LLAMA}; ответил запасной сервис groq.com; "
BUSY = status(429, metadata={"provider_name": "Chutes", "raw": "temporarily rate-limited upstream"})
CAP = daily_cap(round((time.time() + 3600) * 1000))
KNOWN = listed(FIRST, SECOND, THIRD, ROUTER)
PHOTO = b"\xff\xd8\xff"


@pytest.fixture(scope="module")
def groq() -> Iterator[FakeOpenRouter]:
    """The second service: another server, with its own key and model."""
    with FakeOpenRouter(api_key=KEY) as second:
        second.models = [model_entry(LLAMA, "Llama"), model_entry("whisper", "Whisper")]
        second.always(answer("запасной ответ"))
        yield second


def settings_of(second: FakeOpenRouter) -> dict[str, str]:
    """Return the lines of .env for Groq; its proxy is the fake server."""
    return {
        "FALLBACK_BASE_URL": "http://api.groq.com/api/v1/",
        "FALLBACK_API_KEY": KEY,
        "FALLBACK_MODEL": LLAMA,
        "FALLBACK_PROXY": second.base_url.removesuffix("/api/v1"),
    }


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory, groq: FakeOpenRouter) -> Iterator[Harness]:
    """A bot with both services; the first has three free models and the router."""
    settings = settings_of(groq)
    with Harness(tmp_path_factory.mktemp("two"), ALLOWED_USERS="1,2", **settings) as harness:
        yield begin(harness, *KNOWN)
        assert KEY not in harness.log


@pytest.fixture
def alone(tmp_path_factory: pytest.TempPathFactory, groq: FakeOpenRouter) -> Iterator[Harness]:
    """A bot with both services for one test, not started yet."""
    with Harness(tmp_path_factory.mktemp("alone"), ALLOWED_USERS="1", **settings_of(groq)) as harness:
        yield harness


@pytest.fixture
def question(request: pytest.FixtureRequest) -> str:
    """A question unique to the test."""
    return str(request.node.name)


def ask(bot: Harness, question: str, behaviour: Behaviour | None = None) -> Message:
    """Ask in a new group, with a scripted answer from the first service; return the answer, one message."""
    if behaviour:
        bot.answers[question] = behaviour
    (message,) = bot.person(OWNER).asks_model(question, chat_id=new_group())
    return message


def footer(message: Message) -> str:
    """Return the last line without the milliseconds."""
    return re.sub(r"^\(\d+ мс; ", "(", message["text"].splitlines()[-1])


def at_second(groq: FakeOpenRouter, question: str) -> list[Request]:
    return [request for request in groq.questions if request.question == question]


def whole_list(bot: Harness) -> str:
    """Return the text of both pages of the list."""
    owner = bot.person(OWNER)
    message = owner.asks("/models")
    owner.press(message, data="page:2")
    return f"{message['text']}\n{seen(bot, message, ' 11. ')['text']}"


def settled_active(bot: Harness, model_id: str = "1") -> None:
    bot.person(OWNER).says(f"/model {model_id}")


# When it is used


@pytest.mark.parametrize(
    ("failure", "short"),
    [
        pytest.param(CAP, "недоступна: дневной лимит", id="daily cap"),
        pytest.param(
            status(429, "Rate limit exceeded: free-models-per-day."),
            "недоступна: дневной лимит",
            id="daily cap without a time",
        ),
        pytest.param(status(402, "Insufficient credits"), "недоступна: 402", id="402"),
        pytest.param(replies.body({"error": {"code": 402}}), "недоступна: 402", id="402 inside 200"),
        pytest.param(status(401, "User not found."), "недоступна: 401", id="401"),
        pytest.param(replies.html(403), "недоступна: 403", id="403 of who blocks the address"),
        pytest.param(status(407), "недоступна: 407", id="407 of a proxy"),
        pytest.param(replies.html(302), "недоступна: 302", id="redirected"),
    ],
)
def test_when_the_first_fails_as_a_whole_the_second_answers_in_the_same_message(
    bot: Harness, groq: FakeOpenRouter, question: str, failure: Behaviour, short: str
) -> None:
    settled_active(bot)
    message = ask(bot, question, failure)
    assert message["text"].startswith("запасной ответ\n\n(")
    assert footer(message) == f"{INSTEAD}{FIRST} {short})"
    assert [request.body["model"] for request in asked(bot, question)] == [FIRST]
    (request,) = at_second(groq, question)
    assert request.body["model"] == LLAMA
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert not request.body.keys() & {"reasoning", "plugins"}


@pytest.mark.parametrize(
    "failure",
    [
        BUSY,
        status(429),
        status(500),
        status(503),
        replies.html(404),
        answer(""),
    ],
)
def test_what_is_the_matter_with_one_model_goes_to_the_other_free_ones_first(
    bot: Harness, groq: FakeOpenRouter, question: str, failure: Behaviour
) -> None:
    settled_active(bot)
    assert footer(ask(bot, question, by_model({FIRST: failure}))).startswith(f"(модель: {SECOND}; ")
    assert at_second(groq, question) == []


def test_when_all_that_may_be_asked_fail_the_second_is_the_last(
    bot: Harness, groq: FakeOpenRouter, question: str
) -> None:
    settled_active(bot)
    message = ask(bot, question, BUSY)
    assert [request.body["model"] for request in asked(bot, question)] == [FIRST, SECOND, THIRD]
    assert footer(message).startswith(INSTEAD)
    assert len(at_second(groq, question)) == 1


def test_a_cap_that_is_met_on_the_way_ends_the_search_at_the_first(
    bot: Harness, groq: FakeOpenRouter, question: str
) -> None:
    settled_active(bot)
    message = ask(bot, question, by_model({FIRST: BUSY}, CAP))
    assert [request.body["model"] for request in asked(bot, question)] == [FIRST, SECOND]
    assert footer(message) == f"{INSTEAD}{FIRST} недоступна: 429; {SECOND} недоступна: дневной лимит)"


@pytest.mark.parametrize(
    "failure",
    [
        status(400, "Bad Request"),
        status(400, "too long: context length"),
        status(413),
        status(422),
        status(403, metadata={"reasons": ["violence"], "flagged_input": "…"}),
        status(404, "No endpoints found matching your data policy (Free model publication)."),
    ],
)
def test_a_question_that_has_to_change_is_not_carried_on(
    bot: Harness, groq: FakeOpenRouter, question: str, failure: Behaviour
) -> None:
    settled_active(bot)
    assert ask(bot, question, failure)["text"].startswith("Ошибка: [4")
    assert at_second(groq, question) == []


def test_what_has_begun_to_answer_is_not_begun_anew_elsewhere(
    bot: Harness, groq: FakeOpenRouter, question: str
) -> None:
    settled_active(bot)
    cap = replies.error_body(429, "Rate limit exceeded: free-models-per-day.")
    message = ask(bot, question, replies.events(replies.chunk("Начало. "), cap, replies.DONE))
    assert message["text"].startswith("Начало.\n\nОшибка: [429] ")
    assert at_second(groq, question) == []


@pytest.mark.parametrize(
    "unreachable",
    [
        pytest.param({"OPENROUTER_BASE_URL": "http://127.0.0.1:{}/v1"}, id="nobody there"),
        pytest.param({"OPENROUTER_BASE_URL": "http://no-such-host.invalid/v1"}, id="no such name"),
        pytest.param({"OPENROUTER_PROXY": "http://127.0.0.1:{}"}, id="dead proxy"),
        pytest.param({"OPENROUTER_PROXY": "socks5h://127.0.0.1:{},http://127.0.0.1:{}"}, id="dead proxies"),
    ],
)
def test_when_the_first_cannot_be_reached_the_second_answers(
    alone: Harness, question: str, unreachable: dict[str, str]
) -> None:
    alone.settings |= {"OPENROUTER_BASE_URL": "http://openrouter.ai/api/v1"}
    alone.settings |= {name: value.format(free_port(), free_port()) for name, value in unreachable.items()}
    alone.start()
    message = ask(alone, question)
    assert footer(message) == f"{INSTEAD}{FIRST} недоступна: 503)"


def test_a_first_that_takes_questions_and_says_nothing_at_all_cannot_be_reached(
    alone: Harness, question: str
) -> None:
    alone.settings["ASK_TIMEOUT"] = "8"
    begin(alone, *KNOWN)
    assert footer(ask(alone, question, replies.hang(headers=False))) == (f"{INSTEAD}{FIRST} недоступна: 504)")
    silent_behind_its_headers = by_model({FIRST: replies.hang(replies.PROCESSING)})
    assert footer(ask(alone, f"{question} 2", silent_behind_its_headers)).startswith(f"(модель: {SECOND}; ")


def test_when_both_fail_both_are_told_and_none_is_blamed_for_the_other(
    bot: Harness, groq: FakeOpenRouter, question: str
) -> None:
    settled_active(bot)
    groq.next(status(401, "Invalid API Key"))
    said = ask(bot, question, CAP)["text"]
    assert "Ошибка: [429] Превышены лимиты" in said
    assert "[401] Запасной сервис groq.com. Отказал: ключ, счёт или права. Проверьте FALLBACK_API_KEY" in said
    assert "OPENROUTER" not in said
    assert KEY not in said


# In the list


def test_it_is_in_the_list_and_marked(bot: Harness) -> None:
    shown = bot.person(OWNER).says("/models")
    assert MARKED in row_of(shown, f"fallback:{LLAMA}")
    assert "131k" in row_of(shown, f"fallback:{LLAMA}")  # as the second service describes it
    assert shown.count("Запасной сервис") == 1


def test_chosen_it_is_asked_directly_and_nobody_else(
    bot: Harness, groq: FakeOpenRouter, question: str
) -> None:
    assert MARKED in bot.person(OWNER).says("/model groq")
    message = ask(bot, question)
    assert footer(message) == f"(модель: {LLAMA}; ответил запасной сервис groq.com)"
    assert asked(bot, question) == []
    assert len(at_second(groq, question)) == 1
    assert "Запасной сервис groq.com" in bot.person(OWNER).says("/usage")


@pytest.mark.parametrize(
    ("failure", "code"),
    [(status(503), 503), (status(401), 401), (status(429), 429), (replies.html(404), 404)],
)
def test_chosen_and_failing_it_is_replaced_by_the_free_models_of_the_first(
    bot: Harness, groq: FakeOpenRouter, question: str, failure: Behaviour, code: int
) -> None:
    settled_active(bot, "groq")
    groq.next(failure)
    message = ask(bot, question)
    assert footer(message) == f"(модель: {FIRST}; fallback:{LLAMA} недоступна: {code})"


def test_a_bad_question_to_it_is_no_reason_to_ask_others(
    bot: Harness, groq: FakeOpenRouter, question: str
) -> None:
    settled_active(bot, "groq")
    groq.next(status(400, "Bad Request"))
    assert ask(bot, question)["text"].startswith("Ошибка: [400] Запасной сервис groq.com. Неверный формат")
    assert asked(bot, question) == []


def test_reading_the_list_anew_leaves_it_there(bot: Harness) -> None:
    shown = refreshed(bot, *KNOWN)
    assert "недоступна" not in row_of(shown, f"fallback:{LLAMA}")


def test_the_owner_may_put_it_away_and_have_it_back(
    bot: Harness, groq: FakeOpenRouter, question: str
) -> None:
    settled_active(bot)
    owner = bot.person(OWNER)
    number = row_of(owner.says("/models"), f"fallback:{LLAMA}").strip().partition(".")[0]
    assert f"/model_add fallback:{LLAMA}" in owner.says(f"/model_del {number}")
    bot.restart()
    assert ask(bot, question, CAP)["text"].startswith("Ошибка: [429] ")
    assert "Запасной" not in owner.says("/models")
    assert "Добавлена: " in result(owner, f"/model_add fallback:{LLAMA}")
    assert footer(ask(bot, f"{question} 2", CAP)).startswith(INSTEAD)


def test_only_the_one_of_the_settings_can_be_added(bot: Harness) -> None:
    assert "нет" in result(bot.person(OWNER), "/model_add fallback:whisper")


def test_without_its_settings_it_is_gone_and_another_answers(
    alone: Harness, groq: FakeOpenRouter, question: str
) -> None:
    begin(alone, *KNOWN)
    settled_active(alone, "groq")
    alone.stop()
    alone.settings |= dict.fromkeys(settings_of(groq), "")
    alone.start()
    assert FIRST in alone.person(OWNER).says("/model")
    assert "⚠ недоступна" in row_of(whole_list(alone), f"fallback:{LLAMA}")
    assert ask(alone, question, CAP)["text"].startswith("Ошибка: [429] ")
    assert at_second(groq, question) == []


def test_another_model_in_the_settings_takes_its_place(alone: Harness, groq: FakeOpenRouter) -> None:
    begin(alone, *KNOWN)
    alone.stop()
    alone.settings["FALLBACK_MODEL"] = "другая модель"
    alone.start()
    shown = whole_list(alone)
    assert "Запасной сервис groq.com: другая модель" in shown
    assert "⚠ недоступна" in row_of(shown, f"fallback:{LLAMA}")


# Pictures and files


def test_a_photo_goes_there_only_if_that_model_is_said_to_see(
    alone: Harness, groq: FakeOpenRouter, question: str
) -> None:
    begin(alone, *KNOWN)
    photo = alone.server.send_photo(PHOTO, caption=f"/ask {question}", user_id=OWNER)
    assert "Ни одна из доступных моделей не видит картинок." in alone.reply_to(photo)["text"]
    alone.stop()
    groq.models.append(model_entry("llama-4-scout", "Scout", inputs=["text", "image"]))
    alone.settings["FALLBACK_MODEL"] = "llama-4-scout"
    begin(alone, *KNOWN)
    owner = alone.person(OWNER)
    alone.wait(lambda: "🖼" in row_of(owner.says("/models"), "fallback:llama-4-scout"))
    photo = alone.server.send_photo(PHOTO, caption=f"/ask {question}", user_id=OWNER)
    (message,) = owner.answer_to(photo)
    assert "модель: llama-4-scout; ответил запасной сервис groq.com" in footer(message)
    (request,) = at_second(groq, question)
    assert [part["type"] for part in request.body["messages"][-1]["content"]] == ["text", "image_url"]


def test_a_pdf_does_not_go_there(bot: Harness, groq: FakeOpenRouter, question: str) -> None:
    def about_pdf() -> Message:
        pdf = bot.server.send_file(b"%PDF-1.4", "a.pdf", caption=f"/ask {question}", user_id=OWNER)
        return bot.person(OWNER).answer_to(pdf, 30)[-1]

    settled_active(bot, "groq")
    assert footer(about_pdf()) == f"(модель: {FIRST}; fallback:{LLAMA} не читает PDF)"
    settled_active(bot)
    bot.answers[question] = CAP
    assert about_pdf()["text"].startswith("Ошибка: [429] ")
    assert at_second(groq, question) == []


# Without a key for the first service


def test_it_alone_is_enough(alone: Harness, groq: FakeOpenRouter, question: str) -> None:
    alone.settings["OPENROUTER_API_KEY"] = ""
    begin(alone, *KNOWN)
    message = ask(alone, question)
    assert footer(message) == f"{INSTEAD}{FIRST} недоступна: нет ключа)"
    assert asked(alone, question) == []
    owner = alone.person(OWNER)
    assert "Спросить пока нельзя" not in owner.says("/models")
    settled_active(alone, "groq")
    assert footer(ask(alone, f"{question} 2")) == f"(модель: {LLAMA}; ответил запасной сервис groq.com)"
    assert owner.says("/usage").startswith("Сегодня у всех: вопросов 2, токенов 28.\n")
    assert callback_buttons(message)


def test_the_client_asks_it_by_that_key_too(
    groq: FakeOpenRouter, fake: FakeOpenRouter, monkeypatch: pytest.MonkeyPatch, question: str
) -> None:
    messages = [{"role": "user", "content": question}]
    for name, value in settings_of(groq).items():
        monkeypatch.setenv(name, value)
    assert chat_once(messages, model=f"fallback:{LLAMA}").text == "запасной ответ"
    assert fake.questions == []
    assert chat_once(messages, model=FIRST).text == f"Вы спросили: {question}"
    for name in settings_of(groq):
        monkeypatch.setenv(name, "")
    with pytest.raises(OpenRouterError, match="Запасной сервис не задан"):
        chat_once(messages, model=f"fallback:{LLAMA}")
    assert len(fake.questions) == len(at_second(groq, question)) == 1


# Settings, --check, and the log


@pytest.mark.parametrize("missing", ["FALLBACK_BASE_URL", "FALLBACK_API_KEY", "FALLBACK_MODEL"])
@pytest.mark.parametrize("empty", ["", "  "])
def test_half_a_second_service_is_refused_in_words(groq: FakeOpenRouter, missing: str, empty: str) -> None:
    whole = settings_of(groq)
    assert Settings.from_env(whole) == Settings.from_env({})
    with pytest.raises(SettingsError, match=rf"{missing}: запасному сервису нужны все три") as refused:
        Settings.from_env(whole | {missing: empty})
    assert KEY not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FALLBACK_BASE_URL", "groq.com"),
        ("FALLBACK_API_KEY", "словечко"),
        ("FALLBACK_API_KEY", "two words"),
        ("FALLBACK_MODEL", "a\x00b"),
        ("FALLBACK_MODEL", "m" * 201),
    ],
)
def test_what_cannot_work_is_refused(groq: FakeOpenRouter, name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name) as refused:
        Settings.from_env(settings_of(groq) | {name: value})
    assert value not in str(refused.value)


def test_the_check_has_a_line_for_it(alone: Harness, groq: FakeOpenRouter) -> None:
    def looked(**settings: str) -> list[str]:
        _, said = run(alone, "--check", **settings)
        assert KEY not in said
        return [line for line in said.splitlines() if "апасно" in line]

    assert looked() == [f"✔ Запасной сервис groq.com отвечает, модель {LLAMA} у него есть"]
    assert at_second(groq, "1") == [], "what is listed is not asked"
    assert looked(FALLBACK_MODEL="local") == ["✔ Запасной сервис groq.com отвечает, модель local у него есть"]
    groq.always(answer(""), model="silent")
    assert looked(FALLBACK_MODEL="silent")[0].startswith("✔")
    groq.always(replies.html(404), path="/models")
    assert looked() == [f"✔ Запасной сервис groq.com отвечает, модель {LLAMA} у него есть"]
    del groq._always["/models"]
    groq.always(status(404, "model 'llama-9' not found"), model="llama-9")
    assert looked(FALLBACK_MODEL="llama-9") == [
        "✖ Запасной сервис groq.com модели llama-9 не называет: FALLBACK_MODEL"
    ]
    (line,) = looked(FALLBACK_API_KEY="wrong")
    assert line.startswith("✖ [401] Запасной сервис groq.com. Отказал")
    (line,) = looked(FALLBACK_PROXY=f"http://127.0.0.1:{free_port()}")
    assert line.startswith("✖ [503] Запасной сервис groq.com. ")
    assert "FALLBACK_PROXY" in line
    assert looked(OPENROUTER_API_KEY="")[0].startswith("✔ [401] Отсутствует OPENROUTER_API_KEY")
    assert looked(**dict.fromkeys(settings_of(groq), "")) == []


def test_its_key_is_blotted_out_of_the_log(alone: Harness) -> None:
    broken = alone.folder / KEY
    broken.write_bytes(b"this is no database at all, but long enough to look like one" * 20)
    alone.settings["DB_PATH"] = str(broken)
    alone.launch()
    assert alone.exit_code() == 1
    assert "***" in alone.log
    assert KEY not in alone.log


def test_an_own_server_that_lists_such_a_name_does_not_get_into_its_place(bot: Harness) -> None:
    shown = refreshed(bot, *KNOWN, model_entry("fallback:latest", "Mine", price="0"))
    assert "fallback:latest" not in shown
    with closing(sqlite3.connect(bot.db_path)) as conn:
        assert conn.execute("SELECT count(*) FROM models WHERE key = 'fallback:latest'").fetchone() == (0,)
