"""/models and /model: the list of models, and which one is active."""

from collections.abc import Sequence

from answers import freshness
from commands import MODELS, Call, WrongArgumentsError, button, command, digits_in, parse_number
from db import Model, NoModelsError, UnknownModelError
from handlers.basics import owner_only, owners_money
from handlers.pages import page_of, turning
from openrouter_client import OpenRouterError, missing_key
from telegram.lines import first_line
from telegram.replies import Button, Reply

PAGE = 10
OFFERED = 30  # Telegram allows 100 buttons, but nobody reads that many
FETCH_S = 20  # timeout for the service's list of models
READS = {"image": "🖼", "file": "📄"}


@command("models", "", "Получить список моделей", group=MODELS)
def models(call: Call) -> Reply:
    """/models: the first page of the list."""
    return _page(call, 1)


@button("page")
def turn_page(call: Call) -> Reply:
    """«2 из 3 ▶»: that page replaces this one."""
    return _page(call, call.number(), in_place=True)


@button("use")
def tap(call: Call) -> Reply:
    """A model's button: that model becomes active, and the list shows it."""
    owner_only(call)
    page, _, model_id = call.args.partition(".")
    shown = parse_number(page)
    switched = _activated(call, model_id_of(model_id))
    return _page(call, shown, in_place=True, notice=f"Активна {switched.label}")


@button("refresh")
def refresh(call: Call) -> Reply:
    """«🔄 Обновить»: the list is fetched from the service again."""
    owner_only(call)
    return Reply(notice="Читаю список…", later=lambda: _refreshed(call))


def _refreshed(call: Call) -> Reply:
    try:
        known = freshness.refresh(call.app.registry, FETCH_S)
    except OpenRouterError as exc:
        return _page(call, 1, said=f"⚠ Список не обновлён: {exc}")
    return _page(call, 1, said="Список обновлён." if known else "⚠ Сервис прислал пустой список.")


@command("model", "<id>", "Установить активную модель", wrong="<ID из /models>", group=MODELS)
def model(call: Call) -> Reply | str:
    """/model 3 or /model gemma: that model becomes active; /model: which one is active."""
    wanted = call.args.strip()
    if not wanted:
        active = call.app.db.get_active_model()
        return f"Текущая активная модель: {name_of(active)}\n(сменить: /model <ID> или /models)"
    owner_only(call)
    if digits_in(wanted):
        return _switch(call, model_id_of(wanted))
    hits = call.app.registry.find(wanted)
    if not hits:
        raise WrongArgumentsError(f"Ни у одной модели нет в имени «{first_line(wanted, 30)}».")
    return _switch(call, hits[0].id) if len(hits) == 1 else _offer(hits)


def _offer(hits: list[Model]) -> Reply:
    lines = ["Какую из них?", *map(_row, hits[:OFFERED])]
    lines += [f"… и ещё {len(hits) - OFFERED}: назовите точнее."] if len(hits) > OFFERED else []
    return Reply("\n".join(lines), buttons=_rows(hits[:OFFERED], 1))


def _switch(call: Call, model_id: int) -> str:
    switched = _activated(call, model_id)
    gone = "" if switched.available else "\n⚠ Сервис её сейчас не предлагает, спрошены будут и другие."
    return f"Активная модель переключена: {name_of(switched)}{gone}"


def _activated(call: Call, model_id: int) -> Model:
    if call.app.db.get_model(model_id).paid:
        owners_money(call)
    return call.app.db.set_active_model(model_id)


def model_id_of(text: str) -> int:
    """Read a model's number; raises WrongArgumentsError, or UnknownModelError for a number out of range."""
    try:
        return parse_number(text)
    except WrongArgumentsError:
        if digits_in(text):  # 0, or too large for SQLite
            raise UnknownModelError(text) from None
        raise


# The list


def _page(call: Call, number: int, *, in_place: bool = False, notice: str = "", said: str = "") -> Reply:
    rows = call.app.db.list_models()
    if not rows:
        raise NoModelsError
    shown, number, last = page_of(rows, number, PAGE)
    lines = ["Доступные модели:", *map(_row, shown), *_warnings(call), "", "Активировать: /model <ID>"]
    own = [Button("🔄 Обновить", "refresh")] if call.app.gate.may_manage(call.user_id) else []
    below = [row for row in (turning("page", number, last), own) if row]
    lines += [said] if said else []
    return Reply("\n".join(lines), buttons=_rows(shown, number) + below, in_place=in_place, notice=notice)


def _warnings(call: Call) -> list[str]:
    """Return warning lines for the list: the active model was replaced, the key is missing."""
    registry = call.app.registry
    replaced, no_key = registry.replaced(), None if registry.fallback() else missing_key()
    told = [f"⚠ {replaced} больше недоступна, активной стала другая модель."] if replaced else []
    told += [f"⚠ Спросить пока нельзя: {no_key.msg}\n{no_key.hint}".rstrip()] if no_key else []
    return ["", *told] if told else []


def _rows(rows: Sequence[Model], page: int) -> list[list[Button]]:
    # The id, not the key: some keys have 61 bytes, and a button's data has at most 64.
    return [
        [Button(f"{'★ ' if row.active else ''}{row.label}", "use", f"{page}.{row.id}")]
        for row in rows
        if row.available
    ]


def _row(row: Model) -> str:
    context = row.context_length or 0
    more = [f"{context // 1000}k" if context >= 1000 else str(context)] if context else []
    more += [sign for kind, sign in READS.items() if kind in row.inputs]
    more += [] if row.available else ["⚠ недоступна"]
    return f"{'★' if row.active else ' '} {numbered(row)}" + (f" · {' '.join(more)}" if more else "")


def numbered(row: Model) -> str:
    """Return a model's line: number, label, key."""
    return f"{row.id}. {name_of(row)}"


def name_of(row: Model) -> str:
    """Return a model's label and key."""
    return f"{row.label} [{row.key}]"
