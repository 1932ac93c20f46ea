"""Settings are read once, checked all together, and reveal no secret."""

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
        telegram_api_url=("https://api.telegram.org",),
        telegram_proxy=(),
        max_tokens=2000,
        ask_timeout=120,
        stop_timeout=10,
        timezone=None,
        log_level="INFO",
    )


def test_each_of_them_is_read(tmp_path: Path) -> None:
    settings = Settings.from_env(
        {
            "TOKEN": TOKEN,
            "DB_PATH": str(tmp_path / "my notes.db"),
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
    assert settings.db_path == tmp_path / "my notes.db"
    assert settings.allowed_users == (3, 1, 2)
    assert settings.telegram_api_url == ("http://localhost:8081",)
    assert settings.telegram_proxy == ("http://user:password@proxy:3128",)
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
        ("TELEGRAM_API_URL", "http://"),
        ("TELEGRAM_API_URL", "http://:8081"),
        ("TELEGRAM_API_URL", "http://localhost:99999"),
        ("TELEGRAM_API_URL", "http://local host"),
        ("OPENROUTER_BASE_URL", "localhost:8080"),
        ("OPENROUTER_BASE_URL", "127.0.0.1:11434/v1"),
        ("OPENROUTER_BASE_URL", "ws://localhost:8080"),
        ("DB_PATH", str(HERE)),
        ("DB_PATH", "."),
        ("DB_PATH", ":memory:"),
        ("DB_PATH", "file:notes.db?mode=memory"),
        ("DB_PATH", "/dev/null"),
        ("DB_PATH", "no/such/folder/notes.db"),
        ("DB_PATH", "README.md/notes.db"),
        ("DB_PATH", "~nobody-of-that-name/notes.db"),
        ("DB_PATH", "x" * 5000),
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


@pytest.mark.parametrize("name", ["TELEGRAM_PROXY", "OPENROUTER_PROXY", "FALLBACK_PROXY"])
@pytest.mark.parametrize(
    "value",
    [
        *("tg://proxy?server=1.2.3.4&port=443&secret=ee", "https://t.me/proxy?server=1.2.3.4 &port=443"),
        *("vmess://eyJ2", "vless://id@host:443", "ss://abc@host:8388", "mtproto://host:443"),
        *("https://t.me/proxy?server=1.2.3.4&port=443", "http://127.0.0.1:1080/path"),
        *("socks4://127.0.0.1:1080", "socks://127.0.0.1:1080", "127.0.0.1:1080", "localhost"),
        *("socks5://", "socks5h://:1080", "http://proxy:0", "http://proxy:port", "user:PASSWORD@proxy:3128"),
    ],
)
def test_a_proxy_of_another_kind_is_refused_in_words(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({name: value})
    assert f"{name}: " in str(caught.value)
    assert "socks5h://" in str(caught.value)
    assert "PASSWORD" not in str(caught.value)


@pytest.mark.parametrize("name", ["TELEGRAM_PROXY", "OPENROUTER_PROXY", "FALLBACK_PROXY"])
@pytest.mark.parametrize("scheme", ["http", "https", "socks5", "socks5h", "SOCKS5H"])
def test_a_proxy_may_be_any_of_four_kinds(name: str, scheme: str) -> None:
    value = f"{scheme}://user:p%40ss@[::1]:1080"
    settings = Settings.from_env({name: value})
    assert settings.telegram_proxy == ((value,) if name == "TELEGRAM_PROXY" else ())


def test_proxies_and_addresses_may_be_several_by_commas() -> None:
    settings = Settings.from_env(
        {
            "TELEGRAM_PROXY": "socks5h://a:1, Direct,http://b:2,,direct",
            "TELEGRAM_API_URL": "https://api.telegram.org/,http://localhost:8081",
        }
    )
    assert settings.telegram_proxy == ("socks5h://a:1", "direct", "http://b:2")
    assert settings.telegram_api_url == ("https://api.telegram.org", "http://localhost:8081")


@pytest.mark.parametrize("name", ["TELEGRAM_PROXY", "OPENROUTER_PROXY", "FALLBACK_PROXY"])
@pytest.mark.parametrize("value", [",", "http://a:1,tg://proxy", "direct,directly", "http://a:1 http://b:2"])
def test_one_wrong_proxy_among_several_is_refused(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.from_env({name: value})


@pytest.mark.parametrize(
    "value",
    ["http://localhost:8080/v1", "http://localhost:8080/v1/", "https://api.example.org/v1/chat/completions"],
)
def test_the_address_of_a_server_is_taken_as_people_copy_it(value: str) -> None:
    assert Settings.from_env({"OPENROUTER_BASE_URL": value}) == Settings()


def test_a_path_may_begin_at_home_or_beside_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for value, path in (
        ("~/a.db", tmp_path / "a.db"),
        ("a.db", HERE / "a.db"),
        ("docs/a.db", HERE / "docs/a.db"),
        ("$HOME/мои заметки.db", tmp_path / "мои заметки.db"),
        ("${HOME}/a.db", tmp_path / "a.db"),
        ("$NO_SUCH_NAME.db", HERE / "$NO_SUCH_NAME.db"),
    ):
        assert Settings.from_env({"DB_PATH": value}).db_path == path


def test_a_path_in_which_double_quotes_have_made_a_line_break_is_not_taken() -> None:
    with pytest.raises(SettingsError, match="Уберите кавычки"):
        Settings.from_env({"DB_PATH": "docs\newer.db"})
    assert Settings.from_env({"DB_PATH": "docs\\newer.db"}).db_path.name.endswith("newer.db")


def test_a_folder_is_told_what_to_be(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({"DB_PATH": str(tmp_path)})
    assert str(tmp_path / "notes.db") in str(caught.value)


@pytest.mark.parametrize("around", ['"{}"', "'{}'", ' "{}" ', '" {} "'])
def test_quotes_around_a_value_do_not_matter(around: str) -> None:
    assert Settings.from_env({"TOKEN": around.format(TOKEN)}).token == TOKEN


def test_all_that_is_wrong_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({"MAX_TOKENS": "x", "TIMEZONE": "y", "LOG_LEVEL": "INFO"})
    assert "MAX_TOKENS" in str(caught.value)
    assert "TIMEZONE" in str(caught.value)
    assert "LOG_LEVEL" not in str(caught.value)


def test_what_the_client_reads_itself_is_in_the_same_list() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env(
            {"OPENROUTER_BASE_URL": "localhost:8080", "OPENROUTER_PROXY": "tg://", "TOKEN": "x"}
        )
    for name in ("OPENROUTER_BASE_URL", "OPENROUTER_PROXY", "TOKEN"):
        assert f"{name}: " in str(caught.value)


def test_secrets_are_neither_in_the_repr_nor_in_the_complaint() -> None:
    settings = Settings.from_env({"TOKEN": TOKEN, "TELEGRAM_PROXY": "http://user:password@proxy"})
    assert TOKEN not in repr(settings)
    assert "password" not in repr(settings)
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({"TOKEN": "123456;SECRET"})
    assert "SECRET" not in str(caught.value)


def test_a_number_out_of_range_is_told_the_range() -> None:
    with pytest.raises(SettingsError, match="MAX_TOKENS: целое число от 1 до 9999999"):
        Settings.from_env({"MAX_TOKENS": "99999999"})
