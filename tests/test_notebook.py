"""Other operations on notes: undo, bin, tags, days, messages, import."""

import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db import Database, File, Hit, Note, NoteNotFoundError, Origin
from storage.days import Days
from storage.importing import Imported, Importing
from storage.notebook import PAGE, Notebook
from storage.notes import NothingToUndoError
from storage.pieces import Pieces, note_piece
from storage.preferences import Preferences
from storage.recalled import Recalled, TextGoneError

ANNA, BORIS = 1, 2
SOURCES = count(1)
NOON = 1_767_268_800  # 01.01.2026 12:00 UTC
DAY = 86_400
MOSCOW = ZoneInfo("Europe/Moscow")
PHOTO = File("photo", "id-1", "unique-1")
BOLD = {"type": "bold", "offset": 0, "length": 3}


@pytest.fixture
def notebook(db: Database) -> Notebook:
    return Notebook(db)


def add(db: Database, *texts: str, at: int = NOON, user_id: int = ANNA) -> list[Note]:
    return [db.add_note(user_id, text, created_at=at, source=f"m {next(SOURCES)}") for text in texts]


def numbers(notes: list[Note]) -> list[int]:
    return [note.number for note in notes]


def delete(db: Database, *wanted: int, at: int = NOON) -> None:
    db.delete_notes(ANNA, wanted, deleted_at=at, source=f"d {next(SOURCES)}")


# ---- What a note contains ---------------------------------------------------------------------


def test_a_note_keeps_formatting_origin_and_files(db: Database) -> None:
    origin = Origin("Канал", "https://t.me/canal/5", NOON)
    said = db.add_note(
        ANNA, "раз два", created_at=NOON, source="1", entities=[BOLD], origin=origin, files=[PHOTO, PHOTO]
    )
    assert said == Note(1, "раз два", NOON, (BOLD,), origin, (PHOTO, PHOTO))
    assert db.get_note(ANNA, 1) == said
    assert db.find_notes(ANNA, "канал", 1)[1][0].note == said


def test_an_edit_is_undone_and_done_again(db: Database, notebook: Notebook) -> None:
    db.add_note(ANNA, "раз", created_at=NOON, source="1", entities=[BOLD], files=[PHOTO])
    edited = db.edit_note(ANNA, 1, "два", edited_at=NOON + 1)
    assert (edited.text, edited.entities, edited.files) == ("два", (), (PHOTO,))
    undone = notebook.undo_edit(ANNA, 1)
    assert (undone.text, undone.entities) == ("раз", (BOLD,))
    assert db.find_notes(ANNA, "раз", 1)[0] == 1
    assert notebook.undo_edit(ANNA, 1).text == "два"
    assert db.find_notes(ANNA, "раз", 1)[0] == 0


def test_the_past_of_a_note_is_bounded(db: Database, notebook: Notebook) -> None:
    add(db, "0")
    for number in range(1, 100):
        db.edit_note(ANNA, 1, f"{number}", edited_at=NOON, source=f"edit {number}")
    assert notebook.undo_edit(ANNA, 1, "edit 90").text == "89"
    with pytest.raises(NothingToUndoError):
        notebook.undo_edit(ANNA, 1, "edit 50")
    long = "а" * 200_000
    db.edit_note(ANNA, 1, long, edited_at=NOON, source="long")
    db.edit_note(ANNA, 1, "short", edited_at=NOON, source="short")
    with pytest.raises(NothingToUndoError):
        notebook.undo_edit(ANNA, 1, "long")
    assert notebook.undo_edit(ANNA, 1, "short").text == long


def test_what_was_never_edited_cannot_be_undone(db: Database, notebook: Notebook) -> None:
    add(db, "раз")
    with pytest.raises(NothingToUndoError):
        notebook.undo_edit(ANNA, 1)
    with pytest.raises(NoteNotFoundError):
        notebook.undo_edit(ANNA, 2)


