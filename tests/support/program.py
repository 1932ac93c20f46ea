"""The program itself: a copy of it, and `python bot.py` with keys that do their work and end."""

import shutil
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


def piped(environment: dict[str, str], folder: Path, *lines: str) -> str:
    """Pipe lines into the terminal, and return what was printed; nothing may be complained of."""
    process = WarmProcess(environment, folder, "--console", typed="\n".join(lines))
    code, printed, complained = process.ended()
    assert (code, complained) == (0, "")
    return printed


def copy_of_the_program(folder: Path) -> Path:
    """Copy what a clone has, without what a developer adds to it; what is compiled stays so."""
    ignored = shutil.ignore_patterns(".*", "tests", "bench", "*.db*", "console-files")
    shutil.copytree(ROOT, folder, ignore=ignored)
    return folder
