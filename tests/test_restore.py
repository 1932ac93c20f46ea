"""Restoring a copy: the old file is kept, and a file that is not the bot's copy changes nothing."""

import gzip
import os
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from db import Database
from migrations import VERSION, claim
from upkeep.backup import back_up, folder_of
from upkeep.findings import Finding
from upkeep.restore import restore
from upkeep.upgrade import copy_before_upgrade

NOW = datetime(2026, 11, 26, 12, 30, 5, tzinfo=UTC)
KEPT = "notes-before-restore-2026-11-26-123005.db"
COURSE = """
    CREATE TABLE models (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, label TEXT NOT NULL,
        active INTEGER NOT NULL DEFAULT 0);
    INSERT INTO models VALUES (1, 'openrouter/free', 'Любая', 1);
    CREATE TABLE notes (id INTEGER PRIMARY KEY, user_id INTEGER, text TEXT, created_at TEXT);
    INSERT INTO notes VALUES (1, 1, 'с курса', '2024-03-07 12:00:00');
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A database with the note «старая», which is in the copy, and the newer note «новая»."""
    path = tmp_path / "notes.db"
    write(path, "старая")
    back_up(path, NOW)
    write(path, "новая")
    return path


@pytest.fixture
def copy(file: Path) -> Path:
    return next(folder_of(file).iterdir())


def write(path: Path, text: str) -> None:
    with closing(Database(path)) as database:
        database.add_note(1, text, created_at=1, source=text)


def texts(path: Path) -> list[str]:
    with closing(Database(path)) as database:
        return [note.text for note in reversed(database.list_notes(1))]


def is_as_it_was(file: Path) -> bool:
    """Return whether the database has both notes, and no new file is next to it."""
    beside = {path.name for path in file.parent.iterdir()} - {"notes.db.lock", "backups", "copy"}
    return beside == {"notes.db"} and texts(file) == ["старая", "новая"]


