"""The connection to a service: TLS, proxies, no connection at all, and a hundred questions at once."""

import gc
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import support.openrouter_replies as replies
from openrouter_client import Abort, Answer, Kind, OpenRouterError
from support.fake_openrouter import FakeOpenRouter
from support.listening import listen
from support.openrouter_settings import KEY, point_at
from support.socks_server import SocksServer
from support.tunnel import Tunnel

MODEL = "openrouter/free"
MESSAGES = [{"role": "user", "content": "Привет"}]


def ask(**options: Any) -> Answer:
    return listen(MESSAGES, model=MODEL, **options)


def refused(**options: Any) -> OpenRouterError:
    with pytest.raises(OpenRouterError) as caught:
        ask(**options)
    return caught.value


def port_of(fake: FakeOpenRouter) -> int:
    return int(fake.base_url.split(":")[2].split("/")[0])


# ---- TLS ------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A self-signed certificate for openrouter.ai and 127.0.0.1, and its key."""
    if not shutil.which("openssl"):
        pytest.skip("no openssl here to make a certificate with")
    folder = tmp_path_factory.mktemp("tls")
    names = "subjectAltName=DNS:openrouter.ai,IP:127.0.0.1"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=openrouter.ai", "-addext", names, "-keyout", "key.pem"]
    subprocess.run([*command, "-out", "cert.pem"], cwd=folder, check=True, capture_output=True)
    return folder / "cert.pem", folder / "key.pem"


@pytest.fixture
def secure(monkeypatch: pytest.MonkeyPatch, certificate: tuple[Path, Path]) -> Iterator[FakeOpenRouter]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate[0]))
    with FakeOpenRouter(tls=context) as server:
        point_at(monkeypatch, server.base_url)
        yield server


def test_tls_carries_an_answer_and_a_stream(secure: FakeOpenRouter) -> None:
    assert secure.base_url.startswith("https://")
    assert ask().text == "Вы спросили: Привет"
    assert ask(on_text=str).text == "Вы спросили: Привет"


