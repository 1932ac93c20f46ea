"""The methods of the Bot API that the fake Telegram supports, one function each."""

import time
from collections.abc import Callable
from typing import Any

from bot_api import rules
from bot_api import text as texts
from bot_api.chats import (
    MAX_DOWNLOAD_BYTES,
    Chat,
    Chats,
    Message,
    SentDocument,
    file_record,
    mime_type,
)
from bot_api.inline import answer_inline_query
from bot_api.rules import RefusalError, Request, Upload, bad_request

MAX_UPLOAD_BYTES = 50 * 2**20
MAX_PHOTO_BYTES = 10 * 2**20

_ACTIONS = texts.words(
    "typing upload_photo record_video upload_video record_voice upload_voice upload_document",
    "choose_sticker find_location record_video_note upload_video_note",
)
_REACTIONS = texts.words(
    "❤ 👍 👎 🔥 🥰 👏 😁 🤔 🤯 😱 🤬 😢 🎉 🤩 🤮 💩 🙏 👌 🕊 🤡 🥱 🥴 😍 🐳 ❤‍🔥",
    "🌚 🌭 💯 🤣 ⚡ 🍌 🏆 💔 🤨 😐 🍓 🍾 💋 🖕 😈 😴 😭 🤓 👻 👨‍💻 👀 🎃 🙈 😇 😨",
    "🤝 ✍ 🤗 🫡 🎅 🎄 ☃ 💅 🤪 🗿 🆒 💘 🙉 🦄 😘 💊 🙊 😎 👾 🤷‍♂ 🤷 🤷‍♀ 😡",
)
_SCOPES = texts.words(
    "default all_private_chats all_group_chats all_chat_administrators",
    "chat chat_administrators chat_member",
)
_REPLY_FIELDS = texts.words(
    "message_id chat_id allow_sending_without_reply quote quote_parse_mode quote_entities",
    "quote_position checklist_task_id poll_option_id",
)
_PREVIEW_FIELDS = texts.words("is_disabled url prefer_small_media prefer_large_media show_above_text")
_EDITABLE = ("text", "entities", "link_preview_options", "reply_markup")
_NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same"
    " as a current content and reply markup of the message"
)


def _get_me(api: Chats, _request: Request) -> Any:
    return {
        "can_join_groups": True,
        "can_read_all_group_messages": False,
        "supports_inline_queries": api.inline_mode,
        "can_connect_to_business": False,
        "has_main_web_app": False,
    } | api.me


def _get_updates(api: Chats, request: Request) -> Any:
    params = request.params
    if params.get("allowed_updates") is not None:
        api.updates.allow(params["allowed_updates"])
    return api.updates.take(params.get("offset", 0), params.get("limit", 0), params.get("timeout", 0))


def _set_webhook(api: Chats, request: Request) -> Any:
    url = request.params["url"]
    if not url.startswith("https://"):
        raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
    api.updates.webhook = url
    return True


def _delete_webhook(api: Chats, request: Request) -> Any:
    api.updates.webhook = ""
    if request.params.get("drop_pending_updates"):
        api.updates.clear()
    return True


def _get_webhook_info(api: Chats, _request: Request) -> Any:
    return {
        "url": api.updates.webhook,
        "has_custom_certificate": False,
        "pending_update_count": len(api.updates),
        "allowed_updates": api.updates.allowed,
    }


def _commands_key(request: Request) -> tuple[str, int, str]:
    scope = request.params.get("scope") or {"type": "default"}
    if not isinstance(scope, dict) or scope.get("type") not in _SCOPES:
        raise bad_request("can't parse BotCommandScope: Unsupported type specified")
    return scope["type"], scope.get("chat_id", 0), request.params.get("language_code", "")


def _set_my_commands(api: Chats, request: Request) -> Any:
    api.command_lists[_commands_key(request)] = rules.check_commands(request.params["commands"])
    return True


