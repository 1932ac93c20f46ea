"""What Telegram's client shows of the bot: the menu of commands, and what it is for."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from telebot import types

from telegram.api import Door, RefusedError, TelegramError

log = logging.getLogger(__name__)
DESCRIPTION = "Заметки и бесплатные языковые модели в одном чате. Все команды: /help"
AGAIN_S = 15.0
# Telegram bears about thirty calls a second of a bot, and people who write want some of them:
# https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
PACE_S = 0.05
# An earlier bot of this token may have left menus, and the narrowest one wins. Telegram does not list them:
# https://core.telegram.org/bots/api#determining-list-of-commands
SCOPES = (
    types.BotCommandScopeDefault,
    types.BotCommandScopeAllPrivateChats,
    types.BotCommandScopeAllGroupChats,
    types.BotCommandScopeAllChatAdministrators,
)
LANGUAGES = ("", "ru", "en", "uk", "be", "kk", "uz", "ky", "hy", "az", "ka", "tg", "de", "es", "fr", "tr")

Row = tuple[str, str]  # a command's name and what it does
Call = tuple[str, dict[str, Any]]


class Menu:
    """Publishes the menu: a job for a lane, which goes on where Telegram has stopped it."""

    def __init__(self, door: Door, calls: Iterable[Call]) -> None:
        self._door = door
        self._left = list(calls)

    def __call__(self) -> float | None:
        """Make the next call; returns the seconds until the one after it, or None when all are made.

        One at a time: there are dozens, and whoever stops the bot waits for a job that runs.
        """
        method, params = self._left[0]
        try:
            self._door.call(method, **params)
        except RefusedError as exc:
            if exc.code == 429 or exc.code >= 500:
                return float(exc.retry_after) or AGAIN_S
            log.info("Меню: %s", exc)  # somebody has not written yet, so there is no such chat
        except TelegramError as exc:
            log.warning("Меню команд не обновлено, повторю: %s", exc)
            return AGAIN_S
        self._left.pop(0)
        return PACE_S if self._left else None


def publishing(
    everybodys: Sequence[Row], owner: int | None, owners: Sequence[Row], others: Iterable[int]
) -> Iterator[Call]:
    """Yield the calls that show everybody their commands, and the owner more; others lose what they had."""
    yield "set_my_commands", {"commands": _commands(everybodys)}
    yield "set_my_description", {"description": DESCRIPTION}
    if owner is not None:
        scope = types.BotCommandScopeChat(owner)
        yield "set_my_commands", {"commands": _commands([*everybodys, *owners]), "scope": scope}
    for other in others:  # one of them may have been the owner before
        yield "delete_my_commands", {"scope": types.BotCommandScopeChat(other)}


def removals(owner: int | None) -> Iterator[Call]:
    """Yield what removes the menus that an earlier bot of this token may have left."""
    for make_scope in SCOPES:
        for language in LANGUAGES:
            if language or make_scope is not types.BotCommandScopeDefault:
                yield "delete_my_commands", {"scope": make_scope(), "language_code": language or None}
    for language in LANGUAGES[1:] if owner is not None else ():  # narrower than the owner's own menu
        yield "delete_my_commands", {"scope": types.BotCommandScopeChat(owner), "language_code": language}


def _commands(entries: Sequence[Row]) -> list[types.BotCommand]:
    return [types.BotCommand(name, summary) for name, summary in entries]
