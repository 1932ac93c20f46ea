"""A copy as it goes through Telegram: as it is, or packed if it is too large for that."""

import zlib
from pathlib import Path

_GZIP = 16 + zlib.MAX_WBITS  # zlib's way to say: with the header of a .gz file
_AT_ONCE = 2**20


def packed(path: Path, limit: int) -> tuple[str, bytes] | None:
    """Return a name and at most `limit` bytes; None if even packed they would be more."""
    if path.stat().st_size <= limit:
        return path.name, path.read_bytes()
    pack = zlib.compressobj(wbits=_GZIP)
    content = bytearray()
    with path.open("rb") as file:
        while block := file.read(_AT_ONCE):
            content += pack.compress(block)
            if len(content) > limit:
                return None
    content += pack.flush()
    return (f"{path.name}.gz", bytes(content)) if len(content) <= limit else None
