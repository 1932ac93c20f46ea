"""What most tests begin with: a bot at work, and somebody who has never met it."""

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

# A shell lets what it starts in the background ignore Ctrl-C, and the bots of the tests would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
# The same examples each time, so that a run is red for what was changed and not for its luck, however busy
# the machine is. New ones are looked for by `make fuzz`.
ANY = hypothesis.settings(
    deadline=None, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture]
)
hypothesis.settings.register_profile("same", ANY, derandomize=True, max_examples=40)
hypothesis.settings.register_profile("new", ANY, max_examples=2000)
hypothesis.settings.load_profile("same")
Harness.warm = Harness.hurried = True
Harness.menus_cleared = False
# Nobody looks through what stays to the end: what was imported, and thousands of tests.
gc.disable()
FAR_EAST = "Asia/Vladivostok"  # ten hours ahead of UTC all year


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files of few tests: those are the long ones, and each file is one process's work."""
    tests_of = Counter(item.path for item in items)
    items.sort(key=lambda item: tests_of[item.path])


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="module")
def telegrams_pace() -> Iterator[None]:
    """Bots of this module edit their messages as often as Telegram bears; for `usefixtures`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Harness, "hurried", False)
        yield


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """One bot for all tests of a module; everybody is let in."""
    with Harness(tmp_path_factory.mktemp("bot"), TIMEZONE=FAR_EAST) as harness:
        yield harness.start()


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    """A file of the test's own."""
    with closing(Database(tmp_path / "notes.db")) as database:
        yield database


@pytest.fixture
def new_bot(tmp_path: Path) -> Iterator[Callable[..., Harness]]:
    """Makes a bot of the test's own, not started yet."""
    with ExitStack() as stack:
        yield lambda **settings: stack.enter_context(Harness(tmp_path, **settings))


@pytest.fixture
def anna(bot: Harness) -> Person:
    """Somebody who has never met the bot."""
    return bot.person(name="Анна")


@pytest.fixture
def boris(bot: Harness) -> Person:
    """Somebody else."""
    return bot.person(name="Борис")


@pytest.fixture
def at_openrouter(new_bot: Callable[..., Harness]) -> Callable[..., Harness]:
    """Starts a bot of the test's own; openrouter.ai lists these models, and the list has been read."""
    return lambda *models: begin(new_bot(), *models)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeOpenRouter]:
    """A made-up OpenRouter that the settings of this process lead to."""
    with FakeOpenRouter() as server:
        point_at(monkeypatch, server.base_url)
        yield server
