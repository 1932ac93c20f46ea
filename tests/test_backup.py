"""A copy each night while the bot works: valid, private, and the right number of them kept."""

import gzip
import os
import random
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db import Database
from support.harness import Harness, Person
from support.turning_clock import TurningClock
from upkeep.backup import DamagedError, back_up, folder_of, kept
from upkeep.nightly import copy_each_night
from upkeep.packing import packed

OWNER_ID = 1
GROUP = -1001
MOSCOW = ZoneInfo("Europe/Moscow")
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
MONDAY = date(2026, 11, 2)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A database with one note."""
    path = tmp_path / "notes.db"
    with closing(Database(path)) as database:
        add(database, "мысль")
    return path


def add(database: Database, text: str) -> None:
    database.add_note(OWNER_ID, text, created_at=1, source=text)


def texts(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as conn:
        assert conn.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return [text for (text,) in conn.execute("SELECT text FROM notes ORDER BY user_id, number")]


def names(path: Path) -> list[str]:
    """Return the names of all files in the backup folder."""
    return sorted(found.name for found in folder_of(path).iterdir())


# ---- One copy -------------------------------------------------------------------------------


def test_a_copy_of_a_bot_at_work_has_what_was_just_written(file: Path) -> None:
    with closing(Database(file)) as database:
        add(database, "ещё в журнале SQLite")
        assert file.with_name("notes.db-wal").stat().st_size > 0
        copy = back_up(file, NOON)
        add(database, "после копии")
    assert copy == file.parent / "backups" / "notes-2026-11-26.db"
    assert texts(copy) == ["мысль", "ещё в журнале SQLite"]
    assert names(file) == [copy.name]  # no -wal or -journal file next to it


def test_a_copy_can_be_read_by_its_owner_alone(file: Path) -> None:
    before = os.umask(0)
    try:
        copy = back_up(file, NOON)
    finally:
        os.umask(before)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert stat.S_IMODE(copy.parent.stat().st_mode) == 0o700


def test_a_later_copy_of_the_same_day_takes_the_place_of_the_first(file: Path) -> None:
    back_up(file, NOON)
    with closing(Database(file)) as database:
        add(database, "вечер")
    assert texts(back_up(file, NOON + timedelta(hours=9))) == ["мысль", "вечер"]
    assert len(names(file)) == 1


def test_what_is_written_before_the_night_ends_belongs_to_the_day_before(file: Path) -> None:
    assert back_up(file, datetime(2026, 11, 27, 3, 59, tzinfo=UTC)).name == "notes-2026-11-26.db"
    assert back_up(file, datetime(2026, 11, 27, 4, 0, tzinfo=UTC)).name == "notes-2026-11-27.db"


def damage(path: Path) -> None:
    """Overwrite every page after the first with random bytes."""
    content = bytearray(path.read_bytes())
    content[4096:] = random.Random(0).randbytes(len(content) - 4096)
    path.write_bytes(content)


def test_a_damaged_file_does_not_take_the_place_of_a_sound_copy(file: Path) -> None:
    copy = back_up(file, NOON)
    damage(file)
    with pytest.raises(sqlite3.DatabaseError):
        back_up(file, NOON)
    assert texts(copy) == ["мысль"]
    assert names(file) == [copy.name]


def test_a_file_that_only_the_check_finds_damaged_is_not_copied(file: Path) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as conn:
        conn.execute("PRAGMA writable_schema = ON")  # an index without the table's rows
        conn.execute("CREATE TABLE t (a)")
        conn.execute("INSERT INTO t VALUES (1)")
        conn.execute(
            "INSERT INTO sqlite_master SELECT 'index', 'i', 't', rootpage + 0, 'CREATE INDEX i ON t (a)'"
            " FROM sqlite_master WHERE name = 'ix_notes_user_created'"
        )
    with pytest.raises(DamagedError):
        back_up(file, NOON)
    assert names(file) == []


def test_what_a_power_cut_left_half_written_is_swept_up_a_day_later(file: Path) -> None:
    back_up(file, NOON)
    old, young = folder_of(file) / ".notes-2026-11-01.db.ab.part", folder_of(file) / ".notes.db.cd.part"
    for part in (old, young):
        part.touch()
    os.utime(old, (1, 1))
    back_up(file, NOON)
    assert names(file) == [young.name, "notes-2026-11-26.db"]


def test_a_stranger_s_file_among_the_copies_stays(file: Path) -> None:
    folder_of(file).mkdir()
    for name in ("notes-2020-01-01.txt", "other-2020-01-01.db", "notes-version-1-2020-01-01.db"):
        (folder_of(file) / name).touch()
    back_up(file, NOON)
    assert len(names(file)) == 4


# ---- How many are kept ----------------------------------------------------------------------


def a_night_each(days: list[date]) -> set[date]:
    """Return the days whose copies are left after a copy each night."""
    there: set[date] = set()
    for day in days:
        there = kept({*there, day}, day)
    return there


def test_after_a_year_there_are_seven_days_and_four_weeks() -> None:
    wednesday = MONDAY + timedelta(days=366)
    there = sorted(a_night_each([MONDAY + timedelta(days=n) for n in range(367)]), reverse=True)
    assert there[:7] == [wednesday - timedelta(days=n) for n in range(7)]
    assert [(wednesday - day).days for day in there[7:]] == [7, 10, 17, 24]  # last week's, then Sundays


@given(st.lists(st.booleans(), min_size=1, max_size=120))
def test_however_often_the_machine_sleeps_every_week_of_the_last_four_has_a_copy(nights: list[bool]) -> None:
    awake = [MONDAY + timedelta(days=n) for n, is_awake in enumerate(nights) if is_awake]
    there = a_night_each(awake)
    assert len(there) <= 11
    assert set(awake[-7:]) <= there
    weeks = list(dict.fromkeys(day.isocalendar()[:2] for day in reversed(awake)))
    assert {day.isocalendar()[:2] for day in there} >= set(weeks[:4])


def test_a_copy_from_a_day_to_come_counts_for_nothing_and_is_not_deleted() -> None:
    days = {MONDAY + timedelta(days=n) for n in range(7)}
    to_come = {date(2036, 1, 1) + timedelta(days=n) for n in range(20)}
    assert kept(days | to_come, MONDAY + timedelta(days=6)) == days | to_come


# ---- Each night -----------------------------------------------------------------------------


def nights(file: Path, clock: TurningClock) -> list[str]:
    """Run the nightly copies by a clock, and return the names of the copies."""
    copy_each_night(file, clock.now, clock)  # type: ignore[arg-type]  # all that it needs of an Event
    return names(file)


def test_three_nights_are_three_copies(file: Path) -> None:
    start = datetime(2026, 11, 24, 5, tzinfo=MOSCOW)
    clock = TurningClock(start, start + timedelta(days=2, hours=1), MOSCOW)
    assert nights(file, clock) == [f"notes-2026-11-{day}.db" for day in (24, 25, 26)]


def test_a_night_that_was_slept_through_is_made_up_for(file: Path) -> None:
    start = datetime(2026, 11, 24, 23, tzinfo=MOSCOW)
    asleep = datetime(2026, 11, 25, 1, tzinfo=MOSCOW), datetime(2026, 11, 26, 14, tzinfo=MOSCOW)
    clock = TurningClock(start, asleep[1] + timedelta(minutes=5), MOSCOW, (asleep,))
    assert nights(file, clock) == ["notes-2026-11-24.db", "notes-2026-11-26.db"]


def test_a_machine_that_is_awake_after_midnight_only_has_its_copies_too(file: Path) -> None:
    start = datetime(2026, 11, 24, 0, 30, tzinfo=MOSCOW)
    asleep = start + timedelta(hours=2), start + timedelta(days=1)
    clock = TurningClock(start, start + timedelta(days=1, hours=2), MOSCOW, (asleep,))
    assert nights(file, clock) == ["notes-2026-11-23.db", "notes-2026-11-24.db"]


def test_a_clock_that_is_set_back_or_changed_twice_a_year_makes_no_day_twice(file: Path) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    start = datetime(2026, 3, 28, 5, tzinfo=berlin)  # the hour from 2 to 3 is skipped on the 29th
    back = datetime(2026, 3, 29, 4, 30, tzinfo=berlin), datetime(2026, 3, 29, 3, 15, tzinfo=berlin)
    clock = TurningClock(start, datetime(2026, 3, 30, 5, tzinfo=berlin), berlin, (back,))
    assert nights(file, clock) == [f"notes-2026-03-{day}.db" for day in (28, 29, 30)]
    start = datetime(2026, 10, 24, 5, tzinfo=berlin)  # the hour from 2 to 3 comes twice on the 25th
    clock = TurningClock(start, datetime(2026, 10, 26, 5, tzinfo=berlin), berlin)
    assert nights(file, clock)[-3:] == [f"notes-2026-10-{day}.db" for day in (24, 25, 26)]


def test_a_bot_that_dies_within_a_minute_makes_no_copy(file: Path) -> None:
    copy_each_night(file, lambda: NOON, TurningClock(NOON, NOON + timedelta(seconds=59)))  # type: ignore[arg-type]
    assert not folder_of(file).exists()


def test_trouble_is_logged_each_hour_and_over_as_soon_as_it_is(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder_of(file).write_text("a file where the folder belongs")
    clock = TurningClock(NOON, NOON + timedelta(hours=3))
    copy_each_night(file, clock.now, clock)  # type: ignore[arg-type]
    assert [record.levelname for record in caplog.records] == ["ERROR"] * 3
    assert "Копия базы не сделана" in caplog.text
    folder_of(file).unlink()
    assert len(nights(file, TurningClock(NOON, NOON + timedelta(hours=1)))) == 1


def test_on_a_full_disk_nothing_half_written_is_left(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    resource = pytest.importorskip("resource", reason="Windows has no such limit")
    copy = back_up(file, NOON - timedelta(days=1))
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, most))
    try:
        assert nights(file, TurningClock(NOON, NOON + timedelta(minutes=2))) == [copy.name]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    assert "Копия базы не сделана: " in caplog.text
    assert "диск" in caplog.text
    assert texts(copy) == ["мысль"]


# ---- Compressed -----------------------------------------------------------------------------


def test_what_fits_is_sent_as_it_is_and_what_does_not_is_packed(tmp_path: Path) -> None:
    file = tmp_path / "notes.db"
    file.write_bytes(b"a" * 5000)
    assert packed(file, 5000) == ("notes.db", b"a" * 5000)
    name, content = packed(file, 4999) or ("", b"")
    assert name == "notes.db.gz"
    assert gzip.decompress(content) == b"a" * 5000


def test_what_is_too_large_even_when_packed_is_not_sent(tmp_path: Path) -> None:
    file = tmp_path / "notes.db"
    file.write_bytes(random.Random(0).randbytes(5000))
    assert packed(file, 4999) is None


# ---- /backup --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def owned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """A bot of owner 1 and guest 2."""
    with Harness(tmp_path_factory.mktemp("owned"), ALLOWED_USERS="1,2") as bot:
        yield bot.start()


def last_words(bot: Harness, person: Person) -> str:
    """Return the text of the bot's last text message; a document may follow it."""
    return [str(message["text"]) for message in bot.server.messages(person.id) if "text" in message][-1]


