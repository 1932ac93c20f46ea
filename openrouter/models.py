"""The models that a service offers, and what a key may still ask today."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from openrouter.errors import OTHER_MODEL, OpenRouterError, unreadable
from openrouter.http import Exchange
from openrouter.parse import as_count, as_dict, as_list, as_str, whole
from openrouter.refusals import refusal
from openrouter.service import FALLBACK, Service, setting
from openrouter.visible import says_something

FREE_ROUTER = "openrouter/free"
_DOWN = "Сервис моделей не работает. Попробуйте через минуту."
LONGEST_LABEL = 100  # characters: ten models have to fit into one message
_JOINER = "\u200d"  # of emoji


@dataclass(frozen=True, slots=True)
class RemoteModel:
    """A model as its service describes it.

    `context_length` is in tokens, None if unknown; `inputs` are "text", "image", "file" and others;
    `usable` is whether it chats and has not expired, `free` whether it costs nothing.
    """

    key: str
    label: str
    context_length: int | None
    inputs: frozenset[str]
    free: bool
    usable: bool


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """What OpenRouter reports about a key: `used`, `limit` and `remaining` count today's free questions.

    A field that it does not report is None.
    """

    used: int | None
    limit: int | None
    remaining: int | None


def fetch_models(timeout_s: float = 60) -> list[RemoteModel]:
    """Return all models of the first service, paid and expired ones too; raises OpenRouterError."""
    return [model for model in _listed(Service.from_env(), timeout_s) if not model.key.startswith(FALLBACK)]


def fallback_model() -> RemoteModel | None:
    """Return the second service's model, from the settings alone; None if they name none."""
    service, name = Service.fallback(), setting("FALLBACK_MODEL")
    if not (service.base_url and service.key and name):
        return None
    label = f"Запасной сервис {service.name}: {name}"
    return RemoteModel(FALLBACK + name, label, None, frozenset(["text"]), free=True, usable=True)


def described_fallback(timeout_s: float = 15) -> RemoteModel | None:
    """Return it as its service describes it; None if the service does not list it; raises OpenRouterError."""
    model = fallback_model()
    for told in _listed(Service.fallback(), timeout_s) if model else ():
        if model and model.key == FALLBACK + told.key:
            return replace(model, context_length=told.context_length, inputs=told.inputs)
    return None


def _listed(service: Service, timeout_s: float) -> list[RemoteModel]:
    listed = _get(service.with_sound_key(), "/models", timeout_s).get("data")  # needs no key
    if not isinstance(listed, list):
        raise service.worded(unreadable())
    entries = list(map(as_dict, listed))
    # A relay of OpenRouter gives prices, too. On other services the owner has accepted the costs.
    priced = service.is_openrouter or any(map(_is_free, entries))
    found = (_model(entry, free=not priced or _is_free(entry)) for entry in entries)
    return list({model.key: model for model in found if model}.values())


def server_date(timeout_s: float = 15) -> str:
    """Return the `Date` header of a response from the service, "" if none; raises OpenRouterError."""
    service = Service.from_env().with_sound_key()
    with Exchange(service, "GET", "/models", timeout_s=timeout_s) as exchange:
        return exchange.head().headers.get("Date", "")


def key_info(timeout_s: float = 15) -> KeyInfo:
    """Ask, at no cost, what the key may still do today; raises OpenRouterError."""
    data = as_dict(_get(Service.from_env().with_key(), "/key", timeout_s).get("data"))
    today = as_dict(data.get("free_model_daily_requests"))
    used, limit, remaining = (as_count(today.get(name)) for name in ("used", "limit", "remaining"))
    return KeyInfo(used, limit, remaining)


def _get(service: Service, path: str, timeout_s: float) -> dict[str, Any]:
    try:
        return _got(service, path, timeout_s)
    except OpenRouterError as error:
        error.msg = error.msg.replace(f" {OTHER_MODEL}", "")  # no model was asked
        raise service.worded(error) from None


def _got(service: Service, path: str, timeout_s: float) -> dict[str, Any]:
    with Exchange(service, "GET", path, timeout_s=timeout_s) as exchange:
        head = exchange.head()
        body = exchange.json()
    if head.status != 200 or as_dict(body).get("error"):
        refused = refusal(head.status, body, head.headers)
        raise OpenRouterError(refused.status, _DOWN) if refused.status >= 500 else refused
    if not isinstance(body, dict):
        raise unreadable()
    return body


def _model(entry: dict[str, Any], *, free: bool) -> RemoteModel | None:
    """Read one entry; None if its key cannot be asked for. Own servers may have blanks inside keys."""
    key = as_str(entry.get("id")) or ""
    if not (key.isprintable() and key == key.strip() and 1 <= len(key) <= 200):
        return None
    inputs = _modalities(entry, "input_modalities")
    outputs = _modalities(entry, "output_modalities")
    return RemoteModel(
        key=key,
        label=_label(as_str(entry.get("name")) or "") or key,
        context_length=as_count(entry.get("context_length")) or None,
        inputs=inputs,
        free=free,
        usable="text" in inputs and "text" in outputs and not _expired(entry),
    )


def _label(name: str) -> str:
    """Return a name fit for a line and a button; "" if nothing visible is left of it."""
    shown = "".join(char for char in whole(name) if char.isprintable() or char.isspace() or char == _JOINER)
    label = " ".join(shown.split())
    if not says_something(label):
        return ""
    return label if len(label) <= LONGEST_LABEL else f"{label[: LONGEST_LABEL - 1]}…"


def _modalities(entry: dict[str, Any], name: str) -> frozenset[str]:
    """Return the kinds of input or output: none if the list is empty, text if there is no list."""
    told = as_dict(entry.get("architecture")).get(name)
    if not isinstance(told, list):
        return frozenset(["text"])
    return frozenset(kind for kind in told if isinstance(kind, str))


# What a question can cost, also with a picture or a file; the other prices are for things never requested.
_PRICES = "prompt completion request image internal_reasoning input_cache_read input_cache_write".split()


def _is_free(entry: dict[str, Any]) -> bool:
    key = as_str(entry.get("id")) or ""
    return key == FREE_ROUTER or (key.endswith(":free") and _costs_nothing(entry))


def _costs_nothing(entry: dict[str, Any]) -> bool:
    pricing = as_dict(entry.get("pricing"))
    if pricing.get("prompt") is None or pricing.get("completion") is None:
        return False
    tiers = [pricing, *map(as_dict, as_list(pricing.get("overrides")))]  # for long prompts, for some hours
    return all(_is_zero(tier[name]) for tier in tiers for name in _PRICES if tier.get(name) is not None)


def _is_zero(price: object) -> bool:
    try:
        return Decimal(str(price)) == 0
    except InvalidOperation:
        return False


def _expired(entry: dict[str, Any]) -> bool:
    """Return whether the last day, "YYYY-MM-DD", is past; such dates compare as text."""
    last_day = as_str(entry.get("expiration_date"))
    return last_day is not None and last_day[:10] < datetime.now(UTC).date().isoformat()
