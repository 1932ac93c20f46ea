"""The registry follows the service's list, keeps the models' numbers, and has one active model."""

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db import Database, Model, UnknownModelError
from support.shelf import FIRST, ROUTER, SEES, Shelf, remote


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    found = Shelf(tmp_path / "notes.db")
    yield found
    found.db.close()


# What the service lists


def test_a_new_model_gets_the_next_number(shelf: Shelf) -> None:
    assert shelf.sync(FIRST, "new/one:free", "new/two:free")
    assert (shelf.model("new/one:free").id, shelf.model("new/two:free").id) == (11, 12)


def test_a_new_model_is_kept_as_its_service_describes_it(shelf: Shelf) -> None:
    new = remote("new/one:free", label="New One", context_length=4096, inputs=SEES)
    shelf.registry.sync([new])
    assert shelf.model("new/one:free") == Model(11, "new/one:free", "New One", True, 4096, SEES)


def test_a_model_that_is_gone_is_marked_and_stands_last(shelf: Shelf) -> None:
    shelf.sync("cohere/north-mini-code:free", "new/one:free")
    assert shelf.rows()[:2] == shelf.available() == ["cohere/north-mini-code:free", "new/one:free"]
    assert [model.id for model in shelf.db.list_models()][2:] == [1, 2, 3, 4, 5, 6, 7, 8, 10]


def test_a_model_that_comes_back_has_its_number_and_its_place(shelf: Shelf) -> None:
    shelf.sync(FIRST, "new/one:free")
    shelf.sync(FIRST)
    assert not shelf.model("new/one:free").available
    shelf.sync(FIRST, "new/two:free", "new/one:free")
    assert [(m.id, m.key) for m in shelf.db.list_models() if m.available][1:] == [
        (11, "new/one:free"),
        (12, "new/two:free"),
    ]


def test_a_model_that_costs_now_is_marked_as_one_that_is_gone(shelf: Shelf) -> None:
    shelf.sync(FIRST, "new/one:free")
    shelf.registry.sync([remote(FIRST), remote("new/one:free", free=False)])
    assert shelf.available() == [FIRST]


def test_an_expired_model_is_marked_as_one_that_is_gone(shelf: Shelf) -> None:
    shelf.registry.sync([remote("new/one:free"), remote(FIRST, usable=False)])
    assert shelf.available() == ["new/one:free"]


def test_what_costs_or_does_not_chat_is_not_added(shelf: Shelf) -> None:
    listed = [remote(FIRST), remote("a/paid", free=False), remote("a/classifier:free", usable=False)]
    shelf.registry.sync(listed)
    assert not {"a/paid", "a/classifier:free"} & set(shelf.rows())


def test_a_model_that_an_older_version_kept_without_a_name_is_called_by_its_key(shelf: Shelf) -> None:
    shelf.sql(f"UPDATE models SET label = ' ' WHERE key = '{FIRST}'")
    assert shelf.model(FIRST).label == FIRST


def test_an_empty_list_changes_nothing(shelf: Shelf) -> None:
    shelf.sync(FIRST, "new/one:free")
    before = shelf.db.list_models()
    assert not shelf.sync()
    assert shelf.db.list_models() == before


def test_the_label_of_a_known_model_stays_and_what_it_can_is_new(shelf: Shelf) -> None:
    known = remote(FIRST, label="Something else", context_length=16_000, inputs=SEES)
    shelf.registry.sync([known])
    assert shelf.model(FIRST) == Model(1, FIRST, "DeepSeek V3.1 (free)", True, 16_000, SEES)


def test_the_same_list_twice_changes_nothing(shelf: Shelf) -> None:
    shelf.sync("new/one:free", ROUTER)
    before = shelf.db.list_models()
    shelf.sync("new/one:free", ROUTER)
    assert shelf.db.list_models() == before


def test_the_registry_is_the_same_after_a_restart(shelf: Shelf) -> None:
    shelf.sync("new/one:free")
    shelf.registry.remove(2)
    before = shelf.db.list_models()
    with closing(Database(shelf.path)) as reopened:
        assert reopened.list_models() == before


# The active model


def test_the_first_available_model_replaces_an_active_one_that_is_gone(shelf: Shelf) -> None:
    shelf.sync("new/one:free", "cohere/north-mini-code:free")
    assert shelf.active() == "cohere/north-mini-code:free"
    assert shelf.registry.replaced() == FIRST


