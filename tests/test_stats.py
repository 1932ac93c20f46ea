"""/note_stats: bars that fit a phone's screen, and the last year as a picture."""

import io
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from conftest import FAR_EAST
from pictures.heatmap import first_day, heatmap, level
from support.harness import Harness, Message, Person

NOON = datetime(2026, 3, 8, 12, 0, tzinfo=ZoneInfo(FAR_EAST))  # a Sunday
LINE = re.compile(r"(\d\d\.\d\d(?:\d\d\d\d)?|\d\d\.\d{4}) +(\d+)(?: (█+))?")


def add(person: Person, when: datetime, times: int = 1, text: str = "мысль") -> None:
    for _ in range(times):
        person.says(f"/note_add {text}", date=int(when.timestamp()))


def bars(person: Person, command: str, now: datetime = NOON) -> tuple[str, dict[str, int]]:
    """Return the first line, and the number of notes for each bar's label."""
    text = person.says(command, date=int(now.timestamp()))
    found = [match for line in text.split("\n") if (match := LINE.fullmatch(line))]
    return text.split("\n")[0], {match[1]: int(match[2]) for match in found}


def picture(person: Person, bot: Harness) -> Message:
    """Return the newest picture that a person received."""
    return bot.wait(lambda: [m for m in bot.server.messages(person.id) if "photo" in m], 30)[-1]


def test_the_courses_seven_days_are_as_they_were(anna: Person) -> None:
    add(anna, NOON - timedelta(days=1), times=3)
    add(anna, NOON)
    assert anna.says("/note_stats", date=int(NOON.timestamp())) == (
        "02.03    0\n03.03    0\n04.03    0\n05.03    0\n06.03    0\n"
        f"07.03    3 {'█' * 20}\n08.03    1 {'█' * 7}\nВсего: 4"
    )


def test_more_than_a_month_goes_by_week_and_more_than_seven_by_month(anna: Person) -> None:
    add(anna, NOON - timedelta(days=3), times=2)  # Thursday, in the week that starts on the 2nd
    add(anna, NOON - timedelta(days=100))
    head, weeks = bars(anna, "/note_stats 32")
    assert head == "По неделям, с понедельника:"
    assert list(weeks.items()) == [("02.02", 0), ("09.02", 0), ("16.02", 0), ("23.02", 0), ("02.03", 2)]
    head, months = bars(anna, "/note_stats 365")
    assert head == "По месяцам:"
    assert (len(months), months["11.2025"], months["03.2026"]) == (13, 1, 2)


@pytest.mark.parametrize("days", [1, 7, 31, 32, 210, 211, 365])
def test_the_bars_fit_a_phone(anna: Person, days: int) -> None:
    add(anna, NOON)
    lines = anna.says(f"/note_stats {days}", date=int(NOON.timestamp())).split("\n")
    assert len(lines) <= 33
    assert max(map(len, lines)) <= 33


def test_tags_of_any_length_leave_the_picture_its_caption(bot: Harness, anna: Person) -> None:
    for letter in "абвгд":
        anna.says(f"/note_add #{letter * 255}")
    anna.says("/note_stats")
    assert f"#{'а' * 50}" in picture(anna, bot)["caption"]


def test_the_picture_comes_with_total_streak_hour_and_tags(bot: Harness, anna: Person) -> None:
    for day in (0, 1, 3):
        add(anna, NOON - timedelta(days=day), text="#дом мысль")
    add(anna, NOON, text="#работа и #дом")
    anna.says("/note_stats", date=int(NOON.timestamp()))
    shown = picture(anna, bot)
    assert shown["caption"] == (
        "Всего заметок: 4\nДней подряд: 2\nЧаще всего: 12:00–13:00\nТеги: #дом 4, #работа 1"
    )
    with Image.open(io.BytesIO(bot.server.files[shown["photo"][-1]["file_id"]].data)) as image:
        assert image.format == "PNG"


def test_without_notes_there_is_no_picture(bot: Harness, anna: Person) -> None:
    assert anna.says("/note_stats").endswith("Всего: 0")
    anna.says("/note_count")
    assert bot.server.calls_of("sendPhoto", anna.id) == []


TODAY = date(2026, 3, 8)


def colours(png: bytes) -> set[object]:
    with Image.open(io.BytesIO(png)) as image:
        return {colour for _, colour in image.convert("RGB").getcolors(2**24) or ()}


def test_the_darkest_square_is_the_busiest_day() -> None:
    empty, one = heatmap({}, TODAY), heatmap({TODAY: 1}, TODAY)
    busy = (0x21, 0x6E, 0x39)
    assert busy not in colours(empty)
    assert busy in colours(one)
    with Image.open(io.BytesIO(one)) as image:
        width, height = image.size
        right_bottom = image.getpixel((width - 30, height - 30))  # a Sunday: the last square
    assert right_bottom == busy


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_day_with_notes_is_never_as_pale_as_one_without(count: int, more: int) -> None:
    shade = level(count, count + more)
    assert (shade == 0) == (count == 0)
    assert shade <= level(count + more, count + more) <= 4


@given(st.dates(date(1980, 1, 1), date(2100, 1, 1)))
def test_the_picture_begins_more_than_a_year_ago_on_a_monday(today: date) -> None:
    assert first_day(today).weekday() == 0
    assert 365 < (today - first_day(today)).days < 54 * 7


def test_a_picture_takes_little_time_and_room() -> None:
    busy = {TODAY - timedelta(days=n): n % 50 for n in range(378)}
    heatmap(busy, TODAY)
    started = time.process_time()
    assert len(heatmap(busy, TODAY)) < 50_000
    assert time.process_time() - started < 5


def memory_mb() -> float:
    return int(re.findall(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text())[0]) / 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the memory is read from /proc")
def test_pictures_asked_for_at_once_leave_no_memory_taken_in_each_thread() -> None:
    heatmap({}, TODAY)
    before, together = memory_mb(), threading.Barrier(16)

    def draw(_: int) -> bytes:
        together.wait(60)
        return heatmap({}, TODAY)

    with ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(draw, range(16)))) == 1
        assert memory_mb() - before < 12  # 25 to 35 if each thread draws
