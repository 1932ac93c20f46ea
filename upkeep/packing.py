"""Prepares a copy for sending through Telegram: as it is, or gzipped if it is too large."""

import zlib
from pathlib import Path

_GZIP = 16 + zlib.MAX_WBITS  # zlib's code for a gzip header
_AT_ONCE = 2**20


def packed(path: Path, limit: int) -> tuple[str, bytes] | None:
    """Return a file name and its content, at most `limit` bytes; None if it is larger even gzipped."""
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
