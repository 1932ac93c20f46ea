"""What can go wrong with a question, in words for the person who asked it.

A refusal's body is read here and nowhere shown: it names the account, and its wording changes.
"""

import math
import re
import time
from collections.abc import Mapping
from enum import Enum
from typing import Any

from openrouter.parse import as_dict


class Kind(Enum):
    """What can be done about an error."""

    UPSTREAM = "another model may answer"
    EMPTY = "the model had no words; another may have"
    MINUTE_CAP = "the account asked too often: wait `retry_after_s`, the model does not matter"
    DAILY_CAP = "the account's free questions are used up until `resets_at`"
    DATA_POLICY = "the owner has to allow free endpoints in the privacy settings"
    ACCOUNT = "the owner has to see to the key, the balance or the rights"
    REQUEST = "the question or the settings have to change"


class OpenRouterError(Exception):
    """A question without an answer: `status`, and `msg`, a Russian sentence saying what to do.

    `kind` says what can be done; `partial` is what had come before it broke; `hint` is where the
    owner finds the remedy if `msg` does not say; `resets_at` are epoch seconds, `retry_after_s`
    seconds (also given when a busy model names a time).
    """

    def __init__(
        self,
        status: int,
        msg: str,
        *,
        kind: Kind | None = None,
        resets_at: float | None = None,
        retry_after_s: float | None = None,
        hint: str = "",
    ) -> None:
        super().__init__(status, msg)
        self.status = status
        self.msg = msg
        self.kind = kind or _kind(status)
        self.resets_at = resets_at
        self.retry_after_s = retry_after_s
        self.hint = hint
        self.partial = ""

    def __str__(self) -> str:
        return f"[{self.status}] {self.msg}"

    @property
    def falls_back(self) -> bool:
        """Whether to ask another model; not once a part of the answer has been shown."""
        return self.kind in (Kind.UPSTREAM, Kind.EMPTY) and not self.partial


OTHER_MODEL = "Повторите вопрос или выберите другую модель: /models."
_SENTENCES = {
    400: "Неверный формат запроса.",
    401: "Ключ OpenRouter отклонён. Проверьте OPENROUTER_API_KEY.",
    402: "На счёте OpenRouter минус (он закрывает и бесплатные модели) или исчерпан лимит ключа. "
    "Пополните счёт: openrouter.ai/settings/credits, лимит ключа: openrouter.ai/settings/keys.",
    403: "Нет прав доступа к модели.",
    404: "Эндпоинт не найден. Проверьте URL /api/v1/chat/completions.",
    407: "Прокси требует имя и пароль. Проверьте OPENROUTER_PROXY.",
    408: f"Сервис не дождался конца запроса. {OTHER_MODEL}",
    413: "Вопрос вместе с вложением слишком велик. Сократите его или пришлите файл поменьше.",
    422: "Сервис понял запрос, но выполнить его не может. Измените вопрос или уберите вложение.",
    429: "Превышены лимиты бесплатной модели. Попробуйте позднее.",
    500: "Внутренняя ошибка сервиса моделей. Повторите вопрос через минуту.",
    502: f"Модель не работает или ответила неразборчиво. {OTHER_MODEL}",
    503: f"Модель сейчас некому обслужить. Подождите минуту. {OTHER_MODEL}",
    504: f"Модель не успела ответить сервису. {OTHER_MODEL}",
    524: f"Сервис устал ждать модель и закрыл соединение. {OTHER_MODEL}",
    529: f"Сервер модели перегружен. Подождите минуту. {OTHER_MODEL}",
}
_REDIRECTED = "Сервис отсылает на другой адрес. Проверьте OPENROUTER_BASE_URL."
_UNKNOWN = f"Сервис ответил неизвестным боту кодом. {OTHER_MODEL}"
_HINTS = {401: "Ключ создают на openrouter.ai/settings/keys и пишут в .env: OPENROUTER_API_KEY=…"}

# The reasons that a status alone does not tell, by what the body says; the first that fits counts.
_REASONS = (
    (404, r"data policy|privacy_restricted|guardrail", Kind.DATA_POLICY,
     "Настройки приватности OpenRouter исключают эту модель. Разрешите бесплатным моделям "
     "обучаться на запросах и публиковать их: openrouter.ai/settings/privacy."),
    (404, r"support image", Kind.UPSTREAM,
     "Эта модель не читает картинки. Выберите в /models ту, что читает."),
    (404, r"no endpoints|no_endpoints|no allowed providers|constraint_filtered|period has ended|"
          r"no longer available|free_variant_ended|deprecated|unavailable_upstream|"
          r"model\b.*\bnot found", Kind.UPSTREAM,
     "Эту модель больше никто не предлагает (или не предлагает бесплатно). "
     "Выберите другую: /models."),
    (400, r"context.?(length|size|window)|too long|token_limit", Kind.REQUEST,
     "Неверный формат запроса. Вопрос вместе с беседой длиннее, чем помещается в модель: "
     "сократите его или начните новую беседу."),
    (400, r"not a valid model|model_not_found|wrong_endpoint", Kind.REQUEST,
     "Неверный формат запроса. Такой модели для бесед нет, выберите другую: /models."),
)  # fmt: skip


