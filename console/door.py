"""The terminal in Telegram's place: the two methods of `telegram.api.Telegram`, and the person's actions.

There is one private chat. The `Screen` shows at once what the bot calls; what the person does becomes an
update for `get_updates`. Telegram's limits do not apply: no text is too long.
"""

import json
import mimetypes
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from console.files import save
from console.screen import Message, Screen, callback_buttons
from telegram.api import RefusedError

OWNER_ID = 1
BOT = {"id": 2, "is_bot": True, "first_name": "Заметочник", "username": "zametochnik_bot"}
PERSON = {"id": OWNER_ID, "is_bot": False, "first_name": "Владелец", "language_code": "ru"}
CHAT = {"id": OWNER_ID, "type": "private", "first_name": "Владелец"}
MAX_DOWNLOAD_BYTES = 20 * 2**20
PICTURES = (".jpg", ".jpeg", ".png", ".webp")


class ConsoleError(Exception):
    """The input cannot be sent; the text says why."""


class TerminalDoor:
    """The bot may call it from any thread; `say`, `press` and `send_file` are the person's actions."""

    def __init__(self, screen: Screen, folder: Path) -> None:
        self.menu: dict[str, str] = {}  # the published commands and their summaries
        self._screen = screen
        self._folder = folder
        self._changed = threading.Condition()
        self._closed = False
        # Notes remember their messages' ids, so an id from an earlier session must not be used again.
        self._earlier = self._last_id = self._last_update = time.time_ns() // 1_000_000
        self._messages: dict[int, Message] = {}
        self._buttons: dict[int, list[Message]] = {}  # by message, the newest keyboard last
        self._updates: list[dict[str, Any]] = []
        self._methods: dict[str, Callable[..., Any]] = {
            "get_me": lambda: BOT,
            "get_updates": self._get_updates,
            "get_file": self._get_file,
            "send_message": self._send_message,
            "send_data": self._send_data,
            "send_photo": self._send_photo,
            **dict.fromkeys(
                ("send_video", "send_animation", "send_audio", "send_voice", "send_video_note"),
                self._send_known,
            ),
            "send_media_group": self._send_media_group,
            "set_message_reaction": self._set_message_reaction,
            "send_chat_action": lambda **_: True,
            "edit_message_text": self._edit_message_text,
            "edit_message_reply_markup": self._edit_message_reply_markup,
            "delete_message": self._delete_message,
            "answer_callback_query": self._answer_callback_query,
            "set_my_commands": self._set_my_commands,
        }

    def call(self, method: str, **params: Any) -> Any:
        """Do what the `apihelper` function of that name does, return its result; raises RefusedError.

        Unknown methods that set or delete something are ignored, since a terminal does not show it; other
        unknown methods are refused.
        """
        if method not in self._methods:
            if method.startswith(("set_", "delete_")):
                return True
            raise _refused(method, "the terminal has no such method")
        if params.pop("chat_id", OWNER_ID) != OWNER_ID:
            raise _refused(method, "chat not found")
        with self._changed:
            return self._methods[method](**params)

    def download(self, file_id: str) -> bytes:
        """Return the content of a sent file; raises RefusedError."""
        path = Path(self.call("get_file", file_id=file_id)["file_path"])
        try:
            return path.read_bytes()
        except OSError:
            raise _refused("download", "the file is gone") from None

    def close(self) -> None:
        """End all waiting calls, and show unfinished messages."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            self._screen.close()

    # What the bot does

    def _get_updates(
        self, offset: int | None = None, long_polling_timeout: int = 0, **_: Any
    ) -> list[dict[str, Any]]:
        self._updates = [update for update in self._updates if update["update_id"] >= (offset or 0)]
        self._changed.notify_all()
        self._changed.wait_for(lambda: self._updates or self._closed, long_polling_timeout)
        return list(self._updates)

    def _send_message(self, text: str, **params: Any) -> Message:
        return self._put(BOT, {"text": text}, **params)

    def _send_data(self, data: Any, visible_file_name: str = "file", **params: Any) -> Message:
        if isinstance(data, str):
            return self._send_known(data, **params)
        return self._send_bytes(data, visible_file_name, **params)

    def _send_photo(self, photo: Any, **params: Any) -> Message:
        if isinstance(photo, str):
            return self._send_known(photo, **params)
        return self._send_bytes(photo, "photo.png", **params)

    def _send_known(self, data: str = "", audio: str = "", voice: str = "", **params: Any) -> Message:
        """Show a file that was sent before; its file_id is its path."""
        path = Path(data or audio or voice)
        if not path.is_file():
            raise _refused("send_document", "wrong file identifier/HTTP URL specified")
        return self._put(
            BOT, {"text": params.pop("caption", None) or "", "document": _document(path)}, **params
        )

    def _send_media_group(self, media: Any, **params: Any) -> list[Message]:
        return [self._send_known(item.media, **params) for item in media]

    def _set_message_reaction(self, reaction: Any, **_: Any) -> bool:
        self._screen.say(" ".join(one.emoji for one in reaction))
        return True

    def _send_bytes(self, data: Any, name: str, **params: Any) -> Message:
        text = params.pop("caption", None) or ""
        try:
            path = save(self._folder, name, data if isinstance(data, bytes) else data.read())
        except OSError as exc:
            text = f"{text}\nФайл {name} не сохранить: {exc.strerror}.".lstrip()
            return self._put(BOT, {"text": text}, **params)
        return self._put(BOT, {"text": text, "document": _document(path)}, **params)

    def _put(
        self,
        sender: dict[str, Any],
        content: Message,
        entities: Any = None,
        reply_markup: Any = None,
        reply_parameters: Any = None,
        reply_to: int | None = None,
        **_: Any,
    ) -> Message:
        self._last_id += 1
        message = {"message_id": self._last_id, "from": sender, "chat": CHAT, "date": int(time.time())}
        message |= content | _extras(entities, reply_markup)
        if quoted := self._messages.get(reply_parameters.message_id if reply_parameters else reply_to or 0):
            message["reply_to_message"] = {k: v for k, v in quoted.items() if k != "reply_to_message"}
        return self._keep(message)

    def _keep(self, message: Message) -> Message:
        number = message["message_id"]
        self._messages[number] = message
        if message["from"] is BOT:
            buttons = callback_buttons(message)
            if buttons != self._buttons.get(number, []):
                self._buttons.pop(number, None)
                self._buttons |= {number: buttons} if buttons else {}
            self._screen.show(number - self._earlier, message)
        return message

    def _edit_message_text(
        self, message_id: int, text: str, entities: Any = None, reply_markup: Any = None, **_: Any
    ) -> Message:
        kept = self._without(message_id, "entities", "reply_markup")
        return self._keep(kept | {"text": text} | _extras(entities, reply_markup))

    def _edit_message_reply_markup(self, message_id: int, reply_markup: Any = None, **_: Any) -> Message:
        return self._keep(self._without(message_id, "reply_markup") | _extras(None, reply_markup))

    def _without(self, message_id: int, *names: str) -> Message:
        """Return a message without some of its fields, to be edited; raises RefusedError if it is gone."""
        if message_id not in self._messages:
            raise _refused("edit_message", "message to edit not found")
        return {name: value for name, value in self._messages[message_id].items() if name not in names}

    def _delete_message(self, message_id: int) -> bool:
        if self._messages.pop(message_id, None) is None:
            raise _refused("delete_message", "message to delete not found")
        self._buttons.pop(message_id, None)
        self._screen.delete(message_id - self._earlier)
        return True

    def _answer_callback_query(self, text: str | None = None, **_: Any) -> bool:
        if text:
            self._screen.say(f"🔔 {text}")
        return True

    def _set_my_commands(self, commands: Any, **_: Any) -> bool:
        self.menu |= {command.command: command.description for command in commands}
        return True

    def _get_file(self, file_id: str) -> dict[str, str]:
        path = Path(file_id)
        if not path.is_file():
            raise _refused("get_file", "wrong file_id or the file is temporarily unavailable")
        if path.stat().st_size > MAX_DOWNLOAD_BYTES:
            raise _refused("get_file", "file is too big")
        return {"file_id": file_id, "file_path": file_id}

    # What the person does

    def say(self, text: str, reply_to: int | None = None) -> None:
        """Send a text, optionally as a reply to a message of this session."""
        self._arrive({"text": text}, reply_to)

    def send_file(self, path: Path, caption: str = "", reply_to: int | None = None) -> None:
        """Send a file; a picture is sent as a photo."""
        path = path.resolve()
        document = _document(path)
        content = {"photo": [document]} if path.suffix.lower() in PICTURES else {"document": document}
        self._arrive(content | ({"caption": caption} if caption else {}), reply_to)

    def _arrive(self, content: Message, reply_to: int | None) -> None:
        with self._changed:
            self._push("message", self._put(PERSON, content, reply_to=reply_to))

    def press(self, number: int) -> None:
        """Press a button of the newest keyboard, counted from 1; raises ConsoleError."""
        with self._changed:
            message_id = next(reversed(self._buttons), None)
            if message_id is None:
                raise ConsoleError("Кнопок сейчас нет.")
            buttons = self._buttons[message_id]
            if not 1 <= number <= len(buttons):
                raise ConsoleError(f"Кнопки !{number} нет, есть с !1 по !{len(buttons)}.")
            query = {"id": str(self._last_update + 1), "from": PERSON, "message": self._messages[message_id]}
            self._push("callback_query", query | {"data": buttons[number - 1]["callback_data"]})

    def number_of(self, typed: str) -> int:
        """Return the id of the message with this number on the screen, for "" of the bot's last one.

        Raises ConsoleError.
        """
        with self._changed:
            of_bot = [number for number, message in self._messages.items() if message["from"] is BOT]
            if not typed and not of_bot:
                raise ConsoleError("Отвечать не на что: бот ещё ничего не написал.")
            number = self._earlier + int(typed) if typed else of_bot[-1]
            if number not in self._messages:
                raise ConsoleError(f"Сообщения {typed} нет.")
            return number

    def _push(self, kind: str, content: dict[str, Any]) -> None:
        self._last_update += 1
        self._updates.append({"update_id": self._last_update, kind: content})
        self._changed.notify_all()

    def wait_until_taken(self) -> None:
        """Wait until the bot has confirmed all updates."""
        with self._changed:
            while self._updates and not self._closed:
                self._changed.wait(1)  # with a timeout, else Windows would not notice Ctrl-C


def _extras(entities: Any, reply_markup: Any) -> Message:
    """Return a message's entities and keyboard as plain data."""
    extras = {"entities": list(entities)} if entities else {}
    return extras | ({"reply_markup": json.loads(reply_markup.to_json())} if reply_markup else {})


def _document(path: Path) -> Message:
    """Return a file's description; its path is its file_id, so that later sessions can find it."""
    return {
        "file_id": str(path),
        "file_unique_id": str(path),
        "file_size": path.stat().st_size,
        "file_name": path.name,
        "mime_type": mimetypes.guess_type(path.name)[0] or "application/octet-stream",
    }


def _refused(method: str, description: str) -> RefusedError:
    return RefusedError(method, 400, f"Bad Request: {description}")
