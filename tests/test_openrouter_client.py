"""A question without streaming: what is sent, what comes back, and the words for each refusal."""

import json
import logging
import math
import os
import pickle
import re
import shlex
import signal
import subprocess
import sys
import time
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

import support.openrouter_replies as replies
from openrouter_client import Answer, Kind, OpenRouterError, chat_once, is_openrouter, missing_key
from support.fake_openrouter import FakeOpenRouter
from support.listening import listen
from support.openrouter_settings import KEY, point_at

HERE = Path(__file__).resolve().parent.parent
MODEL = "deepseek/deepseek-chat-v3.1:free"
MESSAGES: list[dict[str, Any]] = [
    {"role": "system", "content": "Отвечай кратко."},
    {"role": "user", "content": "Привет"},
]
OWN_SENTENCES = (402, 408, 413, 422, 500, 502, 503, 504, 524, 529)
SECRETS = (KEY, "user_2SECRET", "cloudflare", "Provider returned", "sk-or")


def ask(**options: Any) -> Answer:
    return chat_once(MESSAGES, model=MODEL, **options)


def refused(**options: Any) -> OpenRouterError:
    with pytest.raises(OpenRouterError) as caught:
        ask(**options)
    return caught.value


# ---- What is sent ---------------------------------------------------------------------------


def test_an_answer_unpacks_into_text_and_milliseconds(fake: FakeOpenRouter) -> None:
    fake.next(replies.answer("Здравствуйте!"))
    text, latency_ms = ask()
    assert text == "Здравствуйте!"
    assert type(latency_ms) is int
    assert 0 <= latency_ms < 5000


def test_the_body_is_the_one_of_the_course(fake: FakeOpenRouter) -> None:
    ask()
    assert fake.requests[0].path == "/api/v1/chat/completions"
    assert fake.requests[0].body == {
        "model": MODEL,
        "messages": MESSAGES,
        "temperature": 0.2,
        "max_tokens": 400,
    }


def test_the_headers_name_the_key_and_the_program(fake: FakeOpenRouter) -> None:
    ask()
    headers = fake.requests[0].headers
    assert headers["authorization"] == f"Bearer {KEY}"
    assert headers["content-type"] == "application/json"
    assert headers["http-referer"].isascii()
    assert headers["x-title"].isascii()


def test_the_answer_tells_who_answered_and_what_it_cost(fake: FakeOpenRouter) -> None:
    fake.next(replies.answer("да", model="google/gemma-4-31b-it:free", finish="length"))
    answer = ask()
    assert answer.model == "google/gemma-4-31b-it:free"
    assert answer.finish_reason == "length"
    assert (answer.prompt_tokens, answer.completion_tokens) == (10, 4)
    assert not answer.stopped


def test_pictures_and_files_pass_unchanged(fake: FakeOpenRouter) -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    content = [{"type": "text", "text": "Что тут?"}, picture]
    chat_once([{"role": "user", "content": content}], model=MODEL)
    assert fake.requests[0].body["messages"][0]["content"] == content


