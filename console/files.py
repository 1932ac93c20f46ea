"""Saving the files that the bot sends, readable only by the person at the terminal."""

import contextlib
import itertools
import re
from pathlib import Path

LONGEST_NAME = 100
_UNFIT_FOR_A_NAME = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]')


def save(folder: Path, name: str, data: bytes) -> Path:
    """Write a new file under a safe form of the name and return its path; it never overwrites.

    Like the database, only its owner can read it. Raises OSError if it cannot be written.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(OSError):  # somebody else's folder; the file itself is private anyway
        folder.chmod(0o700)  # an earlier version left it open to everybody
    harmless = Path(_UNFIT_FOR_A_NAME.sub("_", name).strip(" .") or "file")
    stem, suffix = harmless.stem[:LONGEST_NAME], harmless.suffix[:20]
    for number in itertools.count(1):
        path = folder / f"{stem}{f' ({number})' if number > 1 else ''}{suffix}"
        with contextlib.suppress(FileExistsError):
            path.touch(mode=0o600, exist_ok=False)
            path.write_bytes(data)
            break
    return path.resolve()
