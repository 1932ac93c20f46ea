"""Facts written in two places agree, and no file or function grows too long."""

import ast
import os
import re
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import pytest

import handlers
import openrouter_client
from commands import COMMANDS
from settings import _CHECKED_ONLY, _PARSERS
from support.harness import CATALOGUE, ROOT, setting_names
from telegram.menu import DESCRIPTION
from telegram.splitting import utf16_len

README = (ROOT / "README.md").read_text("utf-8")
SETTINGS = sorted([*_PARSERS, *_CHECKED_ONLY, "OPENROUTER_API_KEY"])
LINES_OF_A_FILE = 400
LINES_OF_A_FUNCTION = 45


def sources() -> list[Path]:
    """Return the product's source files; tests may be of any length."""
    found = [*ROOT.glob("*.py"), *ROOT.glob("*/*.py"), *ROOT.glob("*.sql")]
    besides = ("tests", "bench")
    return sorted(p for p in found if p.relative_to(ROOT).parts[0] not in besides and p.parts[-2][0] != ".")


# ---- Settings -------------------------------------------------------------------------------


def test_the_example_has_every_setting_once() -> None:
    assert sorted(setting_names()) == SETTINGS


def test_the_example_works_as_it_is() -> None:
    given = re.findall(r"^([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text("utf-8"), re.MULTILINE)
    assert given == [("TOKEN", ""), ("OPENROUTER_API_KEY", "")]


def test_no_other_variable_is_read() -> None:
    reading = re.compile(r"""(?:environ(?:\.get)?|getenv|\benv(?:\.get)?)[(\[]\s*f?["']([A-Z_]+)["']""")
    found = {name for path in sources() for name in reading.findall(path.read_text("utf-8"))}
    # TERM (the terminal's abilities) and NOTIFY_SOCKET (systemd's socket) are not the bot's settings.
    assert found <= {*SETTINGS, "TERM", "NOTIFY_SOCKET"}


def test_the_readme_explains_every_setting() -> None:
    assert [name for name in SETTINGS if not re.search(rf"^\|[^|]*`{name}`", README, re.MULTILINE)] == []


def test_the_readme_explains_every_key_of_the_program() -> None:
    keys = re.findall(r'"(--[a-z]+)"', (ROOT / "starting" / "command_line.py").read_text("utf-8"))
    assert len(keys) >= 6
    assert [key for key in keys if not re.search(rf"`[^`]*bot\.py {key}\b", README)] in ([], ["--help"])


# ---- Commands -------------------------------------------------------------------------------


def test_the_readme_explains_every_command() -> None:
    usages = [f"/{name} {command.usage}".strip() for name, command in COMMANDS.items()]
    assert [usage for usage in usages if f"`{usage}`" not in README] == []


def test_the_readme_names_no_command_that_is_not_there() -> None:
    named = set(re.findall(r"`/([a-z_]+)(?=[` ])", README))  # not paths
    assert named - set(COMMANDS) <= {"newbot", "setinline"}  # these belong to BotFather


def test_the_menu_is_what_telegram_takes() -> None:
    assert handlers.__doc__
    menu = [row for row in COMMANDS.values() if row.in_menu and not row.owner_only]
    assert len(menu) <= 100
    for row in menu:
        assert re.fullmatch(r"[a-z0-9_]{1,32}", row.name)
        assert 1 <= len(row.summary) <= 256
    assert utf16_len(DESCRIPTION) <= 512


# ---- README.ru.md ---------------------------------------------------------------------------


RUSSIAN = (ROOT / "README.ru.md").read_text("utf-8")
# Commands, settings, keys, make targets, the bot's texts, links: the same in both languages.
SAME = (
    r"`(/[a-z_]+)",
    r"`(\*?[A-Z]+_[A-Z_]+|TOKEN)\b",
    r"bot\.py (--[a-z]+)",
    r"\b(make [a-z-]+)\b`",
    r"«([^»]+)»",
    r"`(\[\d{3}\])`",
    r"\]\(((?!docs/what)[^)#]+)\)",
    r'src="([^"]+)"',
    r"^([A-Z_]+=.*)$",
)


@pytest.mark.parametrize("kind", SAME)
def test_both_readmes_name_the_same(kind: str) -> None:
    english = set(re.findall(kind, README, re.MULTILINE)) - {"README.ru.md"}
    assert english
    assert english - set(re.findall(kind, RUSSIAN, re.MULTILINE)) == set()


def test_the_russian_readme_has_every_row_and_section_in_the_same_order() -> None:
    assert marks(RUSSIAN) == marks(README)


def marks(readme: str) -> list[str]:
    """Return the headings' depths, and for each row of a table the code in its first cell."""
    lines = re.findall(r"^(?:#+ |\|.*)", readme, re.MULTILINE)
    return [
        line if line[0] == "#" else " ".join(re.findall(r"`[^`]+`", line.split("|")[1])) for line in lines
    ]


@pytest.mark.parametrize("readme", [README, RUSSIAN], ids=["english", "russian"])
def test_what_a_readme_leads_to_is_there(readme: str) -> None:
    leads = re.findall(r"\]\(([^)#:]+)\)|src=\"([^\"]+)\"", readme)
    assert leads
    assert [found for pair in leads for found in pair if found and not (ROOT / found).exists()] == []
    headings = {
        re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-")
        for head in re.findall(r"^#+ (.*)", readme, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", readme)) <= headings


def test_both_pages_about_what_leaves_name_the_same() -> None:
    english = (ROOT / "docs" / "what-leaves-your-machine.md").read_text("utf-8")
    russian = (ROOT / "docs" / "chto-uhodit.md").read_text("utf-8")
    code = r"`[^`\n]+`(?!`)|«[^»]+»|^[A-Z_]+=.*$"
    named = set(re.findall(code, english, re.MULTILINE))
    assert {f"`{name}`" for name in SETTINGS if name.endswith(("_URL", "_PROXY"))} <= named
    assert named <= set(re.findall(code, russian, re.MULTILINE))


# ---- docs/how-it-is-built.md ----------------------------------------------------------------


WALK = (ROOT / "docs" / "how-it-is-built.md").read_text("utf-8")
STOPS = re.findall(r"^\| `([^|]+)` \| `(\w+)` \|", WALK, re.MULTILINE)


@pytest.mark.parametrize(("rooms", "function"), STOPS)
def test_the_function_to_read_first_is_where_the_walk_says(rooms: str, function: str) -> None:
    files = [path for room in rooms.split("`, `") for path in files_of(ROOT / room)]
    assert files
    assert any(re.search(rf"^ *def {function}\(", path.read_text("utf-8"), re.MULTILINE) for path in files)


def files_of(room: Path) -> list[Path]:
    assert room.exists(), room
    return sorted(room.rglob("*.py")) if room.is_dir() else [room]


def test_every_room_is_on_the_walk() -> None:
    assert len(STOPS) > 20
    rooms = {path.relative_to(ROOT).parts[0] for path in sources()}
    assert [room for room in rooms if f"`{room}" not in WALK] == []


# ---- Models ---------------------------------------------------------------------------------


def test_the_client_asks_the_model_of_the_catalogue_that_never_ends() -> None:
    assert openrouter_client.DEFAULT_MODEL == "openrouter/free"
    assert openrouter_client.DEFAULT_MODEL in CATALOGUE


# ---- Installing and checking ----------------------------------------------------------------


def pinned(file: str) -> dict[str, str]:
    """Return the packages of a requirements file with their versions; each must be pinned."""
    lines = [line for line in (ROOT / file).read_text("utf-8").splitlines() if line and line[0] not in "#-"]
    return dict(line.split("==") for line in lines)


def needed_by(package: str) -> set[str]:
    """Return all packages that an installed package depends on, on any system."""
    found: set[str] = set()
    waiting = [package]
    while waiting:
        for line in requires(waiting.pop()) or ():
            name = re.match(r"[\w.-]+", line)
            assert name
            if "extra ==" not in line and name[0] not in found and is_installed(name[0]):
                found.add(name[0])
                waiting.append(name[0])
    return found


def is_installed(package: str) -> bool:
    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True


def test_everything_that_is_installed_is_pinned() -> None:
    direct = pinned("requirements.txt")
    known = {normal(name) for name in direct | pinned("requirements-dev.txt") | pinned("constraints.txt")}
    assert direct
    for package in direct:
        assert {normal(name) for name in needed_by(package)} <= known


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_ci_runs_what_the_readme_says() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    for command in ("make run", "make test"):
        assert re.search(rf"^{command}\b", README, re.MULTILINE)
    assert "make test" in script.read_text("utf-8").splitlines()


# ---- Size -----------------------------------------------------------------------------------


def test_no_file_is_outgrown() -> None:
    lengths = {str(path): len(path.read_text("utf-8").splitlines()) for path in sources()}
    assert {path: lines for path, lines in lengths.items() if lines > LINES_OF_A_FILE} == {}


def test_no_function_is_longer_than_a_screen() -> None:
    lengths = {
        f"{path}: {node.name}": (node.end_lineno or 0) - node.lineno
        for path in sources()
        if path.suffix == ".py"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef)
    }
    assert {name: lines for name, lines in lengths.items() if lines >= LINES_OF_A_FUNCTION} == {}


def test_every_public_thing_says_what_it_is() -> None:
    nameless = [
        f"{path.name}: {getattr(node, 'name', 'module')}"
        for path in sources()
        if path.suffix == ".py"
        for node in public_things(ast.parse(path.read_text("utf-8")))
        if not ast.get_docstring(node)
    ]
    assert nameless == []


def public_things(tree: ast.Module) -> list[ast.Module | ast.ClassDef]:
    """Return the module and its public classes."""
    return [tree, *(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name[0] != "_")]
