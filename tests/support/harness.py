"""The bot as a process, between a fake Telegram and a fake OpenRouter, and people who talk to it.

    with Harness(folder) as bot:      # the two servers
        bot.start()                   # `python bot.py` in an environment of its own
        assert bot.person().says("/note_count") == "Заметок: 0."

On exit it stops the process, and fails if the bot broke Telegram's rules, wrote a secret to its output, or
printed an unexpected traceback.
"""

import itertools
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Self, TypeVar

from bot_api.server import BotApiServer
from support.fake_openrouter import FakeOpenRouter
from support.openrouter_replies import Behaviour, Call, answer, model_entry
from support.warm_start import ROOT as ROOT
from support.warm_start import WarmProcess

T = TypeVar("T")
Message = dict[str, Any]

API_KEY = "sk-or-v1-TEST"
# The catalogue in the order of its ids, with the names from the course and the issue.
CATALOGUE = {
    "deepseek/deepseek-chat-v3.1:free": "DeepSeek V3.1 (free)",
    "deepseek/deepseek-r1:free": "DeepSeek R1 (free)",
    "mistralai/mistral-small-24b-instruct-2501:free": "Mistral Small 24b (free)",
    "meta-llama/llama-3.1-8b-instruct:free": "Llama 3.1 8B (free)",
    "google/gemma-4-31b-it:free": "Gemma 4 31B (free)",
    "google/gemma-4-26b-a4b-it:free": "Gemma 4 26B A4B (free)",
    "nvidia/nemotron-3-ultra-550b-a55b:free": "Nemotron 3 Ultra (free)",
    "nvidia/nemotron-3-nano-omni-30b-a3b-reasoning:free": "Nemotron 3 Nano Omni (free)",
    "cohere/north-mini-code:free": "North Mini Code (free)",
    "openrouter/free": "OpenRouter: любая бесплатная",
}
FOOTER = re.compile(r"\n\n\((?P<ms>\d+) мс; модель: (?P<model>[^;)]+)(?P<more>; [^)]*)?\)\Z")
# How an answer to /ask ends: with the footer, or with the reason for its absence.
_ENDED = re.compile(rf"{FOOTER.pattern}|Ошибка: \[\d+\] .+|Непредвиденная ошибка\.|Остановлено\.")


def setting_names() -> list[str]:
    """Return the names of the settings in .env.example, commented out or not."""
    return re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text("utf-8"), re.MULTILINE)


def name_of(model_id: int) -> str:
    """Return a catalogue model's name as the bot writes it."""
    key, label = list(CATALOGUE.items())[model_id - 1]
    return f"{label} [{key}]"


