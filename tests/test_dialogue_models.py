"""A dialogue about the registry: /models, /model, and exactly one active model at any moment."""

import re
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from itertools import permutations

import pytest

import support.openrouter_replies as replies
from support.harness import CATALOGUE, Harness, Person, name_of

UNKNOWN = "Неизвестный ID модели. Сначала /models."
USAGE = "Использование: /model <ID из /models>"


def current(model_id: int) -> str:
    return f"Текущая активная модель: {name_of(model_id)}\n(сменить: /model <ID> или /models)"


def switched(model_id: int) -> str:
    return f"Активная модель переключена: {name_of(model_id)}"


def listed(active: int) -> str:
    rows = [f"{'★' if i == active else ' '} {i}. {name_of(i)}" for i in range(1, len(CATALOGUE) + 1)]
    return "\n".join(["Доступные модели:", *rows, "", "Активировать: /model <ID>"])


def active_rows(bot: Harness) -> list[int]:
    with closing(sqlite3.connect(bot.db_path)) as conn:
        return [model_id for (model_id,) in conn.execute("SELECT id FROM models WHERE active = 1")]


def test_a_new_database_has_ten_models_and_the_first_is_active(new_bot: Callable[..., Harness]) -> None:
    anna = new_bot().start().person()
    assert anna.says("/models") == listed(active=1)
    assert anna.says("/model") == current(1)


def test_the_star_goes_with_the_active_model(anna: Person) -> None:
    assert anna.says("/model 10") == switched(10)
    assert anna.says("/models") == listed(active=10)
    assert anna.says("/model") == current(10)


def test_switching_works_from_each_model_to_each_other_one(bot: Harness, anna: Person) -> None:
    for here, there in permutations(range(1, 11), 2):
        if active_rows(bot) != [here]:
            assert anna.says(f"/model {here}") == switched(here)
        assert anna.says(f"/model {there}") == switched(there)
    assert active_rows(bot) == [9]


def test_switching_to_the_active_model_is_no_mistake(bot: Harness, anna: Person) -> None:
    anna.says("/model 4")
    assert anna.says("/model 4") == switched(4)
    assert active_rows(bot) == [4]


@pytest.mark.parametrize("number", ["0", "11", "999", "000", "9" * 18, "9" * 19, "9" * 30])
def test_a_number_beyond_the_list_is_an_unknown_model(bot: Harness, anna: Person, number: str) -> None:
    anna.says("/model 2")
    assert anna.says(f"/model {number}") == UNKNOWN
    assert active_rows(bot) == [2]


@pytest.mark.parametrize("argument", ["abc", "-1", "²", "½", "1.5", "1 2", "нет", "%", "' OR 1=1"])
def test_what_is_no_number_gets_the_usage(bot: Harness, anna: Person, argument: str) -> None:
    anna.says("/model 2")
    assert anna.says(f"/model {argument}") == f"{USAGE}\nНи у одной модели нет в имени «{argument}»."
    assert active_rows(bot) == [2]


def test_the_active_model_is_the_same_for_everybody(anna: Person, boris: Person) -> None:
    anna.says("/model 5")
    assert boris.says("/model") == current(5)


def test_many_people_switching_at_once_are_each_told_of_their_own_choice(bot: Harness) -> None:
    wanted = {bot.person(): number for number in range(1, 9)}
    asked = [
        (number, bot.server.say(f"/model {number}", user_id=person.id))
        for _ in range(4)
        for person, number in wanted.items()
    ]
    for number, message in asked:
        assert bot.reply_to(message)["text"] == switched(number)
    assert len(active_rows(bot)) == 1


def test_exactly_one_is_active_whenever_somebody_looks(bot: Harness) -> None:
    people = [bot.person() for _ in range(4)]
    seen: list[int] = []
    over = threading.Event()

    def look() -> None:
        with closing(sqlite3.connect(bot.db_path)) as conn:
            while not over.is_set():
                seen.append(conn.execute("SELECT count(*) FROM models WHERE active = 1").fetchone()[0])

    looking = threading.Thread(target=look)
    looking.start()
    asked = [
        bot.server.say(f"/model {number}", user_id=person.id) for number in range(1, 11) for person in people
    ]
    for message in asked:
        bot.reply_to(message)
    over.set()
    looking.join()
    assert set(seen) == {1}


def test_an_empty_registry_says_so(new_bot: Callable[..., Harness]) -> None:
    bot = new_bot()
    bot.ai.always(replies.status(500), path="/models")
    anna = bot.start().person()
    bot.ai.wait(lambda: bot.ai.requests)
    assert anna.says("/models").startswith("Доступные модели:")
    with closing(sqlite3.connect(bot.db_path)) as conn, conn:
        conn.execute("DELETE FROM models")
    for command in ("/models", "/model", "/ask привет"):
        assert anna.says(command) == "Список моделей пуст."
    assert anna.says("/model 1") == UNKNOWN
    bot.restart()  # it adds the catalogue again
    assert anna.says("/models") == listed(active=1)


def test_the_registry_survives_a_service_that_cannot_be_reached(new_bot: Callable[..., Harness]) -> None:
    bot = new_bot()
    bot.ai.always(replies.html(502), path="/models")
    anna = bot.start().person()
    bot.ai.wait(lambda: bot.ai.requests)
    assert anna.says("/models") == listed(active=1)
    assert not re.search("недоступна", anna.says("/models"))
