"""The start in README.ru.md, followed word for word in a fresh clone: `make test-newcomer`.

The blocks above the first numbered step run unchanged in a terminal; what the text says is typed there.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.harness import ROOT

if sys.platform == "win32":
    pytest.skip("Windows has no pseudo-terminals", allow_module_level=True)

from support.drawn_terminal import DrawnTerminal

pytestmark = pytest.mark.skipif(
    not os.environ.get("NEWCOMER"),
    reason="fetches the packages anew, which takes minutes: make test-newcomer",
)
START = (ROOT / "README.ru.md").read_text("utf-8").partition("\n### 1.")[0]
TYPED = re.findall(r"`(/[^`]+)`", START.partition("наберите")[2].partition(".")[0])
PATIENCE_S = 900


def blocks() -> list[str]:
    """Return the blocks of commands from the start of the README."""
    return re.findall(r"^```sh\n(.*?)^```", START, re.MULTILINE | re.DOTALL)


def surroundings() -> dict[str, str]:
    """Return an environment with nothing but what finds Python and downloads packages."""
    names = [
        name
        for name in os.environ
        if name in ("PATH", "HOME") or re.match(r"PIP_|SSL_|https?_proxy", name, re.I)
    ]
    path = os.environ["PATH"].replace(f"{Path(sys.executable).parent}:", "")
    # A part of the suite shows that it runs; all of it would only take minutes more.
    ours = {"PATH": path, "PYTEST_ADDOPTS": "tests/test_folding.py tests/test_dialogue_notes.py"}
    return {name: os.environ[name] for name in names} | ours


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A fresh clone of this repository's last commit."""
    folder = tmp_path / "zametochnik"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)  # noqa: S607
    return folder


@pytest.fixture(scope="module", autouse=True)
def packages(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Skip the test if no package can be downloaded."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "python-dotenv==1.2.4"]
    done = subprocess.run(
        command, cwd=tmp_path_factory.mktemp("index"), capture_output=True, encoding="utf-8", check=False
    )
    if done.returncode:
        pytest.skip(f"no package index: {done.stderr[-200:]}")


def test_the_start_has_what_is_tried_here() -> None:
    assert [re.findall(r"^make \w+", block, re.MULTILINE) for block in blocks()] == [
        ["make run", "make test"],
        [],
    ]
    assert TYPED == ["/help", "/note_add купить хлеб", "/note_list"]


@pytest.mark.parametrize("block", blocks(), ids=["make", "without make"])
def test_the_commands_of_the_start_lead_to_a_bot_that_keeps_a_note(clone: Path, block: str) -> None:
    shell = ["/bin/sh", "-ec", block]
    with DrawnTerminal(surroundings(), clone, 120, 50, command=shell, patience_s=PATIENCE_S) as terminal:
        terminal.sees(lambda lines: lines[-1] == ">")
        terminal.enters("/help")
        terminal.sees("/note_add <текст>")
        terminal.enters("/note_add купить хлеб")
        terminal.sees("Заметка #1 сохранена.")
        terminal.enters("/note_list")
        terminal.sees(lambda lines: any(re.search(r"#1 · .* · купить хлеб", line) for line in lines))
        terminal.type_bytes(b"\x04")  # Ctrl-D
        assert terminal.ends() == 0, terminal.everything
        assert "make test" not in block or re.search(r"\d+ passed", terminal.everything)
