"""The one table of commands, and the Call that a handler gets.

`@command` and `@button` append rows of plain data. The dispatcher, /help, the menu in the Telegram
client and the test of the README all read these rows.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field

from access import Gate
from answers.asking import Tools
from answers.questions import Questions
from answers.searching import Searching
from db import Database
from in_words import in_words
from settings import Settings
from storage.days import Days
from storage.dialogue import Dialogue
from storage.journal import Journal
from storage.notebook import Notebook
from storage.people import People
from storage.pieces import Pieces
from storage.preferences import Preferences
from storage.recalled import Recalled
from storage.registry import Registry
from telegram.api import Door, TelegramError
from telegram.delivery import Delivery
from telegram.formatted import behind, is_blank
from telegram.lines import first_line
from telegram.menu import Menu, publishing, removals
from telegram.replies import Reply, UserError
from telegram.splitting import Entity
from telegram.updates import Message, Place
from transfer.works import Work

MAX_ID = 10**18  # SQLite's limit is 2**63 - 1
NOTES, MODELS, MORE, OWNERS = "Заметки", "Модели", "Ещё о заметках", "Владельцу"  # the groups of /help


class WrongArgumentsError(Exception):
    """Arguments that do not fit the command; the reply is its usage line and this text, if any."""


class App:
    """What the handlers may use, built once: the tables of one database file, and the parts that use them."""

    def __init__(
        self, settings: Settings, db: Database, journal: Journal, delivery: Delivery, door: Door
    ) -> None:
        self.settings, self.db = settings, db
        self.notebook, self.days, self.pieces = Notebook(db), Days(db), Pieces(db)
        self.registry, self.dialogue, self.people = Registry(db), Dialogue(db), People(db)
        self.preferences, self.recalled = Preferences(db), Recalled(db)
        self.gate = Gate(settings, self.people)
        self.searching = Searching(self.dialogue)
        tools = Tools(settings, journal, self.registry, self.dialogue, delivery, door.download)
        self.questions = Questions(tools)
        self.works: dict[int, Work] = {}  # by the journal number of the update that started it
        self.username = ""  # the bot's own, known after get_me
        self._door = door

    def download(self, file_id: str) -> bytes:
        """Download a file that somebody sent; raises UserError."""
        try:
            return self._door.download(file_id)
        except TelegramError as exc:
            raise UserError(in_words(exc)) from None


@dataclass(frozen=True, slots=True)
class Call:
    """What a person did: sent a command with arguments, or pressed a button with data."""

    app: App = field(repr=False)
    entry_id: int  # its number in the journal
    user_id: int
    place: Place
    private: bool
    message: Message  # the command, or the message with the button
    date: int  # seconds since 1970
    name: str = ""  # of the command or button; "" for plain text
    args: str = field(default="", repr=False)
    entities: tuple[Entity, ...] = field(default=(), repr=False)  # formatting of the arguments
    batch: tuple[Message, ...] = ()  # all messages sent together, `message` first
    answer_ids: tuple[int, ...] = ()  # messages with the answer that an earlier run began
    query_id: str = ""  # of the pressed button
    edited: bool = False  # whether this is an edit of an older message

    def number(self, highest: int = MAX_ID, default: int | None = None) -> int:
        """Return the arguments as a number from 1; without any, `default`; raises WrongArgumentsError."""
        if self.args.strip():
            return parse_number(self.args, highest)
        if default is None:
            raise WrongArgumentsError
        return default

    def text(self) -> str:
        """Return the arguments as they were written; raises WrongArgumentsError if they are blank."""
        if is_blank(self.args):
            raise WrongArgumentsError
        return self.args

    def behind(self, start: int) -> tuple[str, tuple[Entity, ...]]:
        """Return the arguments from `start` on, with their formatting."""
        return self.args[start:], behind(self.entities, self.args[:start])


Handler = Callable[[Call], Reply | str]


@dataclass(frozen=True, slots=True)
class Command:
    """A row of the table."""

    name: str
    usage: str  # the arguments, as /help prints them
    summary: str  # what it does
    run: Handler
    wrong: str  # the reply to arguments that do not fit
    group: str  # the heading under which /help lists it
    in_menu: bool  # of the Telegram client
    asks_a_model: bool

    @property
    def owner_only(self) -> bool:
        """Whether only the owner may use it."""
        return self.group == OWNERS


COMMANDS: dict[str, Command] = {}
BUTTONS: dict[str, Handler] = {}


def command(
    name: str,
    usage: str,
    summary: str,
    *,
    wrong: str = "",
    group: str = NOTES,
    in_menu: bool = True,
    asks_a_model: bool = False,
) -> Callable[[Handler], Handler]:
    """Add a function to the table; `wrong` replaces the usage in the reply to wrong arguments."""

    def add(run: Handler) -> Handler:
        if name in COMMANDS or not re.fullmatch(r"[a-z0-9_]{1,32}", name):
            raise ValueError(name)
        told = f"Использование: /{name} {wrong or usage}".rstrip()
        COMMANDS[name] = Command(name, usage, summary, run, told, group, in_menu, asks_a_model)
        return run

    return add


def button(name: str) -> Callable[[Handler], Handler]:
    """Add a function that handles the buttons of this name."""

    def add(run: Handler) -> Handler:
        if name in BUTTONS or ":" in name:
            raise ValueError(name)
        BUTTONS[name] = run
        return run

    return add


def menu(door: Door, gate: Gate, *, in_telegram: bool) -> Menu:
    """Return the job that publishes the table as a menu, in Telegram's clients or in the terminal."""
    rows = [row for row in COMMANDS.values() if row.in_menu]
    everybodys = [(row.name, row.summary) for row in rows if not row.owner_only]
    owners = [(row.name, row.summary) for row in rows if row.owner_only]
    calls = publishing(everybodys, gate.owner, owners, gate.listed[1:])
    return Menu(door, [*calls, *(removals(gate.owner) if in_telegram else ())])


def parse_number(text: str, highest: int = MAX_ID) -> int:
    """Return a whole number from 1 to `highest`, also from #7, №7 or «7.»; raises WrongArgumentsError."""
    digits = digits_in(text)
    # At most 18, to stay below SQLite's limit.
    if not 1 <= len(digits) <= 18 or not 1 <= (number := int(digits)) <= highest:
        upto = f" до {highest}" if highest < MAX_ID else ""
        raise WrongArgumentsError(f"«{first_line(text, 30)}» не подходит: нужно целое число от 1{upto}.")
    return number


def digits_in(text: str) -> str:
    """Return the digits of a number in any script, also from #7, №7, <7>, «7.»; "" if it is not a number."""
    visible = "".join(char for char in text if unicodedata.category(char) != "Cf")
    digits = re.sub(r"""^[\s#№<\[("'«]+|[\s>\])"'»!?.,:;]+$""", "", visible)
    # decimal(), since isdigit() also accepts ²
    return digits if all(unicodedata.decimal(digit, None) is not None for digit in digits) else ""