def test_an_active_model_that_is_still_there_stays_active(shelf: Shelf) -> None:
    shelf.db.set_active_model(5)
    shelf.sync(FIRST, "google/gemma-4-31b-it:free")
    assert shelf.active() == "google/gemma-4-31b-it:free"
    assert shelf.registry.replaced() == ""


def test_the_model_that_came_back_does_not_become_active_again(shelf: Shelf) -> None:
    shelf.sync("new/one:free")
    shelf.sync("new/one:free", FIRST)
    assert shelf.active() == "new/one:free"


def test_of_a_model_that_came_back_nobody_says_that_it_is_gone(shelf: Shelf) -> None:
    shelf.sync("new/one:free")
    shelf.sync("new/one:free", FIRST)
    assert shelf.registry.replaced() == ""


def test_without_any_free_model_the_active_one_stays_and_is_marked(shelf: Shelf) -> None:
    shelf.registry.sync([remote("a/paid", free=False)])
    assert shelf.available() == []
    assert shelf.active() == FIRST
    assert shelf.registry.replaced() == ""


def test_where_all_that_is_listed_was_removed_the_active_one_stays_and_is_marked(shelf: Shelf) -> None:
    shelf.registry.remove(5)
    shelf.sync("google/gemma-4-31b-it:free")
    assert shelf.available() == []
    assert shelf.active() == FIRST


def test_a_paid_model_never_becomes_active_by_itself(shelf: Shelf) -> None:
    shelf.registry.add(remote("a/paid", free=False), paid=True)
    shelf.registry.sync([remote("a/paid", free=False), remote("new/one:free")])
    assert shelf.active() == "new/one:free"


def test_a_paid_model_does_not_replace_a_removed_one_by_itself(shelf: Shelf) -> None:
    shelf.registry.add(remote("a/paid", free=False), paid=True)
    listed = [remote("a/paid", free=False), remote(FIRST), remote("new/one:free")]
    shelf.registry.sync(listed)
    shelf.registry.remove(shelf.model(FIRST).id)
    assert shelf.active() == "new/one:free"


def test_the_replacement_is_told_once_in_an_answer_and_until_a_choice_in_the_list(shelf: Shelf) -> None:
    shelf.sync("new/one:free", ROUTER)
    assert [shelf.registry.replaced_untold() for _ in range(2)] == [FIRST, ""]
    assert shelf.registry.replaced() == FIRST
    shelf.db.set_active_model(10)
    assert shelf.registry.replaced() == ""


def test_of_answers_that_end_together_one_tells_of_the_replacement(shelf: Shelf) -> None:
    shelf.sync("new/one:free", ROUTER)
    together = Barrier(8)

    def tell(_: int) -> str:
        together.wait(timeout=60)
        return shelf.registry.replaced_untold()

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(tell, range(8))) == [""] * 7 + [FIRST]


def test_after_a_choice_no_answer_tells_of_the_replacement(shelf: Shelf) -> None:
    shelf.sync("new/one:free", ROUTER)
    shelf.db.set_active_model(10)
    assert shelf.registry.replaced_untold() == ""


# Models that the owner adds and removes


def test_a_removed_model_stays_away_until_it_is_added(shelf: Shelf) -> None:
    shelf.sync(FIRST, ROUTER)
    assert shelf.registry.remove(10).key == ROUTER
    shelf.sync(FIRST, ROUTER)
    assert ROUTER not in shelf.rows()
    assert shelf.registry.add(remote(ROUTER), paid=False).id == 10
    assert shelf.available() == [FIRST, ROUTER]


def test_the_number_of_a_removed_model_is_not_used_again(shelf: Shelf) -> None:
    shelf.sync(FIRST, "new/one:free")
    shelf.registry.remove(11)
    shelf.sync(FIRST, "new/two:free")
    assert shelf.model("new/two:free").id == 12


def test_removing_the_active_model_makes_the_first_available_one_active(shelf: Shelf) -> None:
    shelf.db.set_active_model(7)
    shelf.sync("google/gemma-4-31b-it:free", "nvidia/nemotron-3-ultra-550b-a55b:free")
    shelf.registry.remove(7)
    assert shelf.active() == "google/gemma-4-31b-it:free"
    assert shelf.registry.replaced() == ""


def test_removing_another_model_leaves_the_active_one(shelf: Shelf) -> None:
    shelf.registry.remove(2)
    assert shelf.active() == FIRST


@pytest.mark.parametrize("model_id", [0, 11, 10**17])
def test_a_model_that_is_not_there_cannot_be_removed(shelf: Shelf, model_id: int) -> None:
    with pytest.raises(UnknownModelError):
        shelf.registry.remove(model_id)


