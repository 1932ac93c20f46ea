"""What Telegram refuses: parameters, texts, entities, buttons and commands.

The error descriptions are Telegram's own. What Telegram silently ignores, such as a misspelt parameter, is
not refused here either, but noted in `Request.violations`.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from bot_api import text as texts

MAX_TEXT = 4096
MAX_RAW_TEXT_BYTES = 32768
MAX_CAPTION = 1024
MAX_ENTITIES = 100
MAX_BUTTONS = 100
MAX_MARKUP_BYTES = 10_000
MEDIA_KINDS = ("photo", "video", "animation", "document", "audio", "voice", "video_note", "sticker")
MAX_ALBUM = 10
_ALBUM_FIELDS = texts.words(
    "type media thumbnail cover start_timestamp caption parse_mode caption_entities width height duration",
    "supports_streaming has_spoiler show_caption_above_media performer title disable_content_type_detection",
)

_PLACE = "business_connection_id chat_id!:chat message_thread_id:int direct_messages_topic_id:int"
_SEND = (
    f"{_PLACE} disable_notification:bool protect_content:bool allow_paid_broadcast:bool"
    " message_effect_id suggested_post_parameters:json reply_parameters:json reply_markup:json"
)
_EDIT = "business_connection_id chat_id:chat message_id:int inline_message_id reply_markup:json"
_CAPTION = "caption parse_mode caption_entities:json"
_SHOWN = "show_caption_above_media:bool has_spoiler:bool"

# The parameters of every supported method: "!" marks required ones, ":" the type if not a string.
PARAMETERS = {
    "getMe": "",
    "getUpdates": "offset:int limit:int timeout:int allowed_updates:json",
    "setWebhook": "url! certificate:file ip_address max_connections:int allowed_updates:json"
    " drop_pending_updates:bool secret_token",
    "deleteWebhook": "drop_pending_updates:bool",
    "getWebhookInfo": "",
    "setMyCommands": "commands!:json scope:json language_code",
    "getMyCommands": "scope:json language_code",
    "deleteMyCommands": "scope:json language_code",
    "setMyDescription": "description language_code",
    "getMyDescription": "language_code",
    "setMyShortDescription": "short_description language_code",
    "getMyShortDescription": "language_code",
    "sendMessage": f"{_SEND} text! parse_mode entities:json link_preview_options:json",
    "sendDocument": f"{_SEND} {_CAPTION} document!:file thumbnail:file disable_content_type_detection:bool",
    "sendPhoto": f"{_SEND} {_CAPTION} photo!:file show_caption_above_media:bool has_spoiler:bool",
    "sendVideo": f"{_SEND} {_CAPTION} {_SHOWN} video!:file duration:int width:int height:int thumbnail:file"
    " cover:file start_timestamp:int supports_streaming:bool",
    "sendAnimation": f"{_SEND} {_CAPTION} {_SHOWN} animation!:file duration:int width:int height:int"
    " thumbnail:file",
    "sendAudio": f"{_SEND} {_CAPTION} audio!:file duration:int performer title thumbnail:file",
    "sendVoice": f"{_SEND} {_CAPTION} voice!:file duration:int",
    "sendVideoNote": f"{_SEND} video_note!:file duration:int length:int thumbnail:file",
    "sendSticker": f"{_SEND} sticker!:file emoji",
    "sendMediaGroup": f"{_PLACE} media!:json disable_notification:bool protect_content:bool"
    " allow_paid_broadcast:bool message_effect_id reply_parameters:json",
    "editMessageText": f"{_EDIT} text parse_mode entities:json link_preview_options:json rich_message:json",
    "editMessageReplyMarkup": _EDIT,
    "deleteMessage": "chat_id!:chat message_id!:int",
    "sendChatAction": "business_connection_id chat_id!:chat message_thread_id:int action!",
    "answerCallbackQuery": "callback_query_id! text show_alert:bool url cache_time:int",
    "answerInlineQuery": "inline_query_id! results!:json cache_time:int is_personal:bool next_offset"
    " button:json",
    "getFile": "file_id!",
    "setMessageReaction": "chat_id!:chat message_id!:int reaction:json is_big:bool",
}

_MISSING = {
    "chat_id": "chat_id is empty",
    "text": "message text is empty",
    "message_id": "message identifier is not specified",
    **{kind: f"there is no {kind} in the request" for kind in MEDIA_KINDS},
    "action": "wrong parameter action in request",
    "callback_query_id": "query is too old and response timeout expired or query ID is invalid",
    "file_id": "file_id not specified",
}
_ENTITY_NEEDS = {
    **dict.fromkeys(
        texts.words(
            "mention hashtag cashtag bot_command url email phone_number bold italic underline",
            "strikethrough spoiler blockquote expandable_blockquote code pre",
        ),
        "",
    ),
    "text_link": "url",
    "text_mention": "user",
    "custom_emoji": "custom_emoji_id",
    "date_time": "unix_time",
}
_ENTITY_FIELDS = texts.words(
    "type offset length url user language custom_emoji_id unix_time date_time_format"
)
_BUTTON_ACTIONS = texts.words(
    "url callback_data web_app login_url switch_inline_query switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat copy_text callback_game pay",
)
_BUTTON_FIELDS = _BUTTON_ACTIONS | {"text", "style", "icon_custom_emoji_id"}
_MARKUP_KINDS = ("inline_keyboard", "keyboard", "remove_keyboard", "force_reply")
_COMMAND_NAME = re.compile(r"[a-z0-9_]{1,32}")
_SPECIFICATIONS = {
    method: {
        name.rstrip("!"): (kind or "str", name.endswith("!"))
        for name, _, kind in (item.partition(":") for item in line.split())
    }
    for method, line in PARAMETERS.items()
}


class RefusalError(Exception):
    """An answer with `"ok": false`: status, Telegram's description, and optional `parameters`."""

    def __init__(self, status: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.status = status
        self.description = description
        self.parameters = parameters


def bad_request(description: str) -> RefusalError:
    """Return a 400 whose description begins with `Bad Request: `."""
    return RefusalError(400, f"Bad Request: {description}")


@dataclass(slots=True)
class Request:
    """One method call: its decoded parameters, and mistakes that Telegram would not refuse."""

    method: str
    params: dict[str, Any] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)

    def note(self, sentence: str) -> None:
        """Note a mistake that Telegram would silently ignore."""
        self.violations.append(f"{self.method}: {sentence}")

    def note_unknown(self, where: str, given: Iterable[str], known: Iterable[str]) -> None:
        """Note every given name that is not among the known ones."""
        for name in sorted(set(given) - set(known)):
            self.note(f"{where} has no field {name!r}")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file inside a multipart request."""

    name: str
    mime: str
    data: bytes = field(repr=False)


def read_request(request: Request, raw: dict[str, Any]) -> None:
    """Decode the parameters of a call by type; raise RefusalError if one is missing or malformed."""
    known = _SPECIFICATIONS[request.method]
    for name, value in raw.items():
        if name in known:
            request.params[name] = _decoded(name, known[name][0], value, raw)
        elif not isinstance(value, Upload):  # a file behind attach://name is sent as parameter `name`
            request.note(f"unknown parameter {name!r}")
    for name, (_, required) in known.items():
        if required and request.params.get(name) in (None, ""):
            raise bad_request(_MISSING.get(name, f'parameter "{name}" is required'))


def _decoded(name: str, kind: str, value: Any, raw: dict[str, Any]) -> Any:
    if kind == "int" or (kind == "chat" and not str(value).startswith("@")):
        try:
            return int(value)
        except (TypeError, ValueError):
            raise bad_request(f'invalid parameter "{name}": integer expected') from None
    if kind == "bool":
        return str(value).lower() in ("true", "yes", "1")
    if kind == "json" and isinstance(value, str):
        try:
            return json.loads(value) if value else None
        except ValueError:
            raise bad_request(f"can't parse {name.replace('_', ' ')} JSON object") from None
    if kind == "file" and str(value).startswith("attach://"):
        return raw.get(value.removeprefix("attach://"))
    return _utf8(value) if kind == "str" else value


def _utf8(value: Any) -> str:
    if isinstance(value, Upload):
        value = value.data.decode(errors="surrogateescape")
    try:
        str(value).encode()
    except UnicodeEncodeError:
        raise bad_request("strings must be encoded in UTF-8") from None
    return str(value)


def check_text(request: Request) -> tuple[str, list[texts.Entity]]:
    """Return a message's text and entities as Telegram stores them; raise RefusalError if it refuses them."""
    raw = request.params.get("text", "")
    if len(raw.encode()) > MAX_RAW_TEXT_BYTES:
        raise bad_request("text is too long")
    text, entities = _formatted(request, raw, request.params.get("entities"))
    if texts.is_blank(text):
        raise bad_request("message text is empty")
    if texts.utf16_len(text) > MAX_TEXT:
        raise bad_request("message is too long")
    return text, entities