def refusal(status: int, body: object, headers: Mapping[str, str] | None = None) -> OpenRouterError:
    """Name what a service's refusal means.

    `status` is that of HTTP, 200 for an error inside a good answer; `body` is the parsed JSON
    with an `error` inside, or anything else if there was none.
    """
    error = _error_in(body)
    status = _status(status, error)
    wording = _wording(error)
    if status == 429:
        return _limited(error, wording, headers or {})
    for reason_status, pattern, kind, msg in _REASONS:
        if status == reason_status and re.search(pattern, wording):
            return OpenRouterError(status, msg, kind=kind)
    msg = _SENTENCES.get(status, _REDIRECTED if status < 400 else _UNKNOWN)
    return OpenRouterError(status, msg, hint=_HINTS.get(status, ""))


def no_answer(finish_reason: str | None) -> OpenRouterError:
    """Name an answer without a word in it."""
    if finish_reason == "length":
        msg = (
            "Модель потратила все токены на размышления. Спросите короче, увеличьте MAX_TOKENS "
            "или выберите другую модель: /models."
        )
    else:
        msg = f"Модель вернула пустой ответ. {OTHER_MODEL}"
    return OpenRouterError(502, msg, kind=Kind.EMPTY)


def unreadable() -> OpenRouterError:
    return OpenRouterError(502, f"Ответ сервиса не разобрать: это не JSON. {OTHER_MODEL}")


def cut_short() -> OpenRouterError:
    return OpenRouterError(502, f"Ответ модели оборвался. {OTHER_MODEL}")


def _kind(status: int) -> Kind:
    if status in (401, 402, 403):
        return Kind.ACCOUNT
    return Kind.UPSTREAM if status in (404, 408, 429) or status >= 500 else Kind.REQUEST


# ---- Reading a body -------------------------------------------------------------------------


def _error_in(body: object) -> dict[str, Any]:
    """Find the error: an object, a bare string, or the body itself, as various servers write it."""
    error = as_dict(body).get("error", body)
    return {"message": error} if isinstance(error, str) else as_dict(error)


def _status(status: int, error: dict[str, Any]) -> int:
    """Return the error's own code if it is one of HTTP's, then the status it came with, or 502."""
    for value in (error.get("code"), error.get("http_status"), status):
        if re.fullmatch("[345][0-9][0-9]", str(value)):
            return int(str(value))
    return 502


def _wording(error: dict[str, Any]) -> str:
    """Return what the service says, for recognising reasons, never for showing."""
    metadata = as_dict(error.get("metadata"))
    words = (
        error.get("message"),
        error.get("code"),
        error.get("type"),
        error.get("error_type"),
        as_dict(error.get("availability")).get("code"),
        metadata.get("error_type"),
        metadata.get("limit_source"),
    )
    return " ".join(str(word) for word in words).lower()


# ---- Limits ---------------------------------------------------------------------------------


def _limited(error: dict[str, Any], wording: str, headers: Mapping[str, str]) -> OpenRouterError:
    metadata = as_dict(error.get("metadata"))
    told = {
        name.lower(): value for name, value in (*headers.items(), *as_dict(metadata.get("headers")).items())
    }
    left = _seconds_left(told.get("x-ratelimit-reset"))
    wait = _number(metadata.get("retry_after_seconds")) or _number(told.get("retry-after"))
    match _cap(wording, left, upstream="provider_name" in metadata):
        case Kind.DAILY_CAP:
            return _used_up(left or _until_midnight())
        case Kind.MINUTE_CAP:
            pause = min(left or wait or 60.0, 60.0)
            return OpenRouterError(429, _SENTENCES[429], kind=Kind.MINUTE_CAP, retry_after_s=pause)
        case kind:
            return OpenRouterError(429, _SENTENCES[429], kind=kind, retry_after_s=wait)


def _cap(wording: str, left: float | None, *, upstream: bool) -> Kind:
    if "per-day" in wording or "free_tier_daily" in wording:
        return Kind.DAILY_CAP
    if "per-min" in wording:
        return Kind.MINUTE_CAP
    # Only OpenRouter's own limits tell when they are reset; 90 s leave room for a wrong clock.
    if left is None or upstream or "provider returned error" in wording:
        return Kind.UPSTREAM
    return Kind.MINUTE_CAP if left <= 90 else Kind.DAILY_CAP


def _used_up(left: float) -> OpenRouterError:
    hours, minutes = divmod(math.ceil(left / 60), 60)
    span = " ".join(f"{n} {unit}" for n, unit in ((hours, "ч"), (minutes, "мин")) if n)
    return OpenRouterError(
        429,
        f"{_SENTENCES[429]} Бесплатные вопросы на сегодня кончились, новые будут через {span}.",
        kind=Kind.DAILY_CAP,
        resets_at=time.time() + left,
    )


def _until_midnight() -> float:
    """Return the seconds until the daily limit is reset, at 00:00 UTC."""
    return 86400 - time.time() % 86400


def _seconds_left(reset: object) -> float | None:
    """Return the seconds until a moment in epoch milliseconds, None if it is not to come."""
    at = _number(reset)
    left = at / 1000 - time.time() if at else 0.0
    return left if 0 < left <= 2 * 86400 else None


def _number(value: object) -> float | None:
    """Return a positive number, written as one or as text; None for anything else."""
    try:
        number = float(str(value))
    except ValueError:
        return None
    return number if 0 < number < math.inf else None
