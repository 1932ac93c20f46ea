"""Failures on demand: each has the same effect on the bot and on Telegram's state as a real one."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from bot_api.failures import Kind
from bot_api.server import BotApiServer
from support.bot_client import BotClient

ME = 1


@pytest.fixture
def server() -> Iterator[BotApiServer]:
    with BotApiServer() as running:
        running.say("привет")
        yield running


@pytest.fixture
def bot(server: BotApiServer) -> Iterator[BotClient]:
    with BotClient(server) as client:
        yield client


def post(bot: BotClient, text: str = "а", **more: Any) -> requests.Response:
    return bot.session.post(f"{bot.base}/sendMessage", data={"chat_id": 1, "text": text, **more}, timeout=5)


@pytest.mark.parametrize(("kind", "arrived"), [("reset", 0), ("reset_after", 1)])
def test_a_connection_breaks_before_or_after_the_message(
    server: BotApiServer, bot: BotClient, kind: Kind, arrived: int
) -> None:
    server.fail("sendMessage", kind)
    with pytest.raises(requests.ConnectionError, match="reset by peer"):
        post(bot)
    assert len(server.messages(ME)) == arrived
    assert (server.calls[-1].status, server.calls[-1].failure, server.calls[-1].ok) == (0, kind, False)
    assert post(bot).json()["ok"]


@pytest.mark.parametrize(
    ("kind", "status", "body"),
    [
        ("401", 401, '"description": "Unauthorized"'),
        ("403", 403, "Forbidden: bot was blocked by the user"),
        ("409", 409, "Conflict: terminated by other getUpdates request"),
        ("500", 500, "Internal Server Error"),
        ("502", 502, "<html>"),
        ("invalid_json", 200, '"result":[{'),
        ("no_ok", 200, '{"result":[]}'),
    ],
)
def test_an_answer_goes_wrong_once(
    server: BotApiServer, bot: BotClient, kind: Kind, status: int, body: str
) -> None:
    server.fail("sendMessage", kind)
    answer = post(bot)
    assert answer.status_code == status
    assert body in answer.text
    assert server.messages(ME) == []
    assert post(bot).json()["ok"]


def test_too_many_requests_say_how_long_to_wait(server: BotApiServer, bot: BotClient) -> None:
    server.fail("sendMessage", "429", retry_after=7)
    answer = bot.answer("sendMessage", chat_id=1, text="а")
    assert answer["description"] == "Too Many Requests: retry after 7"
    assert answer["parameters"] == {"retry_after": 7}


def test_entities_are_refused_but_the_plain_text_passes(server: BotApiServer, bot: BotClient) -> None:
    server.fail("sendMessage", "entities")
    assert post(bot).json()["ok"]
    bold = [{"type": "bold", "offset": 0, "length": 1}]
    refusal = bot.refusal("sendMessage", chat_id=1, text="а", entities=bold)
    assert refusal.startswith("Bad Request: can't parse entities")
    assert bot.call("sendMessage", chat_id=1, text="а", entities=bold)


def test_a_hanging_answer_comes_late_or_never_but_the_message_is_there(
    server: BotApiServer, bot: BotClient
) -> None:
    server.fail("sendMessage", "hang", hold_s=0.05)
    assert post(bot).json()["ok"]
    server.fail("sendMessage", "hang")
    with ThreadPoolExecutor() as pool:
        forever = pool.submit(post, bot, "висит")
        assert server.wait_text(ME, "висит")
        assert not forever.done()
        server.stop()
        assert isinstance(forever.exception(5), requests.ConnectionError)


def test_a_failure_can_be_for_one_chat_several_times_or_until_healed(
    server: BotApiServer, bot: BotClient
) -> None:
    server.say("и я", user_id=2)
    server.fail("*", "500", 2, chat_id=2)
    assert post(bot).ok
    assert [post(bot, chat_id=2).status_code for _ in range(3)] == [500, 500, 200]
    server.fail("*", "500", None)
    assert [post(bot).status_code for _ in range(3)] == [500] * 3
    assert bot.session.get(f"{bot.base}/getMe").status_code == 500
    server.heal()
    assert post(bot).ok


def test_a_misspelt_failure_is_a_mistake_of_the_test(server: BotApiServer) -> None:
    with pytest.raises(ValueError, match="oops"):
        server.fail("sendMessage", "oops")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="sendmessage"):
        server.fail("sendmessage", "500")


def test_chaos_with_the_same_seed_fails_the_same_calls(server: BotApiServer, bot: BotClient) -> None:
    def run() -> list[int]:
        server.chaos(random.Random(7), {"500": 0.2, "429": 0.2})
        return [post(bot).status_code for _ in range(40)]

    first = run()
    assert set(first) == {200, 500, 429}
    assert run() == first
    server.heal()
    assert {post(bot).status_code for _ in range(20)} == {200}


def test_a_chat_that_gets_too_much_is_closed_for_a_while() -> None:
    with BotApiServer(limits=True) as server, BotClient(server) as bot:
        server.say("привет")
        server.say("привет", user_id=2)
        statuses = [post(bot, str(number)).status_code for number in range(server.burst + 2)]
        assert statuses == [200] * server.burst + [429] * 2
        assert server.calls[-1].description == f"Too Many Requests: retry after {server.pause_s}"
        assert post(bot, chat_id=2).ok


def test_an_offline_server_comes_back_on_the_same_port(server: BotApiServer, bot: BotClient) -> None:
    url = server.url
    server.stop_listening()
    with pytest.raises(requests.ConnectionError):
        post(bot)
    server.resume()
    assert server.url == url
    assert post(bot).ok


def test_waiting_in_vain_shows_the_latest_calls(server: BotApiServer, bot: BotClient) -> None:
    post(bot, "ответ")
    assert server.wait_text(ME, "отв")["text"] == "ответ"
    with pytest.raises(AssertionError, match=r"sendMessage.*ответ"):
        server.wait_text(ME, "вопрос", timeout=0.05)
