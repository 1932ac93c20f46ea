"""Settings are read once, checked all together, and tell no secret."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from settings import EVERYBODY, HERE, Settings, SettingsError

TOKEN = "123456:TEST"


def test_without_any_the_defaults_hold() -> None:
    settings = Settings.from_env({})
    assert settings == Settings(
        token="",
        db_path=HERE / "notes.db",
        allowed_users=(),
        telegram_api_url="https://api.telegram.org",
        telegram_proxy="",
        max_tokens=2000,
        ask_timeout=120,
        stop_timeout=10,
        timezone=None,
        log_level="INFO",
    )


def test_each_of_them_is_read() -> None:
    settings = Settings.from_env(
        {
            "TOKEN": TOKEN,
            "DB_PATH": "/data/my notes.db",
            "ALLOWED_USERS": "3,1,2",
            "TELEGRAM_API_URL": "http://localhost:8081/",
            "TELEGRAM_PROXY": "http://user:password@proxy:3128",
            "MAX_TOKENS": "500",
            "ASK_TIMEOUT": "60",
            "STOP_TIMEOUT": "5",
            "TIMEZONE": "Europe/Moscow",
            "LOG_LEVEL": "debug",
        }
    )
    assert settings.token == TOKEN
    assert settings.db_path == Path("/data/my notes.db")
    assert settings.allowed_users == (3, 1, 2)
    assert settings.telegram_api_url == "http://localhost:8081"
    assert settings.telegram_proxy == "http://user:password@proxy:3128"
    assert (settings.max_tokens, settings.ask_timeout, settings.stop_timeout) == (500, 60, 5)
    assert settings.timezone == ZoneInfo("Europe/Moscow")
    assert settings.log_level == "DEBUG"


def test_blanks_around_a_value_and_empty_values_do_not_matter() -> None:
    settings = Settings.from_env({"TOKEN": f"  {TOKEN}\n", "MAX_TOKENS": "", "ALLOWED_USERS": "  "})
    assert settings == Settings(token=TOKEN)


@pytest.mark.parametrize(
    ("given", "expected"),
    [("", ()), ("*", EVERYBODY), ("7", (7,)), ("3, 1,2", (3, 1, 2)), ("5,5,6,", (5, 6))],
)
def test_who_is_allowed_is_a_list_of_ids_or_a_star(given: str, expected: object) -> None:
    assert Settings.from_env({"ALLOWED_USERS": given}).allowed_users == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TOKEN", "secret"),
        ("TOKEN", "123456:"),
        ("TOKEN", "123456:A/../B"),
        ("ALLOWED_USERS", "@anna"),
        ("ALLOWED_USERS", "1;2"),
        ("ALLOWED_USERS", "-5"),
        ("ALLOWED_USERS", "1,*"),
        ("ALLOWED_USERS", "²"),
        ("ALLOWED_USERS", "9" * 30),
        ("TELEGRAM_API_URL", "api.telegram.org"),
        ("MAX_TOKENS", "0"),
        ("MAX_TOKENS", "-1"),
        ("MAX_TOKENS", "2e3"),
        ("ASK_TIMEOUT", "скоро"),
        ("STOP_TIMEOUT", "1.5s"),
        ("TIMEZONE", "Mars/Olympus"),
        ("TIMEZONE", "../../etc/passwd"),
        ("LOG_LEVEL", "LOUD"),
    ],
)
def test_a_value_that_cannot_work_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({name: value})
    assert name in str(caught.value)
    assert ".env" in str(caught.value)


def test_all_that_is_wrong_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({"MAX_TOKENS": "x", "TIMEZONE": "y", "LOG_LEVEL": "INFO"})
    assert "MAX_TOKENS" in str(caught.value)
    assert "TIMEZONE" in str(caught.value)
    assert "LOG_LEVEL" not in str(caught.value)


def test_secrets_are_neither_in_the_repr_nor_in_the_complaint() -> None:
    settings = Settings.from_env({"TOKEN": TOKEN, "TELEGRAM_PROXY": "http://user:password@proxy"})
    assert TOKEN not in repr(settings)
    assert "password" not in repr(settings)
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({"TOKEN": "123456;SECRET"})
    assert "SECRET" not in str(caught.value)
