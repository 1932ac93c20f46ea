"""What a raw update says: who sent it, and where.

Nothing that Telegram might ever send breaks these, or one update would stop the polling loop for good.
"""

import re
from collections.abc import Hashable
from typing import Any

Body = dict[str, Any]


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


def chat_id_of(body: Body) -> int:
    """Return the id of an update's chat, 0 where it has none."""
    chat_id: int = chat_of(body).get("id", 0)
    return chat_id


def lane_of(body: Body) -> Hashable:
    """Return what an update has to queue up for: its chat, but «⏹ Стоп» overtakes what waits there."""
    data = dig(body, "callback_query", "data")
    if isinstance(data, str) and data.startswith("stop:"):
        return data
    return chat_id_of(body)


def start_code(body: Body) -> str:
    """Return the code of a one-time link, if it is a private «/start <code>»."""
    text = dig(body, "message", "text")
    found = (
        re.match(r"/start(?:@\w+)?\s+([\w-]{1,64})\s*$", text, re.ASCII) if isinstance(text, str) else None
    )
    return found[1] if found and chat_of(body).get("type") == "private" else ""


def is_update(body: object) -> bool:
    """Tell what can be journalled: a number that SQLite can hold, and something with it."""
    number = body.get("update_id") if isinstance(body, dict) else None
    return isinstance(number, int) and 0 <= number < 2**63
