"""A bot that uses the fake as openrouter.ai, and what people see of the models."""

import re

from bot_api.chats import callback_buttons
from support.harness import CATALOGUE, Harness, Message, Person
from support.openrouter_replies import Behaviour, Json, Request, answer, model_entry

FIRST, SECOND, THIRD, FOURTH = list(CATALOGUE)[:4]
GEMMA, NORTH, ROUTER = list(CATALOGUE)[4], list(CATALOGUE)[8], list(CATALOGUE)[9]
LUNA = "openai/gpt-6-luna"
OWNER, GUEST = 1, 2
YES = answer("да")
REFRESH = "🔄 Обновить"
UNKNOWN = "Неизвестный ID модели. Сначала /models."


def listed(*keys: str) -> list[Json]:
    """Return the GET /models entries of these catalogue models."""
    return [model_entry(key, CATALOGUE[key]) for key in keys]


KNOWN = listed(FIRST, SECOND, GEMMA, NORTH, ROUTER)


def paid(key: str = LUNA, name: str = "OpenAI: GPT-6 Luna") -> Json:
    return model_entry(key, name, price="0.00000125")


def refreshed(bot: Harness, *models: Json) -> str:
    """Change the service's models, let the owner refresh the list, and return the new list."""
    bot.ai.models = list(models)
    someone = bot.person(OWNER)
    refresh(bot, someone.asks("/models"))
    return someone.says("/models")


def refresh(bot: Harness, message: Message, outcome: str = "Список обновлён.") -> Message:
    """Press the refresh button under a list, and return the list once it shows the outcome."""
    person = bot.person(message["chat"]["id"])
    assert person.press(message, REFRESH) == "Читаю список…"
    return seen(bot, message, outcome)


def settled(person: Person, text: str) -> Message:
    """Say something slow, and return the reply once the service has answered."""
    message = person.asks(text)

    def look() -> Message | None:
        now = person.bot.server.find(message["chat"]["id"], message["message_id"])
        return None if re.search(r"^Ищу модель у сервиса…|узнаю…$", now["text"], re.MULTILINE) else now

    return person.bot.wait(look)


def result(person: Person, text: str) -> str:
    """Say something slow, and return the reply's text once the service has answered."""
    return str(settled(person, text)["text"])


def begin(bot: Harness, *models: Json) -> Harness:
    """Start a bot at openrouter.ai with these models, and wait until it has read the list."""
    proxy = bot.ai.base_url.removesuffix("/api/v1")
    bot.settings |= {"OPENROUTER_BASE_URL": "http://openrouter.ai/api/v1", "OPENROUTER_PROXY": proxy}
    return begin_elsewhere(bot, *models)


def begin_elsewhere(bot: Harness, *models: Json) -> Harness:
    """Start a bot at another host with these models, and wait until it has read the list."""
    bot.ai.models = list(models)
    bot.start()
    someone = bot.person(OWNER)
    while not re.search(r" · ", someone.says("/models")):
        assert len(bot.server.calls) < 1000, bot.log
    return bot


def by_model(behaviours: dict[str, Behaviour], otherwise: Behaviour = YES) -> Behaviour:
    """Answer each question with its model's behaviour."""
    return lambda call: behaviours.get(call.request.body["model"], otherwise)(call)


def seen(bot: Harness, message: Message, fragment: str, timeout: float = 60) -> Message:
    """Wait until a message contains the fragment, and return it as it is then."""

    def look() -> Message | None:
        now = bot.server.find(message["chat"]["id"], message["message_id"])
        return now if fragment in now["text"] else None

    return bot.wait(look, timeout)


def buttons(message: Message) -> list[str]:
    """Return the labels of a message's callback buttons."""
    return [button["text"] for button in callback_buttons(message)]


def row_of(text: str, key: str) -> str:
    """Return the line about a model, "" if there is none."""
    return next((line for line in text.splitlines() if f"[{key}]" in line), "")


def asked(bot: Harness, question: str) -> list[Request]:
    """Return all requests to the service for a question, in order."""
    return [request for request in bot.ai.questions if request.question == question]
