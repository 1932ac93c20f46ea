"""Everything that a person sets in `.env`, read once and checked all together."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

HERE = Path(__file__).resolve().parent
EVERYBODY = "*"


class SettingsError(Exception):
    """Settings that cannot work; the text says, in Russian, each of them and the remedy."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a person may choose. The three OPENROUTER_* names are read by `openrouter_client` itself."""

    token: str = field(default="", repr=False)
    db_path: Path = HERE / "notes.db"
    allowed_users: tuple[int, ...] | str = ()  # () until somebody uses the one-time link, or "*"
    telegram_api_url: str = "https://api.telegram.org"
    telegram_proxy: str = field(default="", repr=False)  # may hold a password
    max_tokens: int = 2000
    ask_timeout: float = 120  # seconds
    stop_timeout: float = 10  # seconds
    timezone: ZoneInfo | None = None  # None: the machine's
    log_level: str = "INFO"

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        """Read the settings; raises one SettingsError that names all that is wrong."""
        given = {
            name: parse(env[name].strip()) for name, parse in _PARSERS.items() if env.get(name, "").strip()
        }
        wrong = [f"{name}: {value}" for name, value in given.items() if isinstance(value, _Wrong)]
        if wrong:
            raise SettingsError("Исправьте .env: " + "\n".join(wrong))
        return cls(**{name.lower(): value for name, value in given.items()})  # type: ignore[arg-type]


class _Wrong(str):
    """What is the matter with one value."""


def _token(text: str) -> str:
    # Checked here since the library puts the token into a URL without a look at it.
    return (
        text
        if re.fullmatch(r"\d+:[\w-]+", text, re.ASCII)
        else _Wrong("токен выглядит как 123456:ABC, скопируйте его из BotFather целиком.")
    )


def _url(text: str) -> str:
    return (
        text.rstrip("/")
        if re.match(r"https?://[^/\s]", text)
        else _Wrong("адрес начинается с http:// или https://.")
    )


def _people(text: str) -> tuple[int, ...] | str:
    if text == EVERYBODY:
        return EVERYBODY
    ids = [part.strip() for part in text.split(",") if part.strip()]
    if not all(re.fullmatch(r"[1-9][0-9]{0,17}", part) for part in ids):
        return _Wrong("числовые id через запятую (первый — владелец) или *.")
    return tuple(dict.fromkeys(map(int, ids)))


def _positive(text: str) -> int | str:
    return int(text) if re.fullmatch(r"[1-9][0-9]{0,6}", text) else _Wrong("целое положительное число.")


def _timezone(text: str) -> ZoneInfo | str:
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return _Wrong("часовой пояс пишется как Europe/Moscow.")


def _level(text: str) -> str:
    known = ("DEBUG", "INFO", "WARNING", "ERROR")
    return text.upper() if text.upper() in known else _Wrong(f"один из {', '.join(known)}.")


_PARSERS: dict[str, Callable[[str], object]] = {
    "TOKEN": _token,
    "DB_PATH": Path,
    "ALLOWED_USERS": _people,
    "TELEGRAM_API_URL": _url,
    "TELEGRAM_PROXY": str,
    "MAX_TOKENS": _positive,
    "ASK_TIMEOUT": _positive,
    "STOP_TIMEOUT": _positive,
    "TIMEZONE": _timezone,
    "LOG_LEVEL": _level,
}
