"""/models and /model: what the list shows, how models disappear and return, and who may switch."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

import support.openrouter_replies as replies
from bot_api.chats import callback_buttons
from support.harness import CATALOGUE, Harness, Person, name_of
from support.openrouter_replies import Json, default_models, model_entry
from support.registry_people import (
    FIRST,
    GEMMA,
    GUEST,
    KNOWN,
    LUNA,
    NORTH,
    OWNER,
    REFRESH,
    ROUTER,
    SECOND,
    UNKNOWN,
    begin,
    begin_elsewhere,
    buttons,
    listed,
    paid,
    refresh,
    refreshed,
    result,
    row_of,
    seen,
    settled,
)

OWNERS_ONLY = "Это может только владелец бота."
NEW = model_entry("new/one:free", "New One")

Begin = Callable[..., Harness]


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """A bot for tests that change nothing."""
    with Harness(tmp_path_factory.mktemp("calm"), ALLOWED_USERS="1,2") as harness:
        yield begin(harness, *KNOWN)


def many(count: int) -> list[Json]:
    return [model_entry(f"x/m{number}:free", f"Model {number}") for number in range(count)]


# Contents of the list


def test_the_list_is_read_at_the_start(at_openrouter: Begin) -> None:
    shown = at_openrouter(*default_models()).person(OWNER).says("/models")
    assert shown.splitlines() == [
        "Доступные модели:",
        "★ 1. DeepSeek V3.1 (free) [deepseek/deepseek-chat-v3.1:free] · 163k",
        "  5. Gemma 4 31B (free) [google/gemma-4-31b-it:free] · 131k 🖼",
        "  7. Nemotron 3 Ultra (free) [nvidia/nemotron-3-ultra-550b-a55b:free] · 131k",
        "  9. North Mini Code (free) [cohere/north-mini-code:free] · 131k",
        "  10. OpenRouter: любая бесплатная [openrouter/free] · 200k 🖼",
        "  2. DeepSeek R1 (free) [deepseek/deepseek-r1:free] · ⚠ недоступна",
        "  3. Mistral Small 24b (free) [mistralai/mistral-small-24b-instruct-2501:free] · ⚠ недоступна",
        "  4. Llama 3.1 8B (free) [meta-llama/llama-3.1-8b-instruct:free] · ⚠ недоступна",
        "  6. Gemma 4 26B A4B (free) [google/gemma-4-26b-a4b-it:free] · ⚠ недоступна",
        f"  8. {name_of(8)} · ⚠ недоступна",
        "",
        "Активировать: /model <ID>",
    ]


def test_a_small_context_is_shown_as_it_is(at_openrouter: Begin) -> None:
    shown = at_openrouter(model_entry("x/small:free", "Small", context_length=512)).person().says("/models")
    assert row_of(shown, "x/small:free") == "★ 11. Small [x/small:free] · 512"


def test_what_a_model_reads_is_shown_and_an_unknown_context_is_not(at_openrouter: Begin) -> None:
    reads = model_entry("x/reads:free", "Reads", inputs=["text", "image", "file", "audio"])
    silent = model_entry("x/silent:free", "Silent", context_length=None)
    shown = at_openrouter(reads, silent).person(OWNER).says("/models")
    assert row_of(shown, "x/reads:free") == "★ 11. Reads [x/reads:free] · 131k 🖼 📄"
    assert row_of(shown, "x/silent:free") == "  12. Silent [x/silent:free]"


def test_a_long_list_has_pages(at_openrouter: Begin) -> None:
    bot = at_openrouter(*KNOWN, *many(12))
    owner = bot.person(OWNER)
    page = owner.asks("/models")
    assert len(page["text"].splitlines()) == 13
    assert buttons(page)[-2:] == ["2 из 3 ▶", REFRESH]
    owner.press(page, "2 из 3 ▶")
    page = seen(bot, page, "[x/m5:free]")
    numbers = [line.split()[0] for line in page["text"].splitlines()[1:11]]
    assert numbers == ["16.", "17.", "18.", "19.", "20.", "21.", "22.", "3.", "4.", "6."]
    assert buttons(page)[-3:] == ["◀", "3 из 3 ▶", REFRESH]
    owner.press(page, data="page:77")  # from a list that was longer
    page = seen(bot, page, "8. Nemotron")
    assert buttons(page) == ["◀", REFRESH]


def test_broken_entries_harm_no_other_model(new_bot: Begin) -> None:
    broken = [
        model_entry("x/half:free", "Half \ud83d a letter"),
        model_entry("x/long:free", "Long", context_length=10**30),
        model_entry("x/two lines:free", "Two\nlines"),
        {"id": 5},
        "no model",
    ]
    bot = new_bot()
    bot.ai.always(replies.body(json.dumps({"data": [*broken, NEW]}).encode()), path="/models")
    begin(bot)
    assert row_of(bot.person(OWNER).says("/models"), "new/one:free")


# A service recognized by its host


def test_elsewhere_every_listed_model_counts_and_its_price_does_not(new_bot: Begin) -> None:
    bot = begin_elsewhere(new_bot(), paid("qwen3:8b", "Qwen"), {"id": "llama", "object": "model"})
    owner = bot.person(OWNER)
    shown = owner.says("/models")
    assert row_of(shown, "qwen3:8b") == "★ 11. Qwen [qwen3:8b] · 131k"
    assert row_of(shown, "llama") == "  12. llama [llama]"
    owner.says("/model_del 12")
    assert result(owner, "/model_add llama") == "Добавлена: 12. llama [llama]"


def test_at_openrouter_what_costs_expires_or_does_not_chat_is_not_listed(at_openrouter: Begin) -> None:
    shown = at_openrouter(*default_models()).person(OWNER).says("/models")
    assert row_of(shown, ROUTER)
    for key in (LUNA, "openrouter/auto", "poolside/laguna:free", "parallel/decisions-fast:free"):
        assert key not in shown


# Models that disappear and return


def test_what_comes_and_goes_is_seen_after_a_refresh(at_openrouter: Begin) -> None:
    bot = at_openrouter(*KNOWN)
    owner = bot.person(OWNER)
    message = owner.asks("/models")
    bot.ai.models = [*listed(FIRST, NORTH), NEW]
    assert row_of(refresh(bot, message)["text"], GEMMA).endswith("⚠ недоступна")
    back = refreshed(bot, *KNOWN)
    assert row_of(back, GEMMA) == f"  5. {name_of(5)} · 131k"
    assert row_of(refreshed(bot, *listed(FIRST), NEW), "new/one:free").startswith("  11. New One")


def days_pass(bot: Harness, days: int) -> None:
    """Move the disappearance of all models this many days into the past."""
    with closing(sqlite3.connect(bot.db_path, timeout=10)) as conn, conn:
        conn.execute("UPDATE models SET gone_at = gone_at - ?", (days * 86_400,))


def numbers(owner: Person) -> list[str]:
    """Return the numbers of the listed models, in order."""
    return [line.removeprefix("★").split(".")[0].strip() for line in owner.says("/models").splitlines()[1:-2]]


def test_after_a_month_what_is_gone_is_not_listed_and_keeps_its_number(at_openrouter: Begin) -> None:
    bot = at_openrouter(*KNOWN, NEW)
    owner = bot.person(OWNER)
    refreshed(bot, *listed(FIRST, GEMMA))
    days_pass(bot, 29)
    assert numbers(owner) == ["1", "5", "2", "3", "4", "6", "7", "8", "9", "10"]
    assert buttons(owner.asks("/models"))[-2:] == ["2 из 2 ▶", REFRESH]
    days_pass(bot, 2)
    assert numbers(owner) == ["1", "5"]
    assert refreshed(bot, *listed(FIRST, GEMMA), model_entry("x/next:free", "Next"), NEW).splitlines()[
        3:5
    ] == [
        "  11. New One [new/one:free] · 131k",
        "  12. Next [x/next:free] · 131k",
    ]


def test_after_a_month_what_somebody_has_chosen_is_still_listed(new_bot: Begin) -> None:
    bot = begin(new_bot(ALLOWED_USERS="1"), *KNOWN, paid())
    owner = bot.person(OWNER)
    offer = settled(owner, f"/model_add {LUNA}")
    owner.press(offer)
    seen(bot, offer, "Добавлена")
    owner.says("/model_del 2")
    assert result(owner, f"/model_add {SECOND}").startswith("Добавлена: 2. ")
    refreshed(bot, *listed(FIRST, GEMMA))
    days_pass(bot, 31)
    assert numbers(owner) == ["1", "5", "2", "11"]
    assert owner.says("/model 9").startswith(f"Активная модель переключена: {name_of(9)}\n")
    assert numbers(owner) == ["1", "5", "2", "9", "11"]
    assert owner.says("/model 77") == UNKNOWN


def test_the_active_model_that_is_gone_is_replaced_and_that_is_said(at_openrouter: Begin) -> None:
    bot = at_openrouter(*listed(GEMMA, NORTH))
    owner, guest = bot.person(), bot.person()
    gone = f"⚠ {FIRST} больше недоступна, активной стала другая модель"
    shown = guest.says("/models")
    assert gone in shown
    assert row_of(shown, GEMMA).startswith("★ 5. ")
    answers = [guest.asks_model("раз")[-1]["text"], owner.asks_model("два")[-1]["text"]]
    assert [gone in answer for answer in answers] == [True, False]
    assert f"модель: {GEMMA})" in answers[0]
    owner.says("/model 9")
    assert gone not in owner.says("/models")


def test_after_the_owner_has_chosen_no_answer_speaks_of_the_replacement(at_openrouter: Begin) -> None:
    bot = at_openrouter(*listed(GEMMA, NORTH))
    owner = bot.person(OWNER)
    owner.says("/model 9")
    assert "активной стала другая" not in owner.asks_model("раз")[-1]["text"]


def test_a_model_that_came_back_is_not_called_gone(at_openrouter: Begin) -> None:
    shown = refreshed(at_openrouter(*listed(GEMMA)), *KNOWN)
    assert "⚠" not in row_of(shown, FIRST)
    assert "больше недоступна" not in shown


def test_without_any_free_model_the_active_one_stays_and_is_marked(at_openrouter: Begin) -> None:
    bot = at_openrouter(*KNOWN)
    owner = bot.person(OWNER)
    bot.ai.models = [paid()]
    refresh(bot, owner.asks("/models"))
    shown = owner.says("/models")
    assert row_of(shown, FIRST).startswith("★ 1. ")
    assert all(line.endswith("⚠ недоступна") for line in shown.splitlines()[1:11])


@pytest.mark.parametrize(
    "reading",
    [
        pytest.param(replies.status(500, "Internal"), id="500"),
        pytest.param(replies.body({"data": []}), id="empty"),
        pytest.param(replies.body({"data": None}), id="no list"),
        pytest.param(replies.body(b'{"data": [{"id": "x/a:free"'), id="cut"),
        pytest.param(replies.html(200), id="html"),
        pytest.param(replies.reset(headers=False), id="reset"),
        pytest.param(replies.body({"data": [NEW]}, padding=b" " * (16 * 2**20)), id="over 16 MB"),
    ],
)
def test_a_reading_that_fails_changes_nothing(calm: Harness, reading: replies.Behaviour) -> None:
    owner = calm.person(OWNER)
    message = owner.asks("/models")
    calm.ai.always(reading, path="/models")
    now = refresh(calm, message, "\n⚠ С")["text"]
    assert now.startswith(message["text"])
    assert now.removeprefix(message["text"]).startswith(
        ("\n⚠ Список не обновлён: [5", "\n⚠ Сервис прислал пустой список.")
    )
    assert owner.says("/models") == message["text"]


def test_a_failed_reading_at_the_start_leaves_the_list_as_it_was(at_openrouter: Begin) -> None:
    bot = at_openrouter(*KNOWN, NEW)
    before = bot.person(OWNER).says("/models")
    bot.ai.always(replies.status(503), path="/models")
    bot.restart()
    bot.wait(lambda: "Список моделей не прочитан" in bot.log)
    assert bot.person(OWNER).says("/models") == before


def test_the_bot_answers_while_the_list_is_being_read(new_bot: Begin) -> None:
    bot = new_bot(STOP_TIMEOUT="1")
    bot.ai.always(replies.hang(), path="/models")
    owner = bot.start().person(OWNER)
    message = owner.asks("/models")
    bot.server.press(OWNER, message["message_id"], REFRESH)
    bot.ai.wait(lambda: len(bot.ai.requests) == 2)
    assert "#1" in bot.person(GUEST).says("/note_add привет")
    assert bot.ai.closed_by_client == []


# Switching


def test_a_tap_switches_in_place(at_openrouter: Begin) -> None:
    bot = at_openrouter(*KNOWN)
    owner = bot.person(OWNER)
    message = owner.asks("/models")
    sent = len(bot.server.messages(OWNER))
    assert owner.press(message, CATALOGUE[GEMMA]) == f"Активна {CATALOGUE[GEMMA]}"
    now = seen(bot, message, "★ 5. ")
    assert buttons(now)[:3] == [CATALOGUE[FIRST], CATALOGUE[SECOND], f"★ {CATALOGUE[GEMMA]}"]
    assert now["text"].count("★") == 1
    assert len(bot.server.messages(OWNER)) == sent
    assert f"модель: {GEMMA})" in bot.person().asks_model("раз")[-1]["text"]


def test_a_tap_on_another_page_stays_there(at_openrouter: Begin) -> None:
    bot = at_openrouter(*KNOWN, *many(12))
    owner = bot.person(OWNER)
    message = owner.asks("/models")
    owner.press(message, data="use:2.17")  # the button at that position on page 2
    assert row_of(seen(bot, message, "★ 17. ")["text"], "x/m11:free")


def test_the_longest_keys_fit_into_their_buttons(at_openrouter: Begin) -> None:
    keys = [f"{'a' * 27}/{'b' * 27}{number}:free" for number in range(3)]
    assert {len(key) for key in keys} == {61}
    bot = at_openrouter(*(model_entry(key, key.upper()) for key in keys))
    owner = bot.person(OWNER)
    message = owner.asks("/models")
    assert all(len(button["callback_data"].encode()) <= 64 for button in callback_buttons(message))
    assert owner.press(message, keys[2].upper()) == f"Активна {keys[2].upper()}"
    assert keys[2] in owner.says("/model")


def test_no_unavailable_model_has_a_button(calm: Harness) -> None:
    labels = [f"★ {CATALOGUE[FIRST]}", *(CATALOGUE[key] for key in (SECOND, GEMMA, NORTH, ROUTER))]
    assert buttons(calm.person(OWNER).asks("/models")) == [*labels, REFRESH]


def test_a_part_of_one_name_switches(at_openrouter: Begin) -> None:
    owner = at_openrouter(*KNOWN).person(OWNER)  # one of the catalogue's two Gemmas is available
    assert owner.says("/model gEmMa") == f"Активная модель переключена: {name_of(5)}"
    assert owner.says("/model ЛЮБАЯ") == f"Активная модель переключена: {name_of(10)}"
    assert owner.says("/model llama").splitlines()[0] == f"Активная модель переключена: {name_of(4)}"


def test_a_part_of_several_names_offers_them(at_openrouter: Begin) -> None:
    bot = at_openrouter(*KNOWN)
    owner = bot.person(OWNER)
    offer = owner.asks("/model deepseek")
    assert buttons(offer) == [f"★ {CATALOGUE[FIRST]}", CATALOGUE[SECOND]]
    assert owner.press(offer, 1) == f"Активна {CATALOGUE[SECOND]}"
    assert name_of(2) in owner.says("/model")


def test_whoever_chooses_a_model_that_is_gone_is_told_so(at_openrouter: Begin) -> None:
    owner = at_openrouter(*KNOWN).person(OWNER)
    assert owner.says("/model 3").splitlines()[1:] == [
        "⚠ Сервис её сейчас не предлагает, спрошены будут и другие."
    ]
    assert "\n" not in owner.says("/model 1")


def test_several_models_that_are_gone_are_not_asked_about_without_a_button(at_openrouter: Begin) -> None:
    offer = at_openrouter(NEW).person(OWNER).asks("/model deepseek")
    assert buttons(offer) or "недоступн" in offer["text"]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("/model абв", "Использование: /model <ID из /models>\nНи у одной модели нет в имени «абв»."),
        ("/model №77", UNKNOWN),
        ("/model 77", UNKNOWN),
        ("/model 0", UNKNOWN),
        (f"/model {'9' * 30}", UNKNOWN),
    ],
)
def test_what_is_no_model_is_said_to_be_none(calm: Harness, text: str, answer: str) -> None:
    assert calm.person(OWNER).says(text) == answer


def test_more_models_than_a_message_has_buttons_are_offered_all_the_same(at_openrouter: Begin) -> None:
    bot = at_openrouter(*many(101))
    owner = bot.person(OWNER)
    assert "Model 7" in buttons(owner.asks("/model x/m"))
    owner.press(owner.asks_model("раз")[-1], "🤖 Другая модель")
    assert "Model 7" in buttons(bot.server.wait_text(OWNER, "Кого спросить"))


# Permissions


def test_a_guest_sees_the_models_and_changes_nothing(calm: Harness) -> None:
    owner, guest = calm.person(OWNER), calm.person(GUEST)
    message = guest.asks("/models")
    assert REFRESH not in buttons(message)
    for data in ("use:1.5", "refresh:", "paid:2"):
        assert guest.press(message, data=data) == OWNERS_ONLY
    for text in ("/model 5", "/model gemma", f"/model_add {GEMMA}", "/model_add", "/model_del 1"):
        assert guest.says(text) == OWNERS_ONLY
    assert owner.says("/models") == message["text"]
    assert guest.says("/model").startswith(f"Текущая активная модель: {name_of(1)}")


def test_only_the_owner_is_told_of_adding_and_removing(calm: Harness) -> None:
    assert "/model_add <ключ>" in calm.person(OWNER).says("/help")
    assert "/model_" not in calm.person(GUEST).says("/help")


def test_a_stranger_learns_and_changes_nothing(calm: Harness) -> None:
    owner, stranger = calm.person(OWNER), calm.person(999)
    message = owner.asks("/models")
    assert stranger.press(message, data="use:1.5").startswith("Это личный бот.")
    assert owner.says("/models") == message["text"]


@pytest.mark.parametrize("data", ["use:", "use:1", "use:1.", "use:1.²", "use:x.5", "page:x", "page:0"])
def test_a_made_up_button_does_nothing(calm: Harness, data: str) -> None:
    owner = calm.person(OWNER)
    message = owner.asks("/models")
    assert owner.press(message, data=data) == "Эта кнопка больше не действует."
    assert owner.says("/models") == message["text"]


@pytest.mark.parametrize("number", ["0", "77", "9" * 40])
def test_a_button_of_a_model_that_is_not_there_says_so(calm: Harness, number: str) -> None:
    owner = calm.person(OWNER)
    assert owner.press(owner.asks("/models"), data=f"use:1.{number}") == UNKNOWN
