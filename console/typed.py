"""Decoding input from a keyboard or a pipe, whatever its encoding."""

import re
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from console.screen import printable

UNREADABLE = (
    "Строка не отправлена: в ней повреждённый текст (не UTF-8 и не кодировка Windows). Пришлите её в UTF-8."
)
_UTF_16 = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_RUSSIAN = re.compile("[а-яё]", re.IGNORECASE)


class UnreadableError(Exception):
    """Bytes that cannot be decoded without loss."""


def lines_of(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of a pipe, in UTF-8 or a Windows code page; UTF-16 is read whole and recoded."""
    first = stream.readline()
    # UTF-16 without a BOM is recognised by the high bytes of Latin and Russian letters.
    unmarked = len(first) > 1 and set(first[1:4:2]) <= {0, 4}
    if encoding := _UTF_16.get(first[:2]) or ("utf-16-le" if unmarked else ""):  # PowerShell
        whole = first + stream.read()
        text = whole[: len(whole) // 2 * 2].decode(encoding, "surrogatepass")
        yield from text.encode("utf-8", "surrogatepass").splitlines()
    elif first:
        yield first
        yield from iter(stream.readline, b"")


def text_of(line: bytes) -> str:
    """Decode one line or a pasted text; raises UnreadableError."""
    try:
        text = line.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        text = _of_windows(line)
    # Some programs write an emoji as two encoded surrogates: these are joined, a lone one is dropped.
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "ignore")
    return printable(text.removeprefix("\ufeff").replace("\r\n", "\n"))


def _of_windows(line: bytes) -> str:
    """Decode a line in the code page of Windows programs or of the Windows console."""
    if _RUSSIAN.search(line.decode("utf-8", "ignore")):
        raise UnreadableError  # Russian in UTF-8, truncated or mixed with another encoding
    readings = []
    for encoding in ("cp1251", "cp866"):
        try:
            readings.append(line.decode(encoding))
        except UnicodeDecodeError:  # cp1251 has an unused byte, cp866 has none
            continue
    return max(readings, key=lambda text: len(_RUSSIAN.findall(text)))


def messages_of(lines: Iterable[str]) -> Iterator[str]:
    """Yield the messages: non-blank lines, joined with the next one after a backslash at the end."""
    begun = ""
    for line in lines:
        line = begun + line.removesuffix("\n")
        begun = ""
        if line.endswith("\\"):
            begun = line.removesuffix("\\") + "\n"
        elif line.strip():
            yield line
    if begun.strip():
        yield begun
