"""/usage: questions asked today, what the key has left, and how reliable the models are."""

from dataclasses import replace
from datetime import UTC, datetime

from commands import MODELS, Call, command
from openrouter_client import OpenRouterError, is_openrouter, key_info, missing_key
from storage.registry import Record
from telegram.replies import Reply
from telegram.splitting import pre, utf16_len

DAYS = 7
KEY_S = 10
ASKING = "Сколько осталось бесплатных запросов, узнаю…"
UNKNOWN = "Остаток бесплатных запросов неизвестен: "


@command("usage", "", "Сколько спрошено и сколько осталось", group=MODELS, in_menu=False)
def usage(call: Call) -> Reply:
    """/usage: the bot's own figures at once, then the key's remaining questions from the service."""
    if not is_openrouter():
        return _report(call, "Бесплатный лимит считает только openrouter.ai.")
    if error := missing_key():
        return _report(call, f"{UNKNOWN}{error}\n{error.hint}".rstrip())
    return replace(_report(call, ASKING), later=lambda: _report(call, _left()))


def _report(call: Call, left: str) -> Reply:
    manages = call.app.gate.may_manage(call.user_id)
    today = int(datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0).timestamp())
    asked, tokens = call.app.registry.usage(today, None if manages else call.user_id)
    records = call.app.registry.records(today - (DAYS - 1) * 86_400)
    head = f"Сегодня{' у всех' if manages else ''}: вопросов {asked}, токенов {tokens}.\n{left}"
    table, entities = pre(_table(records))
    start = utf16_len(head) + 2
    return Reply(f"{head}\n\n{table}", [{**entity, "offset": start} for entity in entities])


def _left() -> str:
    """Return a sentence about today's free questions from OpenRouter, whose day is UTC."""
    try:
        info = key_info(KEY_S)
    except OpenRouterError as exc:
        return f"{UNKNOWN}{exc}"
    if info.used is None:
        return "Остаток бесплатных запросов OpenRouter не сообщил."
    limit = f" из {info.limit}" if info.limit is not None else ""
    left = f", осталось {info.remaining}" if info.remaining is not None else ""
    return f"Бесплатных запросов за сутки: {info.used}{limit}{left}."


def _table(records: list[Record]) -> str:
    if not records:
        return f"За {DAYS} дней моделей не спрашивали."
    width = max(len(record.label) for record in records)
    lines = [f"{'За ' + str(DAYS) + ' дней':<{width}}  раз  сбоев  секунд"]
    for record in records:
        seconds = f"{record.ms / 1000:.1f}" if record.ms is not None else "—"
        lines.append(f"{record.label:<{width}}  {record.asked:>3}  {record.failed:>5}  {seconds:>6}")
    return "\n".join(lines)
