"""Inline queries: what a person types after the bot's name, and how strictly the answer is checked."""

import time
from typing import Any

from bot_api import rules
from bot_api import text as texts
from bot_api.chats import Chats
from bot_api.rules import Request, bad_request

MAX_RESULTS = 50
LIFETIME_S = 30
_CAPTION = "caption parse_mode caption_entities"
_RESULT = "type id reply_markup input_message_content"
# Fields per kind, the file first; "!" marks required ones.
_CACHED = {
    "photo": f"photo_file_id! title description {_CAPTION} show_caption_above_media",
    "video": f"video_file_id! title! description {_CAPTION} show_caption_above_media",
    "mpeg4_gif": f"mpeg4_file_id! title {_CAPTION} show_caption_above_media",
    "gif": f"gif_file_id! title {_CAPTION} show_caption_above_media",
    "document": f"document_file_id! title! description {_CAPTION}",
    "voice": f"voice_file_id! title! {_CAPTION}",
    "audio": f"audio_file_id! {_CAPTION}",
    "sticker": "sticker_file_id!",
}
_ARTICLE = "title! input_message_content! url description thumbnail_url thumbnail_width thumbnail_height"
_CONTENT = "message_text! parse_mode entities link_preview_options"
_KIND_OF_FILE = {"mpeg4_gif": "animation", "gif": "animation"}


def answer_inline_query(api: Chats, request: Request) -> Any:
    """Check an answer as Telegram does, and store it."""
    query_id = request.params["inline_query_id"]
    asked_at = api.inline_queries.get(query_id)
    if asked_at is None or time.monotonic() - asked_at > LIFETIME_S:
        raise bad_request("query is too old and response timeout expired or query ID is invalid")
    results = request.params["results"]
    if not isinstance(results, list):
        raise bad_request("can't parse JSON encoded inline query results")
    if len(results) > MAX_RESULTS:
        raise bad_request("too many inline query results")
    if len(request.params.get("next_offset", "").encode()) > 64:
        raise bad_request("NEXT_OFFSET_INVALID")
    for result in results:
        _check_result(api, request, result)
    if len({result["id"] for result in results}) != len(results):
        raise bad_request("RESULT_ID_DUPLICATE")
    del api.inline_queries[query_id]
    api.inline_answers[query_id] = request.params
    return True


def _check_result(api: Chats, request: Request, result: Any) -> None:
    if not isinstance(result, dict) or result.get("type") not in (*_CACHED, "article"):
        raise bad_request("can't parse inline query result: type must be known")
    kind = result["type"]
    _check_fields(request, result, f"{_CACHED.get(kind, _ARTICLE)} {_RESULT.replace('id', 'id!', 1)}")
    if not isinstance(result["id"], str) or not 1 <= len(result["id"].encode()) <= 64:
        raise bad_request("RESULT_ID_INVALID")
    if kind == "article":
        _check_text(request, result["input_message_content"])
    else:
        _check_file(api, kind, result)
        _check_caption(request, result)


def _check_fields(request: Request, given: dict[str, Any], specification: str) -> None:
    known = {name.rstrip("!"): name.endswith("!") for name in specification.split()}
    request.note_unknown(f"inline result {given.get('type', '')}", given, known)
    for name, required in known.items():
        if required and not given.get(name):
            raise bad_request(f"can't parse inline query result: Can't find field \"{name}\"")


def _check_text(request: Request, content: Any) -> None:
    if not isinstance(content, dict):
        raise bad_request("can't parse inline query result: input message content must be an Object")
    _check_fields(request, content, _CONTENT)
    params = {"text": content["message_text"], "entities": content.get("entities")}
    rules.check_text(Request(request.method, params, request.violations))


def _check_caption(request: Request, result: dict[str, Any]) -> None:
    caption: dict[str, Any] = {name: result[name] for name in _CAPTION.split() if name in result}
    rules.check_caption(Request(request.method, caption, request.violations))


def _check_file(api: Chats, kind: str, result: dict[str, Any]) -> None:
    (field,) = [name for name in result if name.endswith("_file_id")]
    was, _ = api.media.get(result[field], ("", {}))
    if result[field] not in api.files or was != _KIND_OF_FILE.get(kind, kind):
        raise bad_request("wrong file identifier/HTTP URL specified")


def shown(answer: dict[str, Any]) -> list[str]:
    """Return the lines of the list a person sees: each result's title and description."""
    return [
        " — ".join(filter(None, (result.get("title"), result.get("description"))))
        for result in answer["results"]
    ]


def pasted(result: dict[str, Any]) -> tuple[str, list[texts.Entity]]:
    """Return the text and entities that choosing a result sends to the chat."""
    content = result.get("input_message_content")
    if content:
        return content["message_text"], content.get("entities", [])
    return result.get("caption", ""), result.get("caption_entities", [])
