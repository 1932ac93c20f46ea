"""Kill the bot with -9 at random moments under load, and count what is lost.

    python tests/soak.py --kills 100 --seed 1

Many people write, edit and delete notes, press buttons, ask the model and switch it, while Telegram fails at
random. The expected notes follow from what was said: each chat is answered in order, and every command takes
effect exactly once, however often its update was delivered. Exits with 1 if a note is lost or doubled, an
edit or deletion is missing, anything has no answer, or «⏳» remains in a message whose number the bot has
stored.
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
from support.harness import Harness, Message  # needs the path set above
from support.openrouter_replies import Call, chunk, error_body, events, status, stream
from support.tally import table

PEOPLE = 30
FAILURES: dict[Kind, float] = {
    "reset": 0.02, "reset_after": 0.02, "429": 0.01, "500": 0.02, "502": 0.02, "invalid_json": 0.01,
    "hang": 0.01,
}  # fmt: skip
READING = (
    "/note_list", "/note_count", "/models", "/note_find мысль", "/model 5", "/model 1", "/note_export",
)  # fmt: skip
TOO_MANY = "Уже отвечаю"
ENDS = (" мс; модель: ", "Ошибка: [", TOO_MANY)  # nobody presses «Стоп»
LIST = "Доступные модели:"
FINISH_S = 120


@dataclass(frozen=True, slots=True)
class Said:
    """A person's message, or a press of a button under one of the bot's."""

    update_id: int
    message: Message
    pressed: bool = False

    @property
    def is_question(self) -> bool:
        return not self.pressed and self.message["text"].startswith("/ask")


@dataclass(slots=True)
class Diary:
    """What one person has said, and the notes that must result."""

    user_id: int
    notes: dict[int, str] = field(default_factory=dict)  # number -> text
    written: int = 0
    said: list[Said] = field(default_factory=list)

    def next_line(self, rng: random.Random) -> str:
        """Return a random command, and record its expected effect."""
        kind = rng.choices(["add", "edit", "del", "ask", "read"], [8, 2, 2, 3, 2])[0]
        if kind == "ask":
            return f"/ask вопрос {rng.random()}"
        if kind == "read" or (kind != "add" and not self.notes):
            return rng.choice(READING)
        if kind == "add":
            self.written += 1
            self.notes[self.written] = f"мысль {rng.random()}"
            return f"{rng.choice(['/note_add ', ''])}{self.notes[self.written]}"
        number = rng.choice(sorted(self.notes))
        if kind == "del":
            del self.notes[number]
            return f"/note_del {number}"
        self.notes[number] = f"иначе {rng.random()}"
        return f"/note_edit {number} {self.notes[number]}"


class Soak:
    """One run: a bot, its people, and random failures."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.rng = random.Random(seed)
        self.bot = Harness(folder, STOP_TIMEOUT="5", ASK_TIMEOUT="20")
        self.people = [Diary(1001 + n) for n in range(PEOPLE)]

    def run(self, kills: int) -> dict[str, float]:
        """Kill the bot `kills` times, let it finish undisturbed, and return the tally."""
        started = time.monotonic()
        with self.bot as bot:
            bot.ai.always(self._answer)
            bot.server.chaos(self.rng, FAILURES, retry_after=1, hold_s=1.0)
            for number in range(kills):
                bot.launch()
                self._talk(self.rng.uniform(0.35, 1.2))
                bot.kill()
                if number % 10 == 9:
                    print(f"{number + 1} kills, {len(self._said())} updates", flush=True)
            bot.server.heal()
            bot.launch()
            self._await_the_end()
            bot.stop()
            with closing(sqlite3.connect(bot.db_path)) as conn:
                return self._tally(conn) | {"seconds": round(time.monotonic() - started)}

    def _answer(self, call: Call) -> None:
        rng = random.Random(call.request.question)  # a repeated question gets the same answer
        words = [f"слово{n} " for n in range(rng.randint(1, 30))]
        flow = stream(*words, delay=rng.uniform(0, 0.05))
        long = stream("длинно " * 600, *words)  # needs a second message
        broken = events(chunk("начало "), error_body(502))
        rng.choices([flow, long, broken, status(503)], [7, 1, 1, 1])[0](call)

    # Talking

    def _talk(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            person = self.rng.choice(self.people)
            person.said.append(self._press(person) if self.rng.random() < 0.05 else self._say(person))
            time.sleep(0.02)  # limits the load, waits for nothing

    def _say(self, person: Diary) -> Said:
        server, line = self.bot.server, person.next_line(self.rng)
        return Said(server.updates.next_id, server.say(line, user_id=person.user_id))

    def _press(self, person: Diary) -> Said:
        """Press a button under a list of models; say something if there is none."""
        server = self.bot.server
        shown = [m for m in server.messages(person.user_id) if m.get("text", "").startswith(LIST)]
        if not shown:
            return self._say(person)
        message, data = self.rng.choice(shown), self.rng.choice(["use:1.3", "use:1.4", "page:1"])
        said = Said(server.updates.next_id, message, pressed=True)
        server.press(person.user_id, message["message_id"], user_id=person.user_id, data=data)
        return said

    def _said(self) -> list[Said]:
        return [said for person in self.people for said in person.said]

    # The end

    def _await_the_end(self) -> None:
        deadline = time.monotonic() + FINISH_S
        with self.bot.server.changed, closing(sqlite3.connect(self.bot.db_path)) as conn:
            while (self.bot.server.pending or _waiting(conn)) and time.monotonic() < deadline:
                self.bot.server.changed.wait(0.5)

    def _tally(self, conn: sqlite3.Connection) -> dict[str, float]:
        known = {
            update_id: [int(number) for number in numbers.split(",") if number]
            for update_id, numbers in conn.execute("SELECT update_id, answer_ids FROM updates")
        }
        compared = [self._compare(conn, person) for person in self.people]
        said = self._said()
        questions = [one for one in said if one.is_question]
        return {
            "updates sent": len(said),
            "updates answered": sum(self._is_answered(one, known) for one in said),
            "left in the journal": _waiting(conn),
            "put aside": _count(conn, "FROM updates WHERE state = 'parked'"),
            "notes expected": sum(person.written for person in self.people),
            "notes found": sum(found for found, *_ in compared),
            "notes lost": sum(lost for _, lost, *_ in compared),
            "notes doubled": sum(doubled for *_, doubled, _ in compared),
            "edits and deletions that did not hold": sum(wrong for *_, wrong in compared),
            "file is damaged": int(conn.execute("PRAGMA integrity_check").fetchone()[0] != "ok"),
            "active models besides one": abs(_count(conn, "FROM models WHERE active") - 1),
            "questions": len(questions),
            "questions too many": sum(self._says(one, TOO_MANY) for one in questions),
            "answered where they began": sum(self._ended(one, known) for one in questions),
            "⏳ standing in known messages": sum(self._stands(one, known) for one in questions),
            # After a kill or a cut connection between sending a message and storing its number.
            "⏳ standing in unknown messages": sum(self._says(one, "⏳") for one in questions),
        }

    def _replies(self, said: Said) -> list[Message]:
        return self.bot.server.replies_to(said.message["chat"]["id"], said.message["message_id"])

    def _is_answered(self, said: Said, known: dict[int, list[int]]) -> bool:
        if said.pressed:  # the notice may get lost; being handled is enough
            return said.update_id in known
        if not said.is_question:
            return bool(self._replies(said))
        return any(self._says(said, end) for end in ENDS) or self._ended(said, known)

    def _says(self, said: Said, fragment: str) -> bool:
        return any(fragment in reply["text"] for reply in self._replies(said))

    def _ended(self, said: Said, known: dict[int, list[int]]) -> bool:
        """Return whether the last message that the journal knows contains the end of an answer."""
        numbers = known.get(said.update_id, [])
        return any(end in self._text(said, n) for n in numbers[-1:] for end in ENDS)

    def _stands(self, said: Said, known: dict[int, list[int]]) -> bool:
        return any(self._text(said, number).startswith("⏳") for number in known.get(said.update_id, []))

    def _text(self, said: Said, number: int) -> str:
        return str(self.bot.server.find(said.message["chat"]["id"], number)["text"])

    def _compare(self, conn: sqlite3.Connection, person: Diary) -> tuple[int, int, int, int]:
        """Return how many of a person's notes exist, are lost, are doubled, and are wrong."""
        rows = conn.execute(
            "SELECT number, text, deleted_at FROM notes WHERE user_id = ? ORDER BY number", (person.user_id,)
        ).fetchall()
        lost = len(set(range(1, person.written + 1)) - {number for number, _, _ in rows})
        alive = {number: text for number, text, deleted_at in rows if deleted_at is None}
        wrong = sum(alive.get(n) != person.notes.get(n) for n in alive.keys() | person.notes.keys())
        return len(rows), lost, max(0, len(rows) - person.written), wrong


def _waiting(conn: sqlite3.Connection) -> int:
    return _count(conn, "FROM updates WHERE state = 'new'")


def _count(conn: sqlite3.Connection, what: str) -> int:
    return int(conn.execute(f"SELECT count(*) {what}").fetchone()[0])


MUST_BE_NONE = (
    "left in the journal", "put aside", "notes lost", "notes doubled",
    "edits and deletions that did not hold", "file is damaged", "active models besides one",
    "⏳ standing in known messages",
)  # fmt: skip


def failures(tally: dict[str, float]) -> list[str]:
    """Return the names of the checks that failed."""
    wrong = [name for name in MUST_BE_NONE if tally[name]]
    return wrong + ["unanswered"] * (tally["updates answered"] != tally["updates sent"])


def main() -> int:
    """Run with the command line's options, print the table, and return the exit code."""
    parser = argparse.ArgumentParser(description="Kill the bot under load, and count what is lost.")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        tally = Soak(Path(folder), arguments.seed).run(arguments.kills)
    wrong = failures(tally)
    print(table(tally, wrong, "Nothing is lost."))
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
