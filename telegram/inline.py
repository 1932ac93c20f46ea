"""What an inline query is answered with: texts and files that a person pastes into any chat."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from telebot import types

from telegram.contents import File
from telegram.splitting import LIMIT, Entity, Part, split

CAPTION = 1024  # UTF-16 units


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that can be pasted: a text, or a file with a text below it."""

    id: str
    title: str
    description: str
    text: str
    entities: Sequence[Entity] = ()
    file: File | None = None


def results(choices: Sequence[Choice], *, files: bool = True) -> list[Any]:
    """Return choices as Telegram wants them; without files, those that have a text are texts."""
    made = (_result(choice, choice.file if files else None) for choice in choices)
    return [result for result in made if result is not None]


def _result(choice: Choice, file: File | None) -> Any:
    """Return a choice in the shape that its file has; None for what has no shape at all."""
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
    return _article(choice)  # also of a round video, which cannot be offered


def _captioned(choice: Choice) -> dict[str, Any]:
    part = _first_part(choice, CAPTION)
    return {"caption": part.text, "caption_entities": part.entities} if part else {}


def _article(choice: Choice) -> Any:
    part = _first_part(choice, LIMIT)
    if part is None:
        return None
    entities: Any = part.entities  # the library takes dicts as well
    content = types.InputTextMessageContent(part.text, entities=entities)
    return types.InlineQueryResultArticle(choice.id, choice.title, content, description=choice.description)


def _first_part(choice: Choice, limit: int) -> Part | None:
    """Return what of the text fits: what is pasted cannot be more than one message."""
    parts = split(choice.text, choice.entities, limit - 2)
    if len(parts) > 1:
        return Part(f"{parts[0].text} …", parts[0].entities)
    return parts[0] if parts else None
