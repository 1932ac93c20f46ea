"""Which models a search finds, which replace a failed one, and their statistics."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.registry import Attempt, Record, note_attempts
from support.shelf import FIRST, ROUTER, SEES, Shelf, remote

DAY = 86_400


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    found = Shelf(tmp_path / "notes.db")
    yield found
    found.db.close()


# Searching for a model


def test_a_part_of_the_name_finds_by_key_and_by_label_in_any_case(shelf: Shelf) -> None:
    assert [model.id for model in shelf.registry.find("GEMMA")] == [5, 6]
    assert [model.id for model in shelf.registry.find("любая")] == [10]
    assert shelf.registry.find("mamba") == []


def test_only_available_models_are_found_if_there_are_any(shelf: Shelf) -> None:
    shelf.sync("google/gemma-4-26b-a4b-it:free")
    assert [model.id for model in shelf.registry.find("gemma")] == [6]
    assert [model.id for model in shelf.registry.find("deepseek")] == [1, 2]


def test_the_next_models_are_asked_instead_and_after_the_last_the_first(shelf: Shelf) -> None:
    shelf.sync("x/a:free", "x/b:free", "x/c:free", "x/d:free")
    substitutes = shelf.registry.substitutes(shelf.model("x/c:free"), frozenset())
    assert [model.key for model in substitutes] == ["x/d:free", "x/a:free", "x/b:free"]


def test_the_router_is_asked_only_where_fewer_than_two_others_are_left(shelf: Shelf) -> None:
    def substitutes(*keys: str) -> list[str]:
        shelf.sync("x/a:free", *keys)
        found = shelf.registry.substitutes(shelf.model("x/a:free"), frozenset())
        return [model.key for model in found]

    assert substitutes("x/b:free", "x/c:free", ROUTER) == ["x/b:free", "x/c:free"]
    assert set(substitutes("x/b:free", ROUTER)) == {"x/b:free", ROUTER}
    assert substitutes(ROUTER) == [ROUTER]
    assert substitutes() == []


def test_a_paid_model_is_never_asked_instead(shelf: Shelf) -> None:
    shelf.registry.add(remote("a/paid", free=False), paid=True)
    shelf.registry.sync([remote(FIRST), remote("a/paid", free=False)])
    assert shelf.registry.substitutes(shelf.model(FIRST), frozenset()) == []


def test_for_a_picture_only_models_that_see_are_asked_instead(shelf: Shelf) -> None:
    listed = [remote(FIRST), remote("x/blind:free"), remote("x/sees:free", inputs=SEES)]
    shelf.registry.sync(listed)
    found = shelf.registry.substitutes(shelf.model(FIRST), frozenset({"image"}))
    assert [model.key for model in found] == ["x/sees:free"]


# Statistics of models


def note(shelf: Shelf, attempt: Attempt) -> None:
    with shelf.db.write() as conn:
        note_attempts(conn, 1, [attempt])


def test_the_failures_and_the_mean_of_the_answers_are_counted(shelf: Shelf) -> None:
    first, second = shelf.db.list_models()[:2]
    for ms, failed in ((100, False), (301, False), (9000, True)):
        note(shelf, Attempt(first.id, ms, failed=failed))
    note(shelf, Attempt(second.id, 5, failed=True))
    assert shelf.registry.records(0) == [
        Record("DeepSeek V3.1 (free)", 3, 1, 200),
        Record("DeepSeek R1 (free)", 1, 1, None),
    ]


def test_what_is_older_is_not_counted(shelf: Shelf) -> None:
    first = shelf.db.get_active_model()
    note(shelf, Attempt(first.id, 5, tokens=7))
    shelf.sql("UPDATE attempts SET at = 1000")
    assert shelf.registry.records(1001) == []
    assert shelf.registry.usage(1001, None) == (0, 0)
    assert shelf.registry.usage(1000, None) == (0, 7)


def test_a_removed_model_keeps_its_record(shelf: Shelf) -> None:
    note(shelf, Attempt(shelf.db.get_active_model().id, 5))
    shelf.registry.remove(1)
    assert [record.label for record in shelf.registry.records(0)] == ["DeepSeek V3.1 (free)"]


def test_attempts_of_last_month_are_forgotten(shelf: Shelf) -> None:
    note(shelf, Attempt(shelf.db.get_active_model().id, 5))
    shelf.sql(f"UPDATE attempts SET at = at - {31 * DAY}")
    note(shelf, Attempt(shelf.db.get_active_model().id, 5))
    shelf.sync(FIRST)
    assert shelf.registry.records(0)[0].asked == 1