def _get_my_commands(api: Chats, request: Request) -> Any:
    return api.command_lists.get(_commands_key(request), [])


def _delete_my_commands(api: Chats, request: Request) -> Any:
    api.command_lists.pop(_commands_key(request), None)
    return True


def _text_about(field: str, limit: int) -> tuple[Callable[..., Any], Callable[..., Any]]:
    def set_text(api: Chats, request: Request) -> Any:
        text = request.params.get(field, "")
        if texts.utf16_len(text) > limit:
            raise bad_request(f"bot {field.replace('_', ' ')} is too long")
        api.texts_about[field, request.params.get("language_code", "")] = text
        return True

    def get_text(api: Chats, request: Request) -> Any:
        key = field, request.params.get("language_code", "")
        return {field: api.texts_about.get(key, "")}

    return set_text, get_text


def _chat_to_write(api: Chats, request: Request) -> Chat:
    chat_id = request.params.get("chat_id")
    if chat_id is None:
        raise bad_request("chat_id is empty")
    chat = api.chats.get(chat_id)
    if chat is None:
        raise bad_request("chat not found")
    if chat.blocked:
        raise RefusalError(403, "Forbidden: bot was blocked by the user")
    if chat.refusal:
        raise bad_request(chat.refusal)
    _check_topic(chat, request.params.get("message_thread_id"))
    return chat


def _check_topic(chat: Chat, thread_id: int | None) -> None:
    if thread_id and thread_id not in chat.topics:
        raise bad_request("message thread not found")
    if thread_id and not chat.topics[thread_id]:
        raise bad_request("TOPIC_CLOSED")


def _replied_id(request: Request, chat: Chat) -> int | None:
    reply = request.params.get("reply_parameters")
    if not reply:
        return None
    if not isinstance(reply, dict) or type(reply.get("message_id")) is not int:
        raise bad_request("can't parse reply parameters: message_id must be an integer")
    request.note_unknown("ReplyParameters", reply, _REPLY_FIELDS)
    original = chat.messages.get(reply["message_id"])
    if original is None or reply.get("chat_id", chat.info["id"]) != chat.info["id"]:
        if reply.get("allow_sending_without_reply"):
            return None
        raise bad_request("message to be replied not found")
    if reply.get("quote", "") not in (original.get("text") or original.get("caption") or ""):
        raise bad_request("QUOTE_TEXT_INVALID")
    return int(reply["message_id"])


def _text_content(request: Request) -> dict[str, Any]:
    text, entities = rules.check_text(request)
    found = texts.detect(text, entities)
    content: dict[str, Any] = {"text": text} | ({"entities": found} if found else {})
    if preview := request.params.get("link_preview_options"):
        request.note_unknown("LinkPreviewOptions", preview, _PREVIEW_FIELDS)
        content["link_preview_options"] = preview
    return content


def _caption_content(request: Request) -> dict[str, Any]:
    caption, entities = rules.check_caption(request)
    if not caption:
        return {}
    found = texts.detect(caption, entities)
    return {"caption": caption} | ({"caption_entities": found} if found else {})


def _inline_markup(markup: dict[str, Any] | None) -> dict[str, Any]:
    shown = markup is not None and "inline_keyboard" in markup
    return {"reply_markup": markup} if shown else {}


def _post(api: Chats, request: Request, chat: Chat, content: dict[str, Any]) -> Message:
    replied = _replied_id(request, chat)
    markup = _inline_markup(rules.check_markup(request))
    thread_id = request.params.get("message_thread_id")
    topic = {"message_thread_id": thread_id, "is_topic_message": True} if thread_id else {}
    message = api.put(chat, {"from": api.me} | topic | content | markup, replied)
    api.tell("sent", message)
    return message


def _send_message(api: Chats, request: Request) -> Any:
    chat = _chat_to_write(api, request)
    return _post(api, request, chat, _text_content(request))