def test_a_removed_model_can_neither_be_removed_again_nor_chosen(shelf: Shelf) -> None:
    shelf.registry.remove(2)
    for act in (shelf.registry.remove, shelf.db.get_model, shelf.db.set_active_model):
        with pytest.raises(UnknownModelError):
            act(2)
    assert shelf.active() == FIRST


def test_the_last_model_can_be_removed_and_the_next_one_to_come_is_active(shelf: Shelf) -> None:
    for model_id in range(1, 11):
        shelf.registry.remove(model_id)
    assert shelf.rows() == []
    shelf.sync("new/one:free")
    assert shelf.active() == "new/one:free"


def test_the_first_model_added_to_an_empty_registry_is_active(shelf: Shelf) -> None:
    for model_id in range(1, 11):
        shelf.registry.remove(model_id)
    shelf.registry.add(remote("new/one:free"), paid=False)
    assert shelf.active() == "new/one:free"


def test_an_offered_model_is_away_until_it_is_restored(shelf: Shelf) -> None:
    offered = shelf.registry.offer(remote("a/paid", free=False))
    assert "a/paid" not in shelf.rows()
    assert shelf.registry.restore(offered.id).paid
    assert shelf.available()[-1] == "a/paid"


def test_offering_the_active_model_again_does_not_take_it_away(shelf: Shelf) -> None:
    paid = shelf.registry.add(remote("a/paid", free=False), paid=True)
    shelf.db.set_active_model(paid.id)
    shelf.registry.offer(remote("a/paid", free=False))
    assert shelf.active() == "a/paid"


def test_a_paid_model_stays_available_as_long_as_it_is_listed(shelf: Shelf) -> None:
    shelf.registry.add(remote("a/paid", free=False), paid=True)
    shelf.registry.sync([remote(FIRST), remote("a/paid", free=False)])
    assert shelf.available() == [FIRST, "a/paid"]
    shelf.sync(FIRST)
    assert shelf.available() == [FIRST]


# Invariants

KEYS = [FIRST, ROUTER, "x/a:free", "x/b:free", "x/c:free"]
STEPS = st.one_of(
    st.tuples(st.just("sync"), st.sets(st.sampled_from(KEYS))),
    st.tuples(st.just("add"), st.sampled_from(KEYS)),
    st.tuples(st.just("remove"), st.sampled_from(KEYS)),
    st.tuples(st.just("choose"), st.sampled_from(KEYS)),
)


def do(shelf: Shelf, act: str, what: object) -> None:
    if act == "sync":
        shelf.sync(*sorted(what))  # type: ignore[call-overload]
    elif act == "add":
        shelf.registry.add(remote(str(what)), paid=False)
    elif what in shelf.rows():
        number = shelf.model(str(what)).id
        shelf.registry.remove(number) if act == "remove" else shelf.db.set_active_model(number)


@given(st.lists(STEPS, max_size=8))
def test_one_model_is_active_and_every_number_keeps_its_key(steps: list[tuple[str, object]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shelf = Shelf(Path(folder) / "notes.db")
        numbers: dict[int, str] = {}
        for act, what in steps:
            do(shelf, act, what)
            models = shelf.db.list_models()
            numbers |= {model.id: numbers.get(model.id, model.key) for model in models}
            assert all(numbers[model.id] == model.key for model in models)
            assert len(set(numbers.values())) == len(numbers)
            assert sum(model.active for model in models) == 1
        shelf.db.close()


@given(st.lists(STEPS, max_size=6), st.sets(st.sampled_from(KEYS), min_size=1))
def test_after_a_reading_the_active_model_is_available_if_any_is(
    steps: list[tuple[str, object]], listed: set[str]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shelf = Shelf(Path(folder) / "notes.db")
        for act, what in steps:
            do(shelf, act, what)
        shelf.sync(*sorted(listed))
        assert shelf.db.get_active_model().available or not shelf.available()
        assert set(shelf.available()) <= listed
        shelf.db.close()


def test_readings_and_choices_at_once_leave_one_active_model(shelf: Shelf) -> None:
    def work(number: int) -> None:
        for turn in range(15):
            if number % 2:
                shelf.sync(*(KEYS[:3] if turn % 2 else KEYS[2:]))
            else:
                shelf.db.set_active_model(1 + (turn + number) % 10)
            assert sum(model.active for model in shelf.db.list_models()) == 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert [model.id for model in shelf.db.list_models() if model.key == "x/c:free"] == [13]
