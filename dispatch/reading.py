"""Turn an update into a Call: its command, its arguments, and who sent it."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from commands import COMMANDS, App, Call
from storage.journal import Entry
from telegram.formatted import behind, moved
from telegram.splitting import LIMIT, utf16_len
from telegram.updates import Message, Update, whole

# Phones turn a hyphen into a dash, and people type a colon or a full stop after a command's name.
_COMMAND = re.compile(r"[/／](?P<name>[A-Za-z0-9_\-–—]+)(?:@(?P<bot>\w+))?", re.ASCII)
_DASHES = str.maketrans("-–—", "___")
_SEPARATOR = re.compile(r"[:.,;!?]*(?:[^\S\n]*\n|\s|$)")  # takes one blank or line break, no more
_PUNCTUATION = re.compile(r"[:.,;!?]*\s*")


def read(app: App, entry: Entry, update: Update, messages: Sequence[Message]) -> Call | None:
    """Return the Call for an update, or None if it needs no answer.

    `messages` are all messages of the action that the update began.
    """
    if update.speaker is None or update.message is None:
        return None
    if update.query_id:
        name, _, data = update.data.partition(":")
        return _call(app, entry, update, (update.message,), name=name, args=data)
    message = messages[0]
    name, start, bot = ("", 0, "") if message.foreign else _command_in(message.text)
    if _is_another(app, bot):
        return None
    args, entities = message.text[start:], behind(message.entities, message.text[:start])
    return _call(app, entry, update, messages, name=name, args=args, entities=entities)


def _call(app: App, entry: Entry, update: Update, messages: Sequence[Message], **command: Any) -> Call:
    message = messages[0]
    return Call(
        app,
        entry_id=entry.entry_id,
        user_id=update.speaker.id if update.speaker else 0,
        place=message.place,
        private=message.private,
        message=message,
        batch=tuple(messages),
        date=entry.received_at if update.query_id else message.date,
        answer_ids=entry.answer_ids,
        query_id=update.query_id,
        edited=update.kind == "edited_message",
        **command,
    )


def is_command(message: Message) -> bool:
    """Return whether a message is one of our commands."""
    return _command_in(message.text)[0] in COMMANDS


def speaks_to(app: App, message: Message | None) -> bool:
    """Return whether a message is a command, and not one for another bot."""
    name, _, bot = _command_in(message.text) if message else ("", 0, "")
    return bool(name) and not _is_another(app, bot)


def _is_another(app: App, bot: str) -> bool:
    return bool(bot) and bot.lower() != app.username.lower()


def asks_a_model(message: Message | None) -> bool:
    """Return whether a message probably needs a model's answer."""
    if message is None:
        return False
    command = COMMANDS.get(_command_in(message.text)[0])
    return command.asks_a_model if command else message.reply_to is not None


def _invisible(text: str) -> int:
    """Return how many characters at the start are invisible: blanks, direction marks, a BOM."""
    return next(
        (i for i, char in enumerate(text) if unicodedata.category(char) not in ("Cf", "Zs", "Cc", "Mn")), 0
    )


def _command_in(text: str) -> tuple[str, int, str]:
    """Return a command's name ("" if none), the index of its arguments, and the bot it is addressed to.

    Text right after the name («/note_add:хлеб») is its argument if we know the command. A path
    like /etc/hosts is not a command.
    """
    found = _COMMAND.match(text, _invisible(text))
    if found is None:
        return "", 0, ""
    name, bot, end = found["name"].lower().rstrip("-–—").translate(_DASHES), found["bot"] or "", found.end()
    if separator := _SEPARATOR.match(text, end):
        return name, separator.end(), bot
    if name in COMMANDS and text[end] != "/" and (punctuation := _PUNCTUATION.match(text, end)):
        return name, punctuation.end(), bot
    return "", 0, bot


def joined(messages: Sequence[Message]) -> tuple[Message, ...]:
    """Return the messages with each album, and each text that the client split, joined into one."""
    found: list[Message] = []
    for before, message in zip((None, *messages), messages, strict=False):
        if before and message.album and message.album == before.album:
            glue = "\n" if found[-1].text and message.text else ""
            found[-1] = _glued(found[-1], message, glue)
        elif before and not message.foreign:
            # A client splits at a line break if one is near, and Telegram strips that line break.
            found[-1] = _glued(found[-1], message, "" if utf16_len(before.text) == LIMIT else "\n")
        else:
            found.append(message)
    return tuple(found)


def _glued(first: Message, more: Message, glue: str) -> Message:
    text = first.text + glue
    shift = utf16_len(text)
    entities = (*first.entities, *moved(more.entities, shift))
    pieces = (*(first.pieces or (whole(first),)), whole(more)._replace(start=shift))
    files = first.files + more.files
    return replace(first, text=text + more.text, entities=entities, files=files, pieces=pieces)