def test_the_settings_are_read_when_a_question_is_asked(
    fake: FakeOpenRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-or-v1-FIRST")
    ask()
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-or-v1-SECOND")
    ask()
    sent = [request.headers["authorization"] for request in fake.requests]
    assert sent == ["Bearer sk-or-v1-FIRST", "Bearer sk-or-v1-SECOND"]


@pytest.mark.parametrize("written", [f" {KEY}\n", f'"{KEY}"', f"'{KEY}' ", f'\t" {KEY} "\r\n'])
def test_blanks_and_quotes_around_a_setting_do_no_harm(
    fake: FakeOpenRouter, monkeypatch: pytest.MonkeyPatch, written: str
) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", written)
    monkeypatch.setenv("OPENROUTER_BASE_URL", f' "{fake.base_url}/" ')
    ask()
    assert fake.requests[0].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("ending", ["", "/", "//", "/chat/completions", "/chat/completions/"])
def test_the_base_url_may_end_as_people_write_it(
    fake: FakeOpenRouter, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    monkeypatch.setenv("OPENROUTER_BASE_URL", fake.base_url + ending)
    ask()
    assert fake.requests[0].path == "/api/v1/chat/completions"


@pytest.mark.parametrize("key", ["", "   ", '""'])
def test_a_missing_key_is_said_before_anything_is_sent(
    fake: FakeOpenRouter, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", key)
    error = refused()
    assert str(error) == "[401] Отсутствует OPENROUTER_API_KEY (.env)."
    monkeypatch.delenv("OPENROUTER_API_KEY")
    assert str(refused()) == str(error)
    assert fake.requests == []
    assert "openrouter.ai/settings/keys" in error.hint
    assert ".env" in error.hint


def test_whether_questions_can_be_asked_is_known_beforehand(
    fake: FakeOpenRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert missing_key() is None
    for key in ("", "ключ"):
        monkeypatch.setenv("OPENROUTER_API_KEY", key)
        assert str(missing_key()) == str(refused())
    assert fake.requests == []


def test_a_server_of_ones_own_takes_any_word(monkeypatch: pytest.MonkeyPatch, fake: FakeOpenRouter) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", "")
    assert "любое слово" in refused().hint
    monkeypatch.setenv("OPENROUTER_API_KEY", "local")
    assert ask().text
    point_at(monkeypatch, "", key="")
    assert "любое слово" not in refused().hint


@pytest.mark.parametrize("key", ["ключ-от-квартиры", "sk-or\nv1", "sk or", "sk-or-v1-\u200bTEST"])
def test_a_key_that_no_header_can_hold_is_a_wrong_key(
    fake: FakeOpenRouter, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", key)
    error = refused()
    assert error.status == 401
    assert "OPENROUTER_API_KEY" in error.msg
    assert key not in str(error)
    assert fake.requests == []


# ---- OpenRouter and other services ----------------------------------------------------------


def test_fields_that_only_openrouter_knows_go_only_there(
    fake: FakeOpenRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugins = [{"id": "file-parser", "pdf": {"engine": "cloudflare-ai"}}]
    listen(MESSAGES, model=MODEL, plugins=plugins)
    # A proxy for plain HTTP gets the whole URL and may answer itself; the fake acts as one.
    point_at(monkeypatch, "http://openrouter.ai/api/v1", proxy=fake.base_url.removesuffix("/api/v1"))
    listen(MESSAGES, model=MODEL, plugins=plugins)
    elsewhere, there = (request.body for request in fake.requests)
    assert "reasoning" not in elsewhere
    assert "plugins" not in elsewhere
    assert there["reasoning"] == {"effort": "low"}
    assert there["plugins"] == plugins


@pytest.mark.parametrize(
    ("base_url", "it_is"),
    [
        ("", True),
        ("https://openrouter.ai/api/v1", True),
        ("http://OpenRouter.AI:8080/api/v1/", True),
        ("https://eu.openrouter.ai/api/v1", True),
        ("https://notopenrouter.ai/api/v1", False),
        ("https://openrouter.ai.example.org/api/v1", False),
        ("http://127.0.0.1:8080/openrouter.ai", False),
        ("http://[broken", False),
    ],
)
def test_openrouter_is_known_by_its_host(monkeypatch: pytest.MonkeyPatch, base_url: str, it_is: bool) -> None:
    point_at(monkeypatch, base_url, key="какой угодно")
    assert is_openrouter() is it_is


# ---- Refusals -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (400, "Неверный формат запроса."),
        (401, "Ключ OpenRouter отклонён. Проверьте OPENROUTER_API_KEY."),
        (403, "Нет прав доступа к модели."),
        (404, "Эндпоинт не найден. Проверьте URL /api/v1/chat/completions."),
        (429, "Превышены лимиты бесплатной модели. Попробуйте позднее."),
    ],
)
def test_a_refusal_has_the_sentence_of_the_course(fake: FakeOpenRouter, code: int, sentence: str) -> None:
    fake.next(replies.status(code), replies.html(code))
    for error in (refused(), refused()):
        assert (error.status, error.msg) == (code, sentence)
        assert str(error) == f"[{code}] {sentence}"


def test_every_other_refusal_has_a_sentence_of_its_own(fake: FakeOpenRouter) -> None:
    fake.next(*(replies.html(code) for code in (*OWN_SENTENCES, 418, 599)))
    errors = [refused() for _ in (*OWN_SENTENCES, 418, 599)]
    assert [error.status for error in errors] == [*OWN_SENTENCES, 418, 599]
    assert len({error.msg for error in errors[:-1]}) == len(OWN_SENTENCES) + 1
    assert all(error.msg.endswith(".") and len(error.msg) > 40 for error in errors)


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("No endpoints found for deepseek/deepseek-r1:free.", "/models"),
        ("The free Laguna period has ended. Please migrate to the paid slug: a/b", "/models"),
        ("This is no longer available as a free model", "/models"),
        ("model 'llama9' not found", "/models"),
        ("No endpoints found that support image input", "не читает картинки"),
    ],
)
def test_a_model_that_cannot_is_told_from_a_wrong_address(
    fake: FakeOpenRouter, message: str, said: str
) -> None:
    fake.next(replies.status(404, message))
    error = refused()
    assert error.status == 404
    assert said in error.msg
    assert "Эндпоинт" not in error.msg
    assert error.falls_back


@pytest.mark.parametrize(
    "message",
    [
        "No endpoints found matching your data policy (Free model training). Configure: …",
        "No endpoints available matching your guardrail restrictions and data policy.",
        "No endpoints for a/b:free match your data policy (Free model publication)",
    ],
)
def test_the_data_policy_names_the_switch_and_no_other_model(fake: FakeOpenRouter, message: str) -> None:
    fake.next(replies.status(404, message))
    error = refused()
    assert "openrouter.ai/settings/privacy" in error.msg
    assert error.kind is Kind.DATA_POLICY
    assert not error.falls_back


@pytest.mark.parametrize(
    "message",
    [
        "This endpoint's maximum context length is 8192 tokens. However, you requested 9000",
        "request (9025 tokens) exceeds the available context size (2048 tokens)",
        "The input token count (9025) exceeds the maximum number of tokens allowed (2048).",
    ],
)
def test_a_question_too_long_for_the_model_says_so(fake: FakeOpenRouter, message: str) -> None:
    fake.next(replies.status(400, message), replies.status(400, "x is not a valid model ID"))
    error = refused()
    assert error.msg.startswith("Неверный формат запроса. Вопрос вместе с беседой длиннее")
    assert error.kind is Kind.TOO_LONG
    assert refused().msg.startswith("Неверный формат запроса. Такой модели")


@pytest.mark.parametrize(
    ("error_type", "said"),
    [
        ("invalid_image", "Модель не приняла картинку"),
        ("image_too_large", "Модель не приняла картинку"),
        ("unsupported_image_format", "Модель не приняла картинку"),
        ("max_tokens_exceeded", "MAX_TOKENS"),
        ("unsupported_parameter", "MAX_TOKENS"),
    ],
)
def test_what_one_model_does_not_take_another_may(fake: FakeOpenRouter, error_type: str, said: str) -> None:
    fake.next(replies.status(400, "Request failed", metadata={"error_type": error_type}))
    error = refused()
    assert error.msg.startswith("Неверный формат запроса. ")
    assert said in error.msg
    assert error.falls_back


@pytest.mark.parametrize("source", ["openrouter_key_limit", "openrouter_workspace_budget"])
def test_a_limit_of_the_owners_own_is_told_apart_from_rights(fake: FakeOpenRouter, source: str) -> None:
    fake.next(replies.status(403, "Forbidden", metadata={"limit_source": source}))
    error = refused()
    assert "исчерпан лимит ключа или бюджет" in error.msg
    assert error.kind is Kind.ACCOUNT


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (400, "x/y:free is not a valid model ID"),
        (400, "Model Not Exist"),
        (400, '"nomic-embed-text:latest" does not support chat'),
        (404, "This is not a chat model and thus not supported in the v1/chat/completions endpoint."),
        (400, "No endpoints found for x/y:free."),
        (400, "Model x/y:free is not available."),
        (400, "This model is no longer supported"),
        (400, "The model x/y has been removed."),
        (404, "Invalid model: x/y"),
        (410, "no such model"),
        (404, "No endpoints found for x/y:free."),
        (404, "The free X period has ended. Please migrate to the paid slug: x/y"),
        (404, "model 'llama9' not found"),
        (404, "The model `x` does not exist."),
    ],
)
def test_a_model_that_is_gone_is_told_by_its_wording(fake: FakeOpenRouter, code: int, message: str) -> None:
    fake.next(replies.status(code, message))
    error = refused()
    assert (error.status, error.model_gone, error.falls_back) == (code, True, True)
    assert "/models" in error.msg


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "model_not_found"),
        (400, "wrong_endpoint"),
        (404, "model_deprecated"),
        (404, "free_variant_ended"),
    ],
)
def test_a_model_that_is_gone_is_told_by_its_code(fake: FakeOpenRouter, status: int, code: str) -> None:
    error = {"code": status, "message": "Unavailable", "availability": {"code": code, "retryable": False}}
    fake.next(replies.body({"error": error}, code=status))
    assert (refused().model_gone, len(fake.requests)) == (True, 1)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (400, "temperature: out of range"),
        (400, "The model x/y: parameter max_tokens is deprecated"),
        (400, "This model is not supported with images"),
        (400, "The parameter top_k is no longer supported"),
        (400, "Model x/y is not available in your plan"),
        (404, "Not Found"),
        (404, "No endpoints found that support image input"),
        (404, "No endpoints found that support tool use. Try disabling x"),
        (404, "No allowed providers are available for the selected model."),
        (404, "No endpoints found matching your data policy (Free model training)."),
        (429, "x/y:free is temporarily rate-limited upstream"),
        (503, "No model found"),
    ],
)
def test_a_model_that_cannot_just_now_is_not_gone(fake: FakeOpenRouter, code: int, message: str) -> None:
    fake.next(replies.status(code, message, metadata={"error_type": "not_found"}))
    assert not refused().model_gone


