"""The disk is full, the file is locked, or it is no database: the bot says so, and nothing is lost."""

import os
import resource
import shutil
import signal
import sqlite3
import stat
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

import support.openrouter_replies as replies
from db import Database
from support.harness import FOOTER, Harness, Person

pytestmark = pytest.mark.usefixtures("telegrams_pace")
NewBot = Callable[..., Harness]
BUSY = "база данных занята другой программой. Закройте её"
NOT_LOST = "Сообщение не потеряно, отвечу, как только смогу."


def texts(bot: Harness, person: Person) -> list[str]:
    return [str(message.get("text", "")) for message in bot.server.messages(person.id)]


def sql(path: Path, statement: str) -> list[Any]:
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        return conn.execute(statement).fetchall()


def is_sound(path: Path) -> bool:
    return sql(path, "PRAGMA integrity_check") == [("ok",)]


@contextmanager
def locked(path: Path) -> Iterator[Callable[[], object]]:
    """Prevent all writes by others until the yielded function is called."""
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as conn:
        conn.execute("BEGIN EXCLUSIVE")
        yield lambda: conn.execute("ROLLBACK")


needs_limits = pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="Linux alone limits others")


def full_disk(bot: Harness, *, full: bool) -> None:
    """Make writes beyond a file's first 4096 bytes fail, or succeed again."""
    assert bot.process
    _, most = resource.prlimit(bot.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(bot.process.pid, resource.RLIMIT_FSIZE, (4096 if full else most, most))


# ---- While the bot runs ---------------------------------------------------------------------


def test_a_command_waits_for_a_file_that_is_locked_for_seconds(new_bot: NewBot) -> None:
    bot = new_bot().start()
    anna = bot.person()
    bot.wait(lambda: bot.server.updates.polled)
    with locked(bot.db_path) as unlock:
        asked = bot.server.say("/note_add мысль", user_id=anna.id)
        told = bot.wait(lambda: texts(bot, anna))
        unlock()
        assert bot.reply_to(asked)["text"] == told[0]
        bot.wait(lambda: len(texts(bot, anna)) == 2)
    assert told == [f"Не получилось: {BUSY}. {NOT_LOST}"]
    assert texts(bot, anna)[1] == "Заметка #1 сохранена."
    assert anna.says("/note_count") == "Заметок: 1."
    bot.wait(lambda: "занята другой программой" in bot.log)


def test_who_has_an_answer_already_hears_nothing_of_a_locked_file(new_bot: NewBot) -> None:
    bot = new_bot().start()
    anna, boris = bot.person(), bot.person()
    bot.ai.hold()
    bot.server.say("/ask что", user_id=boris.id)
    bot.wait(lambda: bot.ai.in_flight)
    bot.server.fail("sendMessage", "hang", chat_id=anna.id, hold_s=0.5)
    bot.server.say("/note_count", user_id=anna.id)
    bot.wait(lambda: texts(bot, anna))
    with locked(bot.db_path):  # after the answer, before the journal records it
        bot.wait(lambda: "занята другой программой" in bot.log)
        bot.ai.release()
    bot.wait(lambda: FOOTER.search(texts(bot, boris)[0]))
    bot.wait(lambda: sql(bot.db_path, "SELECT DISTINCT state FROM updates") == [("done",)])
    assert texts(bot, anna) == ["Заметок: 0."]
    assert len(texts(bot, boris)) == 1


@needs_limits
def test_a_full_disk_is_said_and_everything_goes_on_when_there_is_room(new_bot: NewBot) -> None:
    bot = new_bot().start()
    anna, boris = bot.person(), bot.person()
    for number in range(1, 4):
        assert anna.says(f"/note_add {'до ' * 300}") == f"Заметка #{number} сохранена."
    full_disk(bot, full=True)
    first = bot.server.say(f"/note_add {'мысль ' * 300}", user_id=anna.id)
    bot.wait(lambda: "Не получилось: " in texts(bot, anna)[-1])
    assert "диск" in texts(bot, anna)[-1]
    assert texts(bot, anna)[-1].endswith(NOT_LOST)
    second = bot.server.say("/note_add другая", user_id=boris.id)
    assert is_sound(bot.db_path)
    full_disk(bot, full=False)
    bot.wait(lambda: texts(bot, anna)[-1] == "Заметка #4 сохранена.")
    bot.wait(lambda: "Заметка #1 сохранена." in texts(bot, boris))
    assert anna.says("/note_count") == "Заметок: 4."
    assert boris.says("/note_count") == "Заметок: 1."
    assert is_sound(bot.db_path)
    # At most once when received and once when handled, however many attempts.
    assert sum("Не получилось" in text for text in texts(bot, anna)) <= 2
    for message in (first, second):
        assert bot.server.replies_to(message["chat"]["id"], message["message_id"])


@needs_limits
def test_trouble_that_comes_back_is_said_again(new_bot: NewBot) -> None:
    bot = new_bot().start()
    anna = bot.person()
    for _ in range(3):
        anna.says(f"/note_add {'до ' * 300}")
    for number in (4, 5):
        before = len(texts(bot, anna))
        full_disk(bot, full=True)
        bot.server.say(f"/note_add {'мысль ' * 300}", user_id=anna.id)
        bot.wait(lambda: any("Не получилось: " in text for text in texts(bot, anna)[before:]))  # noqa: B023
        full_disk(bot, full=False)
        bot.wait(lambda: texts(bot, anna)[-1] == f"Заметка #{number} сохранена.")  # noqa: B023
        anna.says("/note_count")


@needs_limits
def test_an_answer_that_ends_while_the_disk_is_full_is_there_afterwards(new_bot: NewBot) -> None:
    bot = new_bot().start()
    anna = bot.person()
    for _ in range(3):
        anna.says(f"/note_add {'до ' * 300}")
    bot.ai.hold()
    bot.server.say("/ask что", user_id=anna.id)
    bot.wait(lambda: bot.ai.in_flight)
    full_disk(bot, full=True)
    bot.ai.release()
    bot.wait(lambda: "диск" in bot.log)
    full_disk(bot, full=False)
    bot.wait(lambda: FOOTER.search(texts(bot, anna)[-1]))
    assert bot.stop() < 5
    assert sql(bot.db_path, "SELECT DISTINCT state FROM updates") == [("done",)]


@needs_limits
def test_a_kill_on_a_full_disk_loses_nothing(new_bot: NewBot) -> None:
    bot = new_bot().start()
    anna = bot.person()
    for _ in range(3):
        anna.says(f"/note_add {'до ' * 300}")
    full_disk(bot, full=True)
    bot.server.say("/note_add мысль", user_id=anna.id)
    bot.wait(lambda: "Не получилось: " in texts(bot, anna)[-1])
    bot.kill()
    assert is_sound(bot.db_path)
    bot.start()
    bot.wait(lambda: texts(bot, anna)[-1] == "Заметка #4 сохранена.")
    assert anna.says("/note_count") == "Заметок: 4."


def root_does(command: str, *arguments: str | Path) -> bool:
    """Run a command as root, and return whether it succeeded; False without root rights."""
    found = shutil.which(command)
    return bool(
        found and os.geteuid() == 0 and not subprocess.call([found, *arguments], stderr=subprocess.DEVNULL)
    )


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of half a megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if not root_does("mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", folder):
        pytest.skip("only root may mount a small disk, and not everywhere")
    try:
        yield folder
    finally:
        assert root_does("umount", "-l", folder)


def test_no_room_on_the_disk_is_said_as_such(new_bot: NewBot, small_disk: Path) -> None:
    bot = new_bot(DB_PATH=str(small_disk / "notes.db")).start()
    anna = bot.person()
    anna.says("/note_add раз")
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    for number in range(100):
        asked = bot.server.say(f"/note_add {number} {'много ' * 600}", user_id=anna.id)
        if bot.reply_to(asked)["text"].startswith("Не получилось"):
            break
    assert texts(bot, anna)[-1] == (
        f"Не получилось: на диске нет места. Освободите место на диске с базой. {NOT_LOST}"
    )
    filler.unlink()
    bot.wait(lambda: texts(bot, anna)[-1].startswith("Заметка #"))
    saved = sql(small_disk / "notes.db", "SELECT count(*), count(DISTINCT text) FROM notes")
    assert saved == [(number + 2, number + 2)]
    assert bot.stop() < 5
    assert is_sound(small_disk / "notes.db")


# ---- At the start ---------------------------------------------------------------------------


def refused(bot: Harness, *words: str) -> None:
    """Start the bot, and assert one line of explanation, exit code 1, and an unchanged file."""
    before = bot.db_path.read_bytes() if bot.db_path.is_file() else None
    bot.launch()
    assert bot.exit_code() == 1
    said = [line for line in bot.log.splitlines() if "Не могу начать" in line]
    assert len(said) == 1
    assert all(word in said[0] for word in (str(bot.db_path), *words)), said
    assert "Traceback" not in bot.log
    assert before == (bot.db_path.read_bytes() if bot.db_path.is_file() else None)
    assert bot.server.calls == []


def test_a_file_that_is_no_database_is_left_alone(new_bot: NewBot) -> None:
    bot = new_bot()
    bot.db_path.write_text("Это мой дневник, а не база данных.\n" * 100, "utf-8")
    refused(bot, "не база данных", "DB_PATH")


def test_a_file_of_a_newer_version_is_left_alone(new_bot: NewBot) -> None:
    bot = new_bot()
    sql(bot.db_path, "CREATE TABLE notes (text)")
    sql(bot.db_path, "PRAGMA user_version = 99")
    refused(bot, "более новой версией", "Обновите")


def test_a_damaged_file_is_left_alone(new_bot: NewBot) -> None:
    bot = new_bot().start()
    bot.person().says("/note_add мысль")
    bot.stop()
    with bot.db_path.open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 8000)
    bot.server.calls.clear()
    refused(bot, "повреждён")


