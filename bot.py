"""Заметочник: settings, wiring, and the polling loop that journals what Telegram hands over.

python bot.py             Telegram, with TOKEN in .env
python bot.py --console   the same bot in the terminal
"""

import logging
import os
import random
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from dotenv import load_dotenv
from telebot import types

import db
from access import Gate
from answers.answering import Tools
from answers.questions import Questions
from commands import COMMANDS, App
from console.door import OWNER_ID
from console.terminal import Console
from dispatch.handling import MAX_TRIES, Handling, tell, tell_of_trouble
from dispatch.lanes import Lanes
from in_words import storage_trouble
from logs import set_up_logging
from openrouter_client import OpenRouterError, fetch_models, is_openrouter
from settings import EVERYBODY, HERE, Settings, SettingsError
from storage.dialogue import Dialogue
from storage.journal import Journal, Update
from storage.people import People
from storage.registry import Registry
from telegram.api import Door, RefusedError, Telegram, TelegramError
from telegram.delivery import Delivery, backoff
from telegram.updates import chat_id_of, dig, is_update, lane_of

log = logging.getLogger("bot")
LONG_POLL_S = 25
LONGEST_PAUSE_S = 15
REFRESH_S, FAILED_REFRESH_S = 6 * 3600, 10 * 60
EMPTY_PAUSE_S = 0.05  # for a server that answers an empty poll at once, as a mirror may
WANTED = ["message", "edited_message", "callback_query"]
DESCRIPTION = "Заметки и бесплатные языковые модели в одном чате. Все команды: /help"
HOW_TO_START = (
    "Не задан TOKEN. Получите токен у @BotFather в Telegram и впишите строку TOKEN=… в файл .env "
    "рядом с bot.py (образец — .env.example). Без Telegram: python bot.py --console"
)
REFUSED_BY_TELEGRAM = (
    "Telegram не принял токен. Проверьте TOKEN в .env: скопируйте его из @BotFather целиком."
)
SECOND_COPY = "Telegram отдаёт обновления другой копии бота с этим токеном. Остановите её; жду."


class BadTokenError(Exception):
    """Telegram does not know this token (any more)."""


class StoppedError(Exception):
    """Somebody stops the bot."""


