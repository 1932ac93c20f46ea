"""What is typed or comes from a pipe, as text: bytes read as whoever wrote them meant them."""

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
    """Bytes that cannot be read as a text without loss."""


def lines_of(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of a pipe in UTF-8 or in what Windows uses instead; UTF-16 is read whole."""
    first = stream.readline()
    # Without a mark it is known by the upper halves of its Latin and Russian letters.
    unmarked = len(first) > 1 and set(first[1:4:2]) <= {0, 4}
    if encoding := _UTF_16.get(first[:2]) or ("utf-16-le" if unmarked else ""):  # PowerShell
        whole = first + stream.read()
        text = whole[: len(whole) // 2 * 2].decode(encoding, "surrogatepass")
        yield from text.encode("utf-8", "surrogatepass").splitlines()
    elif first:
        yield first
        yield from iter(stream.readline, b"")


def text_of(line: bytes) -> str:
    """Read one line or pasted text; raises UnreadableError."""
    try:
        text = line.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        text = _of_windows(line)
    # Halves of an emoji, as some programs write them, are put together; one alone is left out.
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "ignore")
    return printable(text.removeprefix("\ufeff").replace("\r\n", "\n"))


def _of_windows(line: bytes) -> str:
    """Read a line in the code page of Windows' programs or in that of its console."""
    if _RUSSIAN.search(line.decode("utf-8", "ignore")):
        raise UnreadableError  # Russian in UTF-8, cut or mixed with something else
    readings = []
    for encoding in ("cp1251", "cp866"):
        try:
            readings.append(line.decode(encoding))
        except UnicodeDecodeError:  # cp1251 has a gap, cp866 has none
            continue
    return max(readings, key=lambda text: len(_RUSSIAN.findall(text)))


def messages_of(lines: Iterable[str]) -> Iterator[str]:
    """Yield the messages: lines that are not blank, joined where a backslash says so."""
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
