"""Several routes to Telegram: the first that answers is used, and the next one when it dies."""

import signal
import threading
from collections.abc import Callable, Iterator

import pytest

from support.harness import FOOTER, Harness, Message
from support.openrouter_replies import stream
from support.real_proxy import LOGIN, RealProxy, free_port
from support.tunnel import Tunnel
from telegram import api, routes
from telegram.routes import Route, Routes

NewBot = Callable[..., Harness]
WAIT_S = 90  # for a busy machine; the limit of half a minute is asserted below


@pytest.fixture
def http() -> Iterator[RealProxy]:
    with RealProxy("http") as proxy:
        yield proxy


@pytest.fixture
def socks() -> Iterator[RealProxy]:
    with RealProxy("socks5h") as proxy:
        yield proxy


@pytest.fixture(scope="module", autouse=True)
def held_up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Harness, RealProxy, Message]]:
    """A bot whose first proxy accepts data and stays silent; other tests run while the bot waits."""
    with (
        RealProxy("http") as http,
        RealProxy("socks5h") as socks,
        Harness(tmp_path_factory.mktemp("held_up"), TELEGRAM_PROXY=f"{http.address},{socks.address}") as bot,
    ):
        bot.start().person(1).says("/note_add раз")
        http.hold_up() if hasattr(signal, "SIGSTOP") else http.kill()  # Windows has no SIGSTOP
        yield bot, http, bot.server.say("/note_add два", user_id=1)


def nobody(scheme: str = "http") -> str:
    """Return the address of a proxy that does not exist."""
    return f"{scheme}://{LOGIN}@127.0.0.1:{free_port()}"


def tells_no_password(bot: Harness) -> bool:
    return LOGIN not in bot.log and "geheim" not in bot.log


# ---- Which one is used ----------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["http", "socks5", "socks5h"])
def test_telegram_is_reached_through_a_real_proxy(new_bot: NewBot, scheme: str) -> None:
    with RealProxy(scheme) as proxy:
        bot = new_bot(TELEGRAM_PROXY=proxy.address)
        bot.start()
        assert bot.person().says("/note_count") == "Заметок: 0."
        proxy.kill()  # proves that this route was used
        bot.wait(lambda: "Telegram недоступен" in bot.log, timeout=WAIT_S)
        assert tells_no_password(bot)


def test_the_first_that_answers_is_used(new_bot: NewBot, socks: RealProxy) -> None:
    bot = new_bot(TELEGRAM_PROXY=f"{nobody()}, {socks.address}, direct").start()
    assert bot.person().says("/note_count") == "Заметок: 0."
    bot.wait(lambda: f"через {socks.host}" in bot.log)
    assert tells_no_password(bot)


def test_direct_is_a_way_like_any_other(new_bot: NewBot) -> None:
    bot = new_bot(TELEGRAM_PROXY=f"{nobody('socks5')},direct").start()
    assert bot.person().says("/note_count") == "Заметок: 0."
    bot.wait(lambda: "напрямую" in bot.log)


def test_a_proxy_that_answers_in_telegrams_place_is_no_way(new_bot: NewBot) -> None:
    bot = new_bot()
    with Tunnel(1, refusing=True) as portal:
        bot.settings["TELEGRAM_PROXY"] = f"{portal.url},direct"
        bot.start()
        assert bot.person().says("/note_count") == "Заметок: 0."
        assert portal.asked


def test_of_several_addresses_the_first_that_answers_is_used(new_bot: NewBot) -> None:
    bot = new_bot()
    bot.settings["TELEGRAM_API_URL"] = f"http://127.0.0.1:{free_port()},{bot.server.url}/"
    bot.start()
    assert bot.person().says("/note_count") == "Заметок: 0."


def test_a_token_that_telegram_does_not_take_is_an_answer_too(new_bot: NewBot) -> None:
    bot = new_bot(TOKEN="654321:UNKNOWN", TELEGRAM_PROXY=f"{nobody()},direct")
    bot.launch()
    assert bot.exit_code(WAIT_S) == 2
    assert "TOKEN" in bot.log


# ---- When it dies ---------------------------------------------------------------------------


