"""/people in pages, for any names of guests; links and guests only in a private chat."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from bot_api.chats import callback_buttons
from support.harness import Harness, Message, Person
from support.registry_people import buttons, seen

GROUP = -1001
NAMES = {
    3001: "Анна\nвторая строка",
    3002: "\u202eаннА",
    3003: "Щ" * 200,
    3004: "\u200b\u2060",
    3005: "علي",
    3006: "👩‍👩‍👧‍👧" * 30,
}
PRIVATE_ONLY = "Это не для чужих глаз. Напишите мне в личный чат: /invite, /people или /remove <id>."
OWNER_ONLY = "Это может только владелец бота."


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """A bot with owner 1 and 120 guests."""
    with Harness(tmp_path_factory.mktemp("crowded"), ALLOWED_USERS="") as bot:
        bot.start()
        bot.stop()
        guests = [(number, NAMES.get(number, f"Гость {number}"), 0) for number in range(3001, 3121)]
        with closing(sqlite3.connect(bot.db_path)) as conn, conn:
            conn.executemany(
                "INSERT INTO people (user_id, name, owner, joined_at) VALUES (?, ?, ?, 1)",
                [(1, "Владелец", 1), *guests],
            )
        yield bot.start()


@pytest.fixture
def owner(crowded: Harness) -> Person:
    return crowded.person(1)


def rows(message: Message) -> list[str]:
    return [line for line in message["text"].splitlines() if "(id " in line]


# ---- Pages ----------------------------------------------------------------------------------


def test_a_crowd_is_listed_in_pages(crowded: Harness, owner: Person) -> None:
    message, met = owner.asks("/people"), []
    for page in range(1, 8):
        assert len(rows(message)) == (20 if page < 7 else 1)
        met += rows(message)
        turns = [label for label in buttons(message) if "Убрать" not in label]
        assert turns == (["◀"] if page > 1 else []) + ([f"{page + 1} из 7 ▶"] if page < 7 else [])
        if page < 7:
            owner.press(message, f"{page + 1} из 7 ▶")
            message = seen(crowded, message, f"(id {3000 + 20 * page})")
    assert [f"(id {number})" for number in (1, *range(3001, 3121))] == [
        row[row.index("(id") :] for row in met
    ]


def test_any_name_stands_in_one_line_and_turns_nothing_around(owner: Person) -> None:
    message = owner.asks("/people")
    shown = dict(zip(sorted(NAMES), rows(message)[1:], strict=False))
    assert shown[3001] == "  Анна… (id 3001)"
    assert shown[3002] == "  аннА (id 3002)"
    assert shown[3003] == f"  {'Щ' * 39}… (id 3003)"
    assert shown[3004] == "  без имени (id 3004)"
    assert shown[3005] == "  علي (id 3005)"
    assert len(shown[3006]) < 60
    assert len(callback_buttons(message)) == 20
    assert all(len(button["text"]) < 80 for button in callback_buttons(message))


def test_only_numbers_are_in_the_buttons(owner: Person) -> None:
    data = [button["callback_data"] for button in callback_buttons(owner.asks("/people"))]
    assert data == [*(f"remove:1.{number}" for number in range(3001, 3020)), "people:2"]


def test_whoever_is_shown_out_is_gone_from_the_page(crowded: Harness, owner: Person) -> None:
    message = owner.asks("/people")
    owner.press(message, data="people:6")
    message = seen(crowded, message, "(id 3100)")
    assert owner.press(message, "Убрать: Гость 3101 (3101)").startswith("Гость 3101 больше не пользуется")
    now = seen(crowded, message, "(id 3120)")
    assert "3101" not in now["text"]
    assert "(id 3102)" in now["text"]
    assert "личный бот" in crowded.person(3101).says("/note_count")
    assert owner.press(now, data="remove:6.3101").startswith("Среди гостей нет человека")
    crowded.person(1).says("/note_count")
    with closing(sqlite3.connect(crowded.db_path)) as conn, conn:
        conn.execute("UPDATE people SET removed_at = NULL")


@pytest.mark.parametrize(
    "data", ["remove:3005", "remove:", "remove:1.", "remove:x.3005", "people:0", "people:x"]
)
def test_a_made_up_button_shows_nobody_out(owner: Person, data: str) -> None:
    message = owner.asks("/people")
    assert owner.press(message, data=data) == "Эта кнопка больше не действует."
    assert "(id 3005)" in owner.says("/people")


def test_a_page_that_is_no_more_is_the_last_one(crowded: Harness, owner: Person) -> None:
    message = owner.asks("/people")
    owner.press(message, data="people:77")
    assert buttons(seen(crowded, message, "(id 3120)"))[-1] == "◀"


# ---- Only in a private chat -----------------------------------------------------------------


@pytest.mark.parametrize("text", ["/invite", "/invite@zametochnik_bot", "/people", "/remove 3005", "/remove"])
def test_in_a_group_nobody_gets_to_see_a_link_or_the_guests(
    crowded: Harness, owner: Person, text: str
) -> None:
    assert owner.says(text, chat_id=GROUP) == PRIVATE_ONLY
    with closing(sqlite3.connect(crowded.db_path)) as conn:
        assert conn.execute("SELECT count(*) FROM codes WHERE NOT owner").fetchone() == (0,)
    assert "(id 3005)" in owner.says("/people")


@pytest.mark.parametrize("data", ["remove:1.3005", "people:2"])
def test_in_a_group_their_buttons_do_nothing(owner: Person, data: str) -> None:
    shown = owner.asks("/models", chat_id=GROUP)
    assert owner.press(shown, data=data) == PRIVATE_ONLY
    assert "(id 3005)" in owner.says("/people")


@pytest.mark.parametrize("chat_id", [GROUP, None])
def test_a_guest_learns_nothing_of_the_others(crowded: Harness, chat_id: int | None) -> None:
    guest = crowded.person(3007)
    where = {"chat_id": chat_id} if chat_id else {}
    shown = guest.asks("/models", **where)
    for text in ("/invite", "/people", "/remove 3005"):
        assert guest.says(text, **where) == OWNER_ONLY
    for data in ("remove:1.3005", "people:2"):
        assert guest.press(shown, data=data) == OWNER_ONLY


def test_usage_in_a_group_names_nobody(owner: Person) -> None:
    said = owner.says("/usage", chat_id=GROUP)
    assert said.startswith("Сегодня у всех: вопросов 0, токенов 0.\n")
    assert "Гость" not in said
    assert "3005" not in said