def check_caption(request: Request) -> tuple[str, list[texts.Entity]]:
    """Return a file's caption (may be empty) and its entities; raise RefusalError if they are invalid."""
    raw = request.params.get("caption") or ""
    caption, entities = _formatted(request, raw, request.params.get("caption_entities"))
    if texts.utf16_len(caption) > MAX_CAPTION:
        raise bad_request("message caption is too long")
    return caption, entities


def _formatted(request: Request, raw: str, entities: Any) -> tuple[str, list[texts.Entity]]:
    if request.params.get("parse_mode"):
        request.note("parse_mode is not understood here, send entities instead")
    given = [] if entities is None else entities
    check_entities(request, raw, given)
    return texts.clean(raw, given[:MAX_ENTITIES])


def check_entities(request: Request, text: str, entities: Any) -> None:
    """Raise RefusalError if the entities are invalid or do not fit the text."""
    if not isinstance(entities, list):
        raise bad_request("can't parse entities: expected an Array")
    size = texts.utf16_len(text)
    for entity in entities:
        if not isinstance(entity, dict):
            raise bad_request("can't parse entities: expected an Object")
        request.note_unknown("MessageEntity", entity, _ENTITY_FIELDS)
        _check_entity_kind(entity)
        _check_entity_place(text, size, entity)


