"""The journal alone: what it deletes, what it syncs to disk, and the numbers it assigns."""

import sqlite3
import time
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from db import Database
from storage.dialogue import Dialogue, Turn
from storage.journal import KEEP_DONE_S, KEEP_PARKED_S, Journal

ANNA = 11
NUMBERS = count(1)


@pytest.fixture
def journal(db: Database) -> Journal:
    return Journal(db)


def message(number: int, text: str = "мысль", date: int = 1_700_000_000) -> dict[str, Any]:
    chat = {"id": ANNA}
    return {
        "update_id": number,
        "message": {"message_id": number, "date": date, "from": chat, "chat": chat, "text": text},
    }


def new(journal: Journal, texts: int = 1) -> list[int]:
    """Add new messages to the journal, and return their entry ids."""
    return [entry.entry_id for entry in journal.add([message(next(NUMBERS)) for _ in range(texts)])]


def sql(path: Path, statement: str, *values: object) -> list[Any]:
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        return conn.execute(statement, values).fetchall()


def states(db: Database) -> list[str]:
    return [state for (state,) in sql(db.path, "SELECT state FROM updates ORDER BY id")]


def let_pass(db: Database, seconds: int) -> None:
    """Make every entry of the journal this many seconds older."""
    sql(db.path, "UPDATE updates SET received_at = received_at - ?", seconds)


# ---- What it deletes ------------------------------------------------------------------------


def test_what_is_done_is_forgotten_after_two_days_and_not_before(db: Database, journal: Journal) -> None:
    journal.done(*new(journal))
    let_pass(db, KEEP_DONE_S - 60)
    waiting = new(journal)
    assert states(db) == ["done", "new"]
    let_pass(db, 120)
    new(journal)
    assert states(db) == ["new", "new"]
    let_pass(db, 365 * 86_400)
    new(journal)
    assert [entry.entry_id for entry in journal.unanswered()][:1] == waiting


def test_what_is_parked_stays_for_a_month_and_stops_nothing(db: Database, journal: Journal) -> None:
    for number in new(journal, 150):
        journal.park(number)
    journal.done(*new(journal, 3))
    let_pass(db, KEEP_DONE_S + 60)
    new(journal)
    assert states(db) == ["parked"] * 150 + ["new"]
    let_pass(db, KEEP_PARKED_S)
    new(journal)
    assert states(db) == ["parked"] * 50 + ["new"] * 2
    new(journal)
    assert states(db) == ["new"] * 3


def test_a_batch_looks_at_few_rows_however_many_there_are(db: Database, journal: Journal) -> None:
    for number in new(journal, 100):
        journal.park(number)
    sql(
        db.path,
        "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 20000)"
        " INSERT INTO updates (update_id, identity, received_at, state)"
        " SELECT -i, '', unixepoch(), 'done' FROM n",
    )
    steps = 0

    def count_step() -> int:
        nonlocal steps
        steps += 1
        return 0

    with db.read() as conn:
        conn.set_progress_handler(count_step, 1)
    new(journal)
    with db.read() as conn:
        conn.set_progress_handler(None, 1)
    assert 0 < steps < 2000


# ---- What survives a power cut --------------------------------------------------------------


def test_a_batch_is_synced_and_nothing_else_is(db: Database, journal: Journal) -> None:
    statements: list[str] = []
    with db.read() as conn:  # every write reuses this connection
        conn.set_trace_callback(statements.append)

    def last_synced() -> bool:
        commit = max(place for place, statement in enumerate(statements) if statement == "COMMIT")
        levels = [one for one in statements[:commit] if one.startswith("PRAGMA synchronous")]
        return levels[-1].endswith("FULL")

    numbers = new(journal)
    assert last_synced()
    journal.done(*numbers)
    assert not last_synced()
    new(journal)
    assert last_synced()


def test_several_are_done_together_or_not_at_all(db: Database, journal: Journal) -> None:
    numbers = new(journal, 3)
    sql(
        db.path,
        "CREATE TRIGGER fails BEFORE UPDATE ON updates WHEN old.id = (SELECT max(id) FROM updates)"
        " BEGIN SELECT raise(ABORT, 'no'); END",
    )
    with pytest.raises(sqlite3.IntegrityError):
        journal.done(*numbers)
    assert states(db) == ["new"] * 3
    sql(db.path, "DROP TRIGGER fails")
    journal.done(*numbers)
    assert states(db) == ["done"] * 3


