"""What a refusal means and whose it was: the one place that reads a service's errors.

A refusal's body is only read here, never shown: it names the account, and its wording changes.
Codes and wordings: https://openrouter.ai/docs/api-reference/errors
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from openrouter.errors import KEY_HINT, OTHER_MODEL, OTHER_WORDS, Kind, OpenRouterError
from openrouter.limits import limited
from openrouter.parse import as_dict

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
    500: "Внутренняя ошибка сервиса моделей. Повторите вопрос через минуту.",
    502: f"Модель не работает или ответила неразборчиво. {OTHER_MODEL}",
    503: f"Модель сейчас некому обслужить. Подождите минуту. {OTHER_MODEL}",
    504: f"Модель не успела ответить сервису. {OTHER_MODEL}",
    524: f"Сервис устал ждать модель и закрыл соединение. {OTHER_MODEL}",
    529: f"Сервер модели перегружен. Подождите минуту. {OTHER_MODEL}",
}
_REDIRECTED = "Сервис отсылает на другой адрес. Проверьте OPENROUTER_BASE_URL."
_UNKNOWN = f"Сервис ответил неизвестным боту кодом. {OTHER_MODEL}"
_HINTS = {401: KEY_HINT}
_BLOCKED = "Так отвечают и тем, чей адрес не пускают: задайте OPENROUTER_PROXY (.env)."  # not JSON

# Error codes in words, for an error inside a successful response.
_IN_WORDS = (
    (429, "rate_?limit|too_many_requests"),
    (402, "payment_required|insufficient_(quota|balance|credits)"),
    (401, "api_key|authentication|unauthorized"),
)

# Their sentences blame the owner's key, account, settings or question: not for a provider's refusal.
_BLAMING = (400, 401, 402, 403, 404)
_OF_THE_PROVIDER = (
    "Поставщик модели отказался выполнить запрос; ваш ключ и счёт OpenRouter тут ни при чём. "
    "Выберите другую модель: /models."
)


@dataclass(frozen=True, slots=True)
class _Reason:
    """A meaning that the status alone does not show, recognised by a pattern in the body."""

    statuses: tuple[int, ...]
    pattern: str  # searched in the fields of the body, in lower case
    kind: Kind
    msg: str
    model_gone: bool = False
    short: str = ""


_TOO_LONG = _Reason(
    (400, 413),
    r"context.?(length|size|window)|too.long|token_limit|tokens? [^.]*exceed|exceed[^.]* tokens?",
    Kind.TOO_LONG,
    "Неверный формат запроса. Вопрос вместе с беседой длиннее, чем помещается в модель: "
    "сократите его или начните новую беседу.",
)
_NO_SUCH_MODEL = (
    r"not a valid model|(invalid|unknown|unsupported|no such) model|wrong_endpoint|"
    r"model.*not.(found|exist)|model( \S+)? is (not|no longer) (available|supported|offered)(?! \w)|"
    r"model(_| (\S+ )?(is|has been) )(deprecated|decommissioned|removed|retired|discontinued)|"
    r"not support chat|not a chat model"  # Ollama and Groq also list embedding and speech models
)
_REASONS = (  # the first match counts
    _Reason(
        (403,),
        r"flagged|moderation|'reasons'|'patterns'",
        Kind.REQUEST,  # a flagged question is not offered to other models
        "Нет прав доступа к модели. Модерация сочла вопрос недопустимым: задайте его иначе.",
        short="модерация",
    ),
    _Reason(
        (400, 403, 422),
        r"content.?(policy|filter|management)|flagged|moderation|\b(refusal|safety)\b",
        Kind.EMPTY,
        f"Фильтр модели не пропустил вопрос. {OTHER_WORDS}",
        short="фильтр",
    ),
    _Reason(
        (403,),
        r"key.limit|_budget",
        Kind.ACCOUNT,
        "Нет прав доступа к модели: исчерпан лимит ключа или бюджет. "
        "Поднять его: openrouter.ai/settings/keys.",
    ),
    _Reason(
        (403,),
        r"region|country|location|network settings",
        Kind.UPSTREAM,
        "Нет прав доступа к модели: там, где работает бот, её не предлагают. Выберите другую: /models.",
    ),
    _Reason(
        (400,),  # from Google, for a bad key
        r"api.?key (is )?(not valid|invalid|expired|not found)|invalid.api.?key",
        Kind.ACCOUNT,
        _SENTENCES[401],
    ),
    _TOO_LONG,
    _Reason(
        (400, 413, 422),
        r"invalid.image|image_too|unsupported.image|image_download|(process|decode) .{0,20}image",
        Kind.UPSTREAM,
        "Неверный формат запроса. Модель не приняла картинку: пришлите её поменьше, в JPEG или PNG.",
    ),
    _Reason(
        (400, 422),
        r"max_(completion_|output_)?tokens|unsupported.(parameter|value)|reasoning",
        Kind.UPSTREAM,
        "Неверный формат запроса. Модель не приняла настройки бота: выберите другую (/models) "
        "или уменьшите MAX_TOKENS (.env).",
    ),
    _Reason(
        (404,),
        r"data policy|privacy_restricted|guardrail",
        Kind.DATA_POLICY,
        "Настройки приватности OpenRouter исключают эту модель. Разрешите бесплатным моделям "
        "обучаться на запросах и публиковать их: openrouter.ai/settings/privacy.",
    ),
    _Reason(
        (404,),
        r"support image",
        Kind.UPSTREAM,
        "Эта модель не читает картинки. Выберите в /models ту, что читает.",
    ),
    _Reason(
        (404,),
        r"no endpoints.*(support|match|that|param)|no allowed providers|constraint_filtered|"
        r"unavailable_upstream",
        Kind.UPSTREAM,
        "Эту модель сейчас никто не может предложить. Выберите другую: /models.",
    ),
    _Reason(
        (400,),
        rf"{_NO_SUCH_MODEL}|no endpoints found for",
        Kind.UPSTREAM,
        "Неверный формат запроса. Такой модели для бесед нет, выберите другую: /models.",
        model_gone=True,
    ),
    _Reason(
        (404, 410),
        rf"{_NO_SUCH_MODEL}|no.endpoints|period has ended|no longer available|free_variant_ended",
        Kind.UPSTREAM,
        "Эту модель больше никто не предлагает (или не предлагает бесплатно). Выберите другую: /models.",
        model_gone=True,
    ),
)


def refusal(status: int, body: object, headers: Mapping[str, str] | None = None) -> OpenRouterError:
    """Return the error that a service's refusal means.

    `status` is the HTTP status, 200 for an error inside a successful response; `body` is the parsed
    JSON with an `error` inside, or anything else if there was none.
    """
    error = _error_in(body)
    status = _status(status, error)
    of_provider = _is_of_a_provider(error)
    if status == 429:
        return limited(_wording(error), as_dict(error.get("metadata")), headers or {}, upstream=of_provider)
    if reason := _reason(status, _wording(error, with_raw=True), of_provider=of_provider):
        # A question too long for one provider may fit another model.
        kind = Kind.UPSTREAM if of_provider and reason is _TOO_LONG else reason.kind
        return OpenRouterError(
            status, reason.msg, kind=kind, model_gone=reason.model_gone, short=reason.short
        )
    if of_provider:
        msg = _OF_THE_PROVIDER if status in _BLAMING else _SENTENCES.get(status, _UNKNOWN)
        return OpenRouterError(status, msg, kind=Kind.UPSTREAM)
    msg = _SENTENCES.get(status, _REDIRECTED if status < 400 else _UNKNOWN)
    hint = _BLOCKED if status == 403 and body is None else _HINTS.get(status, "")
    return OpenRouterError(status, msg, hint=hint)


def _reason(status: int, wording: str, *, of_provider: bool) -> _Reason | None:
    for reason in _REASONS:
        if of_provider and (reason.model_gone or reason.kind is Kind.ACCOUNT):
            continue  # another provider may have the model; a provider's key is not the owner's
        if status in reason.statuses and re.search(reason.pattern, wording):
            return reason
    return None


# ---- Reading a body -------------------------------------------------------------------------


def _error_in(body: object) -> dict[str, Any]:
    """Return the error wherever a server puts it: inside another one, in a list, as a bare string."""
    while True:
        if isinstance(body, list):
            body = next(iter(body), None)
        elif isinstance(body, str):
            return {"message": body}
        elif inside := _inside(as_dict(body)):
            body = inside
        else:
            return as_dict(body)


def _inside(body: dict[str, Any]) -> object:
    names = ("error",) if body.get("message") else ("error", "errors", "detail")
    return next((body[name] for name in names if isinstance(body.get(name), dict | list | str)), None)


def _status(status: int, error: dict[str, Any]) -> int:
    """Return the error's own code if it is an HTTP status, else `status`, else a code in words, else 502."""
    for value in (error.get("code"), error.get("http_status"), status):
        if re.fullmatch("[345][0-9][0-9]", str(value)):
            return int(str(value))
    words = f"{error.get('code')} {error.get('type')} {as_dict(error.get('metadata')).get('error_type')}"
    return next((code for code, pattern in _IN_WORDS if re.search(pattern, words)), 502)


def _is_of_a_provider(error: dict[str, Any]) -> bool:
    """Return whether a provider refused and not OpenRouter itself, which then names the provider."""
    metadata = as_dict(error.get("metadata"))
    named = any(metadata.get(name) for name in ("provider_name", "provider_code", "raw"))
    return named or str(error.get("message")).lower().startswith("upstream error from")


def _wording(error: dict[str, Any], *, with_raw: bool = False) -> str:
    """Return what the service says, one field per line: for recognising reasons, never for showing."""
    metadata = as_dict(error.get("metadata"))
    fields = (
        error.get("message"),
        error.get("code"),
        error.get("type"),
        error.get("error_type"),
        as_dict(error.get("availability")).get("code"),
        metadata.get("error_type"),
        metadata.get("limit_source"),
        metadata.get("raw") if with_raw else None,
        [name for name, value in metadata.items() if value],  # 'reasons', 'flagged_input'
    )
    return "\n".join(" ".join(str(field)[:2000].split()) for field in fields if field).lower()
