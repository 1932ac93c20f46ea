"""Reads `.env` as editors and shells save it: UTF-8, UTF-16, UTF-32, or the Russian Windows code page."""

import codecs
import os
from io import StringIO
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import parse_stream

SAVE_AS = "Откройте его в редакторе и сохраните в кодировке UTF-8."
# What word processors and chats put around a value; dotenv itself strips plain quotes.
_AROUND = " \t\u00a0\u200b\u2060\ufeff«»„“”‘’"


class EnvFileError(Exception):
    """A `.env` that cannot be read; the text says why and what to do, in Russian."""


def load(path: Path) -> None:
    """Add the settings in a file to the environment; raises EnvFileError.

    What the environment already has wins. A missing file means no settings.
    """
    bindings = list(parse_stream(StringIO(_text(path))))
    for binding in bindings:
        if binding.error:  # report only the line's number: its text may be a secret
            number = binding.original.line + _blank_lines_before(binding.original.string)
            raise EnvFileError(
                f"{path}: строка {number} не похожа на ИМЯ=значение. Исправьте или удалите её."
            )
    # A name without a value, as in .env.example, does not override the same name with a value above it.
    given = "".join(binding.original.string for binding in bindings if binding.value)
    for name, value in dotenv_values(stream=StringIO(given)).items():
        os.environ.setdefault(name, (value or "").strip(_AROUND))


def _text(path: Path) -> str:
    if path.is_dir():
        raise EnvFileError(f"{path} — папка, а нужен файл с настройками (образец — .env.example).")
    try:
        text = _decoded(path.read_bytes())
        if "\0" in text:
            raise EnvFileError(f"{path} сохранён в неизвестной кодировке. {SAVE_AS}")
    except FileNotFoundError:
        return ""
    except OSError as exc:
        raise EnvFileError(f"{path} не читается ({exc.strerror}). Дайте право на чтение.") from exc
    except UnicodeDecodeError:
        raise EnvFileError(f"{path} сохранён в неизвестной кодировке. {SAVE_AS}") from None
    return "\n".join(text.splitlines())


def _decoded(data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return data.decode("utf-32")
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):  # PowerShell's `>`
        return data.decode("utf-16")
    if b"\0" in data:  # UTF-16 without a BOM
        return data.decode("utf-16-le" if data[1:2] == b"\0" else "utf-16-be")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1251")


def _blank_lines_before(statement: str) -> int:
    return len(statement) - len(statement.lstrip("\n"))
