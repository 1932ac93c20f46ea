"""The database of notes and models, used from Python as the handlers use it."""

import random
import sqlite3
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import count, permutations
from pathlib import Path

import pytest

from db import Database, FileReplacedError, Note, NoteNotFoundError, UnknownModelError
from support.harness import CATALOGUE

ANNA, BORIS = 1, 2
MESSAGES = count(1)


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database shared by examples that do not affect each other."""
    with closing(Database(tmp_path_factory.mktemp("big") / "notes.db")) as database:
        yield database


def add(db: Database, text: str, user_id: int = ANNA, message_id: int | None = None) -> Note:
    number = next(MESSAGES) if message_id is None else message_id
    return db.add_note(user_id, text, created_at=1_700_000_000, source=f"{user_id}/{number}")


def active(db: Database) -> list[int]:
    return [model.id for model in db.list_models() if model.active]


# ---- Notes ----------------------------------------------------------------------------------


def test_a_note_comes_back_as_it_was_written(db: Database) -> None:
    text = "строка\n  отступ 🎄 '\"%_*\\\u0000 é"
    assert add(db, text) == Note(1, text, 1_700_000_000)
    assert db.list_notes(ANNA) == [Note(1, text, 1_700_000_000)]


def test_the_same_message_again_is_the_same_note(db: Database) -> None:
    first = add(db, "мысль", message_id=10**6)
    assert add(db, "мысль", message_id=10**6) == first
    assert db.count_notes(ANNA) == 1
    assert add(db, "мысль", message_id=10**6 + 1).number == 2


def test_the_same_message_number_in_another_chat_is_another_note(db: Database) -> None:
    add(db, "мысль", ANNA, message_id=10**6)
    assert add(db, "мысль", BORIS, message_id=10**6).number == 1
    assert db.count_notes(ANNA) == db.count_notes(BORIS) == 1


def test_a_note_whose_other_parts_came_later_takes_the_whole_text(db: Database) -> None:
    add(db, "начало", message_id=10**6)
    assert add(db, "начало и конец", message_id=10**6) == Note(1, "начало и конец", 1_700_000_000)
    assert db.find_notes(ANNA, "КОНЕЦ", 10)[0] == 1


def test_what_its_owner_has_changed_is_not_changed_back(db: Database) -> None:
    add(db, "начало", message_id=10**6)
    db.edit_note(ANNA, 1, "своё", edited_at=1)
    assert add(db, "начало и конец", message_id=10**6).text == "своё"
    assert db.find_notes(ANNA, "конец", 10)[0] == 0


def test_an_edit_and_a_deletion_touch_one_note(db: Database) -> None:
    for text in ("раз", "два", "три"):
        add(db, text)
    db.edit_note(ANNA, 2, "ДВА", edited_at=1)
    db.delete_note(ANNA, 1, deleted_at=1, source="1")
    assert [(note.number, note.text) for note in db.list_notes(ANNA)] == [(3, "три"), (2, "ДВА")]


def test_a_deletion_handled_twice_is_one_and_another_one_finds_nothing(db: Database) -> None:
    add(db, "мысль")
    for _ in range(2):
        assert db.delete_note(ANNA, 1, deleted_at=1, source="77").number == 1
    with pytest.raises(NoteNotFoundError):
        db.delete_note(ANNA, 1, deleted_at=2, source="78")


@pytest.mark.parametrize("number", [0, 2, -1, 10**18])
def test_a_note_that_is_not_there_is_said_with_its_number(db: Database, number: int) -> None:
    add(db, "мысль")
    with pytest.raises(NoteNotFoundError) as edited:
        db.edit_note(ANNA, number, "x", edited_at=1)
    with pytest.raises(NoteNotFoundError) as deleted:
        db.delete_note(ANNA, number, deleted_at=1, source="1")
    assert edited.value.number == deleted.value.number == number
    assert [note.text for note in db.list_notes(ANNA)] == ["мысль"]


def test_numbers_are_never_used_twice(db: Database) -> None:
    used = []
    for _ in range(4):
        used += [add(db, "а").number, add(db, "б").number]
        db.delete_note(ANNA, used[-1], deleted_at=1, source=str(next(MESSAGES)))
    assert used == list(range(1, 9))


def test_numbers_are_given_out_once_to_threads_at_work_together(db: Database) -> None:
    with ThreadPoolExecutor(8) as pool:
        notes = list(pool.map(lambda number: add(db, str(number)), range(80)))
    assert sorted(note.number for note in notes) == list(range(1, 81))
    assert {note.text for note in db.list_notes(ANNA)} == {str(number) for number in range(80)}


# ---- Models ---------------------------------------------------------------------------------


def test_the_catalogue_is_the_one_of_the_course_and_six_more(db: Database) -> None:
    assert [(m.id, m.key, m.label) for m in db.list_models()] == [
        (number, key, label) for number, (key, label) in enumerate(CATALOGUE.items(), 1)
    ]
    assert active(db) == [1]
    assert db.get_active_model() == db.list_models()[0]


@pytest.mark.parametrize(("here", "there"), list(permutations(range(1, 11), 2)))
def test_a_switch_works_in_every_direction(big: Database, here: int, there: int) -> None:
    big.set_active_model(here)
    assert big.set_active_model(there).id == there
    assert active(big) == [there]


@pytest.mark.parametrize("model_id", [0, -1, 11, 10**18])
def test_an_unknown_model_changes_nothing(db: Database, model_id: int) -> None:
    db.set_active_model(7)
    with pytest.raises(UnknownModelError):
        db.set_active_model(model_id)
    assert active(db) == [7]


def test_threads_switching_together_are_each_told_of_their_own_choice(db: Database) -> None:
    over = threading.Event()
    seen: set[int] = set()

    def look() -> None:
        while not over.is_set():
            seen.add(len(active(db)))
            seen.add(int(db.get_active_model().active))

    def switch(seed: int) -> None:
        choice = random.Random(seed)
        for _ in range(25):
            wanted = choice.randint(1, 10)
            answered = db.set_active_model(wanted)
            assert (answered.id, answered.key) == (wanted, list(CATALOGUE)[wanted - 1])
            assert answered.active

    looking = threading.Thread(target=look)
    looking.start()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(switch, range(8)))
    over.set()
    looking.join()
    assert seen == {1}


def test_two_programs_on_one_file_do_not_disturb_each_other(db: Database) -> None:
    with closing(Database(db.path)) as other, ThreadPoolExecutor(2) as pool:
        for _ in range(10):
            switched = pool.map(lambda d, wanted: d.set_active_model(wanted).id, (db, other), (2, 9))
            assert list(switched) == [2, 9]
            assert len(active(db)) == 1


def test_no_second_active_model_can_be_written_by_whatever_means(db: Database) -> None:
    with closing(sqlite3.connect(db.path)) as conn, conn:
        for statement in (
            "UPDATE models SET active = 1",
            "INSERT INTO models (key, label, active) VALUES ('x', 'x', 1)",
            "UPDATE models SET active = 2 WHERE id = 1",
            "INSERT INTO models (key, label) VALUES ('openrouter/free', 'doubled')",
        ):
            with pytest.raises(sqlite3.IntegrityError):
                conn.execute(statement)
    assert active(db) == [1]


# ---- The file itself ------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such rights")
def test_the_file_and_its_log_can_be_read_by_their_owner_only(db: Database) -> None:
    add(db, "тайна")
    files = sorted(db.path.parent.glob("notes.db*"))
    assert {path.name for path in files} >= {"notes.db", "notes.db-wal"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def replace_file(path: Path) -> None:
    path.rename(path.with_suffix(".old"))
    Database(path).close()


@pytest.mark.parametrize(
    "change", [Path.unlink, replace_file, lambda path: path.rename(path.parent / "b.db")]
)
def test_a_file_that_is_gone_or_another_one_takes_no_note(
    db: Database, change: Callable[[Path], object]
) -> None:
    add(db, "мысль")
    change(db.path)
    for _ in range(2):
        with pytest.raises(FileReplacedError):
            add(db, "пропала бы")
    assert not db.path.exists() or sqlite3.connect(db.path).execute("SELECT * FROM notes").fetchall() == []


def test_a_file_that_goes_while_it_is_written_is_noticed_too(db: Database) -> None:
    def write() -> None:
        with db.write() as conn:
            conn.execute("UPDATE models SET label = 'x'")
            db.path.unlink()

    with pytest.raises(FileReplacedError):
        write()


def test_a_file_that_comes_back_is_used_again(db: Database) -> None:
    away = db.path.rename(db.path.with_suffix(".away"))
    with pytest.raises(FileReplacedError):
        add(db, "мысль")
    away.rename(db.path)
    assert add(db, "мысль").number == 1


def test_a_transaction_that_fails_leaves_nothing_behind(db: Database) -> None:
    def fail() -> None:
        with db.write() as conn:
            conn.execute("DELETE FROM models")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert len(db.list_models()) == 10
    assert add(db, "и дальше").number == 1


def test_what_is_done_within_a_transaction_is_a_part_of_it(db: Database) -> None:
    def keep(text: str) -> Note:
        return db.add_note(1, text, created_at=0, source=f"test {text}")

    def keep_and_fail(text: str) -> None:
        keep(text)
        raise UnknownModelError

    with db.write():
        note = keep("раз")
        assert db.get_note(1, note.number).text == "раз", "whoever has written it sees it"
        with ThreadPoolExecutor(1) as others:
            assert others.submit(db.count_notes, 1).result() == 0
    with pytest.raises(UnknownModelError), db.write():
        keep_and_fail("два")
    assert [note.text for note in db.list_notes(1)] == ["раз"]
    keep("три")
    assert [note.text for note in db.list_notes(1)] == ["три", "раз"]


def test_what_is_written_is_there_for_the_next_program(tmp_path: Path) -> None:
    with closing(Database(tmp_path / "a.db")) as db:
        add(db, "мысль")
        db.set_active_model(3)
    with closing(Database(tmp_path / "a.db")) as db:
        assert [note.text for note in db.list_notes(ANNA)] == ["мысль"]
        assert active(db) == [3]
