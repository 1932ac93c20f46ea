"""`python bot.py --check`: checks everything that the bot needs, and says what to do about it."""

from collections.abc import Iterator
from typing import Any

from openrouter_client import (
    FALLBACK,
    Kind,
    OpenRouterError,
    RemoteModel,
    chat_once,
    described_fallback,
    fallback_model,
    fallback_name,
    fetch_models,
    is_openrouter,
    key_info,
    missing_key,
)
from settings import Settings
from telegram.api import RefusedError, Telegram, TelegramError, UnreachableError
from upkeep.check_file import check_file, check_registry
from upkeep.clock import check_clock
from upkeep.findings import Finding

NOT_IN_TELEGRAM = (
    "TOKEN не задан, поэтому бот работает только в терминале. Возьмите токен у @BotFather: TOKEN=… в .env"
)
NOT_ACCEPTED = "Telegram не принял TOKEN. Скопируйте его из @BotFather целиком в .env"
PATIENCE_S = 20


def check(settings: Settings) -> Iterator[Finding]:
    """Check one thing after another, changing nothing and showing no secret."""
    yield Finding(True, "Настройки прочитаны")
    telegram = Telegram(settings)
    yield from _telegram(telegram) if settings.token else [Finding(False, NOT_IN_TELEGRAM)]
    offered: list[RemoteModel] = []
    yield from _models(offered)
    if second := fallback_model():
        yield _fallback(second)
        offered.append(second)
    yield from check_file(settings.db_path)
    yield from check_registry(settings.db_path, {model.key for model in offered if model.usable}, _is_served)
    yield from check_clock(telegram.date)


# ---- Telegram -------------------------------------------------------------------------------


def _telegram(telegram: Telegram) -> Iterator[Finding]:
    try:
        me = _asked(telegram, "get_me")
        webhook = _asked(telegram, "get_webhook_info").get("url")
    except RefusedError as exc:
        yield Finding(False, NOT_ACCEPTED if exc.code in (401, 404) else f"Telegram отказал: {exc}")
        return
    except TelegramError as exc:
        advice = "Проверьте интернет, TELEGRAM_PROXY и TELEGRAM_API_URL"
        yield Finding(False, f"Telegram не отвечает ({exc}). {advice}")
        return
    yield Finding(True, f"Telegram принял TOKEN: это @{me.get('username')} ({telegram.route})")
    yield _webhook(webhook)
    yield from _rights(me)


def _asked(telegram: Telegram, method: str) -> dict[str, Any]:
    """Ask Telegram; if the way is dead, once more by the next one."""
    try:
        result = telegram.call(method)
    except UnreachableError:
        result = telegram.call(method)
    return result if isinstance(result, dict) else {}  # a mirror may not implement the method


def _webhook(url: str | None) -> Finding:
    if not url:
        return Finding(True, "Webhook не задан, обновления получит этот бот")
    return Finding(
        False, "Задан webhook: токеном пользуется другая программа. Остановите её; webhook бот снимет сам"
    )


def _rights(me: dict[str, object]) -> Iterator[Finding]:
    """Report how the bot is set up in BotFather; it works either way, so nothing is wrong."""
    yield Finding(
        True,
        "Inline-режим включён"
        if me.get("supports_inline_queries")
        else "Inline-режим выключен; включить: @BotFather, /setinline",
    )
    yield Finding(
        True,
        "В группах бот видит все сообщения; чтобы видел только команды: @BotFather, /setprivacy, Enable"
        if me.get("can_read_all_group_messages")
        else "В группах бот видит только команды и ответы на свои сообщения",
    )


# ---- The models -----------------------------------------------------------------------------


def _models(offered: list[RemoteModel]) -> Iterator[Finding]:
    """Check the service, and append its models to `offered`."""
    try:
        offered += fetch_models(PATIENCE_S)
    except OpenRouterError as exc:
        yield Finding(False, f"Сервис моделей не отвечает: {_told(exc)}")
        return
    usable = [model for model in offered if model.usable]
    free = sum(model.free for model in usable)
    advice = "" if free else ". Спросить некого: проверьте OPENROUTER_BASE_URL"
    yield Finding(
        bool(free), f"Сервис моделей отвечает: моделей {len(usable)}, из них бесплатных {free}{advice}"
    )
    if missing := missing_key():
        yield Finding(
            bool(fallback_model()),
            f"{_told(missing)}{' Вопросы пойдут запасному сервису' if fallback_model() else ''}",
        )
    elif is_openrouter():
        yield _key()


def _fallback(model: RemoteModel) -> Finding:
    name = model.key.removeprefix(FALLBACK)
    for looks in (_is_listed, _answers):
        try:
            if looks(model.key):
                return Finding(True, f"Запасной сервис {fallback_name()} отвечает, модель {name} у него есть")
        except OpenRouterError as exc:
            if exc.is_of_the_service:
                return Finding(False, str(exc))
    return Finding(False, f"Запасной сервис {fallback_name()} модели {name} не называет: FALLBACK_MODEL")


def _is_listed(_key: str) -> bool:
    return described_fallback(PATIENCE_S) is not None


def _answers(key: str) -> bool:
    """Return whether an unlisted model answers, as llama.cpp does to any name; raises OpenRouterError."""
    try:
        chat_once([{"role": "user", "content": "1"}], model=key, max_tokens=16, timeout_s=PATIENCE_S)
    except OpenRouterError as exc:
        if exc.kind is not Kind.EMPTY:  # otherwise the model exists, it just said nothing
            raise
    return True


def _is_served(key: str) -> bool:
    """Return whether a self-hosted server answers to a name that it does not list."""
    try:
        return not is_openrouter(key) and _answers(key)
    except OpenRouterError:
        return False


def _key() -> Finding:
    try:
        info = key_info(PATIENCE_S)
    except OpenRouterError as exc:
        return Finding(False, f"OPENROUTER_API_KEY: {_told(exc)}")
    asked = (
        f"бесплатных вопросов сегодня {info.used}"
        if info.used is not None
        else "сколько спрошено, не сказано"
    )
    limit = f" из {info.limit}" if info.limit is not None else ""
    if info.remaining == 0:
        return Finding(
            False, f"OPENROUTER_API_KEY принят, но лимит исчерпан: {asked}{limit}. Новый день — в 00:00 UTC"
        )
    return Finding(True, f"OPENROUTER_API_KEY принят: {asked}{limit}")


def _told(exc: OpenRouterError) -> str:
    """Return an error with the hint at its remedy."""
    return f"{exc} {exc.hint}".strip()