class Harness:
    """The servers and, after `start`, the bot; `settings` are named as in .env."""

    warm = False  # whether bots are forked from a process with the packages loaded; see warm_start
    hurried = False  # whether warm bots edit messages ten times as often as Telegram allows
    menus_cleared = True  # whether a bot may remove its predecessor's menus (sixty calls) or gets 429

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.server = BotApiServer()
        self.ai = FakeOpenRouter()
        self.answers: dict[str, Behaviour] = {}  # question -> how to answer it; others are echoed
        self.settings = settings
        self.traceback_expected = False
        self.out: list[str] = []  # lines of standard output, of all runs
        self.err: list[str] = []
        self.process: subprocess.Popen[str] | WarmProcess | None = None
        self._readers: list[threading.Thread] = []
        self._people = itertools.count(1001)

    # Lifecycle

    def __enter__(self) -> Self:
        self.server.start()
        if not self.menus_cleared:
            self.server.fail("deleteMyCommands", "429", times=None, retry_after=3600)
        self.ai.__enter__()
        self.ai.models = [model_entry(key, label, context_length=None) for key, label in CATALOGUE.items()]
        self.ai.always(self._answer)
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            if self.process and self.process.poll() is None:
                self.stop()
        finally:
            self.kill()
            self.server.stop()
            self.ai.__exit__()
        if kind is None:
            self.check()

    @property
    def db_path(self) -> Path:
        return self.folder / "notes.db"

    @property
    def environment(self) -> dict[str, str]:
        """The bot's environment: every setting is present, so that a .env beside bot.py has no effect."""
        return {
            "PATH": os.environ.get("PATH", ""),
            **dict.fromkeys(setting_names(), ""),
            "TOKEN": self.server.token,
            "TELEGRAM_API_URL": self.server.url,
            "OPENROUTER_BASE_URL": self.ai.base_url,
            "OPENROUTER_API_KEY": API_KEY,
            "DB_PATH": str(self.db_path),
            "ALLOWED_USERS": "*",
            **self.settings,
        }

    def launch(
        self, *arguments: str, script: Path = ROOT / "bot.py", stdin: int | IO[str] | None = None
    ) -> None:
        """Start the process without waiting for anything."""
        if self.warm and script == ROOT / "bot.py" and stdin is None:
            self.process = WarmProcess(self.environment, self.folder, *arguments, hurried=self.hurried)
        else:
            self.process = subprocess.Popen(
                [sys.executable, str(script), *arguments],
                env=self.environment,
                cwd=self.folder,
                stdin=subprocess.DEVNULL if stdin is None else stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                encoding="utf-8",
            )
        for stream, lines in ((self.process.stdout, self.out), (self.process.stderr, self.err)):
            assert stream is not None
            reader = threading.Thread(target=_collect, args=(stream, lines), daemon=True)
            reader.start()
            self._readers.append(reader)

    def start(self) -> Self:
        """Start the bot, and wait until it has called deleteWebhook."""
        seen = len(self.server.calls_of("deleteWebhook"))
        self.launch()
        self.wait(lambda: len(self.server.calls_of("deleteWebhook")) > seen)
        return self

    def stop(self, by: signal.Signals = signal.SIGTERM, timeout: float = 60) -> float:
        """Stop the bot, assert exit code 0, and return how many seconds it took."""
        assert self.process is not None
        started = time.monotonic()
        self.process.send_signal(by)
        code = self.exit_code(timeout)
        assert code == 0, f"exit code {code}\n{self.log}"
        return time.monotonic() - started

    def kill(self) -> None:
        """Kill the bot with SIGKILL, if it runs."""
        if self.process:
            self.process.kill()
            self.exit_code()

    def restart(self) -> None:
        """Stop the bot if it runs, and start it again."""
        if self.process and self.process.poll() is None:
            self.stop()
        self.start()

    def exit_code(self, timeout: float = 60) -> int:
        """Wait for the process and its output to end, and return the exit code."""
        assert self.process is not None
        code = self.process.wait(timeout)
        while self._readers:
            self._readers.pop().join(timeout)
        return code

    # The bot's output

    @property
    def log(self) -> str:
        """Everything the bot wrote to both streams."""
        return "".join([*self.out, *self.err])

    def check(self) -> None:
        """Fail on broken Telegram rules, on a secret in the output, or on an unexpected traceback."""
        assert self.server.violations == []
        assert self.server.token not in self.log
        assert API_KEY not in self.log
        assert self.traceback_expected or "Traceback" not in self.log, self.log

    def wait(self, predicate: Callable[[], T | None], timeout: float = 60) -> T:
        """Wait until the predicate is true and return its value.

        Raises AssertionError with the log if the bot dies first, or after `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        with self.server.changed:
            while not (value := self.server.changed.wait_for(predicate, 0.1)):
                died = self.process is not None and self.process.poll() is not None
                if died or time.monotonic() > deadline:
                    break
        if value:
            return value
        raise AssertionError(f"{'it died' if died else f'not within {timeout} s'}; it wrote:\n{self.log}")

    # People

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Deliver everything said in the block to the bot together, even on a slow machine."""
        with self.server.changed:
            yield

    def person(self, user_id: int | None = None, name: str = "") -> "Person":
        """Return a person, a new one unless an id is given."""
        user_id = user_id or next(self._people)
        self.server.user(user_id, name)
        return Person(self, user_id)

    def ask_bot(self, text: str, *, user_id: int = 1, **more: Any) -> Message:
        """Say something, and return the bot's reply to it."""
        return self.reply_to(self.server.say(text, user_id=user_id, **more))

    def reply_to(self, message: Message, timeout: float = 60) -> Message:
        """Wait for the bot's reply to a message."""
        place = message["chat"]["id"], message["message_id"]
        return self.wait(lambda: self.server.replies_to(*place), timeout)[0]

    def _answer(self, call: Call) -> None:
        question = call.request.question
        self.answers.get(question, answer(f"Вы спросили: {question}"))(call)


