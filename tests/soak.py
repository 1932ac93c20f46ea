"""Kills the bot with -9 at random moments under load, and counts what is lost.

    python tests/soak.py --kills 100 --seed 1

Many people write notes, change and delete them, ask the model and switch it; Telegram fails at random
meanwhile. What the notebook must hold in the end is known from what was said: each chat is answered in
order, and every command has its effect exactly once, however often its update was taken up. Exits with 1
if a note is lost or doubled, an edit or deletion did not hold, or anything has no answer.
"""

import argparse
import random
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bot_api.failures import Kind
from harness import Harness, Message  # found from the folder above
from openrouter_replies import Call, status, stream

PEOPLE = 30
FAILURES: dict[Kind, float] = {
    "reset": 0.02, "reset_after": 0.02, "429": 0.01, "500": 0.02, "502": 0.02, "invalid_json": 0.01,
    "hang": 0.01,
}  # fmt: skip
READING = ("/note_list", "/note_count", "/models", "/note_find мысль", "/model 5", "/model 1")
ENDS = (" мс; модель: ", "Ошибка: [", "Уже отвечаю")
FINISH_S = 120


@dataclass(slots=True)
class Diary:
    """What one person has said, and the notes that must come of it."""

    user_id: int
    notes: dict[int, str] = field(default_factory=dict)  # number -> text
    written: int = 0
    said: list[Message] = field(default_factory=list)

    def next_line(self, rng: random.Random) -> str:
        """Make up a command and note what it must bring about."""
        kind = rng.choices(["add", "edit", "del", "ask", "read"], [8, 2, 2, 3, 2])[0]
        if kind == "ask":
            return f"/ask вопрос {rng.random()}"
        if kind == "read" or (kind != "add" and not self.notes):
            return rng.choice(
                ["/note_list", "/note_count", "/models", "/note_find мысль", "/model 5", "/model 1"]
            )
        if kind == "add":
            self.written += 1
            self.notes[self.written] = f"мысль {rng.random()}"
            return f"/note_add {self.notes[self.written]}"
        number = rng.choice(sorted(self.notes))
        if kind == "del":
            del self.notes[number]
            return f"/note_del {number}"
        self.notes[number] = f"иначе {rng.random()}"
        return f"/note_edit {number} {self.notes[number]}"


class Soak:
    """One run: a bot, its people, and the chance that strikes both."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.rng = random.Random(seed)
        self.bot = Harness(folder, STOP_TIMEOUT="5", ASK_TIMEOUT="20")
        self.people = [Diary(1001 + n) for n in range(PEOPLE)]

    def run(self, kills: int) -> dict[str, float]:
        """Kill the bot that many times, let it finish in peace, and return the tally."""
        started = time.monotonic()
        with self.bot as bot:
            bot.ai.always(self._answer)
            bot.server.chaos(self.rng, FAILURES, retry_after=1, hold_s=1.0)
            for number in range(kills):
                bot.launch()
                self._talk(self.rng.uniform(0.35, 1.2))
                bot.kill()
                if number % 10 == 9:
                    print(f"{number + 1} kills, {self._sent()} updates", flush=True)
            bot.server.heal()
            bot.launch()
            self._await_all_answers()
            bot.stop()
            return self._tally() | {"seconds": round(time.monotonic() - started)}

    def _answer(self, call: Call) -> None:
        rng = random.Random(call.request.question)  # the same for a question that is asked again
        words = [f"слово{n} " for n in range(rng.randint(1, 30))]
        behaviour = status(503) if rng.random() < 0.1 else stream(*words, delay=rng.uniform(0, 0.05))
        behaviour(call)

    def _talk(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            person = self.rng.choice(self.people)
            person.said.append(self.bot.server.say(person.next_line(self.rng), user_id=person.user_id))
            time.sleep(0.02)  # the pace of the load, not a wait for anything

    def _sent(self) -> int:
        return sum(len(person.said) for person in self.people)

    # The end

    def _unanswered(self) -> list[Message]:
        return [
            message for person in self.people for message in person.said if not self._is_answered(message)
        ]

    def _is_answered(self, message: Message) -> bool:
        replies = self.bot.server.replies_to(message["chat"]["id"], message["message_id"])
        if not message["text"].startswith("/ask"):
            return bool(replies)
        return any(end in reply.get("text", "") for reply in replies for end in ENDS)

    def _await_all_answers(self) -> None:
        deadline = time.monotonic() + FINISH_S
        with self.bot.server.changed:
            while self._unanswered() and time.monotonic() < deadline:
                self.bot.server.changed.wait(0.5)

    def _tally(self) -> dict[str, float]:
        with closing(sqlite3.connect(self.bot.db_path)) as conn:
            found = [self._compare(conn, person) for person in self.people]
            new = conn.execute("SELECT count(*) FROM updates WHERE state != 'done'").fetchone()[0]
            sound = conn.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
            active = conn.execute("SELECT count(*) FROM models WHERE active").fetchone()[0]
        replies = {
            message["message_id"]: self.bot.server.replies_to(message["chat"]["id"], message["message_id"])
            for person in self.people
            for message in person.said
            if message["text"].startswith("/ask")
        }
        return {
            "updates sent": self._sent(),
            "updates answered": self._sent() - len(self._unanswered()),
            "left in the journal": new,
            "notes written": sum(person.written for person in self.people),
            "notes lost": sum(lost for lost, _, _ in found),
            "notes doubled": sum(doubled for _, doubled, _ in found),
            "edits and deletions that did not hold": sum(wrong for _, _, wrong in found),
            "file is damaged": int(not sound),
            "active models besides one": abs(active - 1),
            "questions": len(replies),
            # A kill, or a connection cut, between «⏳» in the chat and its number in the journal.
            "questions begun twice": sum(len(messages) > 1 for messages in replies.values()),
        }

    def _compare(self, conn: sqlite3.Connection, person: Diary) -> tuple[int, int, int]:
        """Return how many notes of a person are lost, doubled, and not as they must be."""
        rows = conn.execute(
            "SELECT number, text, deleted_at FROM notes WHERE user_id = ? ORDER BY number", (person.user_id,)
        ).fetchall()
        lost = len(set(range(1, person.written + 1)) - {number for number, _, _ in rows})
        alive = {number: text for number, text, deleted_at in rows if deleted_at is None}
        wrong = sum(alive.get(n) != person.notes.get(n) for n in alive.keys() | person.notes.keys())
        return lost, max(0, len(rows) - person.written), wrong


MUST_BE_NONE = (
    "left in the journal", "notes lost", "notes doubled", "edits and deletions that did not hold",
    "file is damaged", "active models besides one",
)  # fmt: skip


def failures(tally: dict[str, float]) -> list[str]:
    """Return what must not be and is."""
    wrong = [name for name in MUST_BE_NONE if tally[name]]
    return wrong + ["unanswered"] * (tally["updates answered"] != tally["updates sent"])


def main() -> int:
    """Run it as the arguments say, print the table, and return the exit code."""
    parser = argparse.ArgumentParser(description="Kill the bot under load, and count what is lost.")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        tally = Soak(Path(folder), arguments.seed).run(arguments.kills)
    for name, count in tally.items():
        print(f"{name:<40} {count:>8}")
    wrong = failures(tally)
    print("FAILED: " + ", ".join(wrong) if wrong else "Nothing is lost.")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
