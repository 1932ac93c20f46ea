"""What a model gets to read: the system prompt, the conversation so far, the question and its files."""

import base64
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable
from typing import Any

from answers.media import NO_PDF, Files, Media, can_read, media_of
from db import Model
from storage.dialogue import Turn
from telegram.api import TelegramError
from telegram.replies import UserError

SYSTEM_PROMPT = "Отвечай кратко и по существу. На технические вопросы отвечай корректно и по пунктам."
UNKNOWN_CONTEXT = 32_000  # tokens, for a model that does not report it
# A token is 3 to 4 letters of English and 2 to 3 of Russian; better drop one turn too many than be refused.
LETTERS_A_TOKEN = 2
IMAGE_TOKENS = 1_500
FREE_PDF_READER = [{"id": "file-parser", "pdf": {"engine": "cloudflare-ai"}}]  # the default one costs money

Message = dict[str, Any]
Told = tuple[list[Message], list[dict[str, Any]]]  # messages and plugins


def request(turn: Turn, past: list[Turn], model: Model, files: Files, max_tokens: int) -> Told:
    """Return the messages and plugins for one model, without the oldest turns if not all of them fit.

    Raises UserError or TelegramError if the question's own file cannot be read.
    """
    question = {"role": "user", "content": _content(turn, model, files)}
    context = room_of(model)
    room = context - min(max_tokens, context // 2) - _tokens(question) - len(SYSTEM_PROMPT)
    kept: list[Message] = []
    for earlier in reversed(past):
        pair = _pair(earlier, model, files, room)
        if not pair:
            # It is dropped with everything before it. At least the end of the last answer stays: to
            # continue it, the model has to know where it stopped.
            kept = kept or _end_of(earlier.answer, room)
            break
        room -= sum(map(_tokens, pair))
        kept = pair + kept
    messages = [{"role": "system", "content": SYSTEM_PROMPT}, *kept, question]
    return messages, FREE_PDF_READER if _has_file(messages) else []


def room_of(model: Model) -> int:
    """Return how many tokens fit into a model's context."""
    return model.context_length or UNKNOWN_CONTEXT


def _pair(turn: Turn, model: Model, files: Files, room: int) -> list[Message]:
    """Return an earlier question and its answer; [] if they need more than `room` tokens."""
    if _least_tokens(turn, model) > room:  # decided before anything is fetched
        return []
    pair: list[Message] = [
        {"role": "user", "content": _earlier(turn, model, files)},
        {"role": "assistant", "content": turn.answer},
    ]
    return pair if sum(map(_tokens, pair)) <= room else []


def _end_of(answer: str, room: int) -> list[Message]:
    """Return as much of an answer's end as fits into `room` tokens; [] if nothing does."""
    letters = LETTERS_A_TOKEN * room
    return [{"role": "assistant", "content": answer[-letters:]}] if letters > 0 else []


def _least_tokens(turn: Turn, model: Model) -> int:
    """Estimate an earlier turn's tokens before its file is fetched; a text file has two bytes a letter."""
    media = media_of(turn)
    letters = len(_text(turn)) + len(turn.answer)
    if media and media.kind == "text":
        letters += media.size // 2
    sees = media is not None and media.kind == "image" and "image" in model.inputs
    return letters // LETTERS_A_TOKEN + (IMAGE_TOKENS if sees else 0)


def _earlier(turn: Turn, model: Model, files: Files) -> str | list[Message]:
    """Return an earlier question; its file is only named if it cannot be fetched or read any more."""
    try:
        return _content(turn, model, files)
    except (UserError, TelegramError):
        media = media_of(turn)
        return _text(turn) + (f"\n\n[{media.name}]" if media else "")


def _content(turn: Turn, model: Model, files: Files) -> str | list[Message]:
    """Return a question in the form for a model; raises UserError if it cannot read it, TelegramError."""
    text, media = _text(turn), media_of(turn)
    if media is None:
        return text
    if media.kind == "text":
        return f"{text}\n\nФайл {media.name}:\n{_decoded(files.fetch(media))}"
    if media.kind == "image":
        if "image" not in model.inputs:
            raise UserError("Эта модель не видит картинок.")
        return _with(text, {"type": "image_url", "image_url": {"url": _data_url(media, files)}})
    if not can_read(model, turn):
        raise UserError(NO_PDF)
    file = {"filename": media.name, "file_data": _data_url(media, files)}
    return _with(text, {"type": "file", "file": file})


def _text(turn: Turn) -> str:
    return f"{turn.context}\n\n---\n\n{turn.question}" if turn.context else turn.question


def _with(text: str, part: Message) -> list[Message]:
    return [{"type": "text", "text": text}, part]


def _data_url(media: Media, files: Files) -> str:
    return f"data:{media.mime};base64,{base64.b64encode(files.fetch(media)).decode('ascii')}"


def _decoded(data: bytes) -> str:
    """Decode a text file: UTF-8, or what Windows writes, which is UTF-16 or its Russian code page."""
    if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1251", "replace")


def _tokens(message: Message) -> int:
    """Estimate, rather too high, how many tokens a message takes."""
    content = message["content"]
    if isinstance(content, str):
        return len(content) // LETTERS_A_TOKEN + 8
    return IMAGE_TOKENS + len(content[0]["text"]) // LETTERS_A_TOKEN + 8


def _has_file(messages: Iterable[Message]) -> bool:
    return any(
        part["type"] == "file" for m in messages if isinstance(m["content"], list) for part in m["content"]
    )
