"""The command menu and the description that Telegram's clients show."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from telebot import types

from telegram.api import Door, RefusedError, TelegramError

log = logging.getLogger(__name__)
DESCRIPTION = "Заметки и бесплатные языковые модели в одном чате. Все команды: /help"
AGAIN_S = 15.0
# Telegram allows a bot about thirty calls a second, and answers to people need some of them:
# https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
PACE_S = 0.05
# An earlier bot with this token may have left menus; the most specific one wins, and none can be listed:
# https://core.telegram.org/bots/api#determining-list-of-commands
SCOPES = (
    types.BotCommandScopeDefault,
    types.BotCommandScopeAllPrivateChats,
    types.BotCommandScopeAllGroupChats,
    types.BotCommandScopeAllChatAdministrators,
)
LANGUAGES = ("", "ru", "en", "uk", "be", "kk", "uz", "ky", "hy", "az", "ka", "tg", "de", "es", "fr", "tr")

Row = tuple[str, str]  # a command's name and summary
Call = tuple[str, dict[str, Any]]


class Menu:
    """A lane's job that publishes the menu; after a 429 it continues where it was stopped."""

    def __init__(self, door: Door, calls: Iterable[Call]) -> None:
        self._door = door
        self._left = list(calls)

    def __call__(self) -> float | None:
        """Make one call; return the seconds until the next one, or None when all are made.

        One at a time: there are dozens, and stopping the bot waits for a running job.
        """
        method, params = self._left[0]
        try:
            self._door.call(method, **params)
        except RefusedError as exc:
            if exc.code == 429 or exc.code >= 500:
                return float(exc.retry_after) or AGAIN_S
            log.info("Меню: %s", exc)  # that person has not written to the bot yet, so there is no chat
        except TelegramError as exc:
            log.warning("Меню команд не обновлено, повторю: %s", exc)
            return AGAIN_S
        self._left.pop(0)
        return PACE_S if self._left else None


def publishing(
    everybodys: Sequence[Row], owner: int | None, owners: Sequence[Row], others: Iterable[int]
) -> Iterator[Call]:
    """Yield the calls that set the menus of everybody and of the owner; `others` lose their own menus."""
    yield "set_my_commands", {"commands": _commands(everybodys)}
    yield "set_my_description", {"description": DESCRIPTION}
    if owner is not None:
        scope = types.BotCommandScopeChat(owner)
        yield "set_my_commands", {"commands": _commands([*everybodys, *owners]), "scope": scope}
    for other in others:  # one of them may have been the owner before
        yield "delete_my_commands", {"scope": types.BotCommandScopeChat(other)}


def removals(owner: int | None) -> Iterator[Call]:
    """Yield the calls that remove menus an earlier bot with this token may have left."""
    for make_scope in SCOPES:
        for language in LANGUAGES:
            if language or make_scope is not types.BotCommandScopeDefault:
                yield "delete_my_commands", {"scope": make_scope(), "language_code": language or None}
    for language in LANGUAGES[1:] if owner is not None else ():  # more specific than the owner's menu
        yield "delete_my_commands", {"scope": types.BotCommandScopeChat(owner), "language_code": language}


def _commands(entries: Sequence[Row]) -> list[types.BotCommand]:
    return [types.BotCommand(name, summary) for name, summary in entries]
