"""Заметочник: settings, wiring, and the polling loop that journals what Telegram hands over.

python bot.py             Telegram, with TOKEN in .env
python bot.py --console   the same bot in the terminal
python bot.py --help      what else there is
"""

from starting import surroundings

if __name__ == "__main__":
    surroundings.check()

import logging
import os
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import db
import migrations
from access import Gate
from answers.asking import Tools
from answers.freshness import keep_fresh
from answers.questions import Questions
from answers.searching import Searching
from commands import COMMANDS, App
from console.door import OWNER_ID
from console.terminal import Console
from dispatch.gathering import Gathering
from dispatch.handling import Desk, Handling, tell, tell_of_trouble
from dispatch.inline import Inline
from dispatch.lanes import Lanes
from dispatch.recovery import Recovery
from in_words import in_words, storage_trouble
from logs import set_up_logging
from openrouter_client import fallback_model
from settings import EVERYBODY, HERE, SERVICES, Settings, SettingsError, unquoted
from starting import env_file
from starting.command_line import parse
from storage.dialogue import Dialogue
from storage.journal import Entry, Journal
from storage.notebook import Notebook
from storage.people import People
from storage.pieces import Pieces
from storage.preferences import Preferences
from storage.recalled import Recalled
from storage.registry import Registry
from telegram.api import Door, Telegram, TelegramError
from telegram.delivery import Delivery
from telegram.menu import Menu
from telegram.patience import BadTokenError, NonsenseError, Patience, StoppingError
from telegram.replies import UserError
from telegram.updates import KINDS, Update, updates_in
from transfer.works import Works
from upkeep.chores import chore
from upkeep.findings import Finding, show
from upkeep.health import Pulse
from upkeep.nightly import copy_each_night
from upkeep.systemd import READY, STOPPING, notify
from upkeep.upgrade import copy_before_upgrade

log = logging.getLogger("bot")
LONG_POLL_S = 25
WORKERS = 2  # for exports and imports
INLINE_IS_OFF = "Заметки из любого чата (@%s слово) выключены. Включить: @BotFather, /setinline"
EMPTY_PAUSE_S = 0.05  # for a server that answers an empty poll at once, as a mirror may
HOW_TO_START = (
    "Не задан TOKEN. Получите токен у @BotFather в Telegram и впишите строку TOKEN=… в файл .env "
    "рядом с bot.py (образец — .env.example). Без Telegram: python bot.py --console"
)
REFUSED_BY_TELEGRAM = (
    "Telegram не принял токен. Проверьте TOKEN в .env: скопируйте его из @BotFather целиком."
)


