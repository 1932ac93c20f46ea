"""/model_add and /model_del: the owner edits the list of models."""

from commands import OWNERS, Call, button, command
from handlers.basics import owners_money
from handlers.models import FETCH_S, model_id_of, name_of, numbered
from openrouter_client import FALLBACK, RemoteModel, fallback_model, fetch_models
from telegram.replies import Button, Reply, UserError


@command("model_add", "<ключ>", "Добавить модель", group=OWNERS)
def model_add(call: Call) -> Reply:
    """/model_add author/model: looked up at the service and added; a paid model asks for confirmation."""
    key = call.text().strip()
    return Reply("Ищу модель у сервиса…", later=lambda: _add(call, key))


def _add(call: Call, key: str) -> Reply:
    second = fallback_model()
    listed = [second] if second and key.startswith(FALLBACK) else fetch_models(FETCH_S)
    found = {model.key: model for model in listed}.get(key)
    if found is None or not found.usable:
        raise UserError("Такой модели у сервиса нет. Ключи моделей: openrouter.ai/models")
    if known := [row for row in call.app.db.list_models() if row.key == key and row.available]:
        return Reply(f"Уже есть: {numbered(known[0])}")
    if not found.free:
        return _offer(call, found)
    return Reply(f"Добавлена: {numbered(call.app.registry.add(found, paid=False))}")


def _offer(call: Call, found: RemoteModel) -> Reply:
    owners_money(call)
    offered = call.app.registry.offer(found)
    yes = Button("Добавить, хотя она платная", "paid", offered.id)
    return Reply(f"{name_of(offered)} — платная модель: каждый вопрос будет стоить денег.", buttons=[[yes]])


@button("paid")
def add_paid(call: Call) -> Reply:
    """«Добавить, хотя она платная»: the paid model is added."""
    owners_money(call)
    return Reply(f"Добавлена: {numbered(call.app.registry.restore(call.number()))}", in_place=True)


@command("model_del", "<id>", "Убрать модель", group=OWNERS)
def model_del(call: Call) -> str:
    """/model_del 3: removed from the list; the answer says how to add it again."""
    removed = call.app.registry.remove(model_id_of(call.text().strip()))
    return f"Убрана: {name_of(removed)}\n(вернуть: /model_add {removed.key})"