def _uploaded(api: Chats, value: Any, limit: int) -> tuple[str, bytes]:
    if isinstance(value, Upload):
        if not value.data:
            raise bad_request("file must be non-empty")
        if len(value.data) > limit:
            raise RefusalError(413, "Request Entity Too Large")
        return value.name, value.data
    if value in api.files:
        return api.files[value].path.rpartition("/")[2], api.files[value].data
    if str(value).startswith(("http://", "https://")):
        raise bad_request("failed to get HTTP URL content")
    raise bad_request("wrong file identifier/HTTP URL specified")


def _send_document(api: Chats, request: Request) -> Any:
    if request.params["document"] in api.media:
        return _send_known(api, request)
    chat = _chat_to_write(api, request)
    name, data = _uploaded(api, request.params["document"], MAX_UPLOAD_BYTES)
    caption = _caption_content(request)
    document = api.keep("document", name, data, file_name=name, mime_type=mime_type(name))
    message = _post(api, request, chat, {"document": document} | caption)
    api.documents.append(
        SentDocument(chat.info["id"], message["message_id"], name, data, caption.get("caption", ""))
    )
    return message


def _send_photo(api: Chats, request: Request) -> Any:
    if isinstance(request.params["photo"], str):
        return _send_known(api, request)
    chat = _chat_to_write(api, request)
    _, data = _uploaded(api, request.params["photo"], MAX_PHOTO_BYTES)
    content = {"photo": api.photo_sizes(data)} | _caption_content(request)
    return _post(api, request, chat, content)


def _known_file(api: Chats, kind: str, file_id: Any) -> dict[str, Any]:
    """Return the message fields for a file that Telegram already has."""
    if str(file_id).startswith(("http://", "https://")):
        raise bad_request("failed to get HTTP URL content")
    if file_id not in api.files:
        raise bad_request("wrong file identifier/HTTP URL specified")
    was, record = api.media[file_id]
    if was != kind:
        raise bad_request(f"can't use file of type {was} as {kind}")
    return {kind: [record] if kind == "photo" else record}


def _send_known(api: Chats, request: Request) -> Any:
    """Send a file by its id: the only way the bot sends most kinds."""
    chat = _chat_to_write(api, request)
    kind = next(kind for kind in rules.MEDIA_KINDS if kind in request.params)
    content = _known_file(api, kind, request.params[kind])
    return _post(api, request, chat, content | _caption_content(request))


def _send_media_group(api: Chats, request: Request) -> Any:
    chat = _chat_to_write(api, request)
    items = rules.check_album(request)
    contents = [
        _known_file(api, item["type"], item["media"]) | _item_caption(request, item) for item in items
    ]
    album = {"media_group_id": str(10**16 + chat.last_id)}
    return [_post(api, request, chat, content | album) for content in contents]


def _item_caption(request: Request, item: dict[str, Any]) -> dict[str, Any]:
    return _caption_content(Request(request.method, item, request.violations))


def _own_message(api: Chats, request: Request) -> tuple[Chat, Message]:
    if request.params.get("message_id") is None:
        raise bad_request("message identifier is not specified")
    chat = _chat_to_write(api, request)
    message = chat.messages.get(request.params["message_id"])
    if message is None:
        raise bad_request("message to edit not found")
    if message["from"]["id"] != api.me["id"]:
        raise bad_request("message can't be edited")
    return chat, message


def _replace(api: Chats, chat: Chat, old: Message, content: dict[str, Any]) -> Message:
    old_content = {key: old[key] for key in _EDITABLE if key in old}
    if content == old_content:
        raise bad_request(_NOT_MODIFIED)
    rest = {key: value for key, value in old.items() if key not in _EDITABLE}
    message = rest | {"edit_date": int(time.time())} | content
    chat.messages[old["message_id"]] = message
    api.tell("edited", message)
    return message


def _edit_message_text(api: Chats, request: Request) -> Any:
    chat, old = _own_message(api, request)
    if "text" not in old:
        raise bad_request("there is no text in the message to edit")
    content = _text_content(request)
    markup = _inline_markup(rules.check_markup(request, inline_only=True))
    return _replace(api, chat, old, content | markup)


