"""Decides what `python bot.py` does, from its arguments and settings."""

import os
import sys
from dataclasses import replace
from io import BytesIO, TextIOWrapper
from typing import NoReturn

from logs import set_up_logging
from settings import HERE, SERVICES, Settings, SettingsError
from starting import env_file
from starting.addresses import unquoted
from starting.command_line import parse
from upkeep.chores import chore
from upkeep.findings import Finding, say, show

HOW_TO_START = (
    "Не задан TOKEN. Получите токен у @BotFather в Telegram и впишите строку TOKEN=… в файл .env "
    "рядом с bot.py (образец — .env.example). Без Telegram: python bot.py --console"
)


def settings_for(args: list[str]) -> Settings:
    """Return the settings of the bot, with an empty token if it is to run in the terminal.

    Raises SystemExit if nothing is left to do: the arguments asked for a chore, which is done, or the bot
    cannot start, and the reason has been printed.
    """
    # They are None if the parent process closed them.
    sys.stdin = sys.stdin or TextIOWrapper(BytesIO())
    sys.stdout = sys.stdout or TextIOWrapper(BytesIO())
    options = parse(args)
    settings = _settings(as_finding=options.check)
    if (findings := chore(options, settings)) is not None:
        sys.exit(show(findings))
    if not settings.token and not options.console:
        if not sys.stdin.isatty():
            _refuse(HOW_TO_START)
        say("TOKEN не задан (.env), поэтому без Telegram, прямо здесь.")
    in_terminal = options.console or not settings.token
    keys = [unquoted(os.environ.get(f"{service}_API_KEY", "")) for service in SERVICES]
    set_up_logging("WARNING" if in_terminal else settings.log_level, [settings.token, *keys])
    return replace(settings, token="") if in_terminal else settings


def _settings(*, as_finding: bool) -> Settings:
    try:
        env_file.load(HERE / ".env")
        return Settings.from_env(os.environ)
    except (env_file.EnvFileError, SettingsError) as exc:
        if as_finding:
            sys.exit(show([Finding(False, str(exc))]))
        _refuse(str(exc))


def _refuse(why: str) -> NoReturn:
    say(why)
    sys.exit(2)