def test_a_certificate_of_somebody_else_is_refused(
    secure: FakeOpenRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    assert refused().msg.startswith("Защищённое соединение не удалось")
    assert secure.requests == []


@pytest.mark.parametrize("proxied", [False, True])
@pytest.mark.parametrize(
    "behaviour", [replies.hang(headers=False), replies.hang(), replies.repeat(replies.PROCESSING)]
)
def test_stop_and_deadlines_hold_through_tls_and_proxies(
    secure: FakeOpenRouter,
    monkeypatch: pytest.MonkeyPatch,
    behaviour: replies.Behaviour,
    proxied: bool,
) -> None:
    secure.next(behaviour, behaviour)
    abort = Abort()
    with Tunnel(port_of(secure)) as tunnel:
        if proxied:
            point_at(monkeypatch, "https://openrouter.ai/api/v1", proxy=tunnel.url)
        assert refused(timeout_s=0.8).status == 504
        threading.Timer(0.8, abort.set).start()
        assert ask(abort=abort).stopped
        secure.wait(lambda: len(secure.closed_by_client) == len(secure.requests))
        assert set(tunnel.asked) == ({"CONNECT openrouter.ai:443"} if proxied else set())


def test_an_answer_cut_in_mid_tls_keeps_what_has_come(secure: FakeOpenRouter) -> None:
    secure.next(replies.reset(replies.chunk("Полов"), 0.05))
    assert refused(on_text=str).partial == "Полов"


# ---- Proxies and the environment ------------------------------------------------------------


def test_openrouter_itself_is_known_through_a_proxy(
    secure: FakeOpenRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Tunnel(port_of(secure)) as tunnel:
        point_at(monkeypatch, "", proxy=tunnel.url)
        assert ask().text == "Вы спросили: Привет"
    assert tunnel.asked == ["CONNECT openrouter.ai:443"]
    assert secure.requests[0].path == "/api/v1/chat/completions"
    assert secure.requests[0].body["reasoning"] == {"effort": "low"}


def test_a_proxy_that_refuses_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with Tunnel(9, refusing=True) as tunnel:
        point_at(monkeypatch, "https://openrouter.ai/api/v1", proxy=tunnel.url)
        assert "OPENROUTER_PROXY" in refused().msg
        point_at(monkeypatch, "http://openrouter.ai/api/v1", proxy=tunnel.url)
        error = refused()
    assert error.status == 407
    assert "OPENROUTER_PROXY" in error.msg


def test_a_proxy_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = "http://user:secret@127.0.0.1:1"
    point_at(monkeypatch, "http://openrouter.ai/api/v1", proxy=proxy)
    error = refused()
    assert "OPENROUTER_PROXY" in error.msg
    assert "secret" not in repr(vars(error))


def test_the_proxy_of_the_settings_comes_before_that_of_the_machine(
    fake: FakeOpenRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = fake.base_url.removesuffix("/api/v1")
    point_at(monkeypatch, "http://openrouter.ai/api/v1", proxy=ours)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    assert ask().text == "Вы спросили: Привет"
    monkeypatch.setenv("OPENROUTER_PROXY", "")
    monkeypatch.setenv("HTTP_PROXY", ours)
    assert ask().text == "Вы спросили: Привет"


def test_a_netrc_does_not_replace_the_key(
    fake: FakeOpenRouter, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    ask()
    assert fake.requests[0].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    ("scheme", "asked"),
    [("socks5h", "openrouter.ai:443"), ("socks4a", None), ("SOCKS5H", "openrouter.ai:443")],
)
def test_a_socks_proxy_carries_an_answer(
    secure: FakeOpenRouter, monkeypatch: pytest.MonkeyPatch, scheme: str, asked: str | None
) -> None:
    with SocksServer(port_of(secure)) as socks:
        point_at(monkeypatch, "", proxy=f"{scheme}://{socks.address}")
        if asked:
            assert ask().text == ask(on_text=str).text == "Вы спросили: Привет"
            assert socks.asked == [asked, asked]
        else:  # the tests' proxy supports SOCKS version 5 only
            assert "OPENROUTER_PROXY" in refused().msg


def test_a_socks_proxy_may_want_a_password(fake: FakeOpenRouter, monkeypatch: pytest.MonkeyPatch) -> None:
    with SocksServer(port_of(fake), login="user:pa:ss") as socks:
        point_at(monkeypatch, fake.base_url, proxy=f"socks5://user:pa%3Ass@{socks.address}")
        assert ask().text == "Вы спросили: Привет"
        assert socks.asked == [f"127.0.0.1:{port_of(fake)}"]
        monkeypatch.setenv("OPENROUTER_PROXY", f"socks5://user:wrong@{socks.address}")
        error = refused()
    assert "OPENROUTER_PROXY" in error.msg
    assert "wrong" not in repr(vars(error))


@pytest.mark.parametrize("gone", [True, False])
def test_a_socks_proxy_that_gives_no_connection_is_named(monkeypatch: pytest.MonkeyPatch, gone: bool) -> None:
    with SocksServer(9, refusing=True) as socks:
        point_at(monkeypatch, "", proxy="socks5h://127.0.0.1:1" if gone else f"socks5h://{socks.address}")
        assert str(refused()).startswith("[503] Прокси не пускает к сервису.")


@pytest.mark.parametrize("behaviour", [replies.hang(headers=False), replies.repeat(replies.PROCESSING)])
def test_stop_and_deadlines_hold_through_socks(
    secure: FakeOpenRouter, monkeypatch: pytest.MonkeyPatch, behaviour: replies.Behaviour
) -> None:
    secure.next(behaviour, behaviour)
    abort = Abort()
    with SocksServer(port_of(secure)) as socks:
        point_at(monkeypatch, "", proxy=f"socks5h://{socks.address}")
        assert refused(timeout_s=0.8).status == 504
        threading.Timer(0.8, abort.set).start()
        assert ask(abort=abort).stopped
        secure.wait(lambda: len(secure.closed_by_client) == len(secure.requests))


# ---- No connection --------------------------------------------------------------------------


@pytest.mark.parametrize("base_url", ["http://127.0.0.1:1/api/v1", "http://no.invalid/api/v1"])
def test_no_connection_is_said_as_such(monkeypatch: pytest.MonkeyPatch, base_url: str) -> None:
    point_at(monkeypatch, base_url)
    error = refused()
    assert str(error).startswith("[503] Нет связи с сервисом моделей")
    assert error.falls_back


def test_a_reset_connection_is_a_clear_error(fake: FakeOpenRouter) -> None:
    fake.next(replies.reset(headers=False))
    assert str(refused()).startswith("[503] Соединение с сервисом оборвалось")


@pytest.mark.parametrize(
    "base_url",
    [
        "openrouter.ai/api/v1",
        "ftp://openrouter.ai/api/v1",
        "http://",
        "http://:80",
        "http://[broken/api/v1",
        "http://127.0.0.1:99999/api/v1",
        "http://127.0.0.1:port/api/v1",
        "http://" + "a" * 70 + ".example/api/v1",
        "http://*.example/api/v1",
        "http://..example/api/v1",
    ],
)
def test_an_address_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch, base_url: str) -> None:
    point_at(monkeypatch, base_url)
    error = refused()
    assert "OPENROUTER_BASE_URL" in error.msg
    assert error.kind is Kind.REQUEST


@pytest.mark.parametrize(
    "proxy",
    [
        "http://:1",
        "http://127.0.0.1:port",
        "http://[broken",
        "socks5://",
        "socks5h://:1080",
        "socks5://user:pass@",
        "socks5://127.0.0.1:port",
        "socks://127.0.0.1:1080",
        "socks6://127.0.0.1:1080",
        "tg://proxy?server=127.0.0.1",
        "vless://127.0.0.1:1",
        "127.0.0.1:99999",
    ],
)
def test_a_proxy_address_that_is_none_is_named(
    fake: FakeOpenRouter, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    point_at(monkeypatch, fake.base_url, proxy=proxy)
    assert "OPENROUTER_PROXY" in refused().msg
    assert fake.requests == []


def test_stop_and_deadlines_do_not_wait_for_a_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """The listener accepts nobody and its queue is full: connecting hangs, as with a dead host."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        crowd = [socket.socket() for _ in range(4)]
        for waiting in crowd:
            waiting.setblocking(False)
            waiting.connect_ex(address)
        point_at(monkeypatch, f"http://127.0.0.1:{address[1]}/api/v1")
        abort = Abort()
        threading.Timer(0.1, abort.set).start()
        started = time.monotonic()
        assert ask(abort=abort).stopped
        assert refused(timeout_s=0.2).status == 504
        assert time.monotonic() - started < 20
        for waiting in crowd:
            waiting.close()
    for thread in threading.enumerate():
        if thread.name == "openrouter":
            thread.join(10)
            assert not thread.is_alive()
    gc.collect()  # an open socket would cause a warning, and warnings fail the test


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 abc\r\n\r\n",
        b"\x16\x03\x01 not http\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd",
    ],
)
@pytest.mark.parametrize("streamed", [True, False])
def test_a_server_that_speaks_no_proper_http_is_a_clear_error(
    fake: FakeOpenRouter, raw: bytes, streamed: bool
) -> None:
    def behave(call: replies.Call) -> None:
        call.send(raw)
        call.keep_alive = False

    fake.next(behave)
    assert refused(on_text=str if streamed else None).status in (502, 503)


def test_a_body_without_a_length_is_read_as_it_comes(fake: FakeOpenRouter) -> None:
    heard: list[str] = []

    def behave(call: replies.Call) -> None:
        gate = call.gate()
        call.send(b"HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        call.send(replies.sse(replies.chunk("раз ")))
        call.wait_at(gate)
        call.send(replies.sse(replies.chunk("два", finish="stop")))
        call.keep_alive = False

    def on_text(piece: str) -> None:
        heard.append(piece)
        fake.release()

    fake.next(behave)
    assert ask(on_text=on_text).text == "раз два"
    assert heard == ["раз ", "два"]


def test_stop_works_on_a_connection_that_is_not_kept(fake: FakeOpenRouter) -> None:
    abort = Abort()

    def behave(call: replies.Call) -> None:
        call.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        call.send(replies.sse(replies.chunk("раз")))
        call.pause()

    fake.next(behave)
    answer = ask(on_text=lambda _: abort.set(), abort=abort)
    assert (answer.text, answer.stopped) == ("раз", True)
    fake.wait(lambda: fake.closed_by_client)


def test_an_answer_that_never_ends_is_cut_by_its_size(fake: FakeOpenRouter) -> None:
    def behave(call: replies.Call) -> None:
        call.start()
        while True:
            call.part(b": " + b"x" * 1_000_000 + b"\n\n")

    fake.next(behave)
    assert "16 МБ" in refused(timeout_s=20).msg


# ---- Many questions -------------------------------------------------------------------------


def open_sockets() -> int:
    links = [link for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    return sum(link.readlink().name.startswith("socket:") for link in links)


def test_a_hundred_questions_wait_together_and_leave_nothing_behind(fake: FakeOpenRouter) -> None:
    threads = threading.active_count()
    fake.hold()
    with ThreadPoolExecutor(100) as pool:
        answers = [pool.submit(ask, on_text=str) for _ in range(100)]
        fake.wait(lambda: fake.in_flight == 100)
        assert threading.active_count() <= threads + 100 + 100 + 100  # the bot's, the askers', and the fake's
        fake.release()
        assert {answer.result().text for answer in answers} == {"Вы спросили: Привет"}
    assert not [thread for thread in threading.enumerate() if thread.name == "openrouter"]


def test_a_hundred_questions_can_be_stopped_together(fake: FakeOpenRouter) -> None:
    fake.always(replies.hang(headers=False))
    aborts = [Abort() for _ in range(100)]
    with ThreadPoolExecutor(100) as pool:
        answers = [pool.submit(ask, abort=abort) for abort in aborts]
        fake.wait(lambda: fake.in_flight == 100)
        for abort in aborts:
            abort.set()
        assert all(answer.result().stopped for answer in answers)
    fake.wait(lambda: len(fake.closed_by_client) == 100)
    assert not [thread for thread in threading.enumerate() if thread.name == "openrouter"]


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="open files are counted by /proc")
def test_no_socket_stays_open_after_an_answer_or_a_failure(fake: FakeOpenRouter) -> None:
    before = open_sockets()
    for behaviour in (replies.answer("да"), replies.reset(), replies.status(500), replies.hang()):
        fake.next(behaviour)
        try:
            ask(timeout_s=0.2)
        except OpenRouterError:
            continue
    fake.wait(lambda: fake.in_flight == 0)
    deadline = time.monotonic() + 30
    while open_sockets() > before and time.monotonic() < deadline:
        threading.Event().wait(0.01)  # the server closes its side later
    assert open_sockets() <= before
