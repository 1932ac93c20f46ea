"""A file that somebody sends: which of our formats it has, in which encoding, and the notes in it."""

import io
import itertools
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Literal

from db import Note
from transfer.files import BrokenFileError, Unreadable
from transfer.json_lines import PROGRAM, PROGRAM_IN_ASCII, is_json, read_json
from transfer.txt import is_txt, read_txt

_BEGINNING = 400  # bytes, enough to recognise an export of ours
_BOMS = {BOM_UTF8: "utf-8-sig", BOM_UTF16_LE: "utf-16", BOM_UTF16_BE: "utf-16"}
_MARKS = (" · ", PROGRAM, PROGRAM_IN_ASCII)  # their bytes differ in each of these encodings
_ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "cp1251")


@dataclass(frozen=True, slots=True)
class Export:
    """An export of ours, perhaps saved again by a Windows editor."""

    data: bytes = field(repr=False)
    kind: Literal["txt", "json"]
    encoding: str

    def notes(self, zone: tzinfo | None) -> Iterator[Note | Unreadable]:
        """Yield the notes in it; raises BrokenFileError if it turns out to be incomplete."""
        try:
            yield from read_txt(self._lines(), zone) if self.kind == "txt" else read_json(self._lines())
        except UnicodeDecodeError:
            raise BrokenFileError("он обрывается посреди буквы") from None

    def _lines(self) -> Iterator[str]:
        """Yield the lines without their line ends; damaged bytes become lone surrogates (not in UTF-16)."""
        errors = "strict" if "16" in self.encoding else "surrogateescape"
        text = io.TextIOWrapper(io.BytesIO(self.data), self.encoding, errors, newline="\n")
        first = text.readline()
        ending = "\r\n" if first.endswith("\r\n") else "\n"
        for line in itertools.chain([first], text):
            yield line.removesuffix("\n").removesuffix(ending[:-1])


def recognised(data: bytes) -> Export | None:
    """Return the file as an Export; None if it is not one of ours."""
    encoding = _encoding(data[:_BEGINNING])
    beginning = data[:_BEGINNING].decode(encoding, "ignore") if encoding else ""
    if is_json(beginning):
        return Export(data, "json", encoding)
    return Export(data, "txt", encoding) if is_txt(beginning.lstrip().partition("\n")[0]) else None


def _encoding(beginning: bytes) -> str:
    """Return the encoding of an export of ours with this beginning; "" for any other file."""
    for bom, encoding in _BOMS.items():
        if beginning.startswith(bom):
            return encoding
    for encoding in _ENCODINGS:
        if any(mark.encode(encoding) in beginning for mark in _MARKS):
            return encoding
    return ""