class Bot:
    """One bot at work on one file."""

    def __init__(self, settings: Settings, database: db.Database, door: Door) -> None:
        self._settings = settings
        self._stopping, self._ended = threading.Event(), threading.Event()
        self._failure: Exception | None = None
        self._told_of_trouble: set[int] = set()  # chats, until the disk can be written again
        self._door = door
        self._patience = Patience(self._door, self._stopping)
        self._delivery = Delivery(self._door)
        self._journal = Journal(database)
        self._people = People(database)
        self._pulse = Pulse(database)
        self._app = self._furnished(database)
        self._lanes, self._background, self._gathering = Lanes(), Lanes(), Gathering()
        # On few threads: each keeps some of the memory that an upload or a download of 10 MB has taken.
        self._works = Lanes(WORKERS)
        self._inline = Inline(self._app, self._door, self._lanes)
        self._desk = Desk(self._app, self._journal, self._delivery, self._background, self._works)
        self._recovery = Recovery(self._desk, self._lanes, self._gathering, self._stopping)

    def _furnished(self, database: db.Database) -> App:
        registry, dialogue = Registry(database), Dialogue(database)
        tools = Tools(self._settings, self._journal, registry, dialogue, self._delivery, self._door.download)
        return App(
            settings=self._settings,
            db=database,
            registry=registry,
            dialogue=dialogue,
            people=self._people,
            gate=Gate(self._settings, self._people),
            questions=Questions(tools),
            notebook=Notebook(database),
            preferences=Preferences(database),
            recalled=Recalled(database),
            pieces=Pieces(database),
            searching=Searching(dialogue),
            works=Works(),
            download=self._download,
        )

    def _download(self, file_id: str) -> bytes:
        try:
            return self._door.download(file_id)
        except TelegramError as exc:
            raise UserError(in_words(exc)) from None

    # Start and stop

    def work(self) -> None:
        """Start and poll in another thread and wait for the end; raises what ended it, or KeyboardInterrupt.

        A signal interrupts the main thread wherever that is, even between two statements of a transaction
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
        except StoppingError:
            pass
        except Exception as exc:  # noqa: BLE001 - handed to the main thread
            self._failure = exc
        self._ended.set()

    def start(self) -> None:
        """Check the token, tell who may come in, and take up what an earlier run left."""
        me = self._patience.insist("get_me")
        self._app.username = me["username"]
        if me.get("supports_inline_queries") is False:
            log.info(INLINE_IS_OFF, self._app.username)
        self._patience.insist("delete_webhook")  # while one is set, getUpdates is refused for ever
        self._announce()
        self._app.registry.sync_fallback(fallback_model())
        self._recovery.run()
        self._publish_menu()
        self._beside("registry", keep_fresh, self._app.registry, self._stopping)
        self._beside("copies", copy_each_night, self._app.db.path, self._settings.now, self._stopping)

    @staticmethod
    def _beside(name: str, work: Callable[..., None], *args: object) -> None:
        threading.Thread(target=work, args=args, name=name, daemon=True).start()

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

    def _publish_menu(self) -> None:
        rows = [row for row in COMMANDS.values() if row.in_menu]
        everybodys = [(row.name, row.summary) for row in rows if not row.owner_only]
        owners = [(row.name, row.summary) for row in rows if row.owner_only]
        gate = self._app.gate
        self._lanes.put("menu", Menu(self._door, everybodys, gate.owner, owners, gate.listed[1:]))

    def stop(self) -> None:
        """Finish what is being answered within STOP_TIMEOUT; the journal keeps the rest."""
        deadline = time.monotonic() + self._settings.stop_timeout
        self._stopping.set()
        self._app.questions.begin_no_more()
        self._lanes.close(self._settings.stop_timeout)
        for rest in (self._background, self._works, self._app.questions):
            rest.close(max(0, deadline - time.monotonic()))
        with suppress(db.FileReplacedError):  # then there is nothing left to take back
            self._recovery.was_no_death()

    def wait_until_idle(self) -> None:
        """Wait until everything that was taken is answered."""
        all_of_it = (self._lanes, self._background, self._works, self._app.questions)
        while not all(part.is_idle() for part in all_of_it):
            self._stopping.wait(0.02)

    # Polling

    def poll(self) -> None:
        """Take updates until somebody stops the bot; raises BadTokenError."""
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
                    return  # not confirmed, so it comes again
                offset = self._take(batch) or offset
                self._patience.calm()
                self._pulse.beat()
            except (TelegramError, NonsenseError) as exc:
                self._patience.wait(exc)
            except sqlite3.Error as exc:
                trouble = storage_trouble(exc) or str(exc)
                self._patience.wait(exc, f"База данных: {trouble}; повторяю, пока не получится")

    def _take(self, batch: object) -> int | None:
        """Journal a batch, hand it to the lanes, and return the offset that confirms it.

        Raises NonsenseError for what holds no update at all.
        """
        updates, sound = updates_in(batch)
        if not updates:
            if not sound:
                raise NonsenseError
            self._app.db.check_file()
            self._stopping.wait(EMPTY_PAUSE_S)
            return None
        if not sound:
            log.error("Telegram прислал не только обновления, остальное пропущено")
        for entry, update in self._journalled([update for update in updates if self._lets_pass(update)]):
            self._hand_over(entry, update)
        # Of this batch, not of all time: after a quiet week Telegram may number from lower down.
        return max(update.number for update in updates) + 1

    def _journalled(self, updates: list[Update]) -> list[tuple[Entry, Update]]:
        """Put updates on disk, and return those that are new."""
        if not updates:
            return []
        try:
            fresh = self._journal.add([update.body for update in updates])
        except (sqlite3.Error, db.FileReplacedError) as exc:
            self._tell_of_trouble(updates, exc)
            raise
        self._told_of_trouble.clear()
        by_body = {id(update.body): update for update in updates}
        return [(entry, by_body[id(entry.body)]) for entry in fresh]

    def _hand_over(self, entry: Entry, update: Update) -> None:
        if gathered := self._gathering.add(entry, update):
            costly = bool(update.message and (update.message.reply_to or update.message.text[:4] == "/ask"))
            self._lanes.put(update.lane, Handling(gathered, self._desk), costly=costly)

    def _lets_pass(self, update: Update) -> bool:
        if update.kind == "inline_query":
            self._inline.take(update)
            return False
        gate, owner = self._app.gate, self._app.gate.owner
        if gate.lets_pass(update):
            if gate.owner != owner:  # just now, by the one-time link
                self._publish_menu()
            return True
        refusal = gate.refusal(update)
        # A button waits for an answer, even an empty one.
        if refusal or (update.query_id and gate.spares_a_word()):
            self._lanes.put("strangers", lambda: self._refuse(update, refusal), costly=True)
        return False

    def _refuse(self, update: Update, refusal: str) -> None:
        if update.query_id:
            self._delivery.toast(update.query_id, refusal)
        else:
            tell(self._delivery, update, refusal)

    def _tell_of_trouble(self, updates: list[Update], exc: Exception) -> None:
        """Say once to each chat what is the matter: nothing of the batch was confirmed, so it comes again."""
        trouble = storage_trouble(exc)
        for update in updates:
            if trouble and update.place.chat_id not in self._told_of_trouble:
                self._told_of_trouble.add(update.place.chat_id)
                tell_of_trouble(self._delivery, update, trouble)


def say(text: str) -> None:
    """Print for the person who started the bot."""
    print(text, flush=True)  # noqa: T201 - this is what the log is not: for the eyes of that person


def run(settings: Settings) -> int:
    """Work in Telegram until stopped; returns the exit code."""
    with opened(settings) as database:
        bot = Bot(settings, database, Telegram(settings))
        notify(READY)  # though Telegram may not answer for hours: that is no failed start
        try:
            bot.work()
        except KeyboardInterrupt:
            log.info("Останавливаюсь")
        except BadTokenError:
            say(REFUSED_BY_TELEGRAM)
            return 2
        except db.FileReplacedError as exc:
            log.critical("%s: %s.", settings.db_path, storage_trouble(exc))
            return 1
        finally:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # a second Ctrl-C does not wait
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            notify(STOPPING)
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
    with closing(migrations.claim(settings.db_path)):
        if kept := copy_before_upgrade(settings.db_path, settings.now()):
            log.info("База — старой версии программы; её копия: %s", kept)
        with closing(db.Database(settings.db_path)) as database:
            yield database


def main(args: list[str]) -> int:
    """Start what the arguments and the settings ask for; returns the exit code."""
    options = parse(args)
    console = options.console
    try:
        env_file.load(HERE / ".env")
        settings = Settings.from_env(os.environ)
    except (env_file.EnvFileError, SettingsError) as exc:
        say(str(Finding(False, str(exc))) if options.check else str(exc))
        return 1 if options.check else 2
    if (findings := chore(options, settings)) is not None:
        return show(findings, say)
    if not settings.token and not console:
        if not sys.stdin.isatty():
            say(HOW_TO_START)
            return 2
        say("TOKEN не задан (.env), поэтому без Telegram, прямо здесь.")
        console = True
    set_up_logging(
        "WARNING" if console else settings.log_level,
        [settings.token, *(unquoted(os.environ.get(f"{service}_API_KEY", "")) for service in SERVICES)],
    )
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return run_console(settings) if console else run(settings)
    except (sqlite3.Error, OSError, migrations.NewerFileError, migrations.AlreadyOpenError) as exc:
        if storage_trouble(exc) is None:
            raise
        log.critical("Не могу начать (%s): %s.", settings.db_path, storage_trouble(exc))
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
