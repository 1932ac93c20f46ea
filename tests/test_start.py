"""`python bot.py` as a person starts and stops it: what it needs, what it prints, how it ends."""

import ast
import os
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from starting import surroundings
from support.harness import ROOT, Harness
from support.program import copy_of_the_program, piped
from support.socks_server import SocksServer
from support.warm_start import WarmProcess

MENU = [
    ("start", "Приветствие и помощь"),
    ("note_add", "Добавить заметку"),
    ("note_list", "Список заметок"),
    ("note_find", "Поиск заметок"),
    ("note_edit", "Изменить заметку"),
    ("note_del", "Удалить заметку"),
    ("note_count", "Сколько заметок"),
    ("note_export", "Экспорт заметок в .txt"),
    ("note_stats", "Статистика по датам"),
    ("models", "Получить список моделей"),
    ("model", "Установить активную модель"),
    ("ask", "Задать вопрос модели"),
    ("note_ask", "Спросить модель о своих заметках"),
]
NewBot = Callable[..., Harness]


@pytest.fixture
def cold_bot(new_bot: NewBot, monkeypatch: pytest.MonkeyPatch) -> NewBot:
    """Like `new_bot`, but no module is loaded before `python bot.py` loads it."""
    monkeypatch.setattr(Harness, "warm", False)
    return new_bot


# ---- What it publishes ----------------------------------------------------------------------


def test_the_menu_begins_with_the_twelve_commands_in_their_order(bot: Harness) -> None:
    bot.wait(lambda: bot.server.commands)
    assert [(row["command"], row["description"]) for row in bot.server.commands][: len(MENU)] == MENU


def test_an_empty_chat_says_what_the_bot_is(bot: Harness) -> None:
    assert "/help" in bot.wait(lambda: bot.server.description)


def test_the_token_is_checked_before_anything_else(bot: Harness) -> None:
    assert bot.server.calls[0].method == "getMe"


def test_a_webhook_left_by_another_program_does_not_keep_updates_away(new_bot: NewBot) -> None:
    bot = new_bot()
    bot.server.updates.webhook = "https://example.org/hook"
    bot.start()
    assert bot.person().says("/note_count") == "Заметок: 0."
    assert bot.server.updates.webhook == ""


def test_messages_sent_while_it_was_not_running_are_answered(new_bot: NewBot) -> None:
    bot = new_bot()
    early = bot.server.say("/note_add рано", user_id=5)
    bot.start()
    assert bot.reply_to(early)["text"] == "Заметка #1 сохранена."


# ---- How it ends ----------------------------------------------------------------------------


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT], ids=lambda by: by.name)
def test_it_stops_when_it_is_told_to(cold_bot: NewBot, by: signal.Signals) -> None:
    bot = cold_bot().start()
    bot.person().says("/note_add мысль")
    assert bot.stop(by) < 5


def test_notes_and_the_active_model_are_there_after_a_restart(new_bot: NewBot) -> None:
    bot = new_bot().start()
    anna = bot.person()
    anna.says("/note_add мысль")
    anna.says("/model 3")
    bot.restart()
    assert anna.says("/note_count") == "Заметок: 1."
    assert "Mistral Small 24b (free)" in anna.says("/model")


def test_a_second_copy_on_the_same_file_does_not_start(new_bot: NewBot, tmp_path: Path) -> None:
    new_bot().start()
    with Harness(tmp_path) as second:
        second.launch()
        assert second.exit_code() == 1
        assert "другая копия" in second.log
        assert second.server.calls == []


# ---- A token that Telegram rejects ----------------------------------------------------------


def refused_token(bot: Harness) -> str:
    """Start the bot, assert exit code 2, and return its output."""
    bot.launch()
    assert bot.exit_code() == 2
    return bot.log


def test_an_unknown_token_is_said_in_one_line(new_bot: NewBot) -> None:
    said = refused_token(new_bot(TOKEN="654321:UNKNOWN"))
    assert len(said.splitlines()) == 1
    assert "TOKEN" in said
    assert "654321:UNKNOWN" not in said


def test_a_token_that_is_not_found_is_said_in_one_line(new_bot: NewBot) -> None:
    bot = new_bot()
    bot.settings["TELEGRAM_API_URL"] = f"{bot.server.url}/elsewhere"  # the server answers 404 there
    said = refused_token(bot)
    assert len(said.splitlines()) == 1
    assert "TOKEN" in said


def test_a_token_in_a_wrong_form_is_said_in_one_line(new_bot: NewBot) -> None:
    said = refused_token(new_bot(TOKEN="secret"))
    assert len(said.splitlines()) == 1
    assert "TOKEN" in said
    assert "secret" not in said


def test_a_token_that_is_revoked_while_the_bot_runs_ends_it(new_bot: NewBot) -> None:
    bot = new_bot().start()
    bot.person().says("/note_count")
    bot.server.fail("getUpdates", "401")
    bot.server.say("что-нибудь")  # ends the long poll
    assert bot.exit_code() == 2
    assert "TOKEN" in bot.out[-1]


# ---- No token -------------------------------------------------------------------------------


