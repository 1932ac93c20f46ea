"""Measures the bot against the bare library, in one run, and writes the figures to bench/README.md.

    python bench/run.py           about six minutes; the machine should be idle otherwise
    python bench/run.py --quick   half a minute, only prints; its answers are too short for the last aim

Exits with 1 if memory grows, which is a failure; the other aims depend on the machine.
"""

import argparse
import os
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(1, str(Path(__file__).resolve().parents[1]))
sys.path.insert(2, str(Path(__file__).resolve().parents[1] / "tests"))

from bench import notes, transfer
from bench.measures import FULL, QUICK, Bench, Sizes
from bench.model import Model
from bench.report import Row, circumstances, table
from bench.stand import Stand, elsewhere
from bench.telegram import Telegram

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
INTRODUCTION = """# How fast it is

Written by `make bench`, which is `python bench/run.py`; nothing here is typed by hand. All figures come from
one run on one machine, so look at the ratios rather than the absolute values.

"""
EXPLANATION = """
## What is compared

* Заметочник is `python bot.py` as it is: every update is journalled and synced to disk. The echo is
  `bench/echo_bot.py`, the bare library with its defaults, which sends back what it gets. The bare client is
  `requests`, reading the same stream from the same server.
* Each bot is a separate process, and so are the Telegram server of each (`tests/bot_api/`, a strict one) and
  the model (`bench/model.py`). The Telegram server takes the times: from handing out the update in the answer
  to getUpdates until the reply, or the edit, has arrived.
* Updates a second: 50 chats, each of which writes again as soon as it is answered; the bots take turns, and
  ours adds a note each time. CPU is user plus system time of the bot's process.
* /note_add one after another, 10 ms apart, the bots in turn again; the file already holds all notes and
  updates of the rows above. The hundred questions come from the same 50 people, and the model holds its
  answers back.
* Busy with others: sixteen people have pressed «🔄 Обновить» and the service does not answer; then five
  hundred people, each in a chat of their own, ask at once and get twenty words.
* Answers: the first word comes after 0.8 s, the others every 40 ms. Our words count as visible when the edit
  of the message has arrived. A chat gets an edit every 1.25 s at most, so the last word may wait that long.
* Notes (`bench/notes.py`) are measured directly on the file, without Telegram. The obvious way is the same
  texts in one table, searched by LIKE with a lower() written in Python. Words are made up, with the
  frequencies of real ones.
* Export and import (`bench/transfer.py`) use their own bot and Telegram server. The time runs from the
  command, or the file, until the bot says that it is done, which is an edit a second later; imported notes
  can be found by then. The obvious way is json.dump of a list of all notes, and one committed INSERT after
  another into a table without an index.
"""


def measure(folder: Path, sizes: Sizes) -> tuple[dict[tuple[str, str], list[Row]], bool]:
    """Return the tables, and whether memory leaks."""
    with ExitStack() as stack:
        model = stack.enter_context(elsewhere(Model))
        bot, echo = (
            stack.enter_context(
                Stand(script, folder, stack.enter_context(elsewhere(Telegram)), model.address())
            )
            for script in (ROOT / "bot.py", HERE / "echo_bot.py")
        )
        bench = Bench(bot, echo, model, sizes)
        tables = {
            ("Start", "echo"): bench.starts(),
            ("Updates", "echo"): bench.throughput() + bench.memory(),
            ("From an update handed out to its reply, /note_add", "echo"): bench.latency(),
            ("The same while others keep the bot busy", "idle"): bench.crowds(),
            ("One answer", "bare client"): bench.one_answer(),
            (f"{sizes.streams} answers at once", "bare clients"): bench.many_answers(),
        }
        heavy = 200_000 if sizes is FULL else 20_000
        tables[(f"{heavy:,} notes of one person among {5 * heavy:,}", "the obvious way")] = notes.measure(
            folder, heavy
        )
        (moved := folder / "transfer").mkdir()
        tables[(f"Export and import of {heavy // 4:,} notes", "the obvious way")] = transfer.compare(
            moved, heavy // 4
        )
        assert not bot.telegram.violations(), bot.telegram.violations()[:5]
        assert "Traceback" not in bot.log.read_text("utf-8"), bot.log.read_text("utf-8")[-3000:]
        return tables, bench.leaks


def main() -> int:
    """Run the bench as the arguments say, and return the exit code."""
    parser = argparse.ArgumentParser(description="Measure the bot against the bare library.")
    parser.add_argument("--quick", action="store_true", help="fewer of everything, and only print it")
    quick = parser.parse_args().quick
    print("Measuring for half a minute." if quick else "Measuring for about six minutes.", flush=True)
    begun, load = time.monotonic(), os.getloadavg()[0]
    scratch = ROOT / ".cache"  # on the bot's own disk, since /tmp may be in memory
    scratch.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch, prefix="bench-") as name:
        tables, leaks = measure(Path(name), QUICK if quick else FULL)
        machine = circumstances(Path(name), time.monotonic() - begun, load)
    report = f"{machine}\n\n{table(tables)}\n"
    print(report)
    if not quick:
        (HERE / "README.md").write_text(INTRODUCTION + report + EXPLANATION, "utf-8")
    return int(leaks)


if __name__ == "__main__":
    sys.exit(main())
