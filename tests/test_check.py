"""`python bot.py --check` finds each problem separately and changes nothing."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

import support.openrouter_replies as replies
from db import Database
from migrations import VERSION
from support.between import Between
from support.harness import Harness
from support.program import run
from support.real_proxy import free_port
from support.registry_people import KNOWN, SECOND, THIRD, listed
from support.tunnel import Tunnel

NewBot = Callable[..., Harness]


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """The two fake services and a database path; the bot itself does not run."""
    with Harness(tmp_path_factory.mktemp("check")) as harness:
        proxy = harness.ai.base_url.removesuffix("/api/v1")
        harness.settings |= {"OPENROUTER_BASE_URL": "http://openrouter.ai/api/v1", "OPENROUTER_PROXY": proxy}
        yield harness


@pytest.fixture
def well(servers: Harness) -> Iterator[Harness]:
    """The same servers with nothing wrong."""
    servers.ai.models = list(KNOWN)
    servers.ai.key = replies.default_key()
    servers.db_path.unlink(missing_ok=True)
    Database(servers.db_path).close()
    yield servers
    servers.server.ahead_s = 0
    servers.server.updates.webhook = ""
    servers.server.me.pop("supports_inline_queries", None)
    servers.server.me.pop("can_read_all_group_messages", None)
    servers.ai._always.pop("/models", None)
    servers.ai._always.pop("/key", None)


def wrong(bot: Harness, **settings: str) -> list[str]:
    """Run the check, assert exit code 1, and return the lines about problems."""
    code, said = run(bot, "--check", **settings)
    lines = said.splitlines()
    assert {line[0] for line in lines} <= {"✔", "✖"}
    assert code == 1
    return [line for line in lines if line[0] == "✖"]


def test_where_all_is_well_every_line_says_so(well: Harness) -> None:
    code, said = run(well, "--check")
    assert code == 0
    lines = said.splitlines()
    assert all(line.startswith("✔ ") for line in lines)
    for word in (
        "Настройки",
        f"@zametochnik_bot ({well.server.url.removeprefix('http://')})",
        "Webhook",
        "Inline-режим включён",
        "группах",
        "бесплатных 5",
        "бесплатных вопросов сегодня 12 из 50",
        "База цела",
        "хозяин",
        "свободно",
        "Активная модель",
        "Часы идут как у Telegram",
        "Часы идут как у сервиса моделей",
    ):
        assert sum(word in line for line in lines) == 1, word


def test_it_takes_no_updates_and_changes_nothing(well: Harness) -> None:
    before = len(well.server.calls)
    content = well.db_path.read_bytes()
    run(well, "--check")
    assert {call.method for call in well.server.calls[before:]} == {"getMe", "getWebhookInfo"}
    assert well.db_path.read_bytes() == content


def test_beside_a_running_bot_it_is_well_too(new_bot: NewBot) -> None:
    bot = new_bot().start()
    assert run(bot, "--check")[0] == 0
    assert bot.person().says("/note_count") == "Заметок: 0."


def test_what_botfather_has_set_is_said_either_way(well: Harness) -> None:
    well.server.me |= {"supports_inline_queries": False, "can_read_all_group_messages": True}
    code, said = run(well, "--check")
    assert code == 0
    assert "Inline-режим выключен" in said
    assert "/setprivacy" in said


# ---- Telegram -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"TOKEN": ""}, "@BotFather"),
        ({"TOKEN": "654321:UNKNOWN"}, "не принял TOKEN"),
        ({"TELEGRAM_API_URL": "http://127.0.0.1:9"}, "TELEGRAM_PROXY"),
        ({"TELEGRAM_PROXY": "http://user:geheim@127.0.0.1:9"}, "TELEGRAM_PROXY"),
        ({"TELEGRAM_PROXY": "socks5h://user:geheim@127.0.0.1:9"}, "TELEGRAM_PROXY"),
    ],
    ids=str,
)
def test_telegram_that_cannot_be_used_is_the_only_trouble(
    well: Harness, settings: dict[str, str], word: str
) -> None:
    [line] = wrong(well, **settings)
    assert word in line
    assert "geheim" not in line


def test_a_dead_way_before_a_good_one_is_passed_over(new_bot: NewBot) -> None:
    bot = new_bot(TELEGRAM_PROXY=f"http://127.0.0.1:{free_port()},direct")
    bot.launch("--check")
    assert bot.exit_code(60) == 0
    assert any("напрямую" in line for line in bot.out)


def test_a_mirror_that_knows_little_is_no_trouble(new_bot: NewBot) -> None:
    bot = new_bot()
    with Between(bot.server.url) as mirror:
        bot.settings["TELEGRAM_API_URL"] = mirror.url
        mirror.answer("getMe", '{"ok":true,"result":{"id":123456,"is_bot":true,"first_name":"x"}}', times=9)
        mirror.answer("getWebhookInfo", '{"ok":true,"result":true}', times=9)
        assert run(bot, "--check")[0] == 0
        assert bot.start().person().says("/note_count") == "Заметок: 0."
        bot.stop()


def test_a_webhook_of_another_program_is_found_and_left_alone(well: Harness) -> None:
    well.server.updates.webhook = "https://example.org/hook"
    [line] = wrong(well)
    assert "webhook" in line
    assert "example.org" not in line
    assert well.server.updates.webhook


# ---- The models -----------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/models", "/key"])
def test_a_service_that_does_not_answer_or_refuses_the_key_is_found(well: Harness, path: str) -> None:
    well.ai.always(replies.status(401, "No auth credentials found"), path=path)
    assert any("ключ" in line.lower() for line in wrong(well))


def test_a_missing_key_is_found(well: Harness) -> None:
    [line] = wrong(well, OPENROUTER_API_KEY="")
    assert "OPENROUTER_API_KEY" in line
    assert "openrouter.ai/settings/keys" in line


def test_a_service_without_models_is_found(well: Harness) -> None:
    well.ai.models = []
    [line] = wrong(well)
    assert "OPENROUTER_BASE_URL" in line


def test_a_proxy_that_refuses_is_named_without_its_password(well: Harness) -> None:
    with Tunnel(1, refusing=True) as tunnel:
        proxy = tunnel.url.replace("http://", "http://user:geheim@")
        lines = wrong(well, OPENROUTER_BASE_URL="https://openrouter.ai/api/v1", OPENROUTER_PROXY=proxy)
    assert "OPENROUTER_PROXY" in lines[0]
    assert "geheim" not in "".join(lines)


def test_a_day_whose_questions_are_used_up_is_found(well: Harness) -> None:
    well.ai.key = replies.default_key() | {
        "free_model_daily_requests": {"used": 50, "limit": 50, "remaining": 0}
    }
    [line] = wrong(well)
    assert "50 из 50" in line


def test_an_active_model_that_is_gone_is_found(well: Harness) -> None:
    well.ai.models = listed(SECOND, THIRD)
    [line] = wrong(well)
    assert "/models" in line
    assert "DeepSeek V3.1" in line


def test_a_server_of_ones_own_may_answer_by_a_name_that_it_does_not_list(well: Harness) -> None:
    well.ai.models = [{"id": "/models/gemma.gguf", "object": "model", "owned_by": "llamacpp"}]
    own = {"OPENROUTER_BASE_URL": well.ai.base_url, "OPENROUTER_PROXY": ""}
    code, said = run(well, "--check", **own)
    assert (code, "✔ Активная модель: DeepSeek V3.1" in said) == (0, True)
    well.ai.next(replies.status(404, "model not found"))
    assert "/models" in wrong(well, **own)[0]


# ---- The database and the clock -------------------------------------------------------------


def spoil(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[8192:] = b"\xff" * (len(content) - 8192)
    path.write_bytes(content)


def make_newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as conn:
        conn.execute(f"PRAGMA user_version = {VERSION + 1}")


@pytest.mark.parametrize(
    ("harm", "word"),
    [
        (spoil, "повреждён"),
        (make_newer, "более новой версией"),
        (lambda path: path.write_text("заметки"), "не база данных"),
        (lambda path: path.chmod(0o644), "chmod 600"),
    ],
    ids=["spoilt", "newer", "no database", "rights"],
)
def test_what_is_the_matter_with_the_file_is_found(
    well: Harness, harm: Callable[[Path], object], word: str
) -> None:
    harm(well.db_path)
    assert any(word in line for line in wrong(well))


def test_no_file_yet_is_no_trouble_and_none_is_made(well: Harness) -> None:
    well.db_path.unlink()
    assert run(well, "--check")[0] == 0
    assert not well.db_path.exists()


@pytest.mark.parametrize(("ahead", "way"), [(3600, "отстают"), (-3600, "спешат")])
def test_a_clock_that_goes_wrong_is_found(well: Harness, ahead: float, way: str) -> None:
    well.server.ahead_s = ahead
    [line] = wrong(well)
    assert f"Часы {way} от Telegram" in line


def test_wrong_settings_are_a_finding_too(well: Harness) -> None:
    [line] = wrong(well, MAX_TOKENS="много")
    assert "MAX_TOKENS" in line
