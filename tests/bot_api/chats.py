"""The people, chats and messages of a fake Telegram, and what a person can do there."""

import itertools
import mimetypes
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from queue import Queue
from typing import Any, Literal

from bot_api import text as texts
from bot_api.updates import UpdateQueue

Message = dict[str, Any]
EventKind = Literal["sent", "edited", "deleted", "answered"]

Event = tuple[str, dict[str, Any]]

OWNER_ID = 1
MAX_DOWNLOAD_BYTES = 20 * 2**20
_FOLDERS = {
    "photo": "photos",
    "video": "videos",
    "animation": "animations",
    "document": "documents",
    "audio": "music",
    "voice": "voice",
    "video_note": "video_notes",
    "sticker": "stickers",
}


@dataclass(slots=True)
class Chat:
    """One conversation; `messages` by number."""

    info: dict[str, Any]
    messages: dict[int, Message] = field(default_factory=dict)
    last_id: int = 0
    blocked: bool = False
    refusal: str = ""  # Telegram's error for anything sent here; empty: none
    reactions_refused: bool = False  # as in a group whose admins allow no reactions
    topics: dict[int, bool] = field(default_factory=dict)  # number -> whether it is open


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that somebody sent; getFile returns its path."""

    file_id: str
    path: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SentDocument:
    """A document that the bot sent."""

    chat_id: int
    message_id: int
    name: str
    data: bytes = field(repr=False)
    caption: str = ""


class Chats:
    """The state of a fake Telegram, and what people do in it.

    Each action becomes an update for the bot. An edit replaces the message's dictionary, so dictionaries
    returned earlier do not change.
    """

    def __init__(self, token: str, username: str) -> None:
        self.changed = threading.Condition()
        self.updates = UpdateQueue(self.changed)
        self.me = {
            "id": int(token.partition(":")[0]),
            "is_bot": True,
            "first_name": "Заметочник",
            "username": username,
        }
        self.chats: dict[int, Chat] = {}
        self.users: dict[int, dict[str, Any]] = {}
        self.files: dict[str, StoredFile] = {}
        self.media: dict[str, tuple[str, dict[str, Any]]] = {}  # file id -> kind and record
        self.documents: list[SentDocument] = []
        self.presses: dict[str, dict[str, Any]] = {}
        self.answers: dict[str, dict[str, Any]] = {}
        self.inline_mode = True  # as set with /setinline at BotFather
        self.inline_queries: dict[str, float] = {}  # unanswered id -> time of the query, monotonic
        self.inline_answers: dict[str, dict[str, Any]] = {}
        self.reactions: dict[tuple[int, int], list[dict[str, Any]]] = {}
        self.command_lists: dict[tuple[str, int, str], list[dict[str, str]]] = {}
        self.texts_about: dict[tuple[str, str], str] = {}
        self._replies: dict[tuple[int, int], list[int]] = {}
        self._watchers: list[Queue[Event]] = []
        self._numbers = itertools.count(1)
        self.user(OWNER_ID, first_name="Владелец")

    # Used by people and by the bot's methods

    def user(self, user_id: int, first_name: str = "", username: str = "") -> dict[str, Any]:
        """Return a person, created on first use; names given here replace the old ones."""
        given = {"first_name": first_name} if first_name else {}
        given |= {"username": username} if username else {}
        with self.changed:
            if user_id not in self.users:
                stranger = {"first_name": f"Человек {user_id}", "language_code": "ru"}
                self.users[user_id] = {"id": user_id, "is_bot": False} | stranger
            self.users[user_id] |= given
            if given and user_id in self.chats:
                self.chats[user_id].info |= given
            return self.users[user_id]

    def chat(self, chat_id: int, kind: str = "private") -> Chat:
        """Return a chat, created on first use."""
        with self.changed:
            if chat_id not in self.chats:
                info: dict[str, Any] = {"id": chat_id, "type": kind}
                if kind == "private":
                    person = self.user(chat_id)
                    info |= {key: person[key] for key in ("first_name", "username") if key in person}
                else:
                    info["title"] = f"Группа {abs(chat_id)}"
                self.chats[chat_id] = Chat(info)
            return self.chats[chat_id]

    def put(self, chat: Chat, content: dict[str, Any], reply_to: int | None = None) -> Message:
        """Add a message to a chat and return it; `content` holds the sender and the other fields."""
        with self.changed:
            chat.last_id += 1
            message = {"message_id": chat.last_id, "chat": chat.info, "date": int(time.time())}
            message |= content
            if reply_to is not None:
                original = chat.messages[reply_to]
                message["reply_to_message"] = _one_level(original)
                self._replies.setdefault((chat.info["id"], reply_to), []).append(chat.last_id)
            chat.messages[chat.last_id] = message
            return message

    def find(self, chat_id: int, message_id: int) -> Message:
        """Return a message; raise KeyError if there is none."""
        return self.chats[chat_id].messages[message_id]

    def store(self, folder: str, name: str, data: bytes) -> StoredFile:
        """Save a file's bytes under a new file id."""
        with self.changed:
            number = next(self._numbers)
            suffix = Path(name).suffix
            stored = StoredFile(f"FILE{number:08}", f"{folder}/file_{number}{suffix}", data)
            self.files[stored.file_id] = stored
            return stored

    def keep(self, kind: str, name: str, data: bytes, **more: Any) -> dict[str, Any]:
        """Save a file and return its record for a message of this kind."""
        record = file_record(self.store(_FOLDERS[kind], name, data)) | more
        self.media[record["file_id"]] = kind, record
        return record

    def forget(self, file_id: str) -> None:
        """Remove a file, as if everybody had deleted it or the bot's token had changed."""
        with self.changed:
            del self.files[file_id]

    def tell(self, kind: EventKind, payload: dict[str, Any]) -> None:
        """Put an event into every queue of `watch`."""
        for queue in self._watchers:
            queue.put((kind, payload))

    def watch(self) -> Queue[Event]:
        """Return a queue that receives everything the bot does from now on, in order."""
        queue: Queue[Event] = Queue()
        self._watchers.append(queue)
        return queue

    # What a person does

    def say(
        self,
        text: str,
        *,
        user_id: int = OWNER_ID,
        chat_id: int | None = None,
        chat_type: str = "private",
        reply_to: int | None = None,
        **more: Any,
    ) -> Message:
        """Send a text as a person; `more` goes into the message (date, forward_origin, …).

        Raises ValueError for a text that no client could send in one message.
        """
        text, _ = texts.clean(text, [])
        if texts.is_blank(text) or texts.utf16_len(text) > 4096:
            raise ValueError("a message has 1 to 4096 UTF-16 units")
        content = _with_entities("text", text) | more
        return self._arrive(content, user_id, chat_id, chat_type, reply_to)

    def _arrive(
        self,
        content: dict[str, Any],
        user_id: int,
        chat_id: int | None = None,
        chat_type: str = "private",
        reply_to: int | None = None,
    ) -> Message:
        with self.changed:
            if chat_type == "private" and chat_id is not None and chat_id < 0:
                chat_type = "supergroup"
            chat = self.chat(user_id if chat_id is None else chat_id, chat_type)
            if content.get("is_topic_message"):
                chat.topics.setdefault(content["message_thread_id"], True)
            message = self.put(chat, {"from": self.user(user_id)} | content, reply_to)
            self.updates.push("message", message)
            return message

    def edit(self, message: Message, text: str, **more: Any) -> Message:
        """Change the text or caption of a person's own message; `more` goes into it (entities, …)."""
        with self.changed:
            chat = self.chats[message["chat"]["id"]]
            name: Literal["text", "caption"] = "text" if "text" in message else "caption"
            replaced = (name, "entities" if name == "text" else "caption_entities")
            rest = {k: v for k, v in message.items() if k not in replaced}
            edited = rest | {"edit_date": int(time.time())} | _with_entities(name, text) | more
            chat.messages[message["message_id"]] = edited
            self.updates.push("edited_message", edited)
            return edited

    def press(
        self,
        chat_id: int,
        message_id: int,
        button: int | str = 0,
        *,
        user_id: int | None = None,
        data: str | None = None,
    ) -> str:
        """Press a callback button, given by its number (from 0) or text, and return the query id.

        With `data` the press carries that instead, as from a modified client.
        """
        with self.changed:
            message = self.find(chat_id, message_id)
            if data is None:
                data = _button_data(message, button)
            query_id = str(10**15 + next(self._numbers))
            query = {
                "id": query_id,
                "from": self.user(chat_id if user_id is None else user_id),
                "message": message,
                "chat_instance": str(chat_id),
                "data": data,
            }
            self.presses[query_id] = query
            self.updates.push("callback_query", query)
            return query_id

    def send_file(
        self,
        file: bytes | Path,
        name: str = "",
        *,
        caption: str = "",
        mime: str = "",
        user_id: int = OWNER_ID,
        chat_id: int | None = None,
        reply_to: int | None = None,
        **more: Any,
    ) -> Message:
        """Send a document as a person; `more` goes into the message (media_group_id, …)."""
        data = file.read_bytes() if isinstance(file, Path) else file
        name = name or (file.name if isinstance(file, Path) else "file.bin")
        document = self.keep("document", name, data, file_name=name, mime_type=mime or mime_type(name))
        content = {"document": document} | _with_entities("caption", caption) | more
        return self._arrive(content, user_id, chat_id, reply_to=reply_to)

    def send_photo(
        self,
        file: bytes | Path,
        *,
        caption: str = "",
        user_id: int = OWNER_ID,
        chat_id: int | None = None,
        reply_to: int | None = None,
        **more: Any,
    ) -> Message:
        """Send a picture as a person; `more` goes into the message (media_group_id, …)."""
        data = file.read_bytes() if isinstance(file, Path) else file
        content = {"photo": self.photo_sizes(data)} | _with_entities("caption", caption) | more
        return self._arrive(content, user_id, chat_id, reply_to=reply_to)

    def photo_sizes(self, data: bytes) -> list[dict[str, Any]]:
        """Save a picture and return its sizes, largest last (all with the same bytes)."""
        return [self.keep("photo", "photo.jpg", data, width=side, height=side) for side in (90, 320, 1280)]

    def forward(
        self,
        text: str,
        origin: Literal["user", "hidden_user", "channel"] = "user",
        *,
        user_id: int = OWNER_ID,
        chat_id: int | None = None,
    ) -> Message:
        """Forward a text written by somebody else."""
        record: dict[str, Any] = {"type": origin, "date": int(time.time()) - 3600}
        if origin == "user":
            record["sender_user"] = self.user(777, first_name="Автор")
        elif origin == "hidden_user":
            record["sender_user_name"] = "Скрытый автор"
        else:
            record["chat"] = {"id": -1001234567890, "type": "channel", "title": "Канал"}
            record["message_id"] = 42
        return self.say(text, user_id=user_id, chat_id=chat_id, forward_origin=record)

    def sticker(self, *, user_id: int = OWNER_ID, chat_id: int | None = None) -> Message:
        """Send a sticker as a person."""
        shape = {"type": "regular", "width": 512, "height": 512, "is_animated": False, "is_video": False}
        sticker = self.keep("sticker", "sticker.webp", b"RIFF", emoji="👍", **shape)
        return self._arrive({"sticker": sticker}, user_id, chat_id)

    def send_media(
        self,
        kind: Literal["video", "animation", "audio", "voice", "video_note"],
        *,
        caption: str = "",
        user_id: int = OWNER_ID,
        chat_id: int | None = None,
        **more: Any,
    ) -> Message:
        """Send a recording; `more` goes into the message (media_group_id, …)."""
        name = {"audio": "песня.mp3", "voice": "voice.oga"}.get(kind, f"{kind}.mp4")
        of_the_file = {"mime_type": mime_type(name), "duration": 3}
        of_the_file |= {"file_name": name} if kind in ("audio", "video", "animation") else {}
        record = self.keep(kind, name, f"{kind} data".encode(), **of_the_file)
        content: dict[str, Any] = {kind: record}
        if kind == "animation":  # for old clients it is a document, too
            content["document"] = record
        return self._arrive(content | _with_entities("caption", caption) | more, user_id, chat_id)

    def send_content(
        self,
        *,
        user_id: int = OWNER_ID,
        chat_id: int | None = None,
        reply_to: int | None = None,
        **content: Any,
    ) -> Message:
        """Send a message that is neither text nor file: a location, a contact, a poll, a venue, …"""
        return self._arrive(content, user_id, chat_id, reply_to=reply_to)

    def join(self, *, user_id: int, chat_id: int) -> Message:
        """Join a group, which adds a service message."""
        return self._arrive({"new_chat_members": [self.user(user_id)]}, user_id, chat_id)

    def push(self, update: dict[str, Any]) -> None:
        """Queue a raw update of one kind, without its update_id."""
        for kind, payload in update.items():
            self.updates.push(kind, payload)

    def inline(self, user_id: int, text: str, offset: str = "") -> str:
        """Type something after the bot's name in some chat, and return the query id."""
        with self.changed:
            query_id = str(10**15 + next(self._numbers))
            self.inline_queries[query_id] = time.monotonic()
            query = {"id": query_id, "from": self.user(user_id), "query": text, "offset": offset}
            self.updates.push("inline_query", query | {"chat_type": "group"})
            return query_id

    def erase(self, chat_id: int, message_id: int) -> None:
        """Delete a message as a person; the bot gets no update."""
        with self.changed:
            del self.chats[chat_id].messages[message_id]

    def block(self, chat_id: int) -> None:
        """Block the bot in a private chat."""
        self._set_blocked(chat_id, blocked=True)

    def unblock(self, chat_id: int) -> None:
        """Unblock the bot in a private chat."""
        self._set_blocked(chat_id, blocked=False)

    def _set_blocked(self, chat_id: int, *, blocked: bool) -> None:
        with self.changed:
            chat = self.chat(chat_id)
            chat.blocked = blocked
            states = [{"user": self.me, "status": s} for s in ("member", "kicked")]
            before, after = states if blocked else states[::-1]
            self.updates.push(
                "my_chat_member",
                {
                    "chat": chat.info,
                    "from": self.user(chat_id),
                    "date": int(time.time()),
                    "old_chat_member": before | ({} if blocked else {"until_date": 0}),
                    "new_chat_member": after | ({"until_date": 0} if blocked else {}),
                },
            )

    # What can be seen

    def messages(self, chat_id: int) -> list[Message]:
        """Return the bot's messages in a chat as they are now, oldest first."""
        with self.changed:
            chat = self.chats.get(chat_id)
            found = list(chat.messages.values()) if chat else []
        return [message for message in found if message["from"]["is_bot"]]

    def menu(self, chat_id: int, language: str = "ru") -> list[dict[str, str]]:
        """Return the commands a person sees in a private chat: the narrowest scope, `language` first."""
        for scope in (("chat", chat_id), ("all_private_chats", 0), ("default", 0)):
            for code in (language, ""):
                if found := self.command_lists.get((*scope, code)):
                    return found
        return []

    def replies_to(self, chat_id: int, message_id: int) -> list[Message]:
        """Return the bot's replies to this message, as they are now."""
        with self.changed:
            chat = self.chats[chat_id]
            numbers = self._replies.get((chat_id, message_id), ())
            found = [chat.messages[number] for number in numbers if number in chat.messages]
        return [message for message in found if message["from"]["is_bot"]]


def file_record(stored: StoredFile) -> dict[str, Any]:
    """Return the fields that a message has for every kind of file."""
    return {
        "file_id": stored.file_id,
        "file_unique_id": f"U{stored.file_id}",
        "file_size": len(stored.data),
    }


def mime_type(name: str) -> str:
    """Return the MIME type that a file's name suggests."""
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


def _with_entities(name: Literal["text", "caption"], text: str) -> dict[str, Any]:
    if not text:
        return {}
    found = texts.detect(text)
    key = "entities" if name == "text" else "caption_entities"
    return {name: text} | ({key: found} if found else {})


def _one_level(message: Message) -> Message:
    return {key: value for key, value in message.items() if key != "reply_to_message"}


def callback_buttons(message: Message) -> list[dict[str, Any]]:
    """Return a message's callback buttons, in reading order."""
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return [button for row in rows for button in row if "callback_data" in button]


def _button_data(message: Message, button: int | str) -> str:
    buttons = callback_buttons(message)
    for number, candidate in enumerate(buttons):
        if button in (number, candidate["text"]):
            return str(candidate["callback_data"])
    raise ValueError(f"no button {button!r} among {[b['text'] for b in buttons]}")