@pytest.mark.parametrize(
    "written",
    [
        {"error": "model 'x' not found"},
        {"error": ["model x not found"]},
        {"errors": [{"message": "model x not found"}]},
        {"detail": "Model x not found"},
        {"detail": [{"msg": 1, "message": "model x not found"}]},
        {"error": {"error": {"message": "model x not found", "code": 400}}},
        [{"error": {"message": "model x not found", "code": 400}}],
        {"message": "model x not found", "detail": "try another"},
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_an_error_is_found_however_a_server_writes_it(
    fake: FakeOpenRouter, written: object, encoding: str
) -> None:
    fake.next(replies.body(json.dumps(written).encode(encoding), code=400))
    error = refused()
    assert (error.status, error.model_gone) == (400, True)


# ---- Who refused ----------------------------------------------------------------------------


@pytest.mark.parametrize("code", [400, 401, 402, 403, 404, 413, 422, 500])
@pytest.mark.parametrize(
    "error",
    [
        {
            "message": "Provider returned error",
            "metadata": {"raw": "Invalid API key", "provider_name": "Chutes"},
        },
        {"message": "Forbidden", "metadata": {"provider_name": "Chutes", "raw": {"error": "no"}}},
        {"message": "Provider returned error", "metadata": {"provider_code": 1102}},
        {"message": "Upstream error from Nvidia: denied"},
    ],
)
def test_a_providers_refusal_is_not_the_owners_fault(
    fake: FakeOpenRouter, code: int, error: dict[str, Any]
) -> None:
    fake.next(replies.body({"error": {"code": code, **error}}, code=code))
    refusal = refused()
    assert (refusal.status, refusal.kind, refusal.falls_back) == (code, Kind.UPSTREAM, True)
    assert refusal.short == f"недоступна: {code}"
    assert not refusal.hint
    if code < 413:
        assert refusal.msg.startswith("Поставщик модели отказался")
    assert "OPENROUTER_API_KEY" not in refusal.msg
    assert "Chutes" not in refusal.msg


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (401, "User not found."),
        (401, "No auth credentials found"),
        (402, "Insufficient credits"),
        (403, "Key limit exceeded"),
        (400, "Invalid JSON body"),
    ],
)
@pytest.mark.parametrize(
    "metadata", [None, {"provider_name": None, "raw": ""}, {"error_type": "authentication"}]
)
def test_openrouters_own_refusal_stays_the_owners(
    fake: FakeOpenRouter, code: int, message: str, metadata: dict[str, Any] | None
) -> None:
    fake.next(replies.status(code, message, metadata=metadata))
    error = refused()
    assert not error.falls_back
    assert "Поставщик" not in error.msg


