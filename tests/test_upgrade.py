"""`make upgrade` brings newer code to an older database, and copies the database first."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from db import Database
from support.harness import ROOT
from support.program import copy_of_the_program

TOOLS = {name: shutil.which(name) for name in ("git", "make")}


def run(folder: Path, *command: str) -> str:
    """Run a command, assert that it succeeds, and return its output."""
    done = subprocess.run(
        [TOOLS.get(command[0]) or "", *command[1:]],
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "DB_PATH": str(folder / "notes.db"),
            "GIT_CONFIG_GLOBAL": os.devnull,
        },
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def commit(folder: Path) -> None:
    run(folder, "git", "add", "-A")
    run(folder, "git", "-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-qm", "a")


@pytest.mark.skipif(not all(TOOLS.values()), reason="git or make is not installed")
def test_the_newest_version_comes_after_a_copy_of_the_file(tmp_path: Path) -> None:
    published = copy_of_the_program(tmp_path / "published")
    (published / ".gitignore").write_text((ROOT / ".gitignore").read_text("utf-8"), encoding="utf-8")
    run(published, "git", "init", "-q")
    commit(published)
    run(tmp_path, "git", "clone", "-q", "published", "mine")
    mine = tmp_path / "mine"
    Database(mine / "notes.db").close()
    (published / "new.py").touch()
    commit(published)
    venv = tmp_path / "venv"  # looks like an installed environment
    venv.mkdir()
    for name in ("bin", "lib", "pyvenv.cfg"):
        (venv / name).symlink_to(Path(sys.prefix) / name)
    (venv / "run").touch()
    assert "Копия базы" in run(mine, "make", "upgrade", f"VENV={venv}")
    assert (mine / "new.py").exists()
    assert len(list((mine / "backups").iterdir())) == 1
    assert run(mine, "git", "status", "--porcelain") == ""
