"""The layers of the product: which modules may import which, and that importing has no side effects."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from support.harness import ROOT

# Fails if an import uses a socket or a database, starts a process, or opens a file for writing.
GUARD = """
import importlib, sys

FORBIDDEN = {"socket.connect", "socket.bind", "socket.getaddrinfo", "sqlite3.connect", "subprocess.Popen"}

def watch(event, args):
    if event in FORBIDDEN:
        raise AssertionError(f"{event} {args}")
    if event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+"):
        raise AssertionError(f"{event} {args}")

sys.addaudithook(watch)
for module in sys.argv[1:]:
    importlib.import_module(module)
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
    """Return the names that a module imports anywhere in its file, as written there."""
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
    """Return all modules of the product that a module imports, directly or indirectly."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        new = (imported_by(waiting.pop()) & set(MODULES)) - found
        found |= new
        waiting += new
    return found


def of(*rooms: str) -> list[str]:
    """Return all modules of these rooms; a room is a module or a package."""
    return [module for module in MODULES if module.split(".")[0] in rooms]


def roots(modules: frozenset[str] | set[str]) -> set[str]:
    return {module.split(".")[0] for module in modules}


# The rooms or modules that each room may import; the main program may import anything.
MAY_IMPORT = {
    "openrouter": {"openrouter", "starting.addresses"},
    "openrouter_client": {"openrouter", "starting"},
    "starting": {"starting", "settings", "logs", "upkeep"},
    "settings": {"starting.addresses"},
    "logs": set(),
    "migrations": set(),
    "db": {"migrations", "storage"},
    "storage": {
        "db", "migrations", "storage", "openrouter_client", "telegram.formatted", "telegram.splitting",
    },
    "telegram": {"telegram", "settings", "starting.addresses", "upkeep.systemd"},
    "console": {"console", "telegram.api"},
    "access": {"settings", "storage", "telegram.updates"},
    "in_words": {"db", "migrations", "storage", "openrouter_client", "telegram.api", "telegram.replies"},
    "answers": {
        "answers", "db", "storage", "openrouter_client", "openrouter.parse", "in_words", "settings",
        "telegram",
    },
    "commands": {
        "access", "answers", "db", "in_words", "settings", "storage", "telegram", "transfer",
    },
    "handlers": {
        "handlers", "commands", "answers", "db", "storage", "openrouter_client", "settings", "telegram",
        "upkeep", "transfer", "pictures",
    },
    "pictures": set(),
    "transfer": {
        "transfer", "db", "storage.tags", "telegram.contents", "telegram.lines", "telegram.splitting",
    },
    "dispatch": {"dispatch", "commands", "handlers", "in_words", "db", "storage", "telegram", "transfer"},
    "upkeep": {
        "upkeep", "db", "migrations", "storage", "settings", "openrouter_client", "telegram.api", "in_words",
    },
}  # fmt: skip


def test_a_room_knows_only_the_rooms_below_it() -> None:
    arrows = [
        (module, known)
        for module in MODULES
        if module != "bot"
        for known in imported_by(module) & set(MODULES)
        if not {known, known.split(".")[0]} & MAY_IMPORT[module.split(".")[0]]
    ]
    assert arrows == []


def test_the_rooms_are_where_the_design_says() -> None:
    assert roots(set(MODULES)) - {"bot"} <= set(MAY_IMPORT)
    assert (ROOT / "schema.sql").is_file()


@pytest.mark.parametrize("room", [
    "migrations", "storage.folding", "telegram.splitting", "telegram.fields", "starting.addresses",
    "starting.surroundings",
])  # fmt: skip
def test_the_lowest_rooms_know_nothing_of_the_house(room: str) -> None:
    assert {name for name in reaches(room) if name != "storage.folding"} == set()


def test_there_is_no_circle_of_imports() -> None:
    assert [module for module in MODULES if module in reaches(module) and module != "handlers"] == []


def is_loaded_with_the_bot(module: str) -> bool:
    """Return whether `import bot` also loads another module."""
    done = subprocess.run(
        [sys.executable, "-c", f"import bot, sys; print({module!r} in sys.modules)"],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )
    return {"True\n": True, "False\n": False}[done.stdout]


def test_a_drawn_prompt_costs_nothing_where_there_is_none() -> None:
    assert [name for name in MODULES if "prompt_toolkit" in roots(imported_by(name))] == ["console.prompt"]
    assert not is_loaded_with_the_bot("prompt_toolkit")


def test_what_draws_is_not_there_before_the_first_picture() -> None:
    # PIL.Image is loaded by pyTelegramBotAPI, which checks whether a photo is a PIL image.
    assert not is_loaded_with_the_bot("PIL.ImageFont")


def who_imports(outside: set[str], *rooms: str) -> list[str]:
    """Return the modules of these rooms that import any of the names in `outside`."""
    return [module for module in of(*rooms) if (imported_by(module) | roots(imported_by(module))) & outside]


def test_only_the_rooms_at_the_doors_know_what_is_outside() -> None:
    outside = {"telebot", "requests", "dotenv"}
    assert who_imports(outside, "storage", "handlers", "answers", "dispatch", "commands", "db") == []
    assert who_imports(outside, "telegram", "openrouter", "starting") != []


def test_no_sql_outside_of_the_file() -> None:
    assert who_imports({"sqlite3"}, "handlers", "commands", "telegram", "console", "openrouter") == []
    assert "db" in who_imports({"sqlite3"}, "db")


def test_handlers_answer_and_do_not_send() -> None:
    doors = {"telegram.delivery", "telegram.api"}
    assert who_imports(doors, "handlers") == []
    assert who_imports(doors, "dispatch") != []


def test_nobody_imports_the_program_itself() -> None:
    assert [module for module in MODULES if "bot" in imported_by(module)] == []


def test_importing_needs_no_token_and_does_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-B", "-c", GUARD, *MODULES],
        env={"PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []
