"""The two services that may be asked: their addresses, keys and proxies.

The first has many models; the second, the fallback, has the one that the settings name. That model's key
starts with `fallback:`.
"""

import os
import re
from dataclasses import dataclass, field

from openrouter.errors import Kind, OpenRouterError, no_key
from openrouter.ways import ANY, DIRECT, Way, in_turn
from starting.addresses import host_of, is_proxy, unquoted

DEFAULT_BASE_URL = "https://openrouter.ai/api/v1"
FALLBACK = "fallback:"


@dataclass(frozen=True, slots=True)
class Service:
    """A server of models, and how to reach it."""

    settings: str  # the prefix of its settings
    base_url: str
    key: str = field(repr=False)
    proxy: str = field(repr=False)  # one, or several separated by commas, perhaps with passwords

    @classmethod
    def from_env(cls) -> "Service":
        """Read OPENROUTER_BASE_URL, OPENROUTER_API_KEY and OPENROUTER_PROXY."""
        return cls._read("OPENROUTER", DEFAULT_BASE_URL)

    @classmethod
    def fallback(cls) -> "Service":
        """Read FALLBACK_BASE_URL, FALLBACK_API_KEY and FALLBACK_PROXY; `base_url` is "" if it is not set."""
        return cls._read("FALLBACK", "")

    @classmethod
    def of(cls, model: str) -> "Service":
        """Return the service that a model's key belongs to."""
        return cls.fallback() if model.startswith(FALLBACK) else cls.from_env()

    @classmethod
    def _read(cls, settings: str, default_url: str) -> "Service":
        base_url = setting(f"{settings}_BASE_URL") or default_url
        base_url = base_url.rstrip("/").removesuffix("/chat/completions")
        return cls(settings, base_url, setting(f"{settings}_API_KEY"), setting(f"{settings}_PROXY"))

    @property
    def name(self) -> str:
        """Its host as shown to people: groq.com."""
        return host_of(self.base_url).removeprefix("api.")

    def worded(self, error: OpenRouterError) -> OpenRouterError:
        """Return the error, reworded to name this service: its text was written for the first one."""
        if self.settings == "OPENROUTER":
            return error
        if not self.base_url:
            error.msg = (
                "Запасной сервис не задан: FALLBACK_BASE_URL, FALLBACK_API_KEY, FALLBACK_MODEL (.env)."
            )
            error.hint = ""
            return error
        if error.status in (401, 402, 403):
            error.msg = "Отказал: ключ, счёт или права. Проверьте OPENROUTER_API_KEY (.env)."
        told = error.msg.replace("OPENROUTER_", f"{self.settings}_")
        error.msg = f"Запасной сервис {self.name}. {told}"
        error.hint = ""
        return error

    def with_key(self) -> "Service":
        """Return self; raises OpenRouterError if the key is missing or cannot be sent."""
        if not self.key:
            raise no_key(own_server=not self.is_openrouter)
        return self.with_sound_key()

    def with_sound_key(self) -> "Service":
        """Return self; raises OpenRouterError if the key cannot go into an HTTP header."""
        if re.fullmatch(r"[!-~]*", self.key):
            return self
        msg = "В OPENROUTER_API_KEY (.env) посторонние знаки. Скопируйте ключ заново."
        raise OpenRouterError(401, msg, short="недоступна: негодный ключ")

    @property
    def is_openrouter(self) -> bool:
        """Whether this is OpenRouter itself; no other service has its extra fields and prices."""
        host = host_of(self.base_url)  # "" for a bad URL, with which the request will fail
        return host == "openrouter.ai" or host.endswith(".openrouter.ai")

    def ways(self) -> list[Way]:
        """Return the ways to the service, the working one first; raises OpenRouterError for a bad proxy."""
        proxies = [part.strip() for part in self.proxy.split(",") if part.strip()]
        if not all(map(is_proxy, proxies)):
            msg = (
                "Адрес в OPENROUTER_PROXY не годится: он должен начинаться с http://, https://, "
                "socks5:// или socks5h://, и за этим следует имя прокси."
            )
            raise OpenRouterError(400, msg, kind=Kind.REQUEST)
        return in_turn([_way(proxy) for proxy in proxies] or [ANY])


def _way(proxy: str) -> Way:
    return DIRECT if proxy.lower() == DIRECT.name else Way(host_of(proxy), proxy)


def setting(name: str) -> str:
    """Return a setting; "" if it is not set."""
    return unquoted(os.environ.get(name, ""))
