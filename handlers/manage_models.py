"""/model_add and /model_del: what the owner changes in the list of models."""

from commands import Call, button, command
from handlers.basics import owner_only
from handlers.models import FETCH_S, model_id_of, name_of, numbered
from openrouter_client import fetch_models, is_openrouter
from telegram.replies import Button, Reply, UserError


@command("model_add", "<ключ>", "Добавить модель", owner_only=True)
def model_add(call: Call) -> Reply | str:
    key = call.text().strip()
    listed = {model.key: model for model in fetch_models(FETCH_S)}
    if key not in listed or not listed[key].usable:
        raise UserError("Такой модели у сервиса нет. Ключи моделей: openrouter.ai/models")
    if known := [row for row in call.app.db.list_models() if row.key == key and row.available]:
        return f"Уже есть: {numbered(known[0])}"
    if is_openrouter() and not listed[key].free:
        offered = call.app.registry.offer(listed[key])
        yes = Button("Добавить, хотя она платная", "paid", offered.id)
        return Reply(
            f"{name_of(offered)} — платная модель: каждый вопрос будет стоить денег.", buttons=[[yes]]
        )
    return f"Добавлена: {numbered(call.app.registry.add(listed[key], paid=False))}"


@button("paid")
def add_paid(call: Call) -> Reply:
    owner_only(call)
    return Reply(f"Добавлена: {numbered(call.app.registry.restore(call.number()))}", in_place=True)


@command("model_del", "<id>", "Убрать модель", owner_only=True)
def model_del(call: Call) -> str:
    removed = call.app.registry.remove(model_id_of(call.text().strip()))
    return f"Убрана: {name_of(removed)}\n(вернуть: /model_add {removed.key})"
