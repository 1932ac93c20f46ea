"""/model_add and /model_del: what the owner adds stays, and what the owner removes stays away."""

from collections.abc import Callable, Iterator

import pytest

import support.openrouter_replies as replies
from support.harness import Harness, name_of
from support.openrouter_replies import default_models, model_entry
from support.registry_people import (
    GEMMA,
    KNOWN,
    LUNA,
    NORTH,
    OWNER,
    SECOND,
    UNKNOWN,
    begin,
    buttons,
    listed,
    paid,
    refreshed,
    row_of,
    seen,
)

NEW = model_entry("new/one:free", "New One")

Begin = Callable[..., Harness]


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """A bot for tests that change nothing."""
    with Harness(tmp_path_factory.mktemp("calm")) as harness:
        yield begin(harness, *KNOWN)


def test_a_free_model_can_be_added_before_the_next_reading(at_openrouter: Begin) -> None:
    bot = at_openrouter(*KNOWN)
    owner = bot.person(OWNER)
    bot.ai.models.append(NEW)
    assert owner.says("/model_add new/one:free") == "Добавлена: 11. New One [new/one:free]"
    owner.says("/model 11")
    assert "модель: new/one:free)" in owner.asks_model("раз")[-1]["text"]


def test_a_key_that_the_service_does_not_know_is_not_added(at_openrouter: Begin) -> None:
    owner = at_openrouter(*KNOWN).person(OWNER)
    assert owner.says("/model_add no/such:free").startswith("Такой модели у сервиса нет.")
    assert owner.says("/model_add") == "Использование: /model_add <ключ>"
    assert "no/such" not in owner.says("/models")


def test_a_model_that_has_expired_or_does_not_chat_is_not_added(at_openrouter: Begin) -> None:
    owner = at_openrouter(*default_models()).person(OWNER)
    for key in ("poolside/laguna:free", "parallel/decisions-fast:free"):
        assert not owner.says(f"/model_add {key}").startswith("Добавлена")
        assert key not in owner.says("/models")


def test_without_the_service_nothing_is_added(calm: Harness) -> None:
    calm.ai.always(replies.status(503), path="/models")
    assert calm.person(OWNER).says(f"/model_add {LUNA}").startswith("Ошибка: [503] ")


def add_paid(bot: Harness) -> None:
    """Let the owner add a model that costs, and make it the active one."""
    owner = bot.person(OWNER)
    offer = owner.asks(f"/model_add {LUNA}")
    owner.press(offer)
    seen(bot, offer, "Добавлена")
    assert owner.says(f"/model {LUNA}").endswith(f"[{LUNA}]")


def test_a_paid_model_is_named_as_paid_and_asks_once(at_openrouter: Begin) -> None:
    bot = at_openrouter(*KNOWN, paid())
    owner = bot.person(OWNER)
    offer = owner.asks(f"/model_add {LUNA}")
    assert offer["text"].startswith(f"OpenAI: GPT-6 Luna [{LUNA}] — платная модель")
    assert LUNA not in owner.says("/models")
    owner.press(offer)
    added = seen(bot, offer, "Добавлена")
    assert added["text"] == f"Добавлена: 11. OpenAI: GPT-6 Luna [{LUNA}]"
    assert buttons(added) == []
    owner.says("/model 11")
    assert f"модель: {LUNA})" in owner.asks_model("раз")[-1]["text"]


def test_a_paid_model_stays_available_while_it_is_listed(at_openrouter: Begin) -> None:
    bot = at_openrouter(*KNOWN, paid())
    add_paid(bot)
    shown = refreshed(bot, NEW, paid())
    assert row_of(shown, LUNA) == f"★ 11. OpenAI: GPT-6 Luna [{LUNA}] · 131k"
    assert f"⚠ {LUNA} больше недоступна" in refreshed(bot, NEW)


def test_a_paid_model_that_was_only_offered_stays_away(at_openrouter: Begin) -> None:
    bot = at_openrouter(*KNOWN, paid())
    owner = bot.person(OWNER)
    owner.says(f"/model_add {LUNA}")
    assert LUNA not in refreshed(bot, *KNOWN, paid())
    assert owner.says("/model 11") == UNKNOWN


def test_adding_an_active_paid_model_again_takes_nothing_away(at_openrouter: Begin) -> None:
    bot = at_openrouter(*KNOWN, paid())
    add_paid(bot)
    owner = bot.person(OWNER)
    owner.says(f"/model_add {LUNA}")
    assert LUNA in owner.says("/model")
    assert row_of(owner.says("/models"), LUNA).startswith("★ 11. ")


def test_a_removed_model_stays_away_until_it_is_added(at_openrouter: Begin) -> None:
    bot = at_openrouter(*KNOWN)
    owner = bot.person(OWNER)
    assert owner.says("/model_del 5") == f"Убрана: {name_of(5)}\n(вернуть: /model_add {GEMMA})"
    shown = refreshed(bot, *KNOWN, NEW)
    assert GEMMA not in shown
    assert row_of(shown, "new/one:free").startswith("  11. ")
    assert owner.says("/model 5") == UNKNOWN
    assert owner.says(f"/model_add {GEMMA}") == f"Добавлена: 5. {name_of(5)}"
    assert row_of(owner.says("/models"), GEMMA)


def test_removing_the_active_model_makes_the_first_available_one_active(at_openrouter: Begin) -> None:
    owner = at_openrouter(*listed(SECOND, GEMMA, NORTH)).person(OWNER)
    owner.says("/model 9")
    owner.says("/model_del 9")
    shown = owner.says("/models")
    assert row_of(shown, SECOND).startswith("★ 2. ")
    assert shown.count("★") == 1


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("/model_del", "Использование: /model_del <id>"),
        ("/model_del gemma", "Использование: /model_del <id>"),
        ("/model_del 0", UNKNOWN),
        ("/model_del 77", UNKNOWN),
        (f"/model_del {'9' * 30}", UNKNOWN),
    ],
)
def test_what_is_no_model_cannot_be_removed(calm: Harness, text: str, answer: str) -> None:
    assert calm.person(OWNER).says(text) == answer


def test_after_the_last_model_is_removed_the_next_one_added_answers(at_openrouter: Begin) -> None:
    owner = at_openrouter(*KNOWN).person(OWNER)
    for number in range(1, 11):
        owner.says(f"/model_del {number}")
    assert owner.says("/models") == "Список моделей пуст."
    owner.says(f"/model_add {GEMMA}")
    assert GEMMA in owner.says("/model")
