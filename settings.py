"""Everything that a person sets in `.env`, read once and checked together."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from starting.addresses import DIRECT, is_address, is_proxy, unquoted

HERE = Path(__file__).resolve().parent
EVERYBODY = "*"
SERVICES = ("OPENROUTER", "FALLBACK")  # prefixes of the settings of each model service


class SettingsError(Exception):
    """Settings that cannot work; the text names each of them and the remedy, in Russian."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a person may choose; `openrouter_client` itself reads OPENROUTER_* and FALLBACK_*."""

    token: str = field(default="", repr=False)
    db_path: Path = HERE / "notes.db"
    allowed_users: tuple[int, ...] | str = ()  # (): people join by one-time links; "*": everybody
    telegram_api_url: tuple[str, ...] = ("https://api.telegram.org",)
    telegram_proxy: tuple[str, ...] = field(default=(), repr=False)  # may hold passwords
    max_tokens: int = 2000
    ask_timeout: float = 120  # seconds
    stop_timeout: float = 10  # seconds
    timezone: ZoneInfo | None = None  # None: the machine's
    log_level: str = "INFO"

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        """Read the settings; raises one SettingsError that names everything wrong."""
        values, wrong = {}, []
        for name, parse in (_PARSERS | _CHECKED_ONLY).items():
            if text := unquoted(env.get(name, "")):
                try:
                    values[name] = parse(text)
                except _WrongError as exc:
                    wrong.append(f"{name}: {exc}")
        wrong += _half_a_fallback(env)
        if wrong:
            raise SettingsError("Исправьте .env: " + "\n".join(wrong))
        return cls(**{name.lower(): values[name] for name in _PARSERS if name in values})  # type: ignore[arg-type]

    def now(self) -> datetime:
        """Return the current time in the zone of TIMEZONE."""
        return datetime.now(UTC).astimezone(self.timezone)


def _half_a_fallback(env: Mapping[str, str]) -> list[str]:
    """Return a sentence if the second service is only partly configured."""
    needed = [f"FALLBACK_{what}" for what in ("BASE_URL", "API_KEY", "MODEL")]
    missing = [name for name in needed if not unquoted(env.get(name, ""))]
    if missing in ([], needed):
        return []
    return [f"{', '.join(missing)}: запасному сервису нужны все три: {', '.join(needed)}, или ни одной."]


class _WrongError(ValueError):
    """What is wrong with one value; never the value itself, which may be a secret."""


def _token(text: str) -> str:
    # Checked here because the library puts the token into a URL unchecked.
    if not re.fullmatch(r"\d+:[\w-]+", text, re.ASCII):
        raise _WrongError("токен выглядит как 123456:ABC, скопируйте его из BotFather целиком.")
    return text


def _database(text: str) -> Path:
    """Return the path, with `~` and variables expanded; a relative one starts in the folder of bot.py."""
    if re.search(r"[\a-\r]", text):  # like "C:\new": in double quotes, \n is a line break
        raise _WrongError("в двойных кавычках \\n и \\t — не буквы. Уберите кавычки вокруг пути.")
    try:
        path = HERE / Path(os.path.expandvars(text)).expanduser()
        is_folder, has_folder = path.is_dir(), path.parent.is_dir()
        is_no_file = path.exists() and not path.is_file()
    except (OSError, RuntimeError, ValueError):  # the name is too long, or ~user does not exist
        raise _WrongError("такого пути быть не может. Напишите его целиком.") from None
    if is_folder:
        raise _WrongError(f"это папка, а нужен файл: {path / 'notes.db'}")
    if is_no_file or text.startswith((":memory:", "file:")):  # SQLite would not make a file of it
        raise _WrongError("нужен обычный файл, например notes.db.")
    if not has_folder:
        raise _WrongError(f"нет папки {path.parent}. Создайте её или укажите другую.")
    return path


def _url(text: str, example: str = "http://localhost:8080/v1") -> str:
    if not is_address(text, "http", "https"):
        raise _WrongError(f"адрес начинается с http:// или https://, например {example}.")
    return text.rstrip("/")


def _urls(text: str) -> tuple[str, ...]:
    return _each(text, lambda url: _url(url, "http://localhost:8081"))


def _proxies(text: str) -> tuple[str, ...]:
    return _each(text, _proxy)


def _each(text: str, parse: Callable[[str], str]) -> tuple[str, ...]:
    """Parse comma-separated values, keeping their order and dropping duplicates."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts:
        raise _WrongError("здесь одни запятые.")
    return tuple(dict.fromkeys(map(parse, parts)))


def _proxy(text: str) -> str:
    if not is_proxy(text):
        raise _WrongError(
            "прокси пишется как socks5h://127.0.0.1:1080; "
            "бывают http://, https://, socks5:// и socks5h://, другие не подойдут. "
            "Несколько — через запятую; direct — без прокси."
        )
    return DIRECT if text.lower() == DIRECT else text


def _people(text: str) -> tuple[int, ...] | str:
    if text == EVERYBODY:
        return EVERYBODY
    ids = [part.strip() for part in text.split(",") if part.strip()]
    if not all(re.fullmatch(r"[1-9][0-9]{0,17}", part) for part in ids):
        raise _WrongError("числовые id через запятую (первый — владелец) или *.")
    return tuple(dict.fromkeys(map(int, ids)))


def _key(text: str) -> str:
    if not re.fullmatch("[!-~]+", text):  # it goes into an HTTP header
        raise _WrongError(
            "в ключе посторонние знаки, скопируйте его заново. Своему серверу подойдёт любое слово."
        )
    return text


def _model(text: str) -> str:
    if not text.isprintable() or len(text) > 200:
        raise _WrongError("имя модели — как его называет сервис, например llama-3.3-70b-versatile.")
    return text


def _positive(text: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,6}", text):
        raise _WrongError("целое число от 1 до 9999999.")
    return int(text)


def _timezone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise _WrongError("часовой пояс пишется как Europe/Moscow.") from None


def _level(text: str) -> str:
    known = ("DEBUG", "INFO", "WARNING", "ERROR")
    if text.upper() not in known:
        raise _WrongError(f"один из {', '.join(known)}.")
    return text.upper()


_PARSERS: dict[str, Callable[[str], object]] = {
    "TOKEN": _token,
    "DB_PATH": _database,
    "ALLOWED_USERS": _people,
    "TELEGRAM_API_URL": _urls,
    "TELEGRAM_PROXY": _proxies,
    "MAX_TOKENS": _positive,
    "ASK_TIMEOUT": _positive,
    "STOP_TIMEOUT": _positive,
    "TIMEZONE": _timezone,
    "LOG_LEVEL": _level,
}
# openrouter_client reads these itself, since it also works without the bot; here they are only checked.
_CHECKED_ONLY: dict[str, Callable[[str], object]] = {
    "OPENROUTER_BASE_URL": _url,
    "OPENROUTER_PROXY": _proxies,
    "FALLBACK_BASE_URL": _url,
    "FALLBACK_API_KEY": _key,
    "FALLBACK_MODEL": _model,
    "FALLBACK_PROXY": _proxies,
}