class Bot:
    """One bot at work on one file."""

    def __init__(self, settings: Settings, database: db.Database, door: Door) -> None:
        self._settings = settings
        self._telegram = door
        self._delivery = Delivery(self._telegram)
        self._journal = Journal(database)
        self._people = People(database)
        self._stopping, self._ended = threading.Event(), threading.Event()
        self._failure: Exception | None = None
        self._lock = threading.Lock()
        self._tried_alone: int | None = None  # update that is being handled with nothing beside it
        self._lanes = Lanes()
        self._trouble = ""  # of the polling loop, so that it is logged when it begins and not for an hour
        self._told_of_trouble: set[int] = set()  # chats, until the disk can be written again
        registry, dialogue = Registry(database), Dialogue(database)
        tools = Tools(settings, self._journal, registry, dialogue, self._delivery, self._telegram.download)
        self._app = App(
            settings=settings,
            db=database,
            registry=registry,
            dialogue=dialogue,
            people=self._people,
            gate=Gate(settings, self._people),
            questions=Questions(tools),
        )

    # Start and stop

    def work(self) -> None:
        """Start and poll in another thread and wait for the end; raises what ended it, or KeyboardInterrupt.

        A signal interrupts the main thread wherever that is, be it between two statements of a transaction
        or inside the library's bare `except`. So the main thread only waits.
        """
        threading.Thread(target=self._work, name="polling", daemon=True).start()
        while not self._ended.wait(1):  # not for ever, or Windows would not notice Ctrl-C
            pass
        if self._failure:
            raise self._failure

    def _work(self) -> None:
        try:
            self.start()
            self.poll()
        except StoppedError:
            pass
        except Exception as exc:  # noqa: BLE001 - handed to the main thread
            self._failure = exc
        self._ended.set()

    def start(self) -> None:
        """Check the token, tell who may come in, and take up what an earlier run left."""
        me = self._insist("get_me")
        self._app.username = me["username"]
        self._insist("delete_webhook")  # while one is set, getUpdates is refused for ever
        self._announce()
        self._take_up()
        self._lanes.put(0, self._publish)
        threading.Thread(target=self._keep_registry, name="registry", daemon=True).start()

    def stop(self) -> None:
        """Finish what is being answered within STOP_TIMEOUT; the journal keeps the rest."""
        deadline = time.monotonic() + self._settings.stop_timeout
        self._stopping.set()
        self._was_no_death()
        self._lanes.close(self._settings.stop_timeout)
        self._app.questions.close(max(0, deadline - time.monotonic()))

    def wait_until_idle(self) -> None:
        """Wait until everything that was taken is answered."""
        while not (self._lanes.is_idle() and self._app.questions.is_idle()):
            self._stopping.wait(0.02)

    def _insist(self, method: str) -> Any:
        """Call until Telegram answers; raises BadTokenError."""
        failures = 0
        while not self._stopping.is_set():
            try:
                return self._telegram.call(method)
            except TelegramError as exc:
                failures += 1
                self._stopping.wait(self._pause(exc, failures))
        raise StoppedError

    def _publish(self) -> float | None:
        """Set the menu and the description: a job for a lane."""
        menu = [
            types.BotCommand(row.name, row.summary)
            for row in COMMANDS.values()
            if row.summary and not row.owner_only
        ]
        try:
            self._telegram.call("set_my_commands", commands=menu)
            self._telegram.call("set_my_description", description=DESCRIPTION)
        except TelegramError as exc:
            log.warning("Меню команд не обновлено, повторю: %s", exc)
            return LONGEST_PAUSE_S
        return None

    def _keep_registry(self) -> None:
        """Read the list of models at the start and every few hours: free ones come and go within weeks."""
        while not self._stopping.is_set():
            try:
                self._app.registry.sync(fetch_models(), free_only=is_openrouter())
                self._stopping.wait(REFRESH_S)
            except (OpenRouterError, sqlite3.Error) as exc:
                log.info("Список моделей не прочитан, остаётся прежний: %s", exc)
                self._stopping.wait(FAILED_REFRESH_S)

    def _announce(self) -> None:
        gate = self._app.gate
        if self._settings.allowed_users == EVERYBODY:
            log.warning("ALLOWED_USERS=*: ботом может пользоваться каждый, кто его найдёт")
        elif gate.by_invitation and gate.owner is None:
            code = self._people.owner_code()
            say(
                f"Бот пока ничей. Станьте владельцем: откройте https://t.me/{self._app.username}?start={code}\n"
                f"или напишите боту: /start {code}"
            )
        log.info("Бот @%s работает. Остановить: Ctrl-C", self._app.username)

    def _take_up(self) -> None:
        """Handle what an earlier run left one by one, so that what kills the process is found out."""
        for update in self._journal.unanswered():
            if self._stopping.is_set():
                raise StoppedError
            handling, lane = self._handling(update), lane_of(update.body)
            if update.tries >= MAX_TRIES:
                handling.park()
            elif not (self._lanes.is_idle() and self._app.questions.is_idle()):
                self._lanes.put(lane, handling)
            else:
                self._journal.count_try(update.update_id)
                self._tried_alone = update.update_id
                pause = handling()
                self._was_no_death()
                if pause is not None:
                    self._lanes.put(lane, handling)

    def _was_no_death(self) -> None:
        """Take back the try of the update that is handled alone: it is done, or stopped in order."""
        with self._lock:
            tried, self._tried_alone = self._tried_alone, None
        if tried is not None:
            self._journal.count_try(tried, -1)

    def _handling(self, update: Update) -> Handling:
        return Handling(self._app, update, self._journal, self._delivery)

    # Polling

    def poll(self) -> None:
        """Take updates until somebody stops the bot; raises BadTokenError."""
        offset, failures = None, 0
        while not self._stopping.is_set():
            try:
                batch = self._telegram.call(
                    "get_updates",
                    offset=offset,
                    long_polling_timeout=LONG_POLL_S,
                    allowed_updates=WANTED,
                )
                if self._stopping.is_set():
                    return  # not confirmed, so it comes again
                confirming = self._take(batch)
                offset, failures, self._trouble = confirming or offset, 0, ""
                if confirming is None:
                    self._stopping.wait(EMPTY_PAUSE_S)
            except (TelegramError, sqlite3.Error) as exc:
                failures += 1
                self._stopping.wait(self._pause(exc, failures))

    def _take(self, batch: object) -> int | None:
        """Journal a batch, hand it to the lanes, and return the offset that confirms it."""
        bodies = [body for body in (batch if isinstance(batch, list) else []) if is_update(body)]
        if bodies != batch:
            log.error("Telegram прислал не только обновления, остальное пропущено")
        try:
            fresh = self._journal.add([body for body in bodies if self._lets_pass(body)])
        except sqlite3.Error as exc:
            self._tell_of_trouble(bodies, exc)
            raise
        self._told_of_trouble.clear()
        for update in fresh:
            self._lanes.put(lane_of(update.body), self._handling(update))
        # Of this batch, not of all time: after a quiet week Telegram may number from lower down.
        return max((body["update_id"] for body in bodies), default=-1) + 1 or None

    def _lets_pass(self, body: dict[str, Any]) -> bool:
        if self._app.gate.lets_pass(body):
            return True
        refusal = self._app.gate.refusal(body)
        if refusal or "callback_query" in body:  # a button waits for an answer, be it an empty one
            self._lanes.put(lane_of(body), lambda: self._refuse(body, refusal))
        return False

    def _refuse(self, body: dict[str, Any], refusal: str) -> None:
        if query_id := dig(body, "callback_query", "id"):
            self._delivery.toast(query_id, refusal)
        elif refusal:
            tell(self._delivery, body, refusal)

    def _tell_of_trouble(self, bodies: list[dict[str, Any]], exc: sqlite3.Error) -> None:
        """Say once to each chat what is the matter: nothing of the batch was confirmed, so it comes again."""
        for body in bodies:
            chat_id, trouble = chat_id_of(body), storage_trouble(exc)
            if trouble and chat_id not in self._told_of_trouble and self._lets_pass(body):
                self._told_of_trouble.add(chat_id)
                tell_of_trouble(self._delivery, body, trouble)

    def _pause(self, exc: Exception, failures: int) -> float:
        """Return the seconds to wait after trouble, which is logged when it begins; raises BadTokenError."""
        if isinstance(exc, RefusedError) and exc.code in (401, 404):
            raise BadTokenError
        if (trouble := _trouble(exc)) != self._trouble:
            self._trouble = trouble
            log.warning("%s", trouble)
        if isinstance(exc, RefusedError) and exc.code == 409:
            if exc.says("webhook"):
                self._insist("delete_webhook")
                return 0
            return random.uniform(5, 30)  # noqa: S311 - no secret
        if isinstance(exc, RefusedError) and exc.code == 429:
            return float(exc.retry_after)
        return backoff(failures, LONGEST_PAUSE_S)