@pytest.mark.parametrize(
    "written",
    [
        [{"error": {"code": 400, "message": "API key not valid. Please pass a valid API key."}}],
        {"error": {"code": 400, "message": "Invalid API key provided"}},
        {"error": {"code": 400, "message": "API key expired", "status": "INVALID_ARGUMENT"}},
    ],
)
def test_a_bad_key_that_is_called_a_bad_request_is_a_bad_key(fake: FakeOpenRouter, written: object) -> None:
    fake.next(replies.body(written, code=400), replies.status(400, "Invalid value of a key in the schema"))
    error = refused()
    assert "Проверьте OPENROUTER_API_KEY" in error.msg
    assert error.is_of_the_service
    assert refused().kind is Kind.REQUEST


def test_a_page_in_place_of_a_refusal_may_mean_that_the_address_is_blocked(fake: FakeOpenRouter) -> None:
    fake.next(replies.html(403), replies.status(403, "Forbidden"))
    assert "OPENROUTER_PROXY" in refused().hint
    assert not refused().hint


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ({"code": "rate_limit_exceeded", "message": "Slow down"}, 429),
        ({"code": "insufficient_quota", "message": "You exceeded your current quota"}, 402),
        ({"code": "invalid_api_key", "message": "Incorrect API key provided"}, 401),
        ({"code": None, "type": "authentication_error", "message": "Invalid API Key"}, 401),
        ({"code": "server_error", "metadata": {"error_type": "rate_limit_exceeded"}}, 429),
        ({"code": "server_error", "message": "Provider disconnected"}, 502),
        ({"code": None, "message": "boom"}, 502),
    ],
)
def test_a_code_in_words_inside_a_good_answer_is_understood(
    fake: FakeOpenRouter, error: dict[str, Any], status: int
) -> None:
    fake.next(replies.body({"error": error}))
    assert refused().status == status