def _check_entity_kind(entity: texts.Entity) -> None:
    kind = entity.get("type")
    if kind not in _ENTITY_NEEDS:
        raise bad_request(f"can't parse entities: unsupported type {kind!r} of an entity")
    needed = _ENTITY_NEEDS[kind]
    if needed and not entity.get(needed):
        raise bad_request(f'can\'t parse entities: {kind} without field "{needed}"')


def _check_entity_place(text: str, size: int, entity: texts.Entity) -> None:
    start, length = entity.get("offset"), entity.get("length")
    if type(start) is not int or type(length) is not int or start < 0 or length <= 0:
        raise bad_request("can't parse entities: offset and length must be positive integers")
    at = f"can't parse entities: Entity beginning at UTF-16 offset {start}"
    if start + length > size:
        raise bad_request(f"{at} ends after the end of the text at UTF-16 offset {size}")
    if len(text) != size:  # otherwise the text has no surrogate pairs
        for offset, verb in ((start, "begins"), (start + length, "ends")):
            if texts.splits_a_character(text, offset):
                raise bad_request(f"{at} {verb} in a middle of a UTF-16 symbol")


def check_markup(request: Request, *, inline_only: bool = False) -> dict[str, Any] | None:
    """Return the reply markup of a call, None without one; raise RefusalError for invalid buttons."""
    markup = request.params.get("reply_markup")
    if not markup:
        return None
    kinds = [kind for kind in _MARKUP_KINDS if isinstance(markup, dict) and kind in markup]
    if len(kinds) != 1 or (inline_only and kinds != ["inline_keyboard"]):
        what = "inline keyboard" if inline_only else "reply keyboard"
        raise bad_request(f"can't parse {what} markup JSON object")
    if kinds != ["inline_keyboard"]:
        _check_force_reply(request, markup)
        return dict(markup)
    request.note_unknown("InlineKeyboardMarkup", markup, ["inline_keyboard"])
    rows = markup["inline_keyboard"]
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise bad_request('field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays')
    for row in rows:
        for button in row:
            _check_button(request, button)
    if sum(map(len, rows)) > MAX_BUTTONS or len(json.dumps(markup)) > MAX_MARKUP_BYTES:
        raise bad_request("reply markup is too long")
    kept = [row for row in rows if row]
    return {"inline_keyboard": kept} if kept else None


