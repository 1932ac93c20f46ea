"""The menu in Telegram's client: the bot's commands in every scope and language, and the owner's own list."""

import json
from collections.abc import Callable

import pytest

from bot_api.rules import check_commands
from support.bot_client import BotClient
from support.harness import Harness

NewBot = Callable[..., Harness]


@pytest.fixture(autouse=True)
def menus_cleared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let deleteMyCommands succeed; in other tests Telegram answers 429 with a pause of an hour."""
    monkeypatch.setattr(Harness, "menus_cleared", True)


def names(rows: list[dict[str, str]]) -> list[str]:
    return [row["command"] for row in rows]


def test_menus_of_an_earlier_bot_are_gone_in_every_scope_and_language(new_bot: NewBot) -> None:
    bot = new_bot()
    weather = check_commands([{"command": "weather", "description": "Погода"}])
    scopes = ("default", "all_private_chats", "all_group_chats", "all_chat_administrators")
    left = {(scope, 0, language): weather for scope in scopes for language in ("", "ru", "en", "uk", "de")}
    bot.server.command_lists |= left
    bot.start()
    bot.wait(lambda: weather not in bot.server.command_lists.values())
    assert list(bot.server.command_lists) == [("default", 0, "")]
    with BotClient(bot.server) as telegram:
        scope = {"type": "all_private_chats"}
        assert telegram.call("getMyCommands", scope=json.dumps(scope), language_code="ru") == []


def test_the_owner_of_the_settings_has_a_menu_with_what_is_the_owners(new_bot: NewBot) -> None:
    bot = new_bot(ALLOWED_USERS="1,2")
    bot.server.chat(1)
    weather = check_commands([{"command": "weather", "description": "Погода"}])
    bot.server.command_lists["chat", 1, "ru"] = weather  # left by an earlier bot
    bot.start()
    mine = bot.wait(lambda: bot.server.command_lists.get(("chat", 1, "")))
    everybodys = names(bot.server.command_lists["default", 0, ""])
    assert names(mine)[: len(everybodys)] == everybodys
    assert {"invite", "people", "remove", "model_add", "model_del"} <= set(names(mine))
    assert not {"invite", "people", "remove", "model_add", "model_del"} & set(everybodys)
    assert ("chat", 2, "") not in bot.server.command_lists
    bot.wait(lambda: bot.server.menu(1, "ru") == mine)


def test_whoever_was_the_owner_before_has_no_longer_the_owners_menu(new_bot: NewBot) -> None:
    bot = new_bot(ALLOWED_USERS="1,2")
    for number in (1, 2):
        bot.server.chat(number)
    bot.start()
    bot.wait(lambda: ("chat", 1, "") in bot.server.command_lists)
    bot.stop()
    bot.settings["ALLOWED_USERS"] = "2,3,1"  # person 3 has never written
    bot.start()
    bot.wait(lambda: ("chat", 1, "") not in bot.server.command_lists)
    assert "invite" in names(bot.server.command_lists["chat", 2, ""])


def test_whoever_becomes_the_owner_by_the_link_has_it_at_once(new_bot: NewBot) -> None:
    bot = new_bot(ALLOWED_USERS="").start()
    bot.wait(lambda: bot.server.commands)
    code = bot.wait(lambda: [line.split()[-1] for line in bot.out if "/start " in line])[0]
    stranger, anna = bot.person(), bot.person()
    assert (
        stranger.says("/start") == "Бот пока ничей. Ссылка для владельца напечатана там, где его запустили."
    )
    assert anna.says(f"/start {code}").startswith("Привет!")
    assert "invite" in names(bot.wait(lambda: bot.server.command_lists.get(("chat", anna.id, ""))))
    assert "личный бот" in bot.person().says("/start")
    assert len(bot.server.command_lists) == 2


def test_a_menu_that_telegram_does_not_take_just_now_is_published_later(new_bot: NewBot) -> None:
    bot = new_bot(ALLOWED_USERS="1")
    bot.server.chat(1)
    bot.server.fail("setMyCommands", "429", retry_after=1)
    bot.server.fail("deleteMyCommands", "429", retry_after=1)
    bot.start()
    assert "invite" in names(bot.wait(lambda: bot.server.command_lists.get(("chat", 1, ""))))
    assert bot.person(1).says("/note_count") == "Заметок: 0."


def test_a_stop_does_not_wait_for_the_rest_of_the_menu(new_bot: NewBot) -> None:
    bot = new_bot()
    bot.server.fail("deleteMyCommands", "hang", times=None, hold_s=0.3)
    bot.start()
    bot.wait(lambda: bot.server.calls_of("deleteMyCommands"))
    bot.stop()
    assert len(bot.server.calls_of("deleteMyCommands")) < 30  # all of them are more than sixty