def test_a_folder_is_no_file(new_bot: NewBot) -> None:
    bot = new_bot()
    bot.db_path.mkdir()
    bot.launch()
    assert bot.exit_code() == 2  # detected with the settings
    assert "DB_PATH" in bot.log
    assert list(bot.db_path.iterdir()) == []


def test_a_folder_that_does_not_exist_is_named(new_bot: NewBot) -> None:
    bot = new_bot()
    bot.settings["DB_PATH"] = str(bot.folder / "nowhere" / "notes.db")
    bot.launch()
    assert bot.exit_code() == 2  # detected with the settings
    assert "nowhere" in bot.log
    assert "DB_PATH" in bot.log


@contextmanager
def unchangeable(path: Path) -> Iterator[None]:
    """Protect a file from changes even by root; skip the test where that is impossible."""
    path.chmod(stat.S_IRUSR)
    if not root_does("chattr", "+i", path) and os.access(path, os.W_OK):
        pytest.skip("root may write everywhere, and chattr does not work here")
    try:
        yield
    finally:
        root_does("chattr", "-i", path)
        path.chmod(stat.S_IRUSR | stat.S_IWUSR)


def test_a_file_that_may_not_be_written_is_left_alone(new_bot: NewBot) -> None:
    bot = new_bot().start()
    bot.person().says("/note_add мысль")
    bot.stop()
    bot.server.calls.clear()
    with unchangeable(bot.db_path):
        refused(bot, "прав")


