"""The files in deploy/: what goes into the image, and that Litestream restores the notes."""

import fnmatch
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path, PurePosixPath

import pytest

from support.harness import ROOT, Harness

NewBot = Callable[..., Harness]
DEPLOY = ROOT / "deploy"
PRODUCT = [
    path.relative_to(ROOT).as_posix()
    for path in (*ROOT.glob("*.py"), *ROOT.glob("*/*.py"), ROOT / "schema.sql", ROOT / "requirements.txt")
    if path.relative_to(ROOT).parts[0] not in ("tests", "bench") and not path.parts[-2].startswith(".")
]
MOST_LOST_S = 5.0  # Litestream alone needs about one; a busy machine delays it
INTERVAL_S = 0.02


def program(name: str) -> str:
    """Return the path of a program from requirements-deploy.txt; skip the test if it is not installed."""
    path = Path(sys.executable).with_name(name)
    if not path.exists():
        pytest.skip(f"{name} is not installed: make test-deploy")
    return str(path)


# ---- The image ------------------------------------------------------------------------------


def goes_into_the_image(name: str) -> bool:
    """Return whether .dockerignore lets a file into the image: the last pattern that matches decides."""
    let_in = True
    for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines():
        pattern = line.removeprefix("!").removeprefix("**/")
        path = PurePosixPath(name)
        # A pattern matches the path itself or a folder above it; `**/` matches at any depth.
        whole = [str(part) for part in (path, *path.parents)]
        names = [*whole, *path.parts] if "**/" in line else whole
        if line and line[0] != "#" and any(_fits(part, pattern) for part in names):
            let_in = line.startswith("!")
    return let_in


def _fits(name: str, pattern: str) -> bool:
    return name.count("/") == pattern.count("/") and fnmatch.fnmatch(name, pattern)


def test_what_the_bot_runs_on_goes_into_the_image() -> None:
    assert [name for name in PRODUCT if not goes_into_the_image(name)] == []


@pytest.mark.parametrize(
    "name",
    [
        ".env",
        ".git/config",
        ".venv/bin/python",
        "notes.db",
        "backups/notes-2026-01-01.db",
        "console-files/1.txt",
        "tests/conftest.py",
        "handlers/__pycache__/ask.pyc",
        "deploy/replica/notes",
        "anything.new",
    ],
)
def test_nothing_else_does(name: str) -> None:
    assert not goes_into_the_image(name)


def test_the_dockerfile_has_nothing_that_its_lint_minds() -> None:
    done = subprocess.run(
        [program("hadolint"), str(DEPLOY / "Dockerfile")], capture_output=True, encoding="utf-8", check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


# ---- Litestream -----------------------------------------------------------------------------


class Litestream:
    """The real Litestream, replicating one bot's database with the configuration in deploy/."""

    def __init__(self, bot: Harness) -> None:
        self._folder = bot.folder
        self._database = str(bot.db_path)
        self._environment = {
            "PATH": os.environ.get("PATH", ""),
            "DB_PATH": self._database,
            "REPLICA_URL": f"file://{bot.folder}/replica",
        }

    def _command(self, *words: str) -> list[str]:
        return [program("litestream"), words[0], "-config", str(DEPLOY / "litestream.yml"), *words[1:]]

    @contextmanager
    def replicating(self) -> Iterator[subprocess.Popen[bytes]]:
        with (self._folder / "litestream.log").open("wb") as log:
            process = subprocess.Popen(
                self._command("replicate"), env=self._environment, stdout=log, stderr=subprocess.STDOUT
            )
            try:
                yield process
            finally:
                process.kill()
                process.wait()

    def restored(self, name: str) -> Path | None:
        """Restore into a new file and return its path; None if there is nothing to restore yet."""
        path = self._folder / name
        for old in self._folder.glob(f"{name}*"):
            old.unlink()
        done = subprocess.run(
            self._command("restore", "-o", str(path), self._database),
            env=self._environment,
            capture_output=True,
            check=False,
        )
        return path if done.returncode == 0 else None


def texts(path: Path | None) -> list[str]:
    """Return the texts of the notes in a file, oldest first; none if it has no such table yet."""
    if path is None:
        return []
    with closing(sqlite3.connect(path)) as conn:
        assert conn.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        if not conn.execute("SELECT 1 FROM sqlite_master WHERE name = 'notes'").fetchone():
            return []
        return [text for (text,) in conn.execute("SELECT text FROM notes ORDER BY number")]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no kill -9")
def test_killed_together_bot_and_litestream_lose_no_more_than_the_last_moment(new_bot: NewBot) -> None:
    bot = new_bot()
    litestream = Litestream(bot)
    bot.start()
    anna = bot.person()
    kept: list[tuple[float, str]] = []  # time of the confirmation, and the text

    def keep(text: str) -> None:
        assert anna.says(f"/note_add {text}").endswith("сохранена.")
        kept.append((time.monotonic(), text))

    with litestream.replicating() as process:
        keep("первая")
        bot.wait(lambda: texts(litestream.restored("try.db")) == ["первая"])
        began = time.monotonic()
        while time.monotonic() < began + MOST_LOST_S + 3:
            keep(f"мысль {len(kept)}")
            time.sleep(INTERVAL_S)  # a person's pace, no waiting for a condition
        process.send_signal(signal.SIGKILL)
        bot.kill()
    killed = time.monotonic()
    assert texts(bot.db_path) == [text for _, text in kept]  # kill -9 alone loses nothing
    back = texts(litestream.restored("restored.db"))
    assert back == [text for _, text in kept[: len(back)]]
    lost = kept[len(back) :]
    assert all(killed - at <= MOST_LOST_S for at, _ in lost), f"{len(lost)} lost"
    shutil.move(bot.folder / "restored.db", bot.db_path)
    for end in ("-wal", "-shm"):
        bot.db_path.with_name(bot.db_path.name + end).unlink(missing_ok=True)
    bot.start()
    anna.says("/note_count")
    # As after any kill, the bot now handles the updates that the restored journal still holds.
    assert texts(bot.db_path) in [[text for _, text in kept[: len(back) + more]] for more in (0, 1)]