def test_the_owner_gets_a_copy_that_is_made_at_once(owned: Harness, tmp_path: Path) -> None:
    owner, guest = owned.person(1), owned.person(2)
    owner.says("/note_add моя")
    guest.says("/note_add чужая")
    assert owner.says("/backup") == "Делаю копию…"
    owned.wait(lambda: "--restore" in last_words(owned, owner))
    sent = owned.server.documents[-1]
    assert sent.chat_id == owner.id
    assert last_words(owned, owner).endswith(f"python bot.py --restore {sent.name}")
    (tmp_path / sent.name).write_bytes(sent.data)
    assert set(texts(tmp_path / sent.name)) == {"моя", "чужая"}
    assert (owned.folder / "backups" / sent.name).read_bytes() == sent.data


def test_nobody_else_gets_one(owned: Harness) -> None:
    before = len(owned.server.documents)
    assert owned.person(2).says("/backup") == "Это может только владелец бота."
    assert len(owned.server.documents) == before


def test_the_owner_gets_none_in_a_group(owned: Harness) -> None:
    before = len(owned.server.documents)
    assert "личном чате" in owned.person(1).says("/backup", chat_id=GROUP)
    owned.person(1).says("/note_count")
    assert len(owned.server.documents) == before


def test_where_everybody_may_manage_nobody_gets_one(bot: Harness, anna: Person) -> None:
    assert anna.says("/backup") == "Это может только владелец бота."
    anna.says("/note_count")
    assert bot.server.documents == []


