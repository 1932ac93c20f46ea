"""A year of the bot without maintenance, in an hour or less.

    python tests/year.py --updates 100000 --seed 1

`python bot.py` runs under a clock that this script moves, evening by evening. Each month half of the free
models vanish, others appear, and one begins to cost. The active model vanishes on a random day, hours before
the list shows it. On some days the model service is down, or the daily limit is used up. After a quiet week
Telegram's update numbers restart lower; one night the machine sleeps; once the clock is set back an hour; and
daylight saving time begins and ends. A hundred people keep writing all the while.

Exits with 1 if something was not answered, a note is wrong, a night has no backup, the statistics count a
note on a wrong day, or the file or memory grows without bound.
"""

import argparse
import random
import re
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from support import under_a_clock
from support.harness import ROOT, Harness, Message  # needs the path set above
from support.openrouter_replies import Call, Json, answer, daily_cap, model_entry, status
from support.tally import table
from support.under_a_clock import TurnedClock

ZONE = ZoneInfo("Europe/Berlin")
START = datetime(2027, 1, 4, 23, 0, tzinfo=ZONE)  # so late that an hour's shift changes the date
DAYS, MONTH = 365, 30
PEOPLE = range(1, 101)
MODELS = 12
QUIET = range(101, 110)  # days without messages
ASLEEP, SET_BACK = 200, 230
CHANGES = (date(2027, 3, 28), date(2027, 10, 31))
OUT_OF_ORDER, USED_UP = (57, 190, 301), (33, 150, 280)
ANSWERED = re.compile(r"\n\n\(\d+ мс; модель: [^)]+\)\Z|Ошибка: \[\d+\] |Уже отвечаю")
WAIT_S = 120


class Market:
    """The models of the service, free and paid, as they change over the year."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._born = 0
        self.free: list[str] = []
        self.paid: list[str] = []
        self.in_order, self.used_up = True, False
        self._come(MODELS)

    def turn_over(self) -> None:
        """Drop half of the free models, make one of the others paid, and fill up with new ones."""
        self.free = self._rng.sample(self.free, len(self.free) // 2)
        self.paid = [*self.paid[-3:], self.free.pop()]
        self._come(MODELS - len(self.free))

    def listed(self) -> list[Json]:
        """Return the data of GET /models."""
        return [model_entry(key, key) for key in self.free] + [
            model_entry(key, key, price="0.000001") for key in self.paid
        ]

    def answer(self, call: Call) -> None:
        """Answer a question."""
        model = call.request.body["model"]
        if not self.in_order:
            status(502)(call)
        elif self.used_up:
            daily_cap(round(time.time() * 1000) + 3_600_000)(call)
        elif model not in self.free:
            status(404, f"No endpoints found for {model}.")(call)
        else:
            answer(f"Вы спросили: {call.request.question}")(call)

    def _come(self, many: int) -> None:
        self.free += [f"maker/model-{self._born + n}:free" for n in range(many)]
        self._born += many


@dataclass(slots=True)
class Diary:
    """A person's notes: number -> text, and number -> time of writing (seconds since 1970)."""

    user_id: int
    notes: dict[int, str] = field(default_factory=dict)
    written_at: dict[int, int] = field(default_factory=dict)  # including deleted notes

    def next_line(self, rng: random.Random, now: int, kind: str = "") -> str:
        """Return a random command (of `kind` if given), and record its expected effect."""
        kind = kind or rng.choices(["add", "edit", "del", "ask", "read"], [8, 1, 1, 2, 2])[0]
        if kind == "ask":
            return f"/ask вопрос {rng.random()}"
        if kind == "read" or (kind != "add" and not self.notes):
            return rng.choice(
                ["/note_list", "/note_count", "/models", f"/note_find {rng.random():.2}", "/usage"]
            )
        if kind == "add":
            number = len(self.written_at) + 1
            self.written_at[number], self.notes[number] = now, f"мысль {rng.random()}"
            return f"/note_add {self.notes[number]}"
        number = rng.choice(list(self.notes)[-50:])
        if kind == "del":
            del self.notes[number]
            return f"/note_del {number}"
        self.notes[number] = f"иначе {rng.random()}"
        return f"/note_edit {number} {self.notes[number]}"


