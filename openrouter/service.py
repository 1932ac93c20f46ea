"""The two services that are asked: where each is, with which key, and by which way.

The first one has many models; the second one, the fallback, has the one that the settings name. In a
model's key, `fallback:` says that it is that one.
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
    """A server that answers, and how it is reached."""

    settings: str  # how the names of its settings begin
    base_url: str
    key: str = field(repr=False)
    proxy: str = field(repr=False)  # one or several by commas, perhaps with passwords

    @classmethod
    def from_env(cls) -> "Service":
        """Read OPENROUTER_BASE_URL, OPENROUTER_API_KEY and OPENROUTER_PROXY."""
        return cls._read("OPENROUTER", DEFAULT_BASE_URL)

    @classmethod
    def fallback(cls) -> "Service":
        """Read FALLBACK_BASE_URL, FALLBACK_API_KEY and FALLBACK_PROXY; without any it has no address."""
        return cls._read("FALLBACK", "")

    @classmethod
    def of(cls, model: str) -> "Service":
        """Return the service that has a model, by the model's key."""
        return cls.fallback() if model.startswith(FALLBACK) else cls.from_env()

    @classmethod
    def _read(cls, settings: str, default_url: str) -> "Service":
        base_url = setting(f"{settings}_BASE_URL") or default_url
        base_url = base_url.rstrip("/").removesuffix("/chat/completions")
        return cls(settings, base_url, setting(f"{settings}_API_KEY"), setting(f"{settings}_PROXY"))

    @property
    def name(self) -> str:
        """Return its host as people call it: groq.com."""
        return host_of(self.base_url).removeprefix("api.")

    def worded(self, error: OpenRouterError) -> OpenRouterError:
        """Return an error in words that blame this service, where they were made for the first one."""
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
        """Return itself; raises OpenRouterError if it has no key, or none that can be sent."""
        if not self.key:
            raise no_key(own_server=not self.is_openrouter)
        return self.with_sound_key()

    def with_sound_key(self) -> "Service":
        """Return itself; raises OpenRouterError if its key cannot stand in an HTTP header."""
        if re.fullmatch(r"[!-~]*", self.key):
            return self
        msg = "В OPENROUTER_API_KEY (.env) посторонние знаки. Скопируйте ключ заново."
        raise OpenRouterError(401, msg, short="недоступна: негодный ключ")

    @property
    def is_openrouter(self) -> bool:
        """Return whether this is OpenRouter itself, which alone knows its extra fields and prices."""
        host = host_of(self.base_url)  # none: the request will say so
        return host == "openrouter.ai" or host.endswith(".openrouter.ai")

    def ways(self) -> list[Way]:
        """Return the ways to the service, the good one first; raises OpenRouterError if one is none."""
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
    """Return a setting, "" if it is not set."""
    return unquoted(os.environ.get(name, ""))
