"""A change of a note that is repeated, because a kill came before it was recorded, is made once."""

import pytest

from db import Database
from storage.notebook import Notebook
from storage.notes import File
from storage.pieces import Pieces, note_piece
from storage.recalled import Recalled, TextGoneError

ANNA, BORIS = 1, 2


@pytest.fixture
def notebook(db: Database) -> Notebook:
    db.add_note(ANNA, "раз", created_at=1, source="update 1")
    return Notebook(db)


def test_an_append(db: Database, notebook: Notebook) -> None:
    for _ in range(2):
        note = notebook.append_note(ANNA, 1, "два", edited_at=2, source="update 2")
        assert note.text == "раз\nдва"
    notebook.append_note(ANNA, 1, "два", edited_at=2, source="update 3")
    assert db.get_note(ANNA, 1).text == "раз\nдва\nдва"


def test_an_edit_keeps_what_was_there_before_the_first(db: Database, notebook: Notebook) -> None:
    for _ in range(2):
        db.edit_note(ANNA, 1, "два", edited_at=2, files=[File("photo", "P")], source="update 2")
    assert db.get_note(ANNA, 1).files == (File("photo", "P"),)
    assert notebook.undo_edit(ANNA, 1, source="update 3").text == "раз"


def test_an_undo(db: Database, notebook: Notebook) -> None:
    db.edit_note(ANNA, 1, "два", edited_at=2, source="update 2")
    for _ in range(2):
        assert notebook.undo_edit(ANNA, 1, source="update 3").text == "раз"
    assert notebook.undo_edit(ANNA, 1, source="update 4").text == "два"


def test_without_a_source_each_is_a_change_of_its_own(db: Database, notebook: Notebook) -> None:
    for _ in range(2):
        notebook.append_note(ANNA, 1, "два", edited_at=2)
    assert db.get_note(ANNA, 1).text == "раз\nдва\nдва"


def test_a_piece_that_grows_moves_those_behind_it_once(db: Database) -> None:
    pieces = Pieces(db)
    for number, (start, text) in enumerate(((0, "раз"), (4, "два"), (8, "три")), 1):
        pieces.keep(ANNA, {number: note_piece(ANNA, 1, start, text)})
    second = pieces.find(ANNA, 2)
    assert second
    pieces.change(ANNA, 2, second, note_piece(ANNA, 1, 4, "двадцать в"), 7)
    grown, behind, before = (pieces.find(ANNA, number) for number in (2, 3, 1))
    assert grown
    assert behind
    assert before
    assert (grown.start, grown.length, behind.start, before.start) == (4, 10, 15, 0)
    assert grown.is_("двадцать в")
    assert not grown.is_("два")


def test_a_kept_text_has_one_number_and_is_nobody_elses(db: Database) -> None:
    recalled = Recalled(db)
    first, second = recalled.keep(ANNA, ["кот", "пёс"])
    assert recalled.keep(ANNA, ["пёс", "кот"]) == [second, first]
    assert recalled.text(ANNA, first) == "кот"
    with pytest.raises(TextGoneError):
        recalled.text(BORIS, first)