def grown(bot: Harness, megabytes: int, *, random_bytes: bool) -> Harness:
    """Add a table of this size to the file, and start the bot."""
    with closing(Database(bot.db_path)):
        pass
    chunk = random.Random(0).randbytes(2**20) if random_bytes else bytes(2**20)
    with closing(sqlite3.connect(bot.db_path)) as conn, conn:
        conn.execute("CREATE TABLE ballast (data BLOB)")
        conn.executemany("INSERT INTO ballast VALUES (?)", [(chunk,)] * megabytes)
    return bot.start()


def test_a_file_too_large_for_telegram_is_packed(tmp_path: Path) -> None:
    with Harness(tmp_path, ALLOWED_USERS="1") as bot:
        owner = grown(bot, 52, random_bytes=False).person(1)
        owner.says("/backup")
        bot.wait(lambda: ".db.gz" in last_words(bot, owner))
        sent = bot.server.documents[-1]
        assert gzip.decompress(sent.data) == next((bot.folder / "backups").iterdir()).read_bytes()


def test_of_a_file_that_no_packing_makes_small_enough_it_says_where_the_copy_lies(tmp_path: Path) -> None:
    with Harness(tmp_path, ALLOWED_USERS="1") as bot:
        owner = grown(bot, 52, random_bytes=True).person(1)
        owner.says("/backup")
        bot.wait(lambda: "слишком велика" in last_words(bot, owner))
        assert str(bot.folder / "backups") in last_words(bot, owner)
        assert bot.server.documents == []
