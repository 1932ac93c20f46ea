"""The bot under systemd: its notifications, and a unit that is valid and sandboxed."""

import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from support.harness import ROOT, Harness
from upkeep.systemd import READY, notify

NewBot = Callable[..., Harness]
UNIT = ROOT / "deploy" / "zametochnik.service"
MOST_EXPOSURE = 20  # out of 100; systemd rates up to 50 as OK

needs_sockets = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="Windows has no such sockets")
ANALYZE = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="systemd is not installed")


def listen(address: str) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(address)
    listener.settimeout(20)
    return listener


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[socket.socket]:
    """The socket on which systemd listens: `notify` in the test's folder."""
    with closing(listen(str(tmp_path / "notify"))) as listening:
        yield listening


def told(listener: socket.socket) -> str:
    return listener.recv(100).decode()


@needs_sockets
def test_it_is_ready_before_telegram_answers_and_alive_while_it_waits(
    new_bot: NewBot, tmp_path: Path, listener: socket.socket
) -> None:
    bot = new_bot(NOTIFY_SOCKET=str(tmp_path / "notify"))
    bot.server.fail("getMe", "502", times=3)
    bot.launch()
    assert [told(listener) for _ in range(4)] == [READY, *["WATCHDOG=1"] * 3]
    bot.person().says("/note_count")
    bot.stop()
    while (last := told(listener)) == "WATCHDOG=1":
        pass
    assert last == "STOPPING=1"


@needs_sockets
def test_without_systemd_or_a_listener_nothing_happens(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notify(READY)
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    notify(READY)


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone has them")
def test_an_abstract_socket_will_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", f"@{tmp_path}")
    with closing(listen(f"\0{tmp_path}")) as listening:
        notify(READY)
        assert told(listening) == READY


def analysed(unit: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(ANALYZE), *arguments, str(unit)],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit unchanged except for the interpreter, which must exist."""
    path = tmp_path / UNIT.name
    path.write_text(
        re.sub(r"^ExecStart=\S+", f"ExecStart={sys.executable}", UNIT.read_text("utf-8"), flags=re.M)
    )
    return path


@needs_systemd
def test_the_unit_is_one_that_systemd_understands(unit: Path) -> None:
    done = analysed(unit, "verify")
    assert (done.returncode, unit.name in done.stderr) == (0, False), done.stderr


@needs_systemd
def test_a_word_that_systemd_does_not_know_would_be_found(unit: Path) -> None:
    unit.write_text(unit.read_text("utf-8").replace("ProtectSystem=strict", "ProtectSystm=strict"))
    assert "ProtectSystm" in analysed(unit, "verify").stderr


@needs_systemd
def test_the_unit_leaves_little_open(unit: Path) -> None:
    done = analysed(unit, "security", "--offline=true", f"--threshold={MOST_EXPOSURE}")
    assert done.returncode == 0, done.stdout