def _edit_message_reply_markup(api: Chats, request: Request) -> Any:
    chat, old = _own_message(api, request)
    markup = _inline_markup(rules.check_markup(request, inline_only=True))
    kept = {key: old[key] for key in _EDITABLE if key in old and key != "reply_markup"}
    return _replace(api, chat, old, kept | markup)


def _delete_message(api: Chats, request: Request) -> Any:
    chat = _chat_to_write(api, request)
    message = chat.messages.pop(request.params["message_id"], None)
    if message is None:
        raise bad_request("message to delete not found")
    api.tell("deleted", message)
    return True


def _send_chat_action(api: Chats, request: Request) -> Any:
    if request.params["action"] not in _ACTIONS:
        raise bad_request("wrong parameter action in request")
    _chat_to_write(api, request)
    return True


def _answer_callback_query(api: Chats, request: Request) -> Any:
    query_id = request.params["callback_query_id"]
    if query_id not in api.presses:
        raise bad_request("query is too old and response timeout expired or query ID is invalid")
    if texts.utf16_len(request.params.get("text", "")) > 200:
        raise bad_request("MESSAGE_TOO_LONG")
    answer = {key: value for key, value in request.params.items() if key != "cache_time"}
    api.answers[query_id] = answer
    api.tell("answered", answer)
    return True


def _get_file(api: Chats, request: Request) -> Any:
    stored = api.files.get(request.params["file_id"])
    if stored is None:
        raise bad_request("wrong file_id or the file is temporarily unavailable")
    if len(stored.data) > MAX_DOWNLOAD_BYTES:
        raise bad_request("file is too big")
    return file_record(stored) | {"file_path": stored.path}


def _set_message_reaction(api: Chats, request: Request) -> Any:
    chat = _chat_to_write(api, request)
    message_id = request.params["message_id"]
    if message_id not in chat.messages:
        raise bad_request("message to react not found")
    reactions = request.params.get("reaction") or []
    if api.chats[chat.info["id"]].reactions_refused:
        raise bad_request("REACTION_INVALID")
    if len(reactions) > 1:
        raise bad_request("REACTIONS_TOO_MANY")
    if any(r.get("type") != "emoji" or r.get("emoji") not in _REACTIONS for r in reactions):
        raise bad_request("REACTION_INVALID")
    api.reactions[chat.info["id"], message_id] = reactions
    return True


_set_description, _get_description = _text_about("description", 512)
_set_short_description, _get_short_description = _text_about("short_description", 120)

METHODS: dict[str, Callable[[Chats, Request], Any]] = {
    "getMe": _get_me,
    "getUpdates": _get_updates,
    "setWebhook": _set_webhook,
    "deleteWebhook": _delete_webhook,
    "getWebhookInfo": _get_webhook_info,
    "setMyCommands": _set_my_commands,
    "getMyCommands": _get_my_commands,
    "deleteMyCommands": _delete_my_commands,
    "setMyDescription": _set_description,
    "getMyDescription": _get_description,
    "setMyShortDescription": _set_short_description,
    "getMyShortDescription": _get_short_description,
    "sendMessage": _send_message,
    "sendDocument": _send_document,
    "sendPhoto": _send_photo,
    **dict.fromkeys(
        ("sendVideo", "sendAnimation", "sendAudio", "sendVoice", "sendVideoNote", "sendSticker"), _send_known
    ),
    "sendMediaGroup": _send_media_group,
    "editMessageText": _edit_message_text,
    "editMessageReplyMarkup": _edit_message_reply_markup,
    "deleteMessage": _delete_message,
    "sendChatAction": _send_chat_action,
    "answerCallbackQuery": _answer_callback_query,
    "answerInlineQuery": answer_inline_query,
    "getFile": _get_file,
    "setMessageReaction": _set_message_reaction,
}