def test_a_copy_takes_the_place_of_the_database_and_that_is_kept(file: Path, copy: Path) -> None:
    said = restore(copy, file, NOW)
    assert said.ok
    assert texts(file) == ["старая"]
    assert KEPT in said.text
    assert texts(file.with_name(KEPT)) == ["старая", "новая"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert copy.exists()


def test_the_kept_one_can_be_put_back_in_its_turn(file: Path, copy: Path) -> None:
    restore(copy, file, NOW)
    assert restore(file.with_name(KEPT), file, NOW.replace(second=6)).ok
    assert texts(file) == ["старая", "новая"]


def test_a_packed_copy_is_unpacked(file: Path, copy: Path) -> None:
    packed = file.with_name("copy")
    packed.write_bytes(gzip.compress(copy.read_bytes()))
    assert restore(packed, file, NOW).ok
    assert texts(file) == ["старая"]


def test_where_there_is_no_database_the_copy_becomes_it(file: Path, copy: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.db"
    said = restore(copy, elsewhere, NOW)
    assert said.ok
    assert "Прежнего файла не было" in said.text
    assert texts(elsewhere) == ["старая"]


def test_what_a_killed_bot_left_in_its_log_stays_with_the_file_that_it_belongs_to(
    file: Path, copy: Path
) -> None:
    with closing(Database(file)) as database:  # still open, as after kill -9
        database.add_note(1, "в журнале", created_at=1, source="x")
        assert restore(copy, file, NOW).ok
    assert texts(file) == ["старая"]
    assert texts(file.with_name(KEPT)) == ["старая", "новая", "в журнале"]


def test_a_damaged_database_is_kept_as_it_is_with_its_log(file: Path, copy: Path) -> None:
    file.write_bytes(b"no database")
    file.with_name("notes.db-wal").write_bytes(b"its log")
    assert restore(copy, file, NOW).ok
    assert texts(file) == ["старая"]
    assert file.with_name(KEPT).read_bytes() == b"no database"
    assert file.with_name(f"{KEPT}-wal").read_bytes() == b"its log"


def test_a_file_of_the_course_becomes_todays(file: Path) -> None:
    course = file.with_name("copy")
    with closing(sqlite3.connect(course)) as conn:
        conn.executescript(COURSE)
    assert restore(course, file, NOW).ok
    assert texts(file) == ["с курса"]


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root makes files for others"
)
def test_what_root_puts_back_or_copies_belongs_to_whom_the_folder_belongs_to(tmp_path: Path) -> None:
    os.chown(tmp_path, 10001, 10001)
    file = tmp_path / "notes.db"
    write(file, "мысль")
    restore(back_up(file, NOW), file, NOW)
    everything = [file, file.with_name("notes.db.lock"), folder_of(file), *folder_of(file).iterdir()]
    assert {path.stat().st_uid for path in everything} == {10001}


# ---- Refused files --------------------------------------------------------------------------


def newer(path: Path, copy: Path) -> None:
    path.write_bytes(copy.read_bytes())
    with closing(sqlite3.connect(path)) as conn:
        conn.execute(f"PRAGMA user_version = {VERSION + 1}")


def of_another_program(path: Path, _: Path) -> None:
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("CREATE TABLE messages (id INTEGER PRIMARY KEY)")


def with_tables_of_other_shapes(path: Path, _: Path) -> None:
    with closing(sqlite3.connect(path)) as conn:
        conn.executescript("CREATE TABLE notes (a); CREATE TABLE models (b);")


def cut_short(path: Path, copy: Path) -> None:
    path.write_bytes(copy.read_bytes()[:-4096])


def packed_and_cut_short(path: Path, copy: Path) -> None:
    path.write_bytes(gzip.compress(copy.read_bytes())[:-100])


REFUSED: dict[str, tuple[Callable[[Path, Path], object], str]] = {
    "newer": (newer, "более новой версией"),
    "another program's": (of_another_program, "другой программы"),
    "other shapes": (with_tables_of_other_shapes, "другой программы"),
    "cut short": (cut_short, "повреждён"),
    "packed and cut short": (packed_and_cut_short, "повреждён"),
    "packed nonsense": (lambda path, _: path.write_bytes(b"\x1f\x8b nonsense"), "повреждён"),
    "no database": (lambda path, _: path.write_text("заметки " * 1000), "не база данных"),
    "empty": (lambda path, _: path.touch(), "другой программы"),
    "a folder": (lambda path, _: path.mkdir(), "такого файла нет"),
    "not there": (lambda _, __: None, "такого файла нет"),
}


@pytest.mark.parametrize("what", list(REFUSED))
def test_anything_else_is_refused_in_words_and_changes_nothing(file: Path, copy: Path, what: str) -> None:
    make, words = REFUSED[what]
    wrong = file.with_name("copy")
    make(wrong, copy)
    said = restore(wrong, file, NOW)
    assert not said.ok
    assert words in said.text
    assert said.text.endswith("База осталась как была.")
    assert is_as_it_was(file)


def test_while_the_bot_runs_nothing_is_put_back(file: Path, copy: Path) -> None:
    with closing(claim(file)):
        said = restore(copy, file, NOW)
    assert not said.ok
    assert "другая копия бота" in said.text
    assert is_as_it_was(file)


def test_a_finding_shows_how_it_is() -> None:
    assert (str(Finding(True, "так")), str(Finding(False, "не так"))) == ("✔ так", "✖ не так")


# ---- A new version on an old file -----------------------------------------------------------


def test_a_file_of_an_older_version_is_copied_before_it_is_changed(tmp_path: Path) -> None:
    file = tmp_path / "notes.db"
    with closing(sqlite3.connect(file)) as conn:
        conn.executescript(COURSE)
    kept = copy_before_upgrade(file, NOW)
    assert kept == tmp_path / "backups" / "notes-version-0-2026-11-26.db"
    with closing(sqlite3.connect(kept)) as conn:
        assert conn.execute("SELECT text FROM notes").fetchall() == [("с курса",)]
        assert conn.execute("PRAGMA user_version").fetchone() == (0,)


def test_a_file_of_today_and_a_new_one_are_not(file: Path, tmp_path: Path) -> None:
    before = list(folder_of(file).iterdir())
    assert copy_before_upgrade(file, NOW) is None
    assert copy_before_upgrade(tmp_path / "new.db", NOW) is None
    empty = tmp_path / "empty.db"
    empty.touch()
    assert copy_before_upgrade(empty, NOW) is None
    assert list(folder_of(file).iterdir()) == before