def _check_force_reply(request: Request, markup: dict[str, Any]) -> None:
    if "force_reply" not in markup:
        return
    request.note_unknown("ForceReply", markup, ["force_reply", "input_field_placeholder", "selective"])
    if markup["force_reply"] is not True:
        raise bad_request("can't parse reply keyboard markup JSON object")
    if texts.utf16_len(markup.get("input_field_placeholder", "")) > 64:
        raise bad_request("can't parse reply keyboard markup JSON object")


def check_album(request: Request) -> list[dict[str, Any]]:
    """Return the items of an album; raise RefusalError if Telegram would not accept them."""
    items = request.params["media"]
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise bad_request("can't parse media JSON object")
    if not 2 <= len(items) <= MAX_ALBUM:
        raise bad_request("wrong number of items in an album: 2 to 10 are needed")
    for item in items:
        request.note_unknown("InputMedia", item, _ALBUM_FIELDS)
        if item.get("type") not in ("photo", "video", "document", "audio") or not item.get("media"):
            raise bad_request("can't parse InputMedia: wrong type or no media in it")
    kinds = {item["type"] for item in items}
    if len(kinds) > 1 and kinds & {"document", "audio"}:
        raise bad_request("document and audio can't be mixed with other media types")
    return items


def _check_button(request: Request, button: Any) -> None:
    if not isinstance(button, dict) or not isinstance(button.get("text"), str):
        raise bad_request("can't parse inline keyboard button: Can't find field \"text\"")
    request.note_unknown("InlineKeyboardButton", button, _BUTTON_FIELDS)
    if texts.is_blank(button["text"]):
        raise bad_request("can't parse inline keyboard button: text must be non-empty")
    actions = _BUTTON_ACTIONS & button.keys()
    if not actions:
        raise bad_request(
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"
        )
    if len(actions) > 1:
        raise bad_request(
            "can't parse inline keyboard button: exactly one optional field must be"
            f" used, not {' and '.join(sorted(actions))}"
        )
    _check_action(button)


def _check_action(button: dict[str, Any]) -> None:
    data = button.get("callback_data")
    if data is not None and not 1 <= len(str(data).encode()) <= 64:
        raise bad_request("BUTTON_DATA_INVALID")
    url = button.get("url")
    if url is not None and not re.match(r"(https?|tg)://[^\s/]", url):
        raise bad_request(f"inline keyboard button URL '{url}' is invalid: Wrong HTTP URL")
    copied = button.get("copy_text")
    if copied is not None and not 1 <= texts.utf16_len(copied.get("text", "")) <= 256:
        raise bad_request("BUTTON_COPY_TEXT_INVALID")


def check_commands(commands: Any) -> list[dict[str, str]]:
    """Return the commands of a menu; raise RefusalError if Telegram would not accept them."""
    if not isinstance(commands, list):
        raise bad_request("expected an Array of BotCommand")
    if len(commands) > 100:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    for command in commands:
        if not _COMMAND_NAME.fullmatch(str(command.get("command", "")).removeprefix("/")):
            raise bad_request("BOT_COMMAND_INVALID")
        if not 1 <= texts.utf16_len(str(command.get("description", ""))) <= 256:
            raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    return commands
