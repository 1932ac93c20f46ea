"""Status 429: whose limit was reached, and how long to wait.

OpenRouter limits an account (https://openrouter.ai/docs/api-reference/limits), a provider limits
everybody; against the first only waiting helps, not another model.
"""

import math
import time
from collections.abc import Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import Any

from openrouter.errors import Kind, OpenRouterError
from openrouter.parse import as_dict

_LIMITED = "Превышены лимиты бесплатной модели. Попробуйте позднее."


def limited(
    wording: str, metadata: dict[str, Any], headers: Mapping[str, str], *, upstream: bool
) -> OpenRouterError:
    """Return the error for a limit: the account's per minute or day, or (`upstream`) a busy provider's."""
    told = {
        name.lower(): value for name, value in (*headers.items(), *as_dict(metadata.get("headers")).items())
    }
    left = _seconds_left(told.get("x-ratelimit-reset"))
    wait = _number(metadata.get("retry_after_seconds")) or _pause(told.get("retry-after"))
    match _cap(wording, left, upstream=upstream):
        case Kind.DAILY_CAP:
            return _used_up(left or _until_midnight())
        case Kind.MINUTE_CAP:
            pause = min(left or wait or 60.0, 60.0)
            return OpenRouterError(429, _LIMITED, kind=Kind.MINUTE_CAP, retry_after_s=pause)
        case kind:
            return OpenRouterError(429, _LIMITED, kind=kind, retry_after_s=wait)


def _cap(wording: str, left: float | None, *, upstream: bool) -> Kind:
    if "per-day" in wording or "free_tier_daily" in wording:
        return Kind.DAILY_CAP
    if "per-min" in wording:
        return Kind.MINUTE_CAP
    # Only OpenRouter's own limits say when they reset; 90 s leave room for a wrong clock.
    if left is None or upstream or "provider returned error" in wording:
        return Kind.UPSTREAM
    return Kind.MINUTE_CAP if left <= 90 else Kind.DAILY_CAP


def _used_up(left: float) -> OpenRouterError:
    hours, minutes = divmod(math.ceil(left / 60), 60)
    span = " ".join(f"{n} {unit}" for n, unit in ((hours, "ч"), (minutes, "мин")) if n)
    return OpenRouterError(
        429,
        f"{_LIMITED} Бесплатные вопросы на сегодня кончились, новые будут через {span}.",
        kind=Kind.DAILY_CAP,
        short="недоступна: дневной лимит",
    )


def _until_midnight() -> float:
    """Return the seconds until the daily limit resets, at 00:00 UTC."""
    return 86400 - time.time() % 86400


def _seconds_left(reset: object) -> float | None:
    """Return the seconds until a time in epoch milliseconds; None if that is past, or over two days away."""
    at = _number(reset)
    left = at / 1000 - time.time() if at else 0.0
    return left if 0 < left <= 2 * 86400 else None


def _pause(retry_after: object) -> float | None:
    """Return the seconds of a Retry-After: a number or a date; None if it is neither."""
    with suppress(ValueError, TypeError):
        return _number(parsedate_to_datetime(str(retry_after)).timestamp() - time.time())
    return _number(retry_after)


def _number(value: object) -> float | None:
    """Return a positive number, given as a number or as text; None for anything else."""
    try:
        number = float(str(value))
    except ValueError:
        return None
    return number if 0 < number < math.inf else None