# ---- The numbers it assigns -----------------------------------------------------------------


def keep(db: Database, number: int, text: str) -> int:
    return db.add_note(ANNA, text, created_at=1, source=f"update {number}").number


def test_an_update_that_comes_again_has_no_second_number(journal: Journal) -> None:
    body = message(next(NUMBERS))
    assert len(journal.add([body, body])) == 1
    assert journal.add([body]) == []


def test_numbers_rise_also_when_the_clock_goes_back(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = new(journal, 50)
    monkeypatch.setattr(time, "time_ns", lambda: 10**18)
    numbers += new(journal, 50)
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize(
    "loss",
    [
        "DELETE FROM updates",
        "DELETE FROM updates; DELETE FROM sqlite_sequence",
        "DROP TABLE updates",
    ],
)
def test_a_journal_that_begins_anew_takes_no_new_note_for_an_old_one(db: Database, loss: str) -> None:
    old = [keep(db, number, "старая") for number in new(Journal(db), 5)]
    with closing(sqlite3.connect(db.path)) as conn:
        conn.executescript(loss)
    with closing(Database(db.path)) as again:
        fresh = [keep(again, number, "новая") for number in new(Journal(again), 5)]
        assert fresh == [6, 7, 8, 9, 10]
        assert again.count_notes(ANNA) == len(old) + len(fresh)


def test_notes_copied_alone_into_a_new_file_swallow_no_new_one(db: Database, tmp_path: Path) -> None:
    for number in new(Journal(db), 3):
        keep(db, number, "старая")
    with closing(Database(tmp_path / "other.db")) as other:
        sql(db.path, f"ATTACH '{other.path}' AS other")
        with closing(sqlite3.connect(other.path, isolation_level=None)) as conn:
            conn.execute("ATTACH ? AS old", (str(db.path),))
            conn.execute("INSERT INTO notes SELECT * FROM old.notes")
        assert [keep(other, number, "новая") for number in new(Journal(other), 3)] == [4, 5, 6]


def test_an_older_journal_beside_newer_notes_swallows_no_new_one(db: Database, tmp_path: Path) -> None:
    new(Journal(db), 2)
    with (
        closing(sqlite3.connect(tmp_path / "backup.db")) as backup,
        closing(sqlite3.connect(db.path)) as conn,
    ):
        conn.backup(backup)
    for number in new(Journal(db), 3):
        keep(db, number, "после копии")
    with closing(sqlite3.connect(tmp_path / "backup.db", isolation_level=None)) as conn:
        conn.execute("ATTACH ? AS newer", (str(db.path),))
        conn.execute("INSERT INTO notes SELECT * FROM newer.notes")
    with closing(Database(tmp_path / "backup.db")) as restored:
        assert [keep(restored, number, "новая") for number in new(Journal(restored), 3)] == [4, 5, 6]


def test_a_question_is_not_taken_for_an_old_one(db: Database) -> None:
    dialogue = Dialogue(db)
    (first,) = new(Journal(db))
    old = dialogue.begin(first, Turn(0, None, ANNA, 1, "старый вопрос"), ANNA, [1])
    assert dialogue.begin(first, Turn(0, None, ANNA, 1, "старый вопрос"), ANNA, [1]) == old
    sql(db.path, "DELETE FROM updates")
    sql(db.path, "DELETE FROM sqlite_sequence")
    (second,) = new(Journal(db))
    new_one = dialogue.begin(second, Turn(0, None, ANNA, 1, "новый вопрос"), ANNA, [2])
    assert new_one.question == "новый вопрос"


def test_another_bot_with_the_same_numbers_is_another_one(journal: Journal) -> None:
    number = next(NUMBERS)
    first = journal.add([message(number)])
    second = journal.add([message(number, date=1_700_000_001)])
    assert first[0].entry_id != second[0].entry_id
