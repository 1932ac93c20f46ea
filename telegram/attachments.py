"""Turn files into API calls: albums where possible, and a message in place of a file that is gone."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from telebot import types

from telegram.contents import File
from telegram.lines import file_line

NOT_SENT = "Telegram больше не хранит этот файл или не даёт прислать его сюда:"
ALBUM = 10  # files at most; https://core.telegram.org/bots/api#sendmediagroup
# Photos and videos can share an album; documents and audio only with their own kind; the others have none.
_ALBUMS = {"photo": "pictures", "video": "pictures", "document": "document", "audio": "audio"}
_MEDIA = {
    "photo": types.InputMediaPhoto,
    "video": types.InputMediaVideo,
    "document": types.InputMediaDocument,
    "audio": types.InputMediaAudio,
}
# The library's functions, and the name of their file parameter.
_SENDERS = {
    "photo": ("send_photo", "photo"),
    "video": ("send_video", "data"),
    "audio": ("send_audio", "audio"),
    "voice": ("send_voice", "voice"),
    "animation": ("send_animation", "data"),
    "video_note": ("send_video_note", "data"),
}


class Outgoing(NamedTuple):
    """A call of an `apihelper` function, and the calls to make instead if Telegram refuses it."""

    method: str
    params: dict[str, Any]
    instead: "tuple[Outgoing, ...] | None" = None


def attachments(files: Sequence[File], reply: types.ReplyParameters | None) -> Iterator[Outgoing]:
    """Yield the calls that send files by their file_id, in order."""
    for kind, run in groupby(files, key=lambda file: _ALBUMS.get(file.kind)):
        alike = list(run)
        size = ALBUM if kind else 1
        for start in range(0, len(alike), size):
            yield _album(alike[start : start + size], reply)


def _album(files: Sequence[File], reply: types.ReplyParameters | None) -> Outgoing:
    each = tuple(_alone(file, reply) for file in files)
    if len(each) == 1:
        return each[0]
    media = [_MEDIA[file.kind](file.file_id) for file in files]
    # If one file is gone, Telegram refuses the whole album.
    return Outgoing("send_media_group", {"media": media, "reply_parameters": reply}, instead=each)


def _alone(file: File, reply: types.ReplyParameters | None) -> Outgoing:
    params: dict[str, Any] = {"reply_parameters": reply}
    gone = Outgoing("send_message", {**params, "text": f"{NOT_SENT} {file_line(file.kind, file.name)}"})
    if file.kind in _SENDERS:
        method, name = _SENDERS[file.kind]
        return Outgoing(method, {**params, name: file.file_id}, instead=(gone,))
    return Outgoing("send_data", {**params, "data": file.file_id, "data_type": file.kind}, instead=(gone,))
