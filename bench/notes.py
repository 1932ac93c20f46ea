"""Measures the notes alone: search, lists and adding, each against the obvious way, in one run.

    python bench/notes.py           a person with 200,000 notes among 1,000,000: a few minutes
    python bench/notes.py --quick   a tenth of that

The obvious way is what a course would teach: the same notes in one table, and LIKE with a lower() defined in
Python. Both files hold the same texts, made of invented words with natural frequencies (Zipf).
"""

import argparse
import random
import resource
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from itertools import accumulate, count
from pathlib import Path
from statistics import median, quantiles
from threading import Thread

sys.path.insert(1, str(Path(__file__).resolve().parents[1]))

from bench.report import Row, table
from db import Database

HEAVY = 1
PAGE = 20
EACH = 800  # notes of each other person
TRIES = 100
BEGINNINGS = "при по за на вы пере со от до об раз не".split()
MIDDLES = "вра сто мол го дом кни руб пла те ло ми ну ка ша ре зи бо лю ве са да же пи ку ти ся ра мо".split()
ENDINGS = "а ы у ой е ам ами ах ов ть л ла ли ет ит ют ный ная ное ого ому ик ка ки ник ость".split()
SOURCES = count()


class Texts:
    """Invented notes, with words of known frequency to search for."""

    def __init__(self) -> None:
        self._random = random.Random(1)
        words = {self._word() for _ in range(150_000)}
        self.words = sorted(words, key=lambda word: (len(word), word))
        self._weights = list(accumulate(1 / (rank + 3) for rank in range(len(self.words))))

    def _word(self) -> str:
        choose = self._random.choice
        middles = "".join(choose(MIDDLES) for _ in range(self._random.randint(1, 3)))
        return choose(["", "", *BEGINNINGS]) + middles + choose(ENDINGS)

    def note(self) -> str:
        """Return a note of about eighteen words; every other note has the word «магазин»."""
        words = self._random.choices(self.words, cum_weights=self._weights, k=self._random.randint(5, 29))
        return " ".join(["магазин" if self._random.random() < 0.5 else "мгла", *words])

    def some(self, rank: int) -> str:
        """Return a random word of about this rank by frequency."""
        return self.words[rank + self._random.randrange(rank)]


def fill(path: Path, texts: Texts, heavy: int, others: int, each: int) -> float:
    """Write the notes as rows, and return the seconds that indexing them takes."""
    Database(path).close()
    with closing(sqlite3.connect(path)) as conn, conn:
        conn.executemany(
            "INSERT INTO notes (user_id, number, text, created_at) VALUES (?, ?, ?, ?)",
            _rows(texts, heavy, others, each),
        )
    begun = time.perf_counter()
    Database(path).close()
    return time.perf_counter() - begun


def _rows(texts: Texts, heavy: int, others: int, each: int) -> Iterator[tuple[int, int, str, int]]:
    for user_id, notes in [(HEAVY, heavy), *((user_id, each) for user_id in range(2, others + 2))]:
        for number in range(1, notes + 1):
            yield user_id, number, texts.note(), 1_600_000_000 + number * 600


class Obvious:
    """The obvious way: one table, an index by person, and a search that reads every text."""

    def __init__(self, path: Path, source: Path) -> None:
        self._conn = sqlite3.connect(path)
        self._conn.create_function("lower_", 1, str.lower, deterministic=True)
        self._conn.execute("ATTACH ? AS source", (str(source),))
        self._conn.executescript(
            "CREATE TABLE notes (id INTEGER PRIMARY KEY, user_id INTEGER, text TEXT, created_at INTEGER);"
            "INSERT INTO notes (user_id, text, created_at)"
            " SELECT user_id, text, created_at FROM source.notes ORDER BY number, user_id;"
            "CREATE INDEX by_user ON notes (user_id, created_at);"
        )

    def find(self, query: str) -> int:
        """Return how many notes contain all the words, after reading them all, newest first."""
        where = "".join(" AND lower_(text) LIKE '%' || ? || '%'" for _ in query.split())
        rows = self._conn.execute(
            f"SELECT * FROM notes WHERE user_id = ?{where} ORDER BY created_at DESC", (HEAVY, *query.split())
        ).fetchall()
        return len(rows)

    def page(self, offset: int) -> int:
        """Read a page of the list."""
        rows = self._conn.execute(
            "SELECT * FROM notes WHERE user_id = ? ORDER BY created_at DESC LIMIT ? OFFSET ?",
            (HEAVY, PAGE, offset),
        )
        return len(rows.fetchall())


def timed(run: Callable[[], object]) -> float:
    """Return the milliseconds that `run` takes."""
    begun = time.perf_counter()
    run()
    return 1000 * (time.perf_counter() - begun)


def worst(times: list[float]) -> float:
    """Return the 99th percentile."""
    return quantiles(times, n=100)[98]


