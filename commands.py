"""The one table of commands, and the Call that reaches them.

`@command` and `@button` append rows of pure data. The dispatcher, /help, the menu in the Telegram
client and the check of the README all read the same rows.
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

MAX_ID = 10**18  # SQLite holds 2**63 - 1
NOTES, MODELS, MORE, OWNERS = "Заметки", "Модели", "Ещё о заметках", "Владельцу"  # the groups of /help


class WrongArgumentsError(Exception):
    """Arguments that do not fit the command; the answer is its usage line, and the text if there is one."""


class App:
    """What the handlers may use, put together once; its parts are the tables of one file, and their users."""

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
        self.works: dict[int, Work] = {}  # by the number in the journal of what began it
        self.username = ""  # of the bot, as soon as Telegram has told it
        self._door = door

    def download(self, file_id: str) -> bytes:
        """Fetch a file that somebody sent; raises UserError."""
        try:
            return self._door.download(file_id)
        except TelegramError as exc:
            raise UserError(in_words(exc)) from None


@dataclass(frozen=True, slots=True)
class Call:
    """What a person did: a command with its arguments, or a button with its data."""

    app: App = field(repr=False)
    entry_id: int  # its number in the journal
    user_id: int
    place: Place
    private: bool
    message: Message  # the command, or the message with the button
    date: int  # seconds since 1970
    name: str = ""  # of the command or button; empty for words without one
    args: str = field(default="", repr=False)
    entities: tuple[Entity, ...] = field(default=(), repr=False)  # formatting of the arguments
    batch: tuple[Message, ...] = ()  # all that came at once, the message first
    answer_ids: tuple[int, ...] = ()  # messages in which an earlier run began the answer
    query_id: str = ""  # of a button that was pressed
    edited: bool = False  # the person has changed an older message to this

    def number(self, highest: int = MAX_ID, default: int | None = None) -> int:
        """Read the arguments as one whole number from 1; raises WrongArgumentsError for anything else."""
        if self.args.strip():
            return parse_number(self.args, highest)
        if default is None:
            raise WrongArgumentsError
        return default

    def text(self) -> str:
        """Return the arguments as they were written; raises WrongArgumentsError if there are none."""
        if is_blank(self.args):
            raise WrongArgumentsError
        return self.args

    def behind(self, start: int) -> tuple[str, tuple[Entity, ...]]:
        """Return the rest of the arguments with its formatting."""
        return self.args[start:], behind(self.entities, self.args[:start])


Handler = Callable[[Call], Reply | str]


@dataclass(frozen=True, slots=True)
class Command:
    """A row of the table."""

    name: str
    usage: str  # the arguments, as /help prints them
    summary: str  # what it does
    run: Handler
    wrong: str  # the answer to arguments that do not fit
    group: str  # under which /help has it
    in_menu: bool  # of the Telegram client
    asks_a_model: bool

    @property
    def owner_only(self) -> bool:
        """Whether it is for the owner alone."""
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
    """Add a function to the table; `wrong` replaces the usage in the answer to wrong arguments."""

    def add(run: Handler) -> Handler:
        if name in COMMANDS or not re.fullmatch(r"[a-z0-9_]{1,32}", name):
            raise ValueError(name)
        told = f"Использование: /{name} {wrong or usage}".rstrip()
        COMMANDS[name] = Command(name, usage, summary, run, told, group, in_menu, asks_a_model)
        return run

    return add


def button(name: str) -> Callable[[Handler], Handler]:
    """Add a function that answers buttons of that name."""

    def add(run: Handler) -> Handler:
        if name in BUTTONS or ":" in name:
            raise ValueError(name)
        BUTTONS[name] = run
        return run

    return add


def menu(door: Door, gate: Gate, *, in_telegram: bool) -> Menu:
    """Return the job that publishes the table, in Telegram's clients or in the terminal."""
    rows = [row for row in COMMANDS.values() if row.in_menu]
    everybodys = [(row.name, row.summary) for row in rows if not row.owner_only]
    owners = [(row.name, row.summary) for row in rows if row.owner_only]
    calls = publishing(everybodys, gate.owner, owners, gate.listed[1:])
    return Menu(door, [*calls, *(removals(gate.owner) if in_telegram else ())])


def parse_number(text: str, highest: int = MAX_ID) -> int:
    """Read a whole number from 1, also as #7, №7 or «7.»; raises WrongArgumentsError."""
    digits = digits_in(text)
    # No more of them than SQLite can count.
    if not 1 <= len(digits) <= 18 or not 1 <= (number := int(digits)) <= highest:
        upto = f" до {highest}" if highest < MAX_ID else ""
        raise WrongArgumentsError(f"«{first_line(text, 30)}» не подходит: нужно целое число от 1{upto}.")
    return number


def digits_in(text: str) -> str:
    """Return the digits of what is a number in any alphabet, also of #7, №7, <7>, «7.»; "" for all else."""
    visible = "".join(char for char in text if unicodedata.category(char) != "Cf")
    digits = re.sub(r"""^[\s#№<\[("'«]+|[\s>\])"'»!?.,:;]+$""", "", visible)
    # decimal(), since isdigit() takes ² for a digit, too
    return digits if all(unicodedata.decimal(digit, None) is not None for digit in digits) else ""