def test_what_is_appended_keeps_its_formatting_and_can_be_undone(db: Database, notebook: Notebook) -> None:
    add(db, "смех 😀")
    note = notebook.append_note(ANNA, 1, "ещё", edited_at=NOON, entities=[BOLD], files=[PHOTO])
    assert note.text == "смех 😀\nещё"
    assert note.entities == ({"type": "bold", "offset": 8, "length": 3},)  # UTF-16 units: 😀 is two
    assert notebook.undo_edit(ANNA, 1) == Note(1, "смех 😀", NOON, edited_at=NOON)


def test_pinned_notes_come_first_in_every_page(db: Database, notebook: Notebook) -> None:
    add(db, *"абвгд")
    notebook.pin_note(ANNA, 2, pinned_at=NOON)
    assert notebook.pin_note(ANNA, 4, pinned_at=NOON + 1).pinned
    assert numbers(db.list_notes(ANNA)) == [4, 2, 5, 3, 1]
    assert [numbers(db.list_notes(ANNA, 2, offset)) for offset in (0, 2, 4, 6)] == [[4, 2], [5, 3], [1], []]
    notebook.pin_note(ANNA, 4, pinned_at=None)
    assert numbers(db.list_notes(ANNA, 2)) == [2, 5]


# ---- The bin ----------------------------------------------------------------------------------


def test_what_is_deleted_lies_in_the_bin_and_comes_back(db: Database, notebook: Notebook) -> None:
    add(db, "раз", "два", "три")
    delete(db, 1, at=NOON)
    delete(db, 3, at=NOON + 1)
    total, trash = notebook.trash(ANNA, 1)
    assert (total, numbers(trash), trash[0].deleted_at) == (2, [3], NOON + 1)
    assert numbers(notebook.trash(ANNA, 5, 1)[1]) == [1]
    assert notebook.restore_note(ANNA, 3).deleted_at is None
    assert numbers(db.list_notes(ANNA)) == [3, 2]
    assert db.find_notes(ANNA, "три", 1)[0] == 1
    for number in (2, 3, 9):
        with pytest.raises(NoteNotFoundError):
            notebook.restore_note(ANNA, number)


def test_several_are_deleted_together_or_not_at_all(db: Database) -> None:
    add(db, "раз", "два", "три")
    with pytest.raises(NoteNotFoundError):
        delete(db, 1, 7, 3)
    assert db.count_notes(ANNA) == 3
    assert db.find_notes(ANNA, "раз", 1)[0] == 1


def test_the_bin_is_emptied_and_no_number_is_used_again(db: Database, notebook: Notebook) -> None:
    add(db, "раз", "два", "три")
    add(db, "Бориса", user_id=BORIS)
    delete(db, 2, at=NOON)
    delete(db, 3, at=NOON + DAY)
    assert notebook.empty_trash(NOON + 1) == 1
    assert numbers(notebook.trash(ANNA, 5)[1]) == [3]
    assert notebook.empty_trash(NOON + 2 * DAY) == 1
    assert numbers(add(db, "новая")) == [4]
    assert db.count_notes(BORIS) == 1
    with closing(sqlite3.connect(db.path)) as conn:
        assert conn.execute("SELECT count(*) FROM notes WHERE text IN ('два', 'три')").fetchone() == (0,)


def test_what_led_to_a_note_goes_with_it_for_good(db: Database, notebook: Notebook) -> None:
    pieces, recalled = Pieces(db), Recalled(db)
    add(db, "раз", "два", "три")
    for number in (1, 2, 3):
        Pieces(db).remember_shown(ANNA, [number], ANNA, number)
        pieces.keep(ANNA, {10 + number: note_piece(ANNA, number, 0, "раз")})
    kept = recalled.keep(ANNA, ["1 2", "2 3", "хлеб", "1", "01 2"])
    (of_boris,) = recalled.keep(BORIS, ["2 3"])
    for number in (1, 2):
        delete(db, number, at=NOON)
    delete(db, 3, at=NOON + DAY)
    notebook.empty_trash(NOON + 1)
    assert [Pieces(db).shown_in(ANNA, number) for number in (1, 2, 3)] == [None, None, (ANNA, 3)]
    assert [bool(pieces.find(ANNA, 10 + number)) for number in (1, 2, 3)] == [False, False, True]
    assert [recalled.text(ANNA, number) for number in kept[1:]] == ["2 3", "хлеб", "1", "01 2"]
    for whose, number in ((ANNA, kept[0]), (BORIS, of_boris)):
        with pytest.raises(TextGoneError):
            recalled.text(whose, number)


