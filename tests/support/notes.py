"""Helpers for tests of notes: cards, lists, buttons, and waiting until the bot is done."""

import re
from typing import Any

from bot_api.chats import callback_buttons
from support.harness import Harness, Message, Person

ASK, DROP, BACK = "🤖 Спросить", "↩️ Убрать", "↩️ Вернуть"
CHANGE, PIN, UNPIN, THROW, COPY = "✏️ Изменить", "📌", "📍", "🗑", "📋"


def say(person: Person, text: str, to: Message | None = None, **more: Any) -> Message:
    """Say something in a message's chat, as a reply to it, and return the bot's reply.

    Without a message, say it in the person's own chat.
    """
    chat_id = to["chat"]["id"] if to else person.id
    reply_to = to["message_id"] if to else None
    return person.asks(text, chat_id=chat_id, reply_to=reply_to, **more)


def labels(message: Message) -> list[str]:
    """Return the texts of the buttons under a message."""
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return [button["text"] for row in rows for button in row]


def now(person: Person, message: Message) -> Message:
    """Return a message as it is now."""
    return person.bot.server.find(message["chat"]["id"], message["message_id"])


def pressed(person: Person, message: Message, button: int | str) -> tuple[str, Message]:
    """Press a button; return the notice, and the message once the bot is done."""
    notice = person.press(message, button)
    settle(person, message["chat"]["id"])
    return notice, now(person, message)


def settle(person: Person, chat_id: int | None = None) -> None:
    """Wait until everything said so far in a chat is answered."""
    person.asks("/note_count", chat_id=chat_id or person.id)


def opened(person: Person, message: Message, button: int | str) -> list[Message]:
    """Press a button, and return the messages it adds."""
    chat_id = message["chat"]["id"]
    before = {one["message_id"] for one in person.bot.server.messages(chat_id)}
    person.press(message, button)
    last = person.asks("/note_count", chat_id=chat_id)["message_id"]
    found = person.bot.server.messages(chat_id)
    return [one for one in found if one["message_id"] not in before and one["message_id"] < last]


def card(person: Person, number: int) -> list[Message]:
    """Open a note and return the messages of its card."""
    return person.all_answers(f"/note {number}")


def text_of(person: Person, number: int) -> str:
    """Return a note's text as shown on its card."""
    messages = [message for message in card(person, number) if "text" in message]
    whole = "\n".join(message["text"] for message in messages)
    body = whole.partition("\n")[2]
    return re.split(r"\n(?:Откуда|Изменена|Теги): ", body)[0]


def answers_to(bot: Harness, said: list[Message]) -> list[str]:
    """Return the texts of the bot's replies to these messages, once a later message is answered."""
    chat_id = said[0]["chat"]["id"]
    bot.reply_to(bot.server.say("/note_count", user_id=said[0]["from"]["id"], chat_id=chat_id))
    return [m["text"] for one in said for m in bot.server.replies_to(chat_id, one["message_id"])]


def reaction(bot: Harness, message: Message) -> str:
    """Return the emoji of the bot's reaction to a message, "" without one."""
    found = bot.server.reactions.get((message["chat"]["id"], message["message_id"]), [])
    return "".join(one["emoji"] for one in found)


def units(text: str, entity: dict[str, Any]) -> str:
    """Return the part of a text that an entity covers."""
    data = text.encode("utf-16-le")
    return data[2 * entity["offset"] : 2 * (entity["offset"] + entity["length"])].decode("utf-16-le")


def formatted(message: Message, kind: str) -> list[str]:
    """Return the parts of a message with this kind of formatting."""
    text = str(message.get("text", ""))
    return [units(text, entity) for entity in message.get("entities", []) if entity["type"] == kind]


def all_buttons(message: Message) -> list[dict[str, Any]]:
    """Return a message's callback buttons."""
    return callback_buttons(message)
