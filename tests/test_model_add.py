"""/model_add and /model_del: a model the owner adds stays, and a model the owner removes stays away."""

from collections.abc import Callable, Iterator

import pytest

import support.openrouter_replies as replies
from bot_api.chats import callback_buttons
from support.harness import Harness, Message, name_of
from support.openrouter_replies import default_models, model_entry
from support.registry_people import (
    GEMMA,
    GUEST,
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
    result,
    row_of,
    seen,
    settled,
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
    assert result(owner, "/model_add new/one:free") == "Добавлена: 11. New One [new/one:free]"
    owner.says("/model 11")
    assert "модель: new/one:free)" in owner.asks_model("раз")[-1]["text"]


def test_a_key_that_the_service_does_not_know_is_not_added(at_openrouter: Begin) -> None:
    owner = at_openrouter(*KNOWN).person(OWNER)
    assert result(owner, "/model_add no/such:free").startswith("Такой модели у сервиса нет.")
    assert owner.says("/model_add") == "Использование: /model_add <ключ>"
    assert "no/such" not in owner.says("/models")


def test_a_model_that_has_expired_or_does_not_chat_is_not_added(at_openrouter: Begin) -> None:
    owner = at_openrouter(*default_models()).person(OWNER)
    for key in ("poolside/laguna:free", "parallel/decisions-fast:free"):
        assert not result(owner, f"/model_add {key}").startswith("Добавлена")
        assert key not in owner.says("/models")


def test_without_the_service_nothing_is_added(calm: Harness) -> None:
    calm.ai.always(replies.status(503), path="/models")
    assert result(calm.person(OWNER), f"/model_add {LUNA}").startswith("Ошибка: [503] ")


@pytest.fixture
def owned(new_bot: Begin) -> Begin:
    """A function that starts a bot for one test at openrouter.ai, with an owner and a guest."""
    return lambda *models: begin(new_bot(ALLOWED_USERS="1,2"), *models)


def add_paid(bot: Harness) -> None:
    """Add a paid model as the owner, and make it active."""
    owner = bot.person(OWNER)
    offer = settled(owner, f"/model_add {LUNA}")
    owner.press(offer)
    seen(bot, offer, "Добавлена")
    assert owner.says(f"/model {LUNA}").endswith(f"[{LUNA}]")


def test_a_paid_model_is_named_as_paid_and_asks_once(owned: Begin) -> None:
    bot = owned(*KNOWN, paid())
    owner = bot.person(OWNER)
    offer = settled(owner, f"/model_add {LUNA}")
    assert offer["text"].startswith(f"OpenAI: GPT-6 Luna [{LUNA}] — платная модель")
    assert LUNA not in owner.says("/models")
    owner.press(offer)
    added = seen(bot, offer, "Добавлена")
    assert added["text"] == f"Добавлена: 11. OpenAI: GPT-6 Luna [{LUNA}]"
    assert buttons(added) == []
    owner.says("/model 11")
    assert f"модель: {LUNA})" in owner.asks_model("раз")[-1]["text"]


def test_a_paid_model_stays_available_while_it_is_listed(owned: Begin) -> None:
    bot = owned(*KNOWN, paid())
    add_paid(bot)
    shown = refreshed(bot, NEW, paid())
    assert row_of(shown, LUNA) == f"★ 11. OpenAI: GPT-6 Luna [{LUNA}] · 131k"
    assert f"⚠ {LUNA} больше недоступна" in refreshed(bot, NEW)


def test_a_paid_model_that_was_only_offered_stays_away(owned: Begin) -> None:
    bot = owned(*KNOWN, paid())
    owner = bot.person(OWNER)
    result(owner, f"/model_add {LUNA}")
    assert LUNA not in refreshed(bot, *KNOWN, paid())
    assert owner.says("/model 11") == UNKNOWN


def test_adding_an_active_paid_model_again_takes_nothing_away(owned: Begin) -> None:
    bot = owned(*KNOWN, paid())
    add_paid(bot)
    owner = bot.person(OWNER)
    result(owner, f"/model_add {LUNA}")
    assert LUNA in owner.says("/model")
    assert row_of(owner.says("/models"), LUNA).startswith("★ 11. ")


# Paid models need an owner


NO_OWNER = "Платную модель может добавить и выбрать только владелец, а у бота его нет"
NOT_YOUR_MONEY = "Модель платная: спрашивать её может только владелец бота. Выберите бесплатную: /models"


def test_without_an_owner_nobody_adds_what_costs(at_openrouter: Begin) -> None:
    bot = at_openrouter(*KNOWN, paid())
    anna = bot.person()
    refused = settled(anna, f"/model_add {LUNA}")
    assert refused["text"].startswith(NO_OWNER)
    assert "ALLOWED_USERS" in refused["text"]
    assert buttons(refused) == []
    for number in (11, 5):  # the paid model as if it had been offered, and a free one
        assert NO_OWNER in anna.press(anna.asks("/models"), data=f"paid:{number}")
    assert LUNA not in anna.says("/models")
    assert anna.says("/model 11") == UNKNOWN
    bot.ai.models.append(NEW)
    assert result(anna, "/model_add new/one:free") == "Добавлена: 11. New One [new/one:free]"


def test_without_an_owner_nobody_asks_what_an_owner_has_added(owned: Begin) -> None:
    bot = owned(*KNOWN, paid())
    add_paid(bot)
    answered = bot.person(OWNER).asks_model("раз")[-1]
    bot.stop()
    bot.settings["ALLOWED_USERS"] = "*"
    bot.start()
    anna, before = bot.person(), len(bot.ai.questions)
    for person in (anna, bot.person(OWNER)):  # the former owner has no rights now
        assert person.says("/ask привет") == NOT_YOUR_MONEY
    bot.person(OWNER).press(answered, "🔁 Ещё раз")
    bot.person(OWNER).press(answered, data=f"with:{turn_of(answered)}.11")
    anna.says("/model 5")
    assert anna.says("/model 11").startswith(NO_OWNER)
    assert anna.says(f"/model {LUNA}").startswith(NO_OWNER)
    assert NO_OWNER in anna.press(anna.asks("/models"), data="use:1.11")
    assert len(bot.ai.questions) == before
    assert f"модель: {GEMMA})" in anna.asks_model("два")[-1]["text"]


def test_a_guest_asks_what_costs_only_while_the_owner_has_chosen_it(owned: Begin) -> None:
    bot = owned(*KNOWN, paid())
    add_paid(bot)
    owner, guest = bot.person(OWNER), bot.person(GUEST)
    answered = guest.asks_model("раз")[-1]
    assert f"модель: {LUNA})" in answered["text"]
    owner.says("/model 5")
    assert guest.press(answered, "🔁 Ещё раз") == NOT_YOUR_MONEY
    assert guest.press(answered, data=f"with:{turn_of(answered)}.11") == UNKNOWN
    guest.press(answered, "🤖 Другая модель")
    assert "OpenAI: GPT-6 Luna" not in buttons(bot.server.wait_text(GUEST, "Кого спросить"))
    assert [request.body["model"] for request in bot.ai.questions] == [LUNA]


def turn_of(answered: Message) -> str:
    """Return the question's number from the buttons under its answer."""
    return str(callback_buttons(answered)[0]["callback_data"]).partition(":")[2]


# Removing


def test_a_removed_model_stays_away_until_it_is_added(at_openrouter: Begin) -> None:
    bot = at_openrouter(*KNOWN)
    owner = bot.person(OWNER)
    assert owner.says("/model_del 5") == f"Убрана: {name_of(5)}\n(вернуть: /model_add {GEMMA})"
    shown = refreshed(bot, *KNOWN, NEW)
    assert GEMMA not in shown
    assert row_of(shown, "new/one:free").startswith("  11. ")
    assert owner.says("/model 5") == UNKNOWN
    assert result(owner, f"/model_add {GEMMA}") == f"Добавлена: 5. {name_of(5)}"
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
        (
            "/model_del gemma",
            "Использование: /model_del <id>\n«gemma» не подходит: нужно целое число от 1.",
        ),
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
    result(owner, f"/model_add {GEMMA}")
    assert GEMMA in owner.says("/model")
