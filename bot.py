"""Заметочник: settings, wiring, and the polling loop that journals updates from Telegram.

python bot.py             Telegram, with TOKEN in .env
python bot.py --console   the same bot in the terminal
python bot.py --help      all options
"""

from starting import surroundings

if __name__ == "__main__":
    surroundings.check()

import logging
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import db
from answers.freshness import keep_fresh
from answers.questions import Questions
from commands import App
from console.door import OWNER_ID
from console.terminal import Console
from dispatch.desk import Desk
from dispatch.gathering import Gathering
from dispatch.intake import Intake
from dispatch.lanes import Lanes
from dispatch.recovery import Recovery
from in_words import storage_trouble
from migrations import AlreadyOpenError, NewerFileError
from openrouter_client import fallback_model
from settings import EVERYBODY, Settings
from starting.another_thread import in_another_thread
from starting.beginning import settings_for
from storage.journal import Journal
from telegram.api import Door, Telegram, TelegramError
from telegram.delivery import Delivery
from telegram.patience import BadTokenError, NonsenseError, Patience, StoppingError
from telegram.updates import KINDS
from upkeep.findings import say
from upkeep.health import Pulse
from upkeep.nightly import copy_each_night
from upkeep.systemd import READY, STOPPING, notify
from upkeep.upgrade import opened

log = logging.getLogger("bot")
LONG_POLL_S = 25
WORKERS = 2  # threads for exports and imports
INLINE_IS_OFF = "Заметки из любого чата (@%s слово) выключены. Включить: @BotFather, /setinline"
EMPTY_PAUSE_S = 0.05  # for a server, such as a mirror, that answers an empty poll at once
REFUSED_BY_TELEGRAM = (
    "Telegram не принял токен. Проверьте TOKEN в .env: скопируйте его из @BotFather целиком."
)


class Bot:
    """One bot working on one database file."""

    def __init__(self, settings: Settings, database: db.Database, door: Door) -> None:
        self._settings = settings
        self._stopping = threading.Event()
        self._door = door
        self._patience = Patience(door, self._stopping)
        self._pulse = Pulse(database)
        journal, delivery = Journal(database), Delivery(door)
        self._app = App(settings, database, journal, delivery, door)
        self._lanes, self._background = Lanes(), Lanes()
        # Few threads: each keeps some of the memory that a 10 MB upload or download took.
        self._work_lanes = Lanes(WORKERS)
        desk = Desk(self._app, journal, delivery, self._background, self._work_lanes)
        gathering = Gathering()
        self._intake = Intake(desk, door, self._lanes, gathering)
        self._recovery = Recovery(desk, self._lanes, gathering, self._stopping)

    def work(self) -> None:
        """Start, and take updates until stopped; raises BadTokenError and sqlite3.Error."""
        with suppress(StoppingError):
            self.start()
            self.poll()

    def start(self) -> None:
        """Check the token, announce who may use the bot, and resume what an earlier run left unfinished."""
        app, me = self._app, self._patience.insist("get_me")
        app.username = me.get("username", "")
        if me.get("supports_inline_queries") is False:
            log.info(INLINE_IS_OFF, app.username)
        self._patience.remove_webhook()
        if app.settings.allowed_users == EVERYBODY:
            log.warning("ALLOWED_USERS=*: ботом может пользоваться каждый, кто его найдёт")
        elif invitation := app.gate.invitation(app.username):
            say(invitation)
        log.info("Бот @%s работает. Остановить: Ctrl-C", app.username)
        app.registry.sync_fallback(fallback_model())
        self._recovery.run()
        self._intake.publish_menu()
        _beside("registry", keep_fresh, app.registry, self._stopping)
        _beside("copies", copy_each_night, app.db.path, app.settings.now, self._stopping)

    def poll(self) -> None:
        """Take updates until stopped; raises BadTokenError."""
        offset = None
        while not self._stopping.is_set():
            try:
                batch = self._door.call(
                    "get_updates",
                    offset=offset,
                    long_polling_timeout=LONG_POLL_S,
                    allowed_updates=list(KINDS),
                )
                if self._stopping.is_set():
                    return  # not confirmed, so Telegram sends the batch again
                if confirmed := self._intake.take(batch):
                    offset = confirmed
                else:
                    self._stopping.wait(EMPTY_PAUSE_S)
                self._patience.calm()
                self._pulse.beat()
            except (TelegramError, NonsenseError) as exc:
                self._patience.wait(exc)
            except sqlite3.Error as exc:
                trouble = storage_trouble(exc) or str(exc)
                self._patience.wait(exc, f"База данных: {trouble}; повторяю, пока не получится")

    def stop(self) -> None:
        """Finish the answers in progress within STOP_TIMEOUT; the journal keeps the rest."""
        deadline = time.monotonic() + self._settings.stop_timeout
        self._stopping.set()
        self._app.questions.begin_no_more()
        for part in self._parts():
            part.close(max(0, deadline - time.monotonic()))
        with suppress(db.FileReplacedError):  # the journal is gone, and its counted tries with it
            self._recovery.was_no_death()

    def wait_until_idle(self) -> None:
        """Wait until all updates taken so far are answered."""
        while not all(part.is_idle() for part in self._parts()):
            self._stopping.wait(0.02)

    def _parts(self) -> tuple[Lanes | Questions, ...]:
        return self._lanes, self._background, self._work_lanes, self._app.questions


def _beside(name: str, work: Callable[..., None], *args: object) -> None:
    threading.Thread(target=work, args=args, name=name, daemon=True).start()


def run(settings: Settings) -> int:
    """Run the bot in Telegram until stopped; returns the exit code."""
    with opened(settings) as database:
        bot = Bot(settings, database, Telegram(settings))
        notify(READY)  # already: Telegram may be unreachable for hours, which is not a failed start
        try:
            in_another_thread(bot.work)
        except KeyboardInterrupt:
            log.info("Останавливаюсь")
        except BadTokenError:
            say(REFUSED_BY_TELEGRAM)
            return 2
        except db.FileReplacedError as exc:
            log.critical("%s: %s.", settings.db_path, storage_trouble(exc))
            return 1
        finally:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # a second Ctrl-C stops without waiting
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            notify(STOPPING)
            bot.stop()
    return 0


def run_console(settings: Settings) -> int:
    """Run the bot in the terminal until the input ends and all is answered; returns the exit code."""
    settings = replace(settings, allowed_users=(OWNER_ID,))
    with opened(settings) as database:
        console = Console(sys.stdin, sys.stdout, Path("console-files"))
        bot = Bot(settings, database, console.door)
        try:
            bot.start()
            threading.Thread(target=bot.poll, daemon=True).start()
            console.run(bot.wait_until_idle)
        except KeyboardInterrupt:
            say("\nЗаканчиваю начатое. Не ждать: ещё раз Ctrl-C.")
        finally:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            bot.stop()
            console.close()
    return 0


def main(args: list[str]) -> int:
    """Run what the arguments and the settings ask for; returns the exit code."""
    settings = settings_for(args)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return run(settings) if settings.token else run_console(settings)
    except (sqlite3.Error, OSError, NewerFileError, AlreadyOpenError) as exc:
        if storage_trouble(exc) is None:
            raise
        log.critical("Не могу начать (%s): %s.", settings.db_path, storage_trouble(exc))
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