def test_the_days_limit_is_known_by_its_words_too(fake: FakeOpenRouter) -> None:
    told = {"code": "rate_limit_exceeded", "message": "Rate limit exceeded: free-models-per-day"}
    fake.next(replies.body({"error": told}))
    assert refused().kind is Kind.DAILY_CAP


def test_a_question_too_long_for_one_provider_may_fit_elsewhere(fake: FakeOpenRouter) -> None:
    raw = '{"error": {"message": "maximum context length is 8192"}}'
    fake.next(replies.status(400, metadata={"provider_name": "Chutes", "raw": raw}))
    error = refused()
    assert "длиннее, чем помещается" in error.msg
    assert error.falls_back


@pytest.mark.parametrize(
    "metadata",
    [
        {
            "reasons": ["violence"],
            "flagged_input": "как убить процесс",
            "provider_name": "OpenAI",
            "model_slug": "x/y",
        },
        {"reasons": ["violence"]},
        {"flagged_input": "как убить"},
        {"patterns": ["email"]},
    ],
)
def test_a_question_flagged_by_moderation_is_told_so(fake: FakeOpenRouter, metadata: dict[str, Any]) -> None:
    fake.next(replies.status(403, "Forbidden", metadata=metadata))
    error = refused()
    assert error.msg.startswith("Нет прав доступа к модели. Модерация ")
    assert "убить" not in everything_said(error)
    assert (error.kind, error.short) == (Kind.REQUEST, "модерация")


@pytest.mark.parametrize("kind", ["content_policy_violation", "refusal", "content_filter"])
def test_a_question_that_a_filter_stops_goes_to_another_model(fake: FakeOpenRouter, kind: str) -> None:
    fake.next(replies.status(400, "No.", metadata={"error_type": kind}))
    error = refused()
    assert error.msg.startswith("Фильтр модели не пропустил вопрос.")
    assert (error.short, error.falls_back) == ("фильтр", True)


def test_the_owner_learns_where_to_mend_the_key_and_the_balance(fake: FakeOpenRouter) -> None:
    fake.next(replies.status(401, "User not found."), replies.status(402, "Insufficient credits"))
    assert "openrouter.ai/settings/keys" in refused().hint
    assert "openrouter.ai/settings/credits" in refused().msg


@pytest.mark.parametrize(
    ("code", "another_may_help"),
    [
        *((code, True) for code in (404, 408, 409, 424, 429, 451, 499, 500, 502, 503, 504, 520, 524, 529)),
        *((code, False) for code in (400, 401, 402, 403, 405, 407, 413, 418, 422, 431, 301)),
    ],
)
def test_only_trouble_with_the_model_sends_the_question_to_another(
    fake: FakeOpenRouter, code: int, another_may_help: bool
) -> None:
    fake.next(replies.status(code))
    assert refused().falls_back is another_may_help


def test_a_redirect_is_not_followed_with_the_key(fake: FakeOpenRouter) -> None:
    elsewhere = {"Location": f"{fake.base_url}/key"}
    fake.next(replies.status(307, headers=elsewhere))
    assert "OPENROUTER_BASE_URL" in refused().msg
    assert len(fake.requests) == 1


# ---- Limits ---------------------------------------------------------------------------------


@pytest.mark.parametrize("in_headers", [True, False])
def test_the_daily_cap_says_when_it_ends(fake: FakeOpenRouter, in_headers: bool) -> None:
    ends = time.time() + 3 * 3600 + 20 * 60
    fake.next(replies.daily_cap(int(ends * 1000), in_headers=in_headers))
    error = refused()
    assert error.msg.startswith("Превышены лимиты бесплатной модели. Попробуйте позднее.")
    assert error.msg.endswith("через 3 ч 20 мин.")
    assert error.kind is Kind.DAILY_CAP
    assert not error.falls_back


@pytest.mark.parametrize(("left", "said"), [(7200, "2 ч"), (1200, "20 мин"), (20, "1 мин")])
def test_what_is_left_of_the_cap_reads_as_people_say_it(fake: FakeOpenRouter, left: int, said: str) -> None:
    fake.next(replies.daily_cap(int((time.time() + left) * 1000)))
    assert refused().msg.endswith(f"через {said}.")


