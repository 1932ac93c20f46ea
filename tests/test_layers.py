"""The rooms of the house: who may import whom, and that importing does nothing."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from support.harness import ROOT

# Imports nothing: not the database, not the network, not the environment. And it says so if somebody does.
GUARD = """
import importlib, sys

FORBIDDEN = {"socket.connect", "socket.bind", "socket.getaddrinfo", "sqlite3.connect", "subprocess.Popen"}

def watch(event, args):
    if event in FORBIDDEN:
        raise AssertionError(f"{event} {args}")
    if event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+"):
        raise AssertionError(f"{event} {args}")

sys.addaudithook(watch)
importlib.import_module(sys.argv[1])
"""


def house() -> list[str]:
    """Return the names of all modules of the product."""
    paths = [
        path.relative_to(ROOT)
        for pattern in ("*.py", "*/*.py")
        for path in ROOT.glob(pattern)
        if path.relative_to(ROOT).parts[0] not in ("tests", "bench") and not path.parts[-2].startswith(".")
    ]
    return sorted(".".join(path.with_suffix("").parts).removesuffix(".__init__") for path in paths)


MODULES = house()


@cache
def imported_by(module: str) -> frozenset[str]:
    """Return what a module imports, wherever in the file, as it is written there."""
    path = ROOT.joinpath(*module.split("."))
    source = (path / "__init__.py" if path.is_dir() else path.with_suffix(".py")).read_text("utf-8")
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import"
            found |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(found)


def reaches(module: str) -> set[str]:
    """Return the modules of the house that come along with a module."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        new = (imported_by(waiting.pop()) & set(MODULES)) - found
        found |= new
        waiting += new
    return found


def of(*rooms: str) -> list[str]:
    """Return the modules of these rooms: a module or a package with all its modules."""
    return [module for module in MODULES if module.split(".")[0] in rooms]


def roots(modules: frozenset[str] | set[str]) -> set[str]:
    return {module.split(".")[0] for module in modules}


def test_the_rooms_are_where_the_design_says() -> None:
    assert {"bot", "db", "openrouter_client", "telegram", "console", "handlers"} <= roots(set(MODULES))
    assert (ROOT / "schema.sql").is_file()


def test_the_file_knows_only_how_it_is_opened_and_what_text_is() -> None:
    assert reaches("db") == {"migrations", "storage.folding"}


@pytest.mark.parametrize("room", ["migrations", "storage.folding", "telegram.splitting", "settings"])
def test_the_lowest_rooms_know_nothing_of_the_house(room: str) -> None:
    assert reaches(room) == set()


@pytest.mark.parametrize("module", of("openrouter_client", "openrouter"))
def test_the_client_of_the_models_knows_only_itself(module: str) -> None:
    assert roots(reaches(module)) <= {"openrouter", "openrouter_client"}


@pytest.mark.parametrize("module", of("console"))
def test_the_terminal_knows_of_the_bot_only_what_telegram_would_answer(module: str) -> None:
    assert {name for name in reaches(module) if not name.startswith("console")} <= {
        "telegram",
        "telegram.api",
        "settings",
    }


def test_a_drawn_prompt_costs_nothing_where_there_is_none() -> None:
    assert [name for name in MODULES if "prompt_toolkit" in roots(imported_by(name))] == ["console.prompt"]
    done = subprocess.run(
        [sys.executable, "-c", "import bot, sys; print('prompt_toolkit' in sys.modules)"],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )
    assert done.stdout == "False\n"


@pytest.mark.parametrize("module", of("storage"))
def test_storage_knows_neither_telegram_nor_words_for_people(module: str) -> None:
    assert roots(imported_by(module)) & {"telebot", "requests", "dotenv", "os"} == set()
    assert roots(reaches(module)) <= {"storage", "db", "migrations", "openrouter", "openrouter_client"}


@pytest.mark.parametrize("module", of("handlers"))
def test_handlers_know_neither_the_library_nor_sql(module: str) -> None:
    assert roots(imported_by(module)) & {"telebot", "sqlite3", "requests", "os"} == set()
    assert roots(imported_by(module)) & {"bot"} == set()
    assert not imported_by(module) & {"telegram.delivery", "telegram.api"}


def test_only_the_room_of_delivery_and_the_loop_know_the_library() -> None:
    knowing = {module for module in MODULES if "telebot" in roots(imported_by(module))}
    assert knowing <= {"bot", "telegram.delivery", "telegram.api", "telegram.menu", "logs"}


def test_nobody_imports_the_program_itself() -> None:
    assert [module for module in MODULES if "bot" in imported_by(module)] == []


@pytest.mark.parametrize("module", MODULES)
def test_importing_needs_no_token_and_does_nothing(module: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-B", "-c", GUARD, module],
        env={"PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []
