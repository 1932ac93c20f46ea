"""Fixtures for most tests: a running bot, and people who have never met it."""

import gc
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import hypothesis
import pytest

from db import Database
from support.fake_openrouter import FakeOpenRouter
from support.harness import Harness, Person
from support.openrouter_settings import point_at
from support.registry_people import begin

# A shell makes its background jobs ignore SIGINT, and the tests' bots would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
# Use the same examples every run, so that a failure comes from a change, not from chance or a busy machine.
# `make fuzz` looks for new ones.
ANY = hypothesis.settings(
    deadline=None, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture]
)
hypothesis.settings.register_profile("same", ANY, derandomize=True, max_examples=40)
hypothesis.settings.register_profile("new", ANY, max_examples=2000)
hypothesis.settings.load_profile("same")
Harness.warm = Harness.hurried = True
Harness.menus_cleared = False
# Keep the garbage collector away from what lives to the end: imports and thousands of tests.
gc.disable()
FAR_EAST = "Asia/Vladivostok"  # UTC+10 all year


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run files with few tests first: they take longest, and a file is not split between processes."""
    tests_of = Counter(item.path for item in items)
    items.sort(key=lambda item: tests_of[item.path])


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="module")
def telegrams_pace() -> Iterator[None]:
    """Let this module's bots edit messages only as often as Telegram allows; for `usefixtures`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Harness, "hurried", False)
        yield


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """Return one bot for all tests of a module, open to everybody."""
    with Harness(tmp_path_factory.mktemp("bot"), TIMEZONE=FAR_EAST) as harness:
        yield harness.start()


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    """Return a new database."""
    with closing(Database(tmp_path / "notes.db")) as database:
        yield database


@pytest.fixture
def new_bot(tmp_path: Path) -> Iterator[Callable[..., Harness]]:
    """Return a function that creates a bot for this test only, not started."""
    with ExitStack() as stack:
        yield lambda **settings: stack.enter_context(Harness(tmp_path, **settings))


@pytest.fixture
def anna(bot: Harness) -> Person:
    """Return somebody who has never met the bot."""
    return bot.person(name="Анна")


@pytest.fixture
def boris(bot: Harness) -> Person:
    """Return somebody else."""
    return bot.person(name="Борис")


@pytest.fixture
def at_openrouter(new_bot: Callable[..., Harness]) -> Callable[..., Harness]:
    """Return a function that starts a bot for this test only; it has read these models at openrouter.ai."""
    return lambda *models: begin(new_bot(), *models)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeOpenRouter]:
    """Return a fake OpenRouter; this process's settings point at it."""
    with FakeOpenRouter() as server:
        point_at(monkeypatch, server.base_url)
        yield server