@pytest.mark.parametrize("reset", ["", "0", "soon", "nan", "-5", str(10**30)])
def test_a_daily_cap_without_a_time_ends_at_midnight_utc(fake: FakeOpenRouter, reset: str) -> None:
    message = "Rate limit exceeded: free-models-per-day-high-balance."
    fake.next(replies.status(429, message, headers={"X-RateLimit-Reset": reset}))
    before = math.ceil((86400 - time.time() % 86400) / 60)
    error = refused()
    assert error.kind is Kind.DAILY_CAP
    said = re.search(r"через (?:(\d+) ч)? ?(?:(\d+) мин)?\.$", error.msg)
    assert said
    hours, minutes = (int(number or 0) for number in said.groups())
    assert (before - hours * 60 - minutes) % 1440 in (0, 1)


@pytest.mark.parametrize(
    ("message", "left"),
    [("Rate limit exceeded: free-models-per-min.", 25), ("Rate limit exceeded", 25)],
)
def test_the_cap_of_a_minute_is_to_be_waited_out(fake: FakeOpenRouter, message: str, left: int) -> None:
    reset = {"X-RateLimit-Reset": str(int((time.time() + left) * 1000))}
    fake.next(replies.status(429, message, headers=reset))
    error = refused()
    assert error.msg == "Превышены лимиты бесплатной модели. Попробуйте позднее."
    assert error.kind is Kind.MINUTE_CAP
    assert error.retry_after_s == pytest.approx(left, abs=2)
    assert not error.falls_back


def test_a_minute_is_never_waited_for_longer_than_a_minute(fake: FakeOpenRouter) -> None:
    reset = {"X-RateLimit-Reset": str(int((time.time() + 3000) * 1000))}
    fake.next(replies.status(429, "Rate limit exceeded: free-models-per-min.", headers=reset))
    fake.next(replies.status(429, "Rate limit exceeded: free-models-per-min."))
    assert [refused().retry_after_s, refused().retry_after_s] == [60, 60]


@pytest.mark.parametrize("seconds", [30, 5])
def test_the_moment_to_come_back_may_be_written_as_a_date(fake: FakeOpenRouter, seconds: int) -> None:
    date = formatdate(time.time() + seconds, usegmt=True)
    fake.next(replies.status(429, "Rate limit exceeded: free-models-per-min.", headers={"Retry-After": date}))
    assert refused().retry_after_s == pytest.approx(seconds, abs=3)


def test_a_busy_provider_is_no_cap_of_the_account(fake: FakeOpenRouter) -> None:
    busy = {"provider_name": "Chutes", "raw": "busy", "retry_after_seconds": 7}
    fake.next(
        replies.status(429, metadata=busy),
        replies.status(429, headers={"Retry-After": "9"}),
        replies.status(429, headers={"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}),
    )
    errors = [refused() for _ in range(3)]
    assert all(error.falls_back for error in errors)
    assert [error.retry_after_s for error in errors] == [7, 9, None]


# ---- Invalid answers ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ({"code": 502, "message": "Upstream error from Nvidia"}, 502),
        ({"code": 429, "message": "Provider returned error"}, 429),
        ({"code": "503", "message": "overloaded"}, 503),
        ({"code": "server_error", "message": "x"}, 502),
        ({"code": None, "message": "x", "type": "api_error"}, 502),
        ({"http_status": 504, "error_type": "timeout", "message": "x"}, 504),
        ({"code": 12345}, 502),
        ({"code": True, "message": []}, 502),
        ("just words", 502),
        (["a", "list"], 502),
    ],
)
def test_an_error_inside_a_good_status_is_an_error(fake: FakeOpenRouter, error: object, status: int) -> None:
    fake.next(replies.body({"id": "gen-1", "error": error}))
    assert refused().status == status


def test_a_flat_error_and_one_of_a_choice_are_errors(fake: FakeOpenRouter) -> None:
    broken = {"index": 0, "message": {"content": "Пол"}, "finish_reason": "error"}
    failed = {**broken, "error": {"code": 503, "message": "gone"}}
    fake.next(
        replies.body({"object": "error", "message": "no", "code": 404}),
        replies.body({"choices": [failed]}),
        replies.body({"choices": [broken]}),
    )
    assert [refused().status for _ in range(3)] == [404, 503, 502]


@pytest.mark.parametrize(
    "reply",
    [
        {"choices": []},
        {"choices": None},
        {"choices": [None]},
        {"choices": [{"message": None}]},
        {"choices": [{"message": {"content": 5}}]},
        {"choices": {"0": "x"}},
        {},
        replies.completion(None),
        replies.completion(""),
        replies.completion(" \n"),
        replies.completion([]),
        replies.completion(None, finish="tool_calls"),
    ],
)
def test_an_answer_without_words_says_that_it_is_empty(fake: FakeOpenRouter, reply: dict[str, Any]) -> None:
    fake.next(replies.body(reply))
    error = refused()
    assert error.msg.startswith("Модель вернула пустой ответ")
    assert error.kind is Kind.EMPTY
    assert error.falls_back


def test_a_model_that_only_thought_is_told_from_a_silent_one(fake: FakeOpenRouter) -> None:
    fake.next(replies.answer("", thinking="Хм… Итак, вопрос…", finish="length"))
    error = refused()
    assert error.kind is Kind.EMPTY
    assert "MAX_TOKENS" in error.msg
    assert "Хм" not in error.msg


@pytest.mark.parametrize(
    "raw",
    [
        b"<html><body>502</body></html>",
        b'{"choices": [{"message": {"content": "\xd0\x9f\xd1',
        b"[1, 2]",
        b"null",
        b"",
        b"upstream connect error",
        b"[" * 100_000,
    ],
)
def test_a_body_that_is_no_answer_is_a_clear_error(fake: FakeOpenRouter, raw: bytes) -> None:
    fake.next(replies.body(raw))
    error = refused()
    assert error.status == 502
    assert error.falls_back


def test_padding_before_the_answer_is_skipped(fake: FakeOpenRouter) -> None:
    fake.next(replies.body(replies.completion("да"), padding=b"\n \r\n" * 5000))
    assert ask().text == "да"


def test_an_answer_in_parts_is_put_together(fake: FakeOpenRouter) -> None:
    parts = [{"type": "text", "text": "раз, "}, {"type": "image_url"}, {"type": "text", "text": "два"}]
    fake.next(replies.body(replies.completion(parts)))
    assert ask().text == "раз, два"


def test_reasoning_is_never_the_answer(fake: FakeOpenRouter) -> None:
    fake.next(replies.answer("да", thinking="Надо подумать"))
    assert ask().text == "да"


def test_what_a_service_does_not_tell_is_unknown(fake: FakeOpenRouter) -> None:
    choice = {"message": {"content": "да"}}
    fake.next(replies.body({"model": 7, "usage": {"prompt_tokens": "many"}, "choices": [choice]}))
    answer = ask()
    assert (answer.text, answer.model, answer.finish_reason) == ("да", MODEL, None)
    assert (answer.prompt_tokens, answer.completion_tokens) == (None, None)


def test_half_a_letter_becomes_a_sign_that_can_be_sent(fake: FakeOpenRouter) -> None:
    raw = b'{"choices": [{"message": {"content": "a\\ud83d b \\ud83d\\ude00"}}]}'
    fake.next(replies.body(raw))
    assert ask().text == "a\N{REPLACEMENT CHARACTER} b \N{GRINNING FACE}"


# ---- Nothing leaks --------------------------------------------------------------------------


def everything_said(error: BaseException | None) -> str:
    """Return every text that a log or a chat could show from an exception and its causes."""
    if error is None:
        return ""
    own = [str(error), repr(error), repr(error.args), repr(vars(error))]
    return "\n".join([*own, everything_said(error.__cause__), everything_said(error.__context__)])


@pytest.mark.parametrize(
    "misfortune",
    [
        *(replies.status(code, f"Provider returned error {KEY}") for code in (400, 401, 403, 500)),
        replies.html(502),
        replies.body(replies.error_body(502, f"key {KEY}")),
        replies.body(b'{"user_id": "user_2SECRET", "key": "' + KEY.encode()),
        replies.hang(headers=False),
        replies.reset(headers=False),
        replies.reset(replies.sse(5)),
        replies.events(b"data: {user_2SECRET\n\n"),
    ],
)
def test_neither_the_key_nor_the_account_nor_the_body_is_in_an_error(
    fake: FakeOpenRouter, caplog: pytest.LogCaptureFixture, misfortune: replies.Behaviour
) -> None:
    caplog.set_level(logging.DEBUG)
    fake.next(misfortune)
    error = refused(timeout_s=0.3)
    said = everything_said(error) + caplog.text
    assert [secret for secret in SECRETS if secret in said.replace("/settings/keys", "")] == []
    assert fake.base_url not in said


def test_an_error_can_be_kept_compared_and_sent_elsewhere() -> None:
    error = OpenRouterError(429, "Лимит.", kind=Kind.MINUTE_CAP, retry_after_s=5)
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert {error} == {error}
    assert (str(copy), copy.kind, copy.retry_after_s) == ("[429] Лимит.", Kind.MINUTE_CAP, 5)