def test_when_it_dies_the_next_one_is_used(new_bot: NewBot, http: RealProxy, socks: RealProxy) -> None:
    bot = new_bot(TELEGRAM_PROXY=f"{http.address},{socks.address}").start()
    anna = bot.person()
    assert anna.says("/note_add раз") == "Заметка #1 сохранена."
    http.kill()
    asked = bot.server.say("/note_add два", user_id=anna.id)
    assert goes_another_way(bot, http, asked) == "Заметка #2 сохранена."


def goes_another_way(bot: Harness, dead: RealProxy, asked: Message) -> str:
    """Wait for an answer although a route is dead, and return its text."""
    text = str(bot.reply_to(asked, timeout=WAIT_S)["text"])
    bot.wait(lambda: f"{dead.host} не отвечает" in bot.log)
    assert tells_no_password(bot)
    return text


def test_an_answer_under_way_goes_on_in_its_message(
    new_bot: NewBot, http: RealProxy, socks: RealProxy
) -> None:
    # The proxies end before the bot does: STOP_TIMEOUT limits its wait for Telegram's confirmation.
    bot = new_bot(TELEGRAM_PROXY=f"{http.address},{socks.address}", STOP_TIMEOUT="1").start()
    anna = bot.person()
    bot.answers["долго"] = stream("Начало. ", "Конец.", hold_after=1)
    asked = bot.server.say("/ask долго", user_id=anna.id)
    message = bot.reply_to(asked)
    bot.wait(lambda: "Начало." in bot.server.find(anna.id, message["message_id"])["text"])
    http.kill()
    bot.ai.release()
    [ended] = anna.answer_to(asked, timeout=WAIT_S)
    assert ended["message_id"] == message["message_id"]
    assert FOOTER.sub("", ended["text"]) == "Начало. Конец."


def test_half_a_minute_is_enough_to_notice_a_silent_death_and_to_look_for_another_way() -> None:
    assert max(api.LONG_POLL_S + 5, api.ANSWER_S, api.CONNECT_S) + routes.PROBE_S < 30


# ---- How the next one is chosen -------------------------------------------------------------

A, B, C = (Route("https://api.telegram.org", f"http://{name}:1") for name in "abc")


@pytest.mark.parametrize(
    ("alive", "chosen"),
    [({B, C}, B), ({C}, C), ({A, C}, C), ({A}, A), (set(), A)],
    ids=["the next", "the one after", "not itself if another will do", "itself", "none: it stays"],
)
def test_the_next_that_answers_takes_its_place(alive: set[Route], chosen: Route) -> None:
    ways = Routes([A, B, C], alive.__contains__)
    ways.lost(A)
    assert ways.current is chosen


def test_after_the_last_comes_the_first() -> None:
    ways = Routes([A, B, C], lambda _: True)
    for expected in (B, C, A):
        ways.lost(ways.current)
        assert ways.current is expected


def test_a_failure_of_a_way_that_was_left_already_changes_nothing() -> None:
    ways = Routes([A, B, C], lambda _: True)
    ways.lost(A)
    ways.lost(A)
    assert ways.current is B


def test_where_there_is_one_way_only_nobody_is_asked() -> None:
    def never(route: Route) -> bool:
        raise AssertionError(route)

    Routes([A], never).lost(A)


def test_while_one_looks_nobody_else_waits() -> None:
    looking, found = threading.Event(), threading.Event()

    def answers(_: Route) -> bool:
        looking.set()
        return found.wait(10)

    ways = Routes([A, B], answers)
    thread = threading.Thread(target=ways.lost, args=(A,))
    thread.start()
    assert looking.wait(10)
    ways.lost(A)  # returns at once
    assert ways.current is A
    found.set()
    thread.join(10)
    assert ways.current is B


def test_a_written_route_tells_where_it_leads_and_no_password() -> None:
    assert str(Route("https://api.telegram.org", f"socks5://{LOGIN}@proxy:1080")) == (
        "api.telegram.org через proxy:1080"
    )
    assert str(Route("http://localhost:8081", "direct")) == "localhost:8081 напрямую"
    assert LOGIN not in repr(Route("https://api.telegram.org", f"socks5://{LOGIN}@proxy:1080"))


# ---- When it is silent ----------------------------------------------------------------------


def test_when_it_is_silent_the_next_one_is_used(held_up: tuple[Harness, RealProxy, Message]) -> None:
    assert goes_another_way(*held_up) == "Заметка #2 сохранена."
