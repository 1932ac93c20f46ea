"""The options of `python bot.py` that look after the database, as a person or a watchdog uses them."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from db import Database
from support.harness import Harness
from support.program import run
from upkeep.health import BEAT_S, SICK_S, Pulse, health

NewBot = Callable[..., Harness]


def last_poll(path: Path) -> list[int]:
    with closing(sqlite3.connect(path)) as conn:
        return [int(value) for (value,) in conn.execute("SELECT value FROM facts WHERE name = 'last_poll'")]


# ---- --health -------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Database]:
    with closing(Database(tmp_path / "notes.db")) as database:
        yield database


def test_a_bot_that_polls_is_well_and_asks_nobody_about_it(new_bot: NewBot) -> None:
    bot = new_bot().start()
    bot.person().says("/note_count")
    bot.wait(lambda: last_poll(bot.db_path))
    code, said = run(bot, "--health")
    assert (code, said[0]) == (0, "✔")
    assert len(bot.server.calls_of("getMe")) == 1  # the bot's own call at startup


def test_without_a_file_or_a_poll_it_is_not_and_no_file_is_made(new_bot: NewBot) -> None:
    bot = new_bot()
    code, said = run(bot, "--health")
    assert (code, said[0]) == (1, "✖")
    assert not bot.db_path.exists()
    Database(bot.db_path).close()
    assert run(bot, "--health")[0] == 1


@pytest.mark.parametrize(
    ("age", "ok"), [(0, True), (SICK_S, True), (SICK_S + 1, False), (-SICK_S - 1, False)]
)
def test_the_age_of_the_last_poll_decides(file: Database, age: int, ok: bool) -> None:
    Pulse(file).beat()
    assert health(file.path, last_poll(file.path)[0] + age).ok is ok


def test_an_idle_bot_writes_once_a_minute(file: Database) -> None:
    now = [100.0]
    pulse = Pulse(file, clock=lambda: now[0])

    def writes() -> bool:
        """Return whether a heartbeat writes to the file."""
        with file.write() as conn:
            conn.execute("DELETE FROM facts")
        pulse.beat()
        return bool(last_poll(file.path))

    assert writes()
    now[0] += BEAT_S - 1
    assert not writes()
    now[0] += 1
    assert writes()


def test_a_clock_that_was_set_back_is_noticed_at_the_next_beat(
    file: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    pulse = Pulse(file, clock=lambda: now[0])
    real = time.time()
    monkeypatch.setattr(time, "time", lambda: real + 3600)
    pulse.beat()
    assert not health(file.path, real).ok
    monkeypatch.setattr(time, "time", lambda: real)
    now[0] += BEAT_S
    pulse.beat()
    assert health(file.path, real).ok


# ---- --backup and --restore -----------------------------------------------------------------


def test_a_copy_made_beside_the_running_bot_can_be_put_back_when_it_has_stopped(new_bot: NewBot) -> None:
    bot = new_bot().start()
    anna = bot.person()
    anna.says("/note_add старая")
    code, said = run(bot, "--backup")
    assert code == 0
    copy = said.split(": ", 1)[1].strip()
    anna.says("/note_add новая")
    code, said = run(bot, "--restore", copy)
    assert code == 1
    assert "другая копия бота" in said
    bot.stop()
    code, said = run(bot, "--restore", copy)
    assert (code, said[0]) == (0, "✔")
    bot.start()
    assert anna.says("/note_count") == "Заметок: 1."
    assert "старая" in anna.says("/note_list")


def test_what_cannot_be_copied_is_said(new_bot: NewBot) -> None:
    bot = new_bot()
    bot.db_path.write_text("no database")
    code, said = run(bot, "--backup")
    assert code == 1
    assert "не сделана" in said


def test_where_there_is_no_file_yet_there_is_nothing_to_copy(new_bot: NewBot) -> None:
    bot = new_bot()
    assert run(bot, "--backup")[0] == 0
    assert not bot.db_path.exists()


def test_two_of_the_keys_at_once_are_refused(new_bot: NewBot) -> None:
    bot = new_bot()
    bot.launch("--health", "--backup")
    assert bot.exit_code() == 2


def test_the_start_on_an_older_file_lays_a_copy_of_it_aside(new_bot: NewBot) -> None:
    bot = new_bot()
    with closing(sqlite3.connect(bot.db_path)) as conn:
        conn.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, user_id INTEGER, text TEXT)")
    bot.start()
    bot.wait(lambda: "notes-version-0-" in bot.log)
    assert len(list((bot.folder / "backups").iterdir())) == 1
