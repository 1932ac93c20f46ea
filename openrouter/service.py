"""The server that is asked: where it is, with which key, and by which way."""

import os
import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from openrouter.errors import Kind, OpenRouterError, no_key
from openrouter.ways import ANY, DIRECT, Way, in_turn

DEFAULT_BASE_URL = "https://openrouter.ai/api/v1"
_PROXY = re.compile(r"(?:https?|socks(?:4a?|5h?))://", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Service:
    """The server that answers, and how it is reached."""

    base_url: str
    key: str = field(repr=False)
    proxy: str = field(repr=False)  # one or several by commas, perhaps with passwords

    @classmethod
    def from_env(cls) -> "Service":
        """Read OPENROUTER_BASE_URL, OPENROUTER_API_KEY and OPENROUTER_PROXY."""
        base_url = _setting("OPENROUTER_BASE_URL") or DEFAULT_BASE_URL
        base_url = base_url.rstrip("/").removesuffix("/chat/completions")
        return cls(base_url, _setting("OPENROUTER_API_KEY"), _setting("OPENROUTER_PROXY"))

    def with_key(self) -> "Service":
        """Return itself; raises OpenRouterError if it has no key, or none that can be sent."""
        if not self.key:
            raise no_key(own_server=not self.is_openrouter)
        return self.with_sound_key()

    def with_sound_key(self) -> "Service":
        """Return itself; raises OpenRouterError if its key cannot stand in an HTTP header."""
        if re.fullmatch(r"[!-~]*", self.key):
            return self
        msg = "В OPENROUTER_API_KEY (.env) посторонние знаки. Скопируйте ключ заново."
        raise OpenRouterError(401, msg)

    @property
    def is_openrouter(self) -> bool:
        """Return whether this is OpenRouter itself, which alone knows its extra fields and prices."""
        host = _host(self.base_url)  # none: the request will say so
        return host == "openrouter.ai" or host.endswith(".openrouter.ai")

    def ways(self) -> list[Way]:
        """Return the ways to the service, the good one first; raises OpenRouterError if one is none."""
        proxies = [part.strip() for part in self.proxy.split(",") if part.strip()]
        return in_turn([_way(proxy) for proxy in proxies] or [ANY])


def _way(proxy: str) -> Way:
    """Read a proxy; raises OpenRouterError if it is none.

    Checked here since what comes of it is worse than an error: without a host PySocks goes no
    way round at all, and of an unknown scheme requests makes a ValueError or a default.
    """
    if proxy.lower() == DIRECT.name:
        return DIRECT
    with_scheme = proxy if "://" in proxy else f"http://{proxy}"
    if not (_PROXY.match(with_scheme) and _host(with_scheme)):
        msg = (
            "Адрес в OPENROUTER_PROXY не годится: он должен начинаться с http://, https://, "
            "socks5:// или socks5h://, и за этим следует имя прокси."
        )
        raise OpenRouterError(400, msg, kind=Kind.REQUEST)
    return Way(_host(with_scheme), with_scheme)


def _setting(name: str) -> str:
    """Return a setting without the blanks and quotes that get into a `.env` with it."""
    return os.environ.get(name, "").strip().strip("\"'").strip()


def _host(url: str) -> str:
    """Return the host of a URL, "" if it has none."""
    try:
        parts = urlsplit(url)
        return (parts.hostname or "") if parts.port != 0 else ""
    except ValueError:
        return ""