class Year:
    """One run: a bot under a moved clock, its people, and the year's events."""

    def __init__(self, folder: Path, seed: int, updates: int) -> None:
        self.rng = random.Random(seed)
        self.market = Market(self.rng)
        self.people = [Diary(user_id) for user_id in PEOPLE]
        self.clock = TurnedClock(folder / "clock", START)
        everybody = ",".join(map(str, PEOPLE))
        self.bot = Harness(folder, TIMEZONE=ZONE.key, ALLOWED_USERS=everybody, ASK_TIMEOUT="60")
        self.sent = self.unanswered = self.questions = self.told_why = 0
        self.copies_missing = self.wrong_days = 0
        self._a_day = max(1, round(updates / (DAYS - len(QUIET))))
        self._killed_on = {month * MONTH + self.rng.randrange(1, MONTH) for month in range(DAYS // MONTH)}
        self._days = self._most_copies = 0

    def run(self) -> dict[str, float]:
        """Run the year (less after a failure), and return the tally."""
        began = time.monotonic()
        with self.bot as bot:
            bot.ai.always(self.market.answer)
            proxy = bot.ai.base_url.removesuffix("/api/v1")
            bot.settings |= {"OPENROUTER_BASE_URL": "http://openrouter.ai/api/v1", "OPENROUTER_PROXY": proxy}
            bot.ai.models = self.market.listed()
            self._launch()
            self._talk(len(PEOPLE))
            rss = self._rss_mb()
            for day in range(DAYS):
                self._pass_a_day(day)
                if self.unanswered or self.copies_missing:
                    break  # each further day would wait for its timeout
                if day % MONTH == MONTH - 1:
                    print(
                        f"{day + 1} days, {self.sent} updates, {time.monotonic() - began:.0f} s", flush=True
                    )
            figures = {
                "MB of memory at the start": rss,
                "MB of memory at the end": self._rss_mb(),
                "pages of /models": self._pages_of_models(),
            }
            bot.stop()
            with closing(sqlite3.connect(bot.db_path)) as conn:
                return self._tally(conn) | figures | {"seconds": round(time.monotonic() - began)}

    def _launch(self) -> None:
        self.bot.launch(str(self.clock_file), str(ROOT / "bot.py"), script=Path(str(under_a_clock.__file__)))
        self.bot.wait(lambda: self.bot.server.calls_of("deleteWebhook"), WAIT_S)
        assert self._comes(self._list_is_read), self.bot.log

    @property
    def clock_file(self) -> Path:
        return self.bot.folder / "clock"

    # A day

    def _pass_a_day(self, day: int) -> None:
        self._days += 1
        self._meet(day)
        if day in QUIET:
            if day == QUIET[-1]:
                self.bot.server.updates.next_id = self.rng.randrange(1_000, 50_000)
        else:
            self._talk(self._a_day)
            copies = len(list((self.bot.folder / "backups").glob("*.db")))
            self._most_copies = max(self._most_copies, copies)
        if day == SET_BACK:
            self.clock.set_wall(-1)
            self._talk(self._a_day)
        if self._today in {change + timedelta(n) for change in CHANGES for n in (0, 1, 5)}:
            self.clock.forward(1.5)  # half past midnight
            self._talk(self._a_day)
            self._look_at_statistics()
        self._night(day)

    @property
    def _all_is_well(self) -> bool:
        return self.market.in_order and not self.market.used_up and self._active() in self.market.free

    def _meet(self, day: int) -> None:
        """Apply the day's changes to the models."""
        self.market.in_order, self.market.used_up = day not in OUT_OF_ORDER, day in USED_UP
        if day % MONTH == 0 and day:
            self.market.turn_over()
        elif day in self._killed_on and (active := self._active()) in self.market.free:
            self.market.free.remove(active)  # before any list shows it
        self.bot.ai.models = self.market.listed()

    def _night(self, day: int) -> None:
        """Go on to the next evening, and count the night's backup if it is missing."""
        awake = self.rng.uniform(0.1, 1)
        if day == ASLEEP:
            self._sleep(22 - awake)
        else:
            self.clock.forward(22 - awake)
        self.clock.forward(awake)
        self._await_copy()
        self._to_the_evening()

    def _sleep(self, hours: float) -> None:
        """Suspend the machine: its monotonic clock stops, too."""
        process = self.bot.process
        assert process
        process.send_signal(signal.SIGSTOP)
        self.clock.set_wall(hours)
        process.send_signal(signal.SIGCONT)

    def _to_the_evening(self) -> None:
        """Go on to 23:00 local time, also across a change of daylight saving time."""
        now = datetime.fromtimestamp(self.clock.time, ZONE)
        evening = now.replace(hour=23, minute=0, second=0)
        hours = (evening.astimezone(UTC) - now.astimezone(UTC)).total_seconds() / 3600
        if hours > 0:
            self.clock.forward(hours)

    @property
    def _today(self) -> date:
        return datetime.fromtimestamp(self.clock.time, ZONE).date()

    def _await_copy(self) -> None:
        """Wait for the backup of the day that began at 4:00, and count it if it is missing."""
        day = (datetime.fromtimestamp(self.clock.time, ZONE) - timedelta(hours=4)).date()
        folder = self.bot.folder / "backups"
        self.copies_missing += not self._comes(lambda: (folder / f"notes-{day}.db").exists())

    def _comes(self, condition: Callable[[], bool]) -> bool:
        """Return whether the condition becomes true within WAIT_S; the bot's clock may advance minutes."""
        deadline = time.monotonic() + WAIT_S
        while not condition() and time.monotonic() < deadline:
            if not _soon(condition):
                self.clock.forward(1 / 60)
        return condition()

    # Talking

    def _talk(self, many: int) -> None:
        """Say `many` things as random people, and wait until all are answered.

        While the models do not answer, the first of them is a question.
        """
        said: list[Message] = []
        for _ in range(many):
            diary, now = self.rng.choice(self.people), int(self.clock.time)
            line = diary.next_line(self.rng, now, "" if said or self._all_is_well else "ask")
            said.append(self.bot.server.say(line, user_id=diary.user_id, date=now))
        self.sent += many
        with self.bot.server.changed:
            self.bot.server.changed.wait_for(lambda: all(map(self._answer_to, said)), WAIT_S)
        answers = [(message, self._answer_to(message)) for message in said]
        self.unanswered += sum(not found for _, found in answers)
        asked = [found for message, found in answers if message["text"].startswith("/ask")]
        self.questions += len(asked)
        self.told_why += sum("Ошибка: [" in found for found in asked)

    def _answer_to(self, message: Message) -> str:
        """Return the finished answer, "" if there is none yet."""
        replies = self.bot.server.replies_to(message["chat"]["id"], message["message_id"])
        text = str(replies[0]["text"]) if replies else ""
        if message["text"].startswith("/ask"):
            return text if ANSWERED.search(text) else ""
        return "" if text.endswith("узнаю…") else text

    def _look_at_statistics(self) -> None:
        """Compare the last week's statistics with the notes of the five people who wrote last."""
        for diary in sorted(self.people, key=lambda one: max(one.written_at.values(), default=0))[-5:]:
            now = int(self.clock.time)
            message = self.bot.server.say("/note_stats 7", user_id=diary.user_id, date=now)
            text = self.bot.reply_to(message, WAIT_S)["text"]
            days = Counter(_day(diary.written_at[number]) for number in diary.notes)
            week = [self._today - timedelta(n) for n in range(7)]
            told = {
                name: int(count) for name, count in re.findall(r"^(\d\d\.\d\d) +(\d+)", text, re.MULTILINE)
            }
            self.wrong_days += sum(told.get(f"{day:%d.%m}") != days[day] for day in week)
            self.sent += 1

    def _pages_of_models(self) -> int:
        message = self.bot.ask_bot("/models", date=int(self.clock.time))
        turning = re.search(r"2 из (\d+)", str(message.get("reply_markup")))
        return int(turning[1]) if turning else 1

    # What the file and the process show

    def _list_is_read(self) -> bool:
        return self._active() in self.market.free

    def _active(self) -> str:
        with closing(sqlite3.connect(self.bot.db_path)) as conn:
            row = conn.execute("SELECT key FROM models WHERE active").fetchone()
        return str(row[0]) if row else ""

    def _rss_mb(self) -> float:
        assert self.bot.process
        told = Path(f"/proc/{self.bot.process.pid}/status")
        if not told.exists():
            return 0.0
        return round(int(re.findall(r"VmRSS:\s+(\d+)", told.read_text())[0]) / 1024, 1)

    def _tally(self, conn: sqlite3.Connection) -> dict[str, float]:
        return {
            "days": self._days,
            "updates": self.sent,
            "unanswered": self.unanswered,
            "questions": self.questions,
            "questions told why there is no answer": self.told_why,
            "notes written": sum(len(diary.written_at) for diary in self.people),
            "notes deleted": sum(len(diary.written_at) - len(diary.notes) for diary in self.people),
            "notes in the bin": _count(conn, "notes WHERE deleted_at IS NOT NULL"),
            "notes that are not as they must be": sum(_wrong(conn, diary) for diary in self.people),
            "days wrong in the statistics": self.wrong_days,
            "nights without a copy": self.copies_missing,
            "copies kept at most": self._most_copies,
            "file is damaged": int(conn.execute("PRAGMA integrity_check").fetchone()[0] != "ok"),
            "MB of the file": round(self.bot.db_path.stat().st_size / 2**20, 1),
            "rows of the journal": _count(conn, "updates"),
            "rows of the journal not done": _count(conn, "updates WHERE state != 'done'"),
            "rows of models": _count(conn, "models"),
            "rows of attempts": _count(conn, "attempts"),
            "tracebacks": self.bot.log.count("Traceback"),
        }


def _soon(condition: Callable[[], bool]) -> bool:
    """Return whether the condition becomes true within half a second."""
    deadline = time.monotonic() + 0.5
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return condition()


def _day(at: int) -> date:
    return datetime.fromtimestamp(at, ZONE).date()


def _wrong(conn: sqlite3.Connection, diary: Diary) -> int:
    """Return how many of a person's notes are lost, unexpected, changed, or have the wrong time.

    Deleted notes stay in the bin for a while, so they may be there or not.
    """
    rows = conn.execute(
        "SELECT number, text, created_at, deleted_at IS NULL FROM notes WHERE user_id = ?", (diary.user_id,)
    ).fetchall()
    alive = {number: text for number, text, _, is_alive in rows if is_alive}
    wrong = [n for n in alive.keys() | diary.notes.keys() if alive.get(n) != diary.notes.get(n)]
    wrong += [number for number, _, at, _ in rows if at != diary.written_at.get(number)]
    return len(set(wrong))


def _count(conn: sqlite3.Connection, what: str) -> int:
    return int(conn.execute(f"SELECT count(*) FROM {what}").fetchone()[0])


MUST_BE_NONE = (
    "unanswered", "notes that are not as they must be", "days wrong in the statistics",
    "nights without a copy", "file is damaged", "rows of the journal not done", "tracebacks",
)  # fmt: skip


def bounds(updates: float) -> dict[str, float]:
    """Return the upper limits after that many updates in a year."""
    return {
        "copies kept at most": 11,
        "MB of the file": 3 + updates / 1000,  # 1 kB per update: notes and conversations stay
        "rows of the journal": 200 + 4 * updates / DAYS,
        "rows of attempts": 1000 + 2 * updates / 12,
        "rows of models": 200,
        "pages of /models": 3,
        "MB of memory at the end": 150,
    }


def failures(tally: dict[str, float]) -> list[str]:
    """Return the names of the checks that failed."""
    limits = bounds(tally["updates"])
    return [name for name in MUST_BE_NONE if tally[name]] + [
        name for name, most in limits.items() if tally[name] > most
    ]


def main() -> int:
    """Run with the command line's options, print the table, and return the exit code."""
    parser = argparse.ArgumentParser(description="A year of the bot without a hand.")
    parser.add_argument("--updates", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        tally = Year(Path(folder), arguments.seed, arguments.updates).run()
    wrong = failures(tally)
    print(table(tally, wrong, "A year without a hand."))
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
