"""Several proxies to the models' service: the first that works is used, and the next when it dies."""

import signal
from collections.abc import Iterator

import pytest

from openrouter import ways
from openrouter_client import OpenRouterError, chat_once
from support.fake_openrouter import FakeOpenRouter
from support.openrouter_replies import hang, reset
from support.real_proxy import LOGIN, RealProxy, free_port
from support.tunnel import Tunnel

QUESTION = [{"role": "user", "content": "как?"}]


@pytest.fixture(autouse=True)
def _nothing_is_known_of_the_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ways, "_first", {})


@pytest.fixture
def socks() -> Iterator[RealProxy]:
    with RealProxy("socks5h") as proxy:
        yield proxy


@pytest.fixture
def http() -> Iterator[RealProxy]:
    with RealProxy("http") as proxy:
        yield proxy


def ask(monkeypatch: pytest.MonkeyPatch, *proxies: str, timeout_s: float = 30) -> str:
    """Ask through these proxies, and return the answer."""
    monkeypatch.setenv("OPENROUTER_PROXY", ",".join(proxies))
    return chat_once(QUESTION, model="a/b:free", timeout_s=timeout_s).text


def nobody() -> str:
    return f"http://{LOGIN}@127.0.0.1:{free_port()}"


def test_what_leads_nowhere_is_passed_over_and_not_tried_again(
    fake: FakeOpenRouter, monkeypatch: pytest.MonkeyPatch, socks: RealProxy, caplog: pytest.LogCaptureFixture
) -> None:
    dead = nobody()
    assert ask(monkeypatch, dead, socks.address)
    assert ask(monkeypatch, dead, socks.address)
    assert len(fake.questions) == 2
    assert len(caplog.records) == 1
    assert "127.0.0.1" in caplog.text
    assert "geheim" not in caplog.text


def test_when_it_dies_the_next_one_is_used_and_then_the_first_again(
    fake: FakeOpenRouter, monkeypatch: pytest.MonkeyPatch, http: RealProxy, socks: RealProxy
) -> None:
    assert ask(monkeypatch, http.address, socks.address)
    http.kill()
    assert ask(monkeypatch, http.address, socks.address)
    socks.kill()
    with RealProxy("http") as another:
        assert ask(monkeypatch, another.address, socks.address)


def test_a_proxy_that_refuses_is_passed_over(fake: FakeOpenRouter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENROUTER_BASE_URL", fake.base_url.replace("http:", "https:"))
    with Tunnel(1, refusing=True) as first, Tunnel(1, refusing=True) as second:
        with pytest.raises(OpenRouterError, match="Прокси не пускает"):
            ask(monkeypatch, first.url, second.url)
        assert (len(first.asked), len(second.asked)) == (1, 1)


def test_direct_goes_past_the_proxies_of_the_machine_too(
    fake: FakeOpenRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, nobody())
    with pytest.raises(OpenRouterError):
        ask(monkeypatch)
    assert ask(monkeypatch, nobody(), "direct")


def test_where_none_leads_there_the_last_trouble_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-or-v1-TEST")
    monkeypatch.setenv("OPENROUTER_BASE_URL", "http://127.0.0.1:1/api/v1")
    with pytest.raises(OpenRouterError) as refused:
        ask(monkeypatch, nobody(), nobody())
    assert refused.value.status == 503


def test_a_question_that_has_been_asked_is_not_asked_again_by_another_way(
    fake: FakeOpenRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.always(reset(headers=False))
    with pytest.raises(OpenRouterError):
        ask(monkeypatch, "direct", nobody())
    assert len(fake.questions) == 1


def test_after_a_silence_the_next_question_goes_another_way(
    fake: FakeOpenRouter, monkeypatch: pytest.MonkeyPatch, http: RealProxy, socks: RealProxy
) -> None:
    if not hasattr(signal, "SIGSTOP"):
        pytest.skip("Windows has no such signal")
    http.hold_up()
    with pytest.raises(OpenRouterError):
        ask(monkeypatch, http.address, socks.address, timeout_s=0.5)
    assert ask(monkeypatch, http.address, socks.address)


def test_a_model_that_is_silent_after_its_headers_is_no_fault_of_the_way(
    fake: FakeOpenRouter, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    fake.always(hang())
    with pytest.raises(OpenRouterError):
        ask(monkeypatch, "direct", nobody(), timeout_s=4)
    assert caplog.text == ""
