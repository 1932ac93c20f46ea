"""/models and /model: the list, and which of it answers."""

import math
import re
from collections.abc import Sequence

from answers import freshness
from commands import Call, WrongArgumentsError, button, command, parse_number
from db import Model, NoModelsError, UnknownModelError
from handlers.basics import owner_only
from telegram.replies import Button, Reply

PAGE = 10
OFFERED = 30  # a message can have 100 buttons, a person can look through fewer
FETCH_S = 20  # the owner's chat waits that long at most
READS = {"image": "🖼", "file": "📄"}


@command("models", "", "Получить список моделей")
def models(call: Call) -> Reply:
    return _page(call, 1)


@button("page")
def turn_page(call: Call) -> Reply:
    return _page(call, call.number(), in_place=True)


@button("use")
def tap(call: Call) -> Reply:
    owner_only(call)
    page, _, model_id = call.args.partition(".")
    shown = parse_number(page)
    switched = call.app.db.set_active_model(model_id_of(model_id))
    return _page(call, shown, in_place=True, notice=f"Активна {switched.label}")


@button("refresh")
def refresh(call: Call) -> Reply:
    owner_only(call)
    known = freshness.refresh(call.app.registry, FETCH_S)
    notice = "Список обновлён." if known else "Сервис прислал пустой список, оставляю прежний."
    return _page(call, 1, in_place=True, notice=notice)


@command("model", "<id>", "Установить активную модель", wrong="<ID из /models>")
def model(call: Call) -> Reply | str:
    wanted = call.args.strip()
    if not wanted:
        active = call.app.db.get_active_model()
        return f"Текущая активная модель: {name_of(active)}\n(сменить: /model <ID> или /models)"
    owner_only(call)
    if re.fullmatch("[0-9]+", wanted):
        return _switch(call, model_id_of(wanted))
    hits = call.app.registry.find(wanted)
    if not hits:
        raise WrongArgumentsError
    return _switch(call, hits[0].id) if len(hits) == 1 else _offer(hits)


def _offer(hits: list[Model]) -> Reply:
    lines = ["Какую из них?", *map(_row, hits[:OFFERED])]
    lines += [f"… и ещё {len(hits) - OFFERED}: назовите точнее."] if len(hits) > OFFERED else []
    return Reply("\n".join(lines), buttons=_rows(hits[:OFFERED], 1))


def _switch(call: Call, model_id: int) -> str:
    return f"Активная модель переключена: {name_of(call.app.db.set_active_model(model_id))}"


def model_id_of(text: str) -> int:
    """Read a model's number; raises WrongArgumentsError, or UnknownModelError beyond all numbers."""
    if not re.fullmatch("[0-9]+", text):
        raise WrongArgumentsError
    if len(text) > 18:  # more than SQLite can count
        raise UnknownModelError(text)
    return int(text)


# The list


def _page(call: Call, number: int, *, in_place: bool = False, notice: str = "") -> Reply:
    rows = call.app.db.list_models()
    if not rows:
        raise NoModelsError
    last = math.ceil(len(rows) / PAGE)
    number = min(number, last)
    shown = rows[(number - 1) * PAGE : number * PAGE]
    replaced = call.app.registry.replaced()
    warning = ["", f"⚠ {replaced} больше недоступна, активной стала другая модель."] if replaced else []
    lines = ["Доступные модели:", *map(_row, shown), *warning, "", "Активировать: /model <ID>"]
    buttons = _rows(shown, number) + _navigation(call, number, last)
    return Reply("\n".join(lines), buttons=buttons, in_place=in_place, notice=notice)


def _navigation(call: Call, number: int, last: int) -> list[list[Button]]:
    """Return the buttons below the models: other pages, and the owner's."""
    pages = [Button("◀", "page", number - 1)] if number > 1 else []
    pages += [Button(f"{number + 1} из {last} ▶", "page", number + 1)] if number < last else []
    own = [Button("🔄 Обновить", "refresh")] if call.app.gate.may_manage(call.user_id) else []
    return [row for row in (pages, own) if row]


def _rows(rows: Sequence[Model], page: int) -> list[list[Button]]:
    # The id, not the key: keys of 61 bytes exist, and a button carries 64.
    return [
        [Button(f"{'★ ' if row.active else ''}{row.label}", "use", f"{page}.{row.id}")]
        for row in rows
        if row.available
    ]


def _row(row: Model) -> str:
    more = [f"{row.context_length // 1000}k"] if row.context_length else []
    more += [sign for kind, sign in READS.items() if kind in row.inputs]
    more += [] if row.available else ["⚠ недоступна"]
    return f"{'★' if row.active else ' '} {numbered(row)}" + (f" · {' '.join(more)}" if more else "")


def numbered(row: Model) -> str:
    """Return a model as the list has it."""
    return f"{row.id}. {name_of(row)}"


def name_of(row: Model) -> str:
    """Return a model as the answers name it."""
    return f"{row.label} [{row.key}]"