# ---- Tags, random notes, days -----------------------------------------------------------------


def test_tags_are_counted_over_the_notes_that_are_there(db: Database, notebook: Notebook) -> None:
    add(db, "#Работа и #дом", "#работа", "#домен", "#пропала")
    delete(db, 4)
    add(db, "#чужая", user_id=BORIS)
    assert notebook.tags(ANNA) == [("работа", 2), ("дом", 1), ("домен", 1)]
    assert notebook.tagged(ANNA, "дом", 5) == (1, [Hit(db.get_note(ANNA, 1), ((10, 4),))])
    db.edit_note(ANNA, 1, "без", edited_at=1)
    assert notebook.tags(ANNA) == [("домен", 1), ("работа", 1)]


def test_a_random_note_is_any_of_those_that_are_there(db: Database, notebook: Notebook) -> None:
    assert notebook.random_note(ANNA) is None
    add(db, *"абв")
    delete(db, 2)
    seen = {note.number for _ in range(100) if (note := notebook.random_note(ANNA))}
    assert seen == {1, 3}


def test_this_day_of_earlier_years(db: Database) -> None:
    for year, hour in ((2022, 12), (2024, 22), (2025, 21), (2025, 20), (2026, 12)):
        add(db, f"{year} {hour}", at=int(datetime(year, 3, 7, hour, tzinfo=UTC).timestamp()))
    found = Days(db).of_this_day(ANNA, date(2026, 3, 7), MOSCOW)  # three hours ahead
    assert [note.text for note in found] == ["2025 20", "2022 12"]
    add(db, "високосный", at=int(datetime(2024, 2, 29, 12, tzinfo=UTC).timestamp()))
    assert [n.text for n in Days(db).of_this_day(ANNA, date(2028, 2, 29), UTC)] == ["високосный"]
    assert Days(db).of_this_day(BORIS, date(2026, 3, 7), UTC) == []


def test_days_and_hours_are_those_of_the_zone(db: Database) -> None:
    for hours in (0, 1, 9, 9, 10):
        add(db, "x", at=NOON + hours * 3600)
    add(db, "раньше", at=NOON - 400 * DAY)
    kathmandu = ZoneInfo("Asia/Kathmandu")  # 5:45 ahead: from 18:15 UTC it is tomorrow
    assert Days(db).counts(ANNA, NOON, UTC) == {date(2026, 1, 1): 5}
    assert Days(db).counts(ANNA, NOON, kathmandu) == {date(2026, 1, 1): 2, date(2026, 1, 2): 3}
    assert Days(db).busiest_hour(ANNA, NOON, UTC) == 21
    assert Days(db).busiest_hour(ANNA, NOON, MOSCOW) == 0
    assert Days(db).busiest_hour(BORIS, 0, UTC) is None


@pytest.mark.parametrize(
    ("days", "length"),
    [([], 0), ([0], 1), ([1], 1), ([2], 0), ([0, 1, 2, 4], 3), ([1, 2, 3], 3), (list(range(800)), 800)],
)
def test_a_streak_ends_today_or_yesterday(db: Database, days: list[int], length: int) -> None:
    today = datetime.fromtimestamp(NOON, UTC).date()
    Importing(db, ANNA).add(Note(0, "x", NOON - day * DAY) for day in days)
    assert Days(db).streak(ANNA, today, UTC) == length