def test_a_file_that_somebody_locks_is_left_alone(new_bot: NewBot) -> None:
    bot = new_bot()
    sql(bot.db_path, "CREATE TABLE things (name)")
    with locked(bot.db_path):
        bot.launch()
        assert bot.exit_code() == 1
    assert BUSY in bot.log
    assert sql(bot.db_path, "SELECT name FROM sqlite_schema") == [("things",)]


def test_the_first_of_two_copies_goes_on(new_bot: NewBot, tmp_path: Path) -> None:
    first = new_bot().start()
    with Harness(tmp_path) as second:
        refused(second, "другая копия")
    assert first.person().says("/note_add мысль") == "Заметка #1 сохранена."
    first.process.send_signal(signal.SIGKILL)  # type: ignore[union-attr]
    first.exit_code()
    first.start()  # a killed bot's lock is free
    assert first.person().says("/note_count") == "Заметок: 0."


# ---- The file disappears while the bot runs ------------------------------------------------------


def replaced_by_nothing(path: Path) -> None:
    path.unlink()


def replaced_by_another(path: Path) -> None:
    other = path.with_name("other.db")
    Database(other).close()
    other.replace(path)


def replaced_by_a_copy_of_itself(path: Path) -> None:
    copy = path.with_name("copy.db")
    shutil.copy(path, copy)
    copy.replace(path)


@pytest.mark.parametrize("replace", [replaced_by_nothing, replaced_by_another, replaced_by_a_copy_of_itself])
def test_nothing_is_called_saved_in_a_file_that_is_gone(
    new_bot: NewBot, replace: Callable[[Path], None]
) -> None:
    bot = new_bot().start()
    anna = bot.person()
    anna.says("/note_add первая")
    replace(bot.db_path)
    for journal in bot.folder.glob("notes.db-*"):
        journal.unlink()
    said = bot.server.say("/note_add вторая", user_id=anna.id)
    assert "удалён или заменён" in bot.reply_to(said)["text"]
    assert bot.exit_code() == 1
    assert "Traceback" not in bot.log
    bot.start()
    bot.wait(lambda: len(bot.server.replies_to(anna.id, said["message_id"])) == 2)
    assert "сохранена" in bot.server.replies_to(anna.id, said["message_id"])[-1]["text"]
    assert "вторая" in anna.says("/note_list")


def test_a_question_that_is_being_answered_then_says_so_too(new_bot: NewBot) -> None:
    bot = new_bot().start()
    anna = bot.person()
    bot.answers["долго"] = replies.stream("слово ", "конец", hold_after=1)
    message = anna.asks("/ask долго")
    bot.wait(lambda: bot.server.find(anna.id, message["message_id"])["text"] == "слово")
    replaced_by_nothing(bot.db_path)
    bot.ai.release()
    bot.wait(lambda: "удалён или заменён" in bot.server.find(anna.id, message["message_id"])["text"])
    bot.server.say("/note_count", user_id=anna.id)
    assert bot.exit_code() == 1
    assert "Traceback" not in bot.log
