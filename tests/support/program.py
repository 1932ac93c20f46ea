"""The program itself: a copy of it, and `python bot.py` with keys that do their work and end."""

import shutil
import subprocess
import sys
from pathlib import Path

from support.harness import API_KEY, ROOT, Harness
from support.warm_start import WarmProcess


def run(bot: Harness, *keys: str, **settings: str) -> tuple[int, str]:
    """Start the program with these keys beside a bot; return its exit code and what it printed."""
    code, printed, complained = WarmProcess(bot.environment | settings, bot.folder, *keys).ended()
    assert complained == ""
    assert bot.server.token not in printed
    assert API_KEY not in printed
    return code, printed


def piped(environment: dict[str, str], folder: Path, *lines: str, timeout_s: float = 120) -> str:
    """Pipe lines into the terminal, and return what was printed; nothing may be complained of."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "bot.py"), "--console"],
        input="\n".join(lines),
        env=environment,
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        timeout=timeout_s,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout


def copy_of_the_program(folder: Path) -> Path:
    """Copy what a clone has, without what a developer adds to it."""
    ignored = shutil.ignore_patterns(".*", "tests", "bench", "__pycache__", "*.db*", "console-files")
    shutil.copytree(ROOT, folder, ignore=ignored)
    return folder
