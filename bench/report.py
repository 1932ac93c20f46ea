"""The figures as tables, and the machine that they come from."""

import os
import platform
import sqlite3
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median

LIBRARIES = ("pyTelegramBotAPI", "requests", "urllib3", "markdown-it-py")
SYNCS = 50


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table; `met` is None if it has no aim."""

    what: str
    ours: str
    against: str = ""
    ratio: str = ""
    aim: str = ""
    met: bool | None = None


def compared(
    what: str,
    ours: float,
    other: float,
    *,
    digits: int = 1,
    at_most: float | None = None,
    at_least: float | None = None,
) -> Row:
    """Return a row of two figures, with the aim for their ratio, if any."""
    ratio = ours / other
    aim, met = "", None
    if at_most is not None:
        aim, met = f"ratio ≤ {at_most:g}", ratio <= at_most
    if at_least is not None:
        aim, met = f"ratio ≥ {at_least:g}", ratio >= at_least
    return Row(what, f"{ours:.{digits}f}", f"{other:.{digits}f}", f"{ratio:.2f}", aim, met)


def table(sections: dict[tuple[str, str], list[Row]]) -> str:
    """Return Markdown tables; a key is a section's title and the name of what it compares with."""
    return "\n\n".join(_section(*heading, rows) for heading, rows in sections.items())


def _section(title: str, other: str, rows: Iterable[Row]) -> str:
    verdicts = {None: "", True: "met", False: "**missed**"}
    lines = [f"### {title}", "", f"| | Заметочник | {other} | ratio | aim | |", "|---|--:|--:|--:|---|---|"]
    lines += [
        f"| {row.what} | {row.ours} | {row.against} | {row.ratio} | {row.aim} | {verdicts[row.met]} |"
        for row in rows
    ]
    return "\n".join(lines)


def circumstances(folder: Path, seconds: float, load: float) -> str:
    """Return the date, the machine and the versions as a Markdown list."""
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    now = datetime.now().astimezone()
    return "\n".join(
        [
            f"* {now:%Y-%m-%d %H:%M %Z}; the run took {seconds:.0f} s; load average before it: {load:.2f}",
            f"* {_processor()}, {os.cpu_count()} cores, {_memory_gb():.0f} GB; {platform.platform()}",
            f"* the disk takes {_sync_ms(folder):.2f} ms (median) to sync a small write",
            f"* Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {libraries}",
        ]
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9


def _sync_ms(folder: Path) -> float:
    times = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(SYNCS):
            begun = time.perf_counter()
            file.write(bytes(4096))
            file.flush()
            os.fsync(file.fileno())
            times.append(time.perf_counter() - begun)
    return 1000 * median(times)
