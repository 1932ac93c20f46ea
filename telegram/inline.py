"""Results of an inline query: texts and files that a person pastes into any chat."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from telebot import types

from telegram.contents import File
from telegram.splitting import LIMIT, Entity, Part, split

CAPTION = 1024  # UTF-16 units


@dataclass(frozen=True, slots=True)
class Choice:
    """One result: a text, or a file with a caption."""

    id: str
    title: str
    description: str
    text: str
    entities: Sequence[Entity] = ()
    file: File | None = None


def results(choices: Sequence[Choice], *, files: bool = True) -> list[Any]:
    """Return choices as Telegram's types; with `files` false, as texts only, without those that have none."""
    made = (_result(choice, choice.file if files else None) for choice in choices)
    return [result for result in made if result is not None]


def _result(choice: Choice, file: File | None) -> Any:
    """Return a choice as Telegram's type for its file; None if it has neither text nor a usable file."""
    if file is None:
        return _article(choice)
    titled: dict[str, Any] = {"title": choice.title, "description": choice.description}
    captioned = _captioned(choice)
    match file.kind:
        case "photo":
            return types.InlineQueryResultCachedPhoto(choice.id, file.file_id, **titled, **captioned)
        case "video":
            return types.InlineQueryResultCachedVideo(choice.id, file.file_id, **titled, **captioned)
        case "document":
            return types.InlineQueryResultCachedDocument(choice.id, file.file_id, **titled, **captioned)
        case "voice":
            return types.InlineQueryResultCachedVoice(choice.id, file.file_id, choice.title, **captioned)
        case "audio":
            return types.InlineQueryResultCachedAudio(choice.id, file.file_id, **captioned)
        case "animation":
            return types.InlineQueryResultCachedMpeg4Gif(choice.id, file.file_id, choice.title, **captioned)
        case "sticker":
            return types.InlineQueryResultCachedSticker(choice.id, file.file_id)
    return _article(choice)  # a round video has no type of its own


def _captioned(choice: Choice) -> dict[str, Any]:
    part = _first_part(choice, CAPTION)
    return {"caption": part.text, "caption_entities": part.entities} if part else {}


def _article(choice: Choice) -> Any:
    part = _first_part(choice, LIMIT)
    if part is None:
        return None
    entities: Any = part.entities  # the library also accepts dicts
    content = types.InputTextMessageContent(part.text, entities=entities)
    return types.InlineQueryResultArticle(choice.id, choice.title, content, description=choice.description)


def _first_part(choice: Choice, limit: int) -> Part | None:
    """Return the part of the text that fits, since a result is always a single message."""
    parts = split(choice.text, choice.entities, limit - 2)
    if len(parts) > 1:
        return Part(f"{parts[0].text} …", parts[0].entities)
    return parts[0] if parts else None