def test_without_a_token_it_says_what_is_missing_and_where_to_put_it(cold_bot: NewBot) -> None:
    bot = cold_bot(TOKEN="")
    bot.launch()
    assert bot.exit_code() == 2
    for word in ("TOKEN", ".env", ".env.example"):
        assert word in bot.log
    assert bot.server.calls == []
    assert not bot.db_path.exists()


def test_without_a_token_at_a_terminal_it_says_so_and_opens_the_console(new_bot: NewBot) -> None:
    pty = pytest.importorskip("pty", reason="Windows has no pseudo-terminals")
    bot = new_bot(TOKEN="")
    keyboard, terminal = pty.openpty()
    with open(terminal, encoding="utf-8") as stdin:  # noqa: PTH123 - a descriptor, not a path
        bot.launch(stdin=stdin)
    os.write(keyboard, "/note_add привет\n".encode())
    bot.wait(lambda: "Заметка #1 сохранена." in bot.log or bot.process.poll() is not None)  # type: ignore[union-attr]
    os.write(keyboard, b"\x04")  # Ctrl-D
    assert bot.exit_code() == 0
    os.close(keyboard)
    assert "Заметка #1 сохранена." in bot.log
    assert sum("TOKEN" in line for line in bot.log.splitlines()) == 1


def test_the_console_reads_from_a_pipe_and_ends_with_it(new_bot: NewBot) -> None:
    bot = new_bot(TOKEN="")
    printed = piped(bot.environment, bot.folder, "/note_add привет", "/note_list", "")
    saved, listed = printed.index("Заметка #1 сохранена."), printed.index("#1 ·")
    assert saved < listed
    assert "привет" in printed[listed:]


@pytest.mark.parametrize("closed", ["<&-", ">&-"])
def test_what_whoever_starts_it_has_closed_is_empty(new_bot: NewBot, closed: str) -> None:
    bot = new_bot(TOKEN="")
    command = f"{shlex.quote(sys.executable)} {shlex.quote(str(ROOT / 'bot.py'))} --console"
    done = subprocess.run(
        ["/bin/sh", "-c", f"echo /note_count | {command} {closed}"],
        env=bot.environment,
        cwd=bot.folder,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout.decode(), done.stderr) == (0, "", b"")


def test_a_look_into_the_console_leaves_what_waits_for_telegram(new_bot: NewBot) -> None:
    bot = new_bot()
    bot.ai.hold()
    bot.start()
    asked = bot.server.say("/ask вопрос", user_id=1001)
    bot.ai.wait(lambda: bot.ai.in_flight)
    bot.kill()
    bot.ai.release()
    assert piped(bot.environment, bot.folder, "/note_count", "") == "Заметок: 0.\n"
    bot.start()
    assert "Вы спросили: вопрос" in bot.person(1001).answer_to(asked)[-1]["text"]


def test_the_console_waits_for_the_end_of_the_last_answer(new_bot: NewBot) -> None:
    bot = new_bot(TOKEN="")
    bot.ai.hold()
    with subprocess.Popen(
        [sys.executable, str(ROOT / "bot.py"), "--console"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=bot.environment,
        cwd=bot.folder,
        encoding="utf-8",
    ) as console:
        assert console.stdin is not None
        console.stdin.write("/ask последний\n")
        console.stdin.close()
        console.stdin = None
        bot.ai.wait(lambda: bot.ai.in_flight)
        threading.Timer(0.5, bot.ai.release).start()
        said, _ = console.communicate(timeout=20)
    assert console.returncode == 0
    assert "Вы спросили: последний" in said
    assert "мс; модель: " in said


# ---- Settings -------------------------------------------------------------------------------


def test_the_env_file_beside_the_program_is_read_from_wherever_it_is_started(new_bot: NewBot) -> None:
    bot = new_bot()
    program = copy_of_the_program(bot.folder / "program")
    bot.settings["ALLOWED_USERS"] = "7"
    path, *given = (f"{name}={value}" for name, value in bot.environment.items() if value)
    (program / ".env").write_text("\n".join(given), encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, str(program / "bot.py")],
        env=dict([path.split("=", 1)]),
        cwd=bot.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert bot.person(7).says("/note_count") == "Заметок: 0."
    finally:
        process.terminate()
        assert process.wait(15) == 0


def test_an_env_file_of_powershell_starts_the_bot_and_a_broken_one_is_told_of(tmp_path: Path) -> None:
    program = copy_of_the_program(tmp_path / "program")

    def said(text: str) -> tuple[int, str]:
        (program / ".env").write_bytes(text.encode("utf-16"))
        done = run_by_hand(program / "bot.py")
        return done.returncode, done.stdout

    assert said("TOKEN=не токен\r\n") == (
        2,
        "Исправьте .env: TOKEN: токен выглядит как 123456:ABC, скопируйте его из BotFather целиком.\n",
    )
    code, sentence = said("TOKEN: 123456:TEST\r\n")
    assert code == 2
    assert str(program / ".env") in sentence
    assert len(sentence.splitlines()) == 1
    asked = run_by_hand(program / "openrouter_client.py", "привет")
    assert (asked.returncode, asked.stderr) == (1, f"Ошибка: {sentence}")


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
def test_telegram_is_reached_through_a_socks_proxy(new_bot: NewBot, scheme: str) -> None:
    bot = new_bot()
    port = int(bot.server.url.rpartition(":")[2])
    url = {"socks5": bot.server.url, "socks5h": "http://telegram.test"}[scheme]
    with SocksServer(port, login="user:password") as socks:
        bot.settings |= {
            "TELEGRAM_API_URL": url,
            "TELEGRAM_PROXY": f"{scheme}://user:password@{socks.address}",
        }
        bot.start()
        assert bot.person().says("/note_count") == "Заметок: 0."
        bot.stop()
    assert set(socks.asked) == {"telegram.test:80" if scheme == "socks5h" else f"127.0.0.1:{port}"}


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("", "это папка"),
        (".", "это папка"),
        ("nowhere/notes.db", "нет папки"),
        ("file/notes.db", "нет папки"),
        ("x" * 300, "такого пути быть не может"),
    ],
)
def test_a_place_where_no_database_can_be_is_told_of_and_nothing_is_left_there(
    new_bot: NewBot, tmp_path: Path, path: str, why: str
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "file").touch()
    bot = new_bot(DB_PATH=str(folder / path))
    bot.launch()
    assert bot.exit_code() == 2
    assert len(bot.log.splitlines()) == 1
    assert f"DB_PATH: {why}" in bot.log
    assert bot.server.calls == []
    assert [*tmp_path.iterdir(), *folder.iterdir()] == [folder, folder / "file"]