class Person:
    """A person in a private chat with the bot."""

    def __init__(self, bot: Harness, user_id: int) -> None:
        self.bot = bot
        self.id = user_id

    def says(self, text: str, **more: Any) -> str:
        """Say something, and return the text of the reply."""
        return str(self.asks(text, **more)["text"])

    def asks(self, text: str, **more: Any) -> Message:
        """Say something, and return the reply."""
        return self.bot.ask_bot(text, user_id=self.id, **more)

    def all_answers(self, text: str, **more: Any) -> list[Message]:
        """Say something, and return all messages sent in answer to it, in order."""
        asked = self.bot.server.say(text, user_id=self.id, **more)
        first = self.bot.reply_to(asked)
        # A chat is answered in order: all messages for the first come before the reply to the second.
        last = self.bot.reply_to(self.bot.server.say("/note_count", user_id=self.id))
        between = range(first["message_id"], last["message_id"])
        return [m for m in self.bot.server.messages(self.id) if m["message_id"] in between]

    def exports(self) -> str:
        """Export the notes, and return the content of the file."""
        message = self.asks("/note_export")
        sent = [document for document in self.bot.server.documents if document.chat_id == self.id][-1]
        assert sent.message_id == message["message_id"]
        assert sent.name.endswith(".txt")
        return sent.data.decode("utf-8")

    def is_ignored(self, message: Message) -> bool:
        """Return whether a message got no reply, although a later one did."""
        self.says("/note_count", chat_id=message["chat"]["id"])
        return not self.bot.server.replies_to(message["chat"]["id"], message["message_id"])

    def asks_model(self, question: str, timeout: float = 60, **more: Any) -> list[Message]:
        """Ask the model, and return the messages of its finished answer."""
        asked = self.bot.server.say(f"/ask {question}", user_id=self.id, **more)
        return self.answer_to(asked, timeout)

    def answer_to(self, asked: Message, timeout: float = 60) -> list[Message]:
        """Wait for the end of the answer to a question, and return its messages."""
        quoting = self.bot.reply_to(asked, timeout)

        def ended() -> list[Message]:
            found = self.bot.server.messages(asked["chat"]["id"])
            # Only the first message of an answer quotes the question; its continuations do not.
            grown = [m for m in found if m["message_id"] >= quoting["message_id"] and _goes_on(m, asked)]
            return grown if grown and _ENDED.search(grown[-1].get("text", "")) else []

        return self.bot.wait(ended, timeout)

    def press(self, message: Message, button: int | str = 0, *, data: str | None = None) -> str:
        """Press a button (or send `data`, as a modified client could), and return the notice."""
        chat_id, message_id = message["chat"]["id"], message["message_id"]
        query = self.bot.server.press(chat_id, message_id, button, user_id=self.id, data=data)
        return str(self.bot.wait(lambda: self.bot.server.answers.get(query)).get("text", ""))


def _goes_on(message: Message, asked: Message) -> bool:
    quoted = message.get("reply_to_message")
    return quoted is None or quoted["message_id"] == asked["message_id"]


def _collect(stream: IO[str], lines: list[str]) -> None:
    with stream:
        lines.extend(iter(stream.readline, ""))
