"""`.env` is read however an editor or a shell has saved it; otherwise the error says what is wrong."""

import codecs
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from starting import env_file

Write = Callable[[bytes], Path]
TEXT = "# Мой бот\nTOKEN=123456:TEST\nDB_PATH=заметки.db\n"


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """A function that writes a `.env`; the test starts with an empty environment, restored afterwards."""
    monkeypatch.setattr(os, "environ", {})

    def write(data: bytes) -> Path:
        path = tmp_path / ".env"
        path.write_bytes(data)
        return path

    return write


def given() -> dict[str, str]:
    """Return the environment as it is now."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}


def said(path: Path) -> str:
    """Assert that a file is refused, and return the message, which is one line."""
    with pytest.raises(env_file.EnvFileError) as caught:
        env_file.load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(TEXT.encode(), id="UTF-8"),
        pytest.param(TEXT.encode("utf-8-sig"), id="with a mark"),
        pytest.param(TEXT.encode("utf-16"), id="PowerShell"),
        pytest.param(codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), id="big-endian"),
        pytest.param(TEXT.encode("utf-16-le"), id="without its mark"),
        pytest.param(TEXT.encode("utf-32"), id="of four bytes each"),
        pytest.param(TEXT.encode("utf-16-be"), id="big-endian without its mark"),
        pytest.param(TEXT.encode("cp1251"), id="cp1251"),
        pytest.param(TEXT.replace("\n", "\r\n").encode("cp1251"), id="cp1251 with Windows' line ends"),
        pytest.param(TEXT.replace("\n", "\r").encode(), id="line ends of an old Mac"),
        pytest.param(TEXT.rstrip().encode(), id="no line end at the end"),
    ],
)
def test_any_encoding_will_do(write: Write, data: bytes) -> None:
    env_file.load(write(data))
    assert given() == {"TOKEN": "123456:TEST", "DB_PATH": "заметки.db"}


@pytest.mark.parametrize(
    "line",
    [
        "export TOKEN=123456:TEST",
        'TOKEN="123456:TEST"',
        "TOKEN='123456:TEST'",
        "  TOKEN = 123456:TEST  ",
        "TOKEN=123456:TEST # от BotFather",
        "TOKEN=\t123456:TEST\r",
        "TOKEN=«123456:TEST»",
        "TOKEN=„123456:TEST“",
        "TOKEN=‘123456:TEST’ # от BotFather",
        "TOKEN=\u00a0\u200b123456:TEST\ufeff",
        "TOKEN=1:OLD\nTOKEN=123456:TEST",
        "TOKEN=123456:TEST\n# ниже образец\nTOKEN=\nTOKEN=''",
    ],
)
def test_a_line_may_be_written_in_any_of_these_ways(write: Write, line: str) -> None:
    env_file.load(write(f"\n{line}\n".encode()))
    assert given() == {"TOKEN": "123456:TEST"}


def test_what_is_set_already_wins(write: Write) -> None:
    os.environ["TOKEN"] = "1:SET"
    env_file.load(write(TEXT.encode()))
    assert os.environ["TOKEN"] == "1:SET"


def test_no_file_is_no_settings(write: Write, tmp_path: Path) -> None:
    env_file.load(tmp_path / "elsewhere")
    assert given() == {}


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("TOKEN: 123456:SECRET", 1),
        ("# a\r\n\r\nTOKEN=1:A\r\n\r\n\r\nSECRET here\r\nX=1\r\n", 6),
        ('A=1\nTOKEN="123456:SECRET\nB=2', 2),
        ("=SECRET", 1),
    ],
)
def test_a_line_that_is_no_setting_is_named_by_its_number(write: Write, text: str, number: int) -> None:
    sentence = said(write(text.encode()))
    assert f"строка {number} " in sentence
    assert "SECRET" not in sentence
    assert given() == {}


def test_what_is_in_no_known_encoding_is_refused(write: Write) -> None:
    assert "UTF-8" in said(write(b"TOKEN=\x98\xff\n"))
    assert "UTF-8" in said(write(TEXT.encode("utf-16") + b"\n"))
    assert "UTF-8" in said(write((TEXT + "\0").encode("utf-16")))


def test_a_folder_of_that_name_is_refused(tmp_path: Path) -> None:
    assert "папка" in said(tmp_path)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    loop = tmp_path / ".env"
    loop.symlink_to(loop)  # a loop, because root ignores file permissions
    assert "не читается" in said(loop)