# ---- How it is started ----------------------------------------------------------------------


def run_by_hand(
    script: Path, *arguments: str, python: str = sys.executable
) -> subprocess.CompletedProcess[str]:
    """Run a script without any settings in the environment, and return the finished process."""
    return subprocess.run(
        [python, str(script), *arguments],
        env={"PATH": os.environ["PATH"], "PYTHONUTF8": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("key", ["--help", "-h"])
def test_it_tells_how_it_is_started(key: str) -> None:
    done = run_by_hand(ROOT / "bot.py", key)
    assert (done.returncode, done.stderr) == (0, "")
    assert "python bot.py --console" in done.stdout
    assert "usage" not in done.stdout


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (["--consol"], "--console"),
        (["--Console"], "--console"),
        (["console"], "--console"),
        (["-console"], "--console"),
        (["--console", "--hlep"], "--help"),
        (["--хелп"], ""),
        (["token.txt"], ""),
        (["--console=yes"], ""),
    ],
)
def test_a_key_that_is_none_is_told_of(new_bot: NewBot, given: list[str], meant: str) -> None:
    code, said, complaint = WarmProcess(new_bot().environment, ROOT, *given).ended()
    assert (code, said) == (2, "")
    assert len(complaint.splitlines()) == 1
    assert "python bot.py --help" in complaint
    assert (f"Может быть, {meant}?" in complaint) == bool(meant)


def test_without_its_packages_it_says_how_to_start_it(tmp_path: Path) -> None:
    program = copy_of_the_program(tmp_path / "program")
    (program / "telebot.py").write_text("import no_such_package")
    done = run_by_hand(program / "bot.py")
    assert (done.returncode, done.stdout) == (1, "")
    assert "no_such_package" in done.stderr
    assert "make run" in done.stderr
    assert "Traceback" not in done.stderr


def test_ctrl_c_before_it_has_begun_ends_it_without_a_word(tmp_path: Path) -> None:
    program = copy_of_the_program(tmp_path / "program")
    (program / "db.py").write_text("import signal\nsignal.raise_signal(signal.SIGINT)")
    done = run_by_hand(program / "bot.py")
    assert (done.returncode, done.stdout + done.stderr) == (-signal.SIGINT, "")


def test_a_mistake_in_the_program_itself_is_not_taken_for_that(tmp_path: Path) -> None:
    program = copy_of_the_program(tmp_path / "program")
    (program / "db.py").write_text("1 / 0")
    assert "ZeroDivisionError" in run_by_hand(program / "bot.py").stderr


def test_an_older_python_is_told_what_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    for path in (ROOT / "bot.py", ROOT / "starting" / "surroundings.py"):  # an old Python parses both
        ast.parse(path.read_text("utf-8"), feature_version=(3, 8))
    monkeypatch.setattr(sys, "version_info", (3, 10, 12))
    with pytest.raises(SystemExit) as caught:
        surroundings.check()
    assert "Нужен Python 3.11 или новее, а это 3.10." in str(caught.value)


def test_wrong_settings_are_named_all_together_and_nothing_is_begun(cold_bot: NewBot) -> None:
    bot = cold_bot(MAX_TOKENS="много", TIMEZONE="Нарния")
    bot.launch()
    assert bot.exit_code() == 2
    assert "MAX_TOKENS" in bot.log
    assert "TIMEZONE" in bot.log
    assert bot.server.calls == []


def test_a_telegram_that_is_down_at_the_start_is_waited_for(new_bot: NewBot) -> None:
    bot = new_bot()
    bot.server.fail("getMe", "502")
    bot.start()
    assert bot.person().says("/note_count") == "Заметок: 0."
