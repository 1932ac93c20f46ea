"""Measures export and import by the bot as a process, against the obvious way: seconds, and memory growth.

    python bench/transfer.py            200,000 notes: about two minutes
    python bench/transfer.py 20000      fewer notes

The obvious way is json.dump of a list of all notes, and one INSERT after another, each committed.
"""

import json
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(1, str(Path(__file__).resolve().parents[1]))
sys.path.insert(2, str(Path(__file__).resolve().parents[1] / "tests"))

from bench.report import Row, compared, table
from support.fill import fill
from support.harness import Harness, Person

NOTES = 200_000
MOST_MB = 100  # of growth
PATIENCE_S = 600
TEXT = "купить хлеба, молока и две лампочки в прихожую, позвонить в поликлинику и записаться к врачу на утро"


@dataclass
class Figure:
    """What one transfer took: seconds, the peak growth of the process in MB of 10^6 bytes, and files."""

    seconds: float = 0.0
    grown_mb: float = 0.0
    files: int = 0


def measure(folder: Path, count: int) -> dict[str, Figure]:
    """Export `count` notes in each format, and import the JSON for another person."""
    with Harness(folder) as bot:
        fill(bot.db_path, 1, count, TEXT)
        figures = {}
        for form in ("txt", "md", "json"):
            bot.start()
            figures[f"export {form}"] = _exported(bot, bot.person(1), form)
            bot.stop()
        documents = bot.server.documents[-figures["export json"].files :]
        bot.start()
        with _measured(bot) as figures["import json"]:
            for document in documents:
                _import(bot.person(2), document.data)
        figures["import json"].files = len(documents)
        assert bot.person(2).says("/note_count") == f"Заметок: {count}."
        return figures


def _exported(bot: Harness, person: Person, form: str) -> Figure:
    before = len(bot.server.documents)
    with _measured(bot) as figure:
        person.asks(f"/note_export {form}")
        bot.server.wait_text(person.id, "Готово", PATIENCE_S)
    (done,) = [m for m in bot.server.messages(person.id) if m.get("text", "").startswith("Готово")]
    bot.server.erase(person.id, done["message_id"])
    figure.files = len(bot.server.documents) - before
    return figure


def _import(person: Person, data: bytes) -> None:
    sent = person.bot.server.send_file(data, "notes.json", user_id=person.id)
    offer = person.bot.reply_to(sent, 60)
    person.bot.server.wait_text(person.id, "Добавить?", PATIENCE_S)
    person.press(offer, 0)
    person.bot.server.wait_text(person.id, "Добавлено", PATIENCE_S)
    person.bot.server.erase(person.id, offer["message_id"])


@contextmanager
def _measured(bot: Harness) -> Iterator[Figure]:
    figure = Figure()
    before, begun = _memory_mb(bot, "VmRSS"), time.monotonic()
    yield figure
    figure.seconds = time.monotonic() - begun
    figure.grown_mb = _memory_mb(bot, "VmHWM") - before


def _memory_mb(bot: Harness, name: str) -> float:
    assert bot.process is not None
    status = Path(f"/proc/{bot.process.pid}/status").read_text("utf-8")
    fields = dict(line.split(":", 1) for line in status.splitlines())
    return int(fields[name].split()[0]) * 1024 / 1e6


def obvious(database: Path, folder: Path) -> dict[str, float]:
    """Return the seconds that the obvious way takes with the same notes."""
    begun = time.monotonic()
    with (
        closing(sqlite3.connect(database)) as conn,
        (folder / "notes.json").open("w", encoding="utf-8") as file,
    ):
        columns = ("number", "text", "created_at")
        rows = conn.execute("SELECT number, text, created_at FROM notes WHERE user_id = 1").fetchall()
        json.dump([dict(zip(columns, row, strict=True)) for row in rows], file, ensure_ascii=False)
    exported = time.monotonic()
    with closing(sqlite3.connect(folder / "obvious.db")) as conn:
        conn.execute("PRAGMA journal_mode = WAL")
        conn.execute(
            "CREATE TABLE notes (id INTEGER PRIMARY KEY, user_id INTEGER, text TEXT, created_at INTEGER)"
        )
        for note in json.loads((folder / "notes.json").read_text("utf-8")):
            with conn:
                conn.execute(
                    "INSERT INTO notes (user_id, text, created_at) VALUES (2, ?, ?)",
                    (note["text"], note["created_at"]),
                )
    return {"export json": exported - begun, "import json": time.monotonic() - exported}


def compare(folder: Path, count: int) -> list[Row]:
    """Return the rows of the table."""
    figures = measure(folder, count)
    theirs = obvious(folder / "notes.db", folder)
    rows = [
        compared(f"{name}, s", figure.seconds, theirs[name], digits=2)
        if name in theirs
        else Row(f"{name}, s", f"{figure.seconds:.2f}")
        for name, figure in figures.items()
    ]
    most = max(figure.grown_mb for figure in figures.values())
    growth = Row("growth of memory at most, MB", f"{most:.1f}", aim=f"< {MOST_MB} MB", met=most < MOST_MB)
    return [*rows, growth]


def main() -> int:
    """Print the table, and return 1 if memory grows by too much."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else NOTES
    with tempfile.TemporaryDirectory() as folder:
        rows = compare(Path(folder), count)
    print(table({(f"Export and import of {count:,} notes", "the obvious way"): rows}))
    return int(rows[-1].met is False)


if __name__ == "__main__":
    sys.exit(main())
