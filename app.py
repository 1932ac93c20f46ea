"""What the handlers may use, put together once by `bot.py`."""

from dataclasses import dataclass

from access import Gate
from answers.questions import Questions
from db import Database
from settings import Settings
from storage.dialogue import Dialogue
from storage.people import People
from storage.registry import Registry


@dataclass(slots=True)
class App:
    """The rooms below the handlers."""

    settings: Settings
    db: Database
    registry: Registry
    dialogue: Dialogue
    people: People
    gate: Gate
    questions: Questions
    username: str = ""  # of the bot, as soon as Telegram has told it