def searches(db: Database, obvious: Obvious, texts: Texts) -> list[Row]:
    """Compare searches and pages of the list for the person with the most notes."""
    kinds: dict[str, Callable[[], str]] = {
        "a word": lambda: texts.some(5_000),
        "two words": lambda: f"{texts.some(300)} {texts.some(300)}",
        "a miss": lambda: f"{texts.some(5_000)}щщ",
        "a word of every other note": lambda: "магазин",
        "a part of many words": lambda: "ого",
    }
    rows = []
    for kind, query in kinds.items():
        queries = [query() for _ in range(TRIES)]
        ours = [timed(partial(db.find_notes, HEAVY, query, PAGE)) for query in queries]
        theirs = [timed(partial(obvious.find, query)) for query in queries[:5]]
        rows.append(_row(f"search, {kind}", ours, theirs))
    offsets = range(0, TRIES * PAGE, PAGE)
    pages = [timed(partial(db.list_notes, HEAVY, PAGE, offset)) for offset in offsets]
    rows.append(
        _row("a page of the list", pages, [timed(partial(obvious.page, offset)) for offset in offsets])
    )
    return rows


def _row(what: str, ours: list[float], theirs: list[float]) -> Row:
    ratio, p99 = median(theirs) / median(ours), worst(ours)
    return Row(
        f"{what}: median (p99), ms",
        f"{median(ours):.2f} ({p99:.2f})",
        f"{median(theirs):.2f}",
        f"{ratio:.0f}",
        "p99 ≤ 30 ms, 10 times faster" if "search" in what else "p99 ≤ 30 ms",
        p99 <= 30 and (ratio >= 10 or "search" not in what),
    )


def adding(db: Database, empty: Database, texts: Texts, notes: int) -> Row:
    """Compare adding notes to the large file and to an empty one, in turn."""
    large: list[float] = []
    fresh: list[float] = []
    for _ in range(notes):
        text = texts.note()
        for base, times in ((db, large), (empty, fresh)):
            source = f"bench {next(SOURCES)}"
            times.append(timed(partial(_add, base, text, source)))
    ratio = median(large) / median(fresh)
    return Row(
        "adding a note, against an empty file: median (p99), ms",
        f"{median(large):.2f} ({worst(large):.2f})",
        f"{median(fresh):.2f} ({worst(fresh):.2f})",
        f"{ratio:.2f}",
        "ratio ≤ 1.5",
        ratio <= 1.5,
    )


def _add(db: Database, text: str, source: str) -> None:
    db.add_note(HEAVY, text, created_at=1_800_000_000, source=source)


def beside(db: Database, texts: Texts) -> Row:
    """Compare another person's command with and without sixteen searches at the same time."""

    def other() -> list[float]:
        return [timed(lambda: db.list_notes(2, PAGE)) for _ in range(TRIES)]

    idle = other()
    over = False

    def search() -> None:
        while not over:
            db.find_notes(HEAVY, texts.some(5_000), PAGE)
            time.sleep(0.05)

    threads = [Thread(target=search) for _ in range(16)]
    for thread in threads:
        thread.start()
    busy = other()
    over = True
    for thread in threads:
        thread.join()
    return Row(
        "a list of somebody else while sixteen search: p99, ms", f"{worst(busy):.2f}", f"{worst(idle):.2f}",
        f"{worst(busy) / worst(idle):.1f}",
    )  # fmt: skip


def sizes(path: Path) -> list[Row]:
    """Return the size of the index compared with the notes."""
    with closing(sqlite3.connect(path)) as conn:
        bytes_of = dict(conn.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name"))
    index = sum(bytes_of[name] for name in ("words", "postings", "vocabulary"))
    return [
        Row("the index against the notes, MB", f"{index / 1e6:.0f}", f"{bytes_of['notes'] / 1e6:.0f}",
            f"{index / bytes_of['notes']:.2f}"),
    ]  # fmt: skip


def measure(folder: Path, heavy: int) -> list[Row]:
    """Return the rows of the table: one person has `heavy` notes, all others together four times as many."""
    texts = Texts()
    path = folder / "many.db"
    seconds = fill(path, texts, heavy, 4 * heavy // EACH, EACH)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with closing(Database(path)) as db, closing(Database(folder / "empty.db")) as empty:
        obvious = Obvious(folder / "obvious.db", path)
        rows = [
            Row("making them found, s", f"{seconds:.1f}"),
            *searches(db, obvious, texts),
            adding(db, empty, texts, 500),
            beside(db, texts),
            *sizes(path),
        ]
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1000
    return [*rows, Row("memory that all of it took, MB", f"{grown:.0f}")]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Measure the notes against the obvious way.")
    parser.add_argument("--quick", action="store_true", help="a tenth of the notes")
    scale = 10 if parser.parse_args().quick else 1
    scratch = Path(__file__).resolve().parents[1] / ".cache"
    scratch.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch, prefix="notes-") as name:
        rows = measure(Path(name), 200_000 // scale)
    print(table({(f"{200_000 // scale:,} notes among {1_000_000 // scale:,}", "the obvious way"): rows}))


if __name__ == "__main__":
    main()
