"""What a raw update says: who sent it, where, and which call it makes.

Nothing that Telegram might ever send breaks these, or one update would stop the polling loop for good.
"""

import re
from typing import TYPE_CHECKING, Any

from commands import Call
from storage.journal import Update

if TYPE_CHECKING:
    from app import App

Body = dict[str, Any]


class UnreadableUpdateError(Exception):
    """An update in a shape that we do not know."""


def dig(body: object, *path: str) -> Any:
    """Return what stands at the end of a path of keys; None where the path breaks off."""
    for key in path:
        body = body.get(key) if isinstance(body, dict) else None
    return body


def sender(body: Body) -> Body | None:
    """Return the person behind an update of any kind; None for a channel or the unknown."""
    people = (dig(kind, "from") for kind in body.values())
    return next((person for person in people if isinstance(dig(person, "id"), int)), None)


def chat_of(body: Body) -> Body:
    """Return the chat of an update of any kind; an empty one where it has none."""
    chats = (dig(kind, "chat") or dig(kind, "message", "chat") for kind in body.values())
    return next((chat for chat in chats if isinstance(dig(chat, "id"), int)), {})


def lane_of(body: Body) -> int:
    """Return the id of an update's chat, 0 where it has none."""
    lane: int = chat_of(body).get("id", 0)
    return lane


def start_code(body: Body) -> str:
    """Return the code of a one-time link, if it is a private «/start <code>»."""
    text = dig(body, "message", "text")
    found = (
        re.match(r"/start(?:@\w+)?\s+([\w-]{1,64})\s*$", text, re.ASCII) if isinstance(text, str) else None
    )
    return found[1] if found and chat_of(body).get("type") == "private" else ""


def read(app: "App", update: Update) -> Call | None:
    """Make a Call of an update; None for what nobody expects an answer to. Raises UnreadableUpdateError."""
    try:
        if query := update.body.get("callback_query"):
            return _read_button(app, update, query)
        if message := update.body.get("message"):
            return _read_message(app, update, message)
    except (KeyError, TypeError, AttributeError) as exc:
        raise UnreadableUpdateError(f"{type(exc).__name__}: {exc}") from None
    return None


def _read_message(app: "App", update: Update, message: Body) -> Call | None:
    text = message.get("text") or message.get("caption") or ""
    found = re.match(r"/(\w+)(?:@(\w+))?(?:\s+|$)", text)
    if found and found[2] and found[2].lower() != app.username.lower():
        return None  # for another bot
    name, args = (found[1].lower(), text[found.end() :]) if found else ("", text)
    return _call(app, update, message["from"], message, name=name, args=args)


def _read_button(app: "App", update: Update, query: Body) -> Call | None:
    if "message" not in query:
        return None
    name, _, data = query.get("data", "").partition(":")
    return _call(app, update, query["from"], query["message"], name=name, args=data, query_id=query["id"])


def _call(app: "App", update: Update, person: Body, message: Body, **more: Any) -> Call:
    return Call(
        app,
        update_id=update.update_id,
        user_id=person["id"],
        chat_id=message["chat"]["id"],
        private=message["chat"]["type"] == "private",
        message_id=message["message_id"],
        date=message["date"],
        message=message,
        answer_ids=update.answer_ids,
        **more,
    )
