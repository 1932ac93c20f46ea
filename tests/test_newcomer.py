"""What README.ru.md tells a newcomer, done word for word in a fresh clone: `make test-newcomer`.

The blocks above its first numbered step are run as they stand, with what it says to type on standard input.
"""

import os
import re
import subprocess
from pathlib import Path

import pytest

from support.harness import ROOT

pytestmark = pytest.mark.skipif(
    not os.environ.get("NEWCOMER"),
    reason="fetches the packages anew, which takes minutes: make test-newcomer",
)
START = (ROOT / "README.ru.md").read_text("utf-8").partition("\n### 1.")[0]
TYPED = re.findall(r"`(/[^`]+)`", START.partition("наберите")[2].partition(".")[0])
MINUTES = 15


def blocks() -> list[str]:
    """Return the blocks of commands, without their remarks."""
    return re.findall(r"^```sh\n(.*?)^```", START, re.MULTILINE | re.DOTALL)


def told(block: str, folder: Path) -> str:
    """Run a block with nothing around it but the way to the packages, and return what is printed."""
    kept = ("PATH", "HOME", "PIP_INDEX_URL", "PIP_CERT", "HTTPS_PROXY", "https_proxy", "SSL_CERT_FILE")
    environment = {name: os.environ[name] for name in kept if name in os.environ} | {"LANG": "C.UTF-8"}
    # The whole suite would be this very test's own caller: a part of it shows that it can be run.
    environment["PYTEST_ADDOPTS"] = "tests/test_folding.py tests/test_start.py"
    done = subprocess.run(
        ["/bin/sh", "-ec", block],
        input="".join(f"{line}\n" for line in TYPED),
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=60 * MINUTES,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A fresh clone of what is committed here."""
    folder = tmp_path / "zametochnik"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)  # noqa: S607
    return folder


@pytest.fixture(scope="module", autouse=True)
def packages(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Skip the test where no package can be fetched."""
    command = ["python3", "-m", "pip", "download", "--quiet", "--no-deps", "python-dotenv==1.2.4"]
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


@pytest.mark.parametrize("number", [0, 1])
def test_the_commands_of_the_start_lead_to_a_bot_that_keeps_a_note(clone: Path, number: int) -> None:
    print_out = told(blocks()[number], clone)
    assert "/note_add <текст>" in print_out
    assert "Заметка #1 сохранена." in print_out
    assert re.search(r"#1 · .* · купить хлеб", print_out)
    assert number or re.search(r"\d+ passed", print_out)
