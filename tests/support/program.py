"""The program itself: a copy of it, and `python bot.py` with options that do one job and exit."""

import shutil
from pathlib import Path

from support.harness import API_KEY, ROOT, Harness
from support.warm_start import WarmProcess


def run(bot: Harness, *keys: str, **settings: str) -> tuple[int, str]:
    """Run the program with these options beside a bot; return its exit code and standard output."""
    code, printed, complained = WarmProcess(bot.environment | settings, bot.folder, *keys).ended()
    assert complained == ""
    assert bot.server.token not in printed
    assert API_KEY not in printed
    return code, printed


def piped(environment: dict[str, str], folder: Path, *lines: str) -> str:
    """Pipe lines into the console, and return its output; it must exit with 0 and an empty stderr."""
    process = WarmProcess(environment, folder, "--console", typed="\n".join(lines))
    code, printed, complained = process.ended()
    assert (code, complained) == (0, "")
    return printed


def copy_of_the_program(folder: Path) -> Path:
    """Copy the program without the developer's files; compiled bytecode is copied, too."""
    ignored = shutil.ignore_patterns(".*", "tests", "bench", "*.db*", "console-files")
    shutil.copytree(ROOT, folder, ignore=ignored)
    return folder
