"""Files that the bot sends, saved for the person at the terminal and for nobody else."""

import contextlib
import itertools
import re
from pathlib import Path

LONGEST_NAME = 100
_UNFIT_FOR_A_NAME = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]')


def save(folder: Path, name: str, data: bytes) -> Path:
    """Write a new file under a harmless form of the name and return where; never overwrites.

    Like the database it is readable by its owner only. Raises OSError if it cannot be written.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(OSError):  # of somebody else; the file itself is private all the same
        folder.chmod(0o700)  # an earlier version let everybody in
    harmless = Path(_UNFIT_FOR_A_NAME.sub("_", name).strip(" .") or "file")
    stem, suffix = harmless.stem[:LONGEST_NAME], harmless.suffix[:20]
    for number in itertools.count(1):
        path = folder / f"{stem}{f' ({number})' if number > 1 else ''}{suffix}"
        with contextlib.suppress(FileExistsError):
            path.touch(mode=0o600, exist_ok=False)
            path.write_bytes(data)
            break
    return path.resolve()
