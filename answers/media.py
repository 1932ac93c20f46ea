"""A photo or file that comes with a question: its kind, which models can read it, and its content."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from db import Model
from openrouter_client import is_openrouter
from storage.dialogue import Turn
from telegram.api import TelegramError
from telegram.contents import File
from telegram.replies import UserError

MAX_FILE = 20 * 2**20  # bytes that a bot can download: https://core.telegram.org/bots/api#getfile
UNREADABLE = "Такие файлы модели не читают. Пришлите фото, PDF или текстовый файл."
NO_PDF = "PDF читает только openrouter.ai. Пришлите текст файлом .txt или сообщением."
TOO_MUCH = "Файлов в этой беседе слишком много. Начните новую: /ask <вопрос>."

Download = Callable[[str], bytes]  # Telegram's file id -> the file's content


@dataclass(frozen=True, slots=True)
class Media:
    """A photo or file in Telegram that a question is about."""

    kind: str  # "image", "pdf" or "text"
    file_id: str
    name: str
    mime: str
    size: int = 0  # bytes; 0: not known

    def to_json(self) -> str:
        """Return it in the form stored with its turn."""
        return json.dumps(asdict(self))


def media_of(turn: Turn) -> Media | None:
    """Return the photo or file of a question, or None."""
    return Media(**json.loads(turn.media)) if turn.media else None


def needs(turn: Turn) -> frozenset[str]:
    """Return the inputs, besides text, that a model must accept for a question."""
    media = media_of(turn)
    return frozenset({"image"} if media and media.kind == "image" else ())


def can_read(model: Model, turn: Turn) -> bool:
    """Return whether a model can read the photo or file of a question, if it has one."""
    media = media_of(turn)
    if media and media.kind == "pdf":
        return is_openrouter(model.key) or "file" in model.inputs
    return needs(turn) <= model.inputs


def find_media(files: Sequence[File]) -> Media | None:
    """Return the first photo or document, or None; raises UserError if no model can read it."""
    file = next((file for file in files if file.kind in ("photo", "document")), None)
    if file is None:
        return None
    if file.kind == "photo":
        return Media("image", file.file_id, "photo.jpg", "image/jpeg", file.size)
    if file.size > MAX_FILE:
        raise UserError("Файл больше 20 МБ, таких Telegram ботам не отдаёт. Пришлите файл поменьше.")
    name = file.name or "файл"
    return Media(_kind(file.mime, name), file.file_id, name, file.mime, file.size)


def _kind(mime: str, name: str) -> str:
    if mime in ("image/jpeg", "image/png", "image/webp", "image/gif"):
        return "image"
    if mime == "application/pdf":
        return "pdf"
    if mime.startswith("text/") or mime in _TEXTS or name.lower().endswith(_TEXT_NAMES):
        return "text"
    raise UserError(UNREADABLE)


_TEXTS = ("application/json", "application/xml", "application/sql", "application/x-sh")
_TEXT_NAMES = (".txt", ".md", ".csv", ".json", ".py", ".sql", ".yml", ".yaml", ".toml", ".ini", ".log")


class Files:
    """The Telegram files of one question, each fetched once for all models that are asked."""

    def __init__(self, download: Download) -> None:
        self._download = download
        self._fetched: dict[str, bytes | TelegramError] = {}
        self._room = 2 * MAX_FILE  # bytes in memory, for the files of this question and of earlier ones

    def fetch(self, media: Media) -> bytes:
        """Return a file's content; raises TelegramError, or UserError if the files are too large together."""
        found = self._fetched.get(media.file_id)
        if found is None:
            found = self._fetched[media.file_id] = self._fetch(media)
        if isinstance(found, TelegramError):
            raise found
        return found

    def _fetch(self, media: Media) -> bytes | TelegramError:
        if media.size > self._room:
            raise UserError(TOO_MUCH)
        try:
            content = self._download(media.file_id)
        except TelegramError as exc:
            return exc
        self._room = max(0, self._room - len(content))  # Telegram may not give a file's size
        return content
