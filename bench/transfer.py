"""Export and import of 200,000 notes by the bot as a process: seconds, and by how much its memory grows.

python bench/transfer.py            about two minutes
python bench/transfer.py 20000      fewer notes
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(1, str(Path(__file__).resolve().parents[1]))
sys.path.insert(2, str(Path(__file__).resolve().parents[1] / "tests"))

from support.fill import fill
from support.harness import Harness, Person

NOTES = 200_000
MOST_MB = 100  # of growth
PATIENCE_S = 600
TEXT = "купить хлеба, молока и две лампочки в прихожую, позвонить в поликлинику и записаться к врачу на утро"


@dataclass
class Figure:
    """What one transfer took: seconds, MB of 10^6 bytes that the process grew by at its highest, files."""

    seconds: float = 0.0
    grown_mb: float = 0.0
    files: int = 0


def measure(folder: Path, count: int) -> dict[str, Figure]:
    """Export so many notes in each format, and import the JSON for somebody else."""
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


def main() -> int:
    """Print the figures, and return 1 if memory grows by too much."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else NOTES
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Path(folder), count)
    for name, figure in figures.items():
        print(f"{name:<12} {figure.seconds:>6.1f} s  +{figure.grown_mb:>5.1f} MB  {figure.files} files")
    return int(any(figure.grown_mb > MOST_MB for figure in figures.values()))


if __name__ == "__main__":
    sys.exit(main())