def _trouble(exc: Exception) -> str:
    if isinstance(exc, RefusedError) and exc.code == 409:
        return SECOND_COPY
    if isinstance(exc, sqlite3.Error):
        return f"База данных: {storage_trouble(exc) or exc}; повторяю, пока не получится"
    return f"Telegram недоступен ({exc}); повторяю, пока не ответит"


def say(text: str) -> None:
    """Print for the person who started the bot."""
    print(text, flush=True)  # noqa: T201 - this is what the log is not: for the eyes of that person


def run(settings: Settings) -> int:
    """Work in Telegram until stopped; returns the exit code."""
    with opened(settings) as database:
        bot = Bot(settings, database, Telegram(settings))
        try:
            bot.work()
        except KeyboardInterrupt:
            log.info("Останавливаюсь")
        except BadTokenError:
            say(REFUSED_BY_TELEGRAM)
            return 2
        finally:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # a second Ctrl-C does not wait
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            bot.stop()
    return 0


def run_console(settings: Settings) -> int:
    """Work in the terminal until its input ends and all is answered; returns the exit code."""
    settings = replace(settings, token="", allowed_users=(OWNER_ID,))
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


@contextmanager
def opened(settings: Settings) -> Iterator[db.Database]:
    """Open the database for this process alone."""
    with closing(db.claim(settings.db_path)), closing(db.Database(settings.db_path)) as database:
        yield database


def main(args: list[str]) -> int:
    """Start what the arguments and the settings ask for; returns the exit code."""
    load_dotenv(HERE / ".env")
    try:
        settings = Settings.from_env(os.environ)
    except SettingsError as exc:
        say(str(exc))
        return 2
    console = "--console" in args
    if not settings.token and not console:
        if not sys.stdin.isatty():
            say(HOW_TO_START)
            return 2
        say("TOKEN не задан (.env), поэтому без Telegram, прямо здесь.")
        console = True
    set_up_logging(
        "WARNING" if console else settings.log_level,
        [settings.token, os.environ.get("OPENROUTER_API_KEY", "")],
    )
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return run_console(settings) if console else run(settings)
    except (sqlite3.Error, OSError, db.NewerFileError, db.AlreadyOpenError) as exc:
        if storage_trouble(exc) is None:
            raise
        log.critical("Не могу начать (%s): %s.", settings.db_path, storage_trouble(exc))
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