# ---- Export and import of all notes ------------------------------------------------------------

SAID = st.builds(
    Note,
    number=st.integers(0, 30),
    text=st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    created_at=st.integers(0, 2**33),
    entities=st.just(()) | st.just((BOLD,)),
    origin=st.none() | st.builds(Origin, name=st.text("аб", max_size=3), date=st.none() | st.integers(0, 9)),
    files=st.just(()) | st.just((PHOTO,)),
)


@given(said=st.lists(SAID, max_size=12, unique_by=lambda note: (note.text, note.created_at, note.files)))
def test_what_is_exported_can_be_imported_once(tmp_path: Path, said: list[Note]) -> None:
    with closing(Database(tmp_path / f"{next(SOURCES)}.db")) as db:
        notebook = Notebook(db)
        assert Importing(db, ANNA).add(said) == Imported(len(said), 0)
        assert Importing(db, ANNA).add(said) == Imported(0, len(said))
        exported = list(notebook.all_notes(ANNA))
        assert numbers(exported) == sorted(set(numbers(exported)))
        assert Importing(db, BORIS).add(exported) == Imported(len(said), 0)
        assert list(notebook.all_notes(BORIS)) == exported


def test_an_import_joins_what_is_there(db: Database) -> None:
    add(db, "моя", "общая")
    delete(db, 1)
    export = [Note(1, "моя", NOON), Note(2, "общая", NOON), Note(7, "седьмая", NOON), Note(2, "вторая", NOON)]
    report = Importing(db, ANNA).add(export)
    assert report == Imported(3, 1)
    assert {n.number: n.text for n in db.list_notes(ANNA)} == {
        2: "общая",
        3: "моя",
        7: "седьмая",
        8: "вторая",
    }
    assert db.find_notes(ANNA, "седьмая", 1)[0] == 1


def test_an_import_with_a_row_that_cannot_be_changes_nothing(db: Database) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        Importing(db, ANNA).add([Note(0, "раз", NOON), Note(0, "два", 10**12)])
    assert db.count_notes(ANNA) == 0
    assert db.find_notes(ANNA, "раз", 1)[0] == 0


def test_notes_may_come_and_go_while_all_are_read(db: Database, notebook: Notebook) -> None:
    Importing(db, ANNA).add(Note(0, str(number), NOON) for number in range(PAGE + 50))
    reading = notebook.all_notes(ANNA)
    assert next(reading).number == 1
    delete(db, 2, PAGE + 10)
    add(db, "новая")
    read = [note.number for note in reading]
    assert read[0] == 2  # deleted, but its page was read before
    assert PAGE + 10 not in read
    assert read[-1] == PAGE + 51


# ---- Messages and choices ----------------------------------------------------------------------


def test_a_message_leads_to_its_note(db: Database) -> None:
    Pieces(db).remember_shown(-100, [5, 6], ANNA, 12)
    Pieces(db).remember_shown(-100, [6], BORIS, 1)
    assert Pieces(db).shown_in(-100, 5) == (ANNA, 12)
    assert Pieces(db).shown_in(-100, 6) == (BORIS, 1)
    assert Pieces(db).shown_in(ANNA, 5) is None


def test_a_choice_is_remembered_for_each_person(db: Database) -> None:
    preferences = Preferences(db)
    preferences.put(ANNA, "plain", "question")
    preferences.put(ANNA, "plain", "ask")
    assert preferences.get(ANNA, "plain") == "ask"
    assert preferences.get(BORIS, "plain", "note") == "note"


def test_the_days_of_a_year_are_told_apart(db: Database) -> None:
    Importing(db, ANNA).add(Note(0, "x", NOON + day * DAY) for day in range(365))
    counts = Days(db).counts(ANNA, NOON, UTC)
    assert counts == {date(2026, 1, 1) + timedelta(days=day): 1 for day in range(365)}