# ---- From the command line ------------------------------------------------------------------


def run(*arguments: str, base_url: str, key: str = KEY) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "OPENROUTER_BASE_URL": base_url, "OPENROUTER_API_KEY": key, "OPENROUTER_PROXY": ""}
    command = [sys.executable, "-X", "utf8", str(HERE / "openrouter_client.py"), *arguments]
    return subprocess.run(command, env=env, capture_output=True, encoding="utf-8", timeout=30, check=False)


def test_the_command_line_prints_the_answer(fake: FakeOpenRouter) -> None:
    done = run("Сколько будет 2+2?", base_url=fake.base_url)
    assert done.returncode == 0
    assert done.stdout.startswith("Вы спросили: Сколько будет 2+2?\n\n(")
    assert done.stdout.endswith(" мс; модель: openrouter/free)\n")
    assert fake.questions[0].body["max_tokens"] == 2000


def test_the_command_line_asks_the_model_that_it_is_told(fake: FakeOpenRouter) -> None:
    run("Привет", MODEL, base_url=fake.base_url)
    assert fake.questions[0].body["model"] == MODEL


def test_the_command_line_prints_the_sentence_of_the_error(fake: FakeOpenRouter) -> None:
    fake.next(replies.status(401, "User not found."))
    done = run("Привет", base_url=fake.base_url)
    assert done.returncode == 1
    assert done.stderr.startswith("Ошибка: [401] Ключ OpenRouter отклонён.")
    assert "Traceback" not in done.stderr


def test_the_command_line_names_no_command_of_the_bot(fake: FakeOpenRouter) -> None:
    fake.next(replies.status(503))
    said = run("Привет", base_url=fake.base_url).stderr
    assert said.endswith("выберите другую модель.\n")


def test_the_command_line_says_where_to_get_a_key() -> None:
    assert "openrouter.ai/settings/keys" in run("Привет", base_url="http://127.0.0.1:9/v1", key="").stderr


def test_the_command_line_says_that_an_answer_is_not_whole(fake: FakeOpenRouter) -> None:
    fake.next(replies.answer("Начало", finish="length"))
    assert run("Привет", base_url=fake.base_url).stdout.startswith("Начало\n\n… ответ неполный")


@pytest.mark.parametrize("closed", ["", ">&-", "2>&-"])
def test_the_command_line_asks_whatever_its_caller_can_read(fake: FakeOpenRouter, closed: str) -> None:
    fake.always(replies.answer("Да \N{GRINNING FACE}"))
    env = {**os.environ, "OPENROUTER_BASE_URL": fake.base_url, "OPENROUTER_API_KEY": KEY}
    env |= {"PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
    command = f"{shlex.quote(sys.executable)} {shlex.quote(str(HERE / 'openrouter_client.py'))} x {closed}"
    done = subprocess.run(["/bin/sh", "-c", command], env=env, capture_output=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode().startswith("" if closed == ">&-" else "Да \N{GRINNING FACE}\n\n(")


def test_an_interrupt_ends_the_command_line_without_a_traceback(fake: FakeOpenRouter) -> None:
    fake.always(replies.hang())
    env = {**os.environ, "OPENROUTER_BASE_URL": fake.base_url, "OPENROUTER_API_KEY": KEY}
    command = [sys.executable, str(HERE / "openrouter_client.py"), "x"]
    with subprocess.Popen(command, env=env, stderr=subprocess.PIPE) as process:
        while not fake.requests:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert (process.returncode, said) == (130, b"")


@pytest.mark.parametrize("arguments", [[], [""], ["--help"], ["a", "b", "c"]])
def test_the_command_line_without_a_question_says_how_to_use_it(arguments: list[str]) -> None:
    done = run(*arguments, base_url="http://127.0.0.1:9")
    assert done.returncode == 2
    assert done.stderr.startswith("Использование: python openrouter_client.py")


def test_the_fake_is_as_strict_as_the_real_one(fake: FakeOpenRouter) -> None:
    for wrong in ([], [{"role": "robot", "content": "x"}], [{"role": "user", "content": ""}]):
        with pytest.raises(OpenRouterError, match="400"):
            chat_once(wrong, model=MODEL)
    for options in ({"temperature": 3}, {"max_tokens": 0}):
        assert refused(**options).status == 400
    with pytest.raises(OpenRouterError, match="400"):
        chat_once(MESSAGES, model="")
    assert json.dumps(fake.requests[0].body)
