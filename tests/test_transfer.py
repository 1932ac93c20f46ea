"""The export formats: an exported file can be imported, even after editing on Windows."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, tzinfo
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from db import Database, File, Note, Origin
from storage.importing import Imported, Importing
from storage.notebook import Notebook
from transfer.files import BrokenFileError, FilePart, Format, Unreadable, parts
from transfer.json_lines import JSON
from transfer.markdown import markdown_file
from transfer.reading import recognised
from transfer.txt import txt

NOON = 1_795_600_800  # 25.11.2026 10:00 UTC
KATHMANDU = ZoneInfo("Asia/Kathmandu")  # an offset of 5:45, and no summer time
MOST_S = 4_000_000_000

HEADERS = ("#8 · 24.11.2026 10:00", "#1 · 01.01.2020 00:00 ", "\u2060#8 · 24.11.2026 10:00", "#8 · вчера")
lines = st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=30) | st.sampled_from(
    ["", "#", " ", "]}", '{"a": 1},', *HEADERS]
)
texts = st.lists(lines, max_size=6).map("\n".join)
files = st.builds(
    File,
    st.sampled_from(["photo", "voice"]),
    st.text("abc", min_size=1),
    name=st.text(max_size=5),
    size=st.none() | st.integers(0, 2**40),
)
origins = st.none() | st.builds(
    Origin, st.text(max_size=9), st.just("https://t.me/x/1"), st.none() | st.just(5)
)


@st.composite
def notes(draw: st.DrawFn) -> list[Note]:
    """Notes with increasing numbers."""
    found = []
    for number, text in enumerate(
        draw(st.lists(texts, min_size=1, max_size=6)), start=draw(st.integers(1, 999))
    ):
        length = len(text.encode("utf-16-le")) // 2
        bold = {"type": "text_link", "offset": 0, "length": length, "url": "https://example.com"}
        found.append(
            Note(
                number,
                text,
                draw(st.integers(0, MOST_S)),
                (bold,) if length and draw(st.booleans()) else (),
                draw(origins),
                tuple(draw(st.lists(files, max_size=2))),
                draw(st.booleans()),
                draw(st.none() | st.integers(0, MOST_S)),
            )
        )
    return found


def written(given_notes: list[Note], form: Format, most: int = 10**6) -> list[bytes]:
    """Return the files that the notes are exported to."""
    return [part.content for part in parts(given_notes, form, most) if isinstance(part, FilePart)]


def read(data: bytes, zone: tzinfo | None = UTC) -> list[Note | Unreadable]:
    """Return the notes in a file."""
    export = recognised(data)
    assert export is not None
    return list(export.notes(zone))


def in_txt(note: Note) -> Note:
    """Return the parts of a note that a text file keeps."""
    return Note(note.number, note.text.rstrip("\n"), note.created_at // 60 * 60)


@given(notes(), st.integers(100, 2000))
def test_json_loses_nothing_in_as_many_files_as_it_takes(given_notes: list[Note], most: int) -> None:
    assert [note for data in written(given_notes, JSON, most) for note in read(data)] == given_notes


@given(notes())
def test_json_is_valid_as_a_whole(given_notes: list[Note]) -> None:
    (data,) = written(given_notes, JSON)
    whole = json.loads(data)
    assert [record["text"] for record in whole["notes"]] == [note.text for note in given_notes]
    assert (whole["program"], whole["version"]) == ("Заметочник", 1)


@given(notes())
def test_json_that_an_editor_has_set_anew_is_read(given_notes: list[Note]) -> None:
    (data,) = written(given_notes, JSON)
    assert read(json.dumps(json.loads(data), ensure_ascii=False, indent=2).encode()) == given_notes
    assert read(json.dumps(json.loads(data)).encode()) == given_notes  # in ASCII, on one line


@given(notes(), st.sampled_from([UTC, KATHMANDU]))
def test_a_text_file_gives_back_text_number_and_minute(given_notes: list[Note], zone: tzinfo) -> None:
    (data,) = written(given_notes, txt(zone))
    assert read(data, zone) == [in_txt(note) for note in given_notes if in_txt(note).text]


@given(notes(), st.integers(50, 500))
def test_every_part_of_a_text_file_is_read_by_itself(given_notes: list[Note], most: int) -> None:
    found = [note for data in written(given_notes, txt(UTC), most) for note in read(data)]
    assert found == [in_txt(note) for note in given_notes if in_txt(note).text]


@given(notes(), st.integers(100, 2000), st.sampled_from([JSON, txt(UTC), markdown_file(UTC)]))
def test_no_file_is_larger_than_allowed_unless_one_note_is(
    given_notes: list[Note], most: int, form: Format
) -> None:
    for part in parts(given_notes, form, most):
        if isinstance(part, FilePart) and len(part.content) > most:
            (alone,) = written([note for note in given_notes if note.number == part.last_number], form)
            assert part.content == alone


WINDOWS: dict[str, Callable[[str], bytes]] = {
    "BOM": lambda text: text.encode("utf-8-sig"),
    "CRLF": lambda text: text.replace("\n", "\r\n").encode(),
    "cp1251 and CRLF": lambda text: text.replace("\n", "\r\n").encode("cp1251"),
    "UTF-16 with BOM": lambda text: text.replace("\n", "\r\n").encode("utf-16"),
    "UTF-16 big end first": lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
    "UTF-16 without BOM": lambda text: text.encode("utf-16-le"),
    "no line break at the end": lambda text: text.rstrip("\n").encode(),
    "more blank lines": lambda text: f"\n{text}\n\n\n".encode(),
}


@pytest.mark.parametrize("form", [JSON, txt(UTC)], ids=["json", "txt"])
@pytest.mark.parametrize("as_windows_does", WINDOWS.values(), ids=WINDOWS)
def test_what_an_editor_makes_of_a_file_is_read(
    form: Format, as_windows_does: Callable[[str], bytes]
) -> None:
    two = [Note(7, "купить хлеб\nи соль", NOON), Note(9, "Ёлка · «ещё»", NOON + 60)]
    (data,) = written(two, form)
    assert read(as_windows_does(data.decode())) == two


def test_the_text_file_is_the_courses() -> None:
    (data,) = written([Note(7, "купить хлеб", NOON), Note(9, "две\nстроки", NOON)], txt(UTC))
    assert data.decode() == "#7 · 25.11.2026 10:00\nкупить хлеб\n\n#9 · 25.11.2026 10:00\nдве\nстроки\n"


def test_a_line_break_of_windows_within_a_note_stays() -> None:
    one = Note(7, "раз\r\nдва", NOON)
    assert read(written([one], txt(UTC))[0]) == [one]


def test_a_header_within_a_note_of_the_course_counts_behind_a_blank_line_only() -> None:
    export = "#1 · 24.11.2026 10:00\nсписок\n#2 · 24.11.2026 10:01\nещё\n\n#3 · 24.11.2026 10:02\nдва\n"
    assert [note.text for note in read(export.encode()) if isinstance(note, Note)] == [
        "список\n#2 · 24.11.2026 10:01\nещё",
        "два",
    ]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe",
        "просто · текст\n".encode(),
        b'{"program": "other", "notes": []}',
        "#7 без даты\n".encode(),
        b"\x00" * 500,
        '["Заметочник"]'.encode(),
    ],
)
def test_any_other_file_is_none_of_ours(data: bytes) -> None:
    assert recognised(data) is None


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database shared by many people."""
    with closing(Database(tmp_path_factory.mktemp("notes") / "notes.db")) as database:
        yield database


people = count(1)


@given(given_notes=notes(), twins=st.integers(0, 2))
def test_what_went_out_in_json_comes_in_as_it_was_and_once(
    db: Database, given_notes: list[Note], twins: int
) -> None:
    anna, boris = next(people), next(people)
    last = given_notes[-1]
    given_notes = given_notes + [replace(last, number=last.number + n) for n in range(1, twins + 1)]
    Importing(db, anna).add(given_notes)
    notebook = Notebook(db)
    (data,) = written(list(notebook.all_notes(anna)), JSON)
    brought = [note for note in read(data) if isinstance(note, Note)]
    assert Importing(db, boris).add(brought) == Imported(len(given_notes), 0)
    assert list(notebook.all_notes(boris)) == list(notebook.all_notes(anna)) == given_notes
    assert Importing(db, boris).add(brought) == Imported(0, len(given_notes))


@given(given_notes=notes())
def test_a_text_file_doubles_nothing_where_it_comes_from(db: Database, given_notes: list[Note]) -> None:
    anna = next(people)
    Importing(db, anna).add(given_notes)
    (data,) = written(given_notes, txt(UTC))
    brought = [note for note in read(data) if isinstance(note, Note) and not note.text.endswith("\n")]
    assume(all(not note.text.endswith("\n") for note in given_notes))
    assert Importing(db, anna, to_the_minute=True).add(brought) == Imported(0, len(brought))


# ---- Unreadable files -----------------------------------------------------------------------


def records(*records: str, version: Any = 1, end: str = "\n]}\n") -> bytes:
    """Return a JSON export with these records."""
    return (
        f'{{"program": "Заметочник", "version": {version}, "notes": [\n' + ",\n".join(records) + end
    ).encode()


GOOD = '{"number": 1, "text": "цела", "created_at": 5}'


@pytest.mark.parametrize(
    "bad",
    [
        '{"number": 2, "text": "обр',
        "5",
        "[]",
        "{}",
        '{"number": 2, "text": 5, "created_at": 5}',
        '{"number": 2, "text": "а", "created_at": "вчера"}',
        '{"number": 2, "text": "а", "created_at": -1}',
        '{"number": 2, "text": "а", "created_at": true}',
        '{"number": 2, "text": "а", "created_at": 1e30}',
        '{"number": 0, "text": "а", "created_at": 5}',
        '{"number": 2, "text": "\\ud83d", "created_at": 5}',
        '{"number": 2, "text": "", "created_at": 5, "entities": [{"type": "b", "offset": 0, "length": 1}]}',
        '{"number": 2, "text": "а", "created_at": 5, "entities": "нет"}',
        '{"number": 2, "text": "а", "created_at": 5, "files": [{"kind": "photo"}]}',
        '{"number": 2, "text": "а", "created_at": 5, "files": [{"kind": "photo", "file_id": ""}]}',
        '{"number": 2, "text": "а", "created_at": 5, "files": [{"kind": "vdeo", "file_id": "x"}]}',
        '{"number": 2, "text": "а", "created_at": 5, "origin": "Анна"}',
        '{"number": 2, "text": "а", "created_at": 5, "origin": {"name": "А", "date": 99999999999999}}',
        '{"number": 2, "text": "а", "created_at": 5, "origin": {"name": "\\ud83d"}}',
        '{"number": 2, "text": "а", "created_at": 253402214400}',
        "[" * 100_000,
    ],
)
def test_a_record_that_is_none_is_named_by_its_line_and_the_others_are_read(bad: str) -> None:
    data = records(GOOD, bad, GOOD.replace("1", "3"))
    assert read(data) == [Note(1, "цела", 5), Unreadable(3), Note(3, "цела", 5)]


def test_damaged_bytes_are_never_read_as_other_letters() -> None:
    data = records(GOOD, GOOD).replace("цела".encode(), b"\xd1\xff\xfe", 1)
    assert read(data) == [Unreadable(2), Note(1, "цела", 5)]
    export = "#1 · 24.11.2026 10:00\nцела\n\n#2 · 24.11.2026 10:01\nкак дела\n".encode()
    damaged = export.replace("дела".encode(), b"\xd0\xd0")
    assert [type(record) for record in read(damaged)] == [Note, Unreadable]


def test_a_date_that_is_none_is_named_by_its_line() -> None:
    for date in ("31.02.2026", "31.12.9999", "01.01.0001", "31.12.1969"):
        export = f"#1 · 24.11.2026 10:00\nраз\n\n#2 · {date} 23:59\nдва\n\n#3 · 24.11.2026 10:02\nтри\n"
        assert read(export.encode())[1] == Unreadable(4)


@pytest.mark.parametrize(
    "data",
    [
        records(GOOD, end=""),
        records(GOOD, GOOD)[:-30],
        records(version=2),
        records(version='"1"'),
        b'{"program": "\xd0\x97\xd0\xb0\xd0\xbc\xd0\xb5\xd1\x82\xd0\xbe\xd1\x87\xd0\xbd\xd0\xb8\xd0\xba",',
        records(GOOD).decode().encode("utf-16")[:-3],
    ],
)
def test_a_file_that_is_not_whole_is_broken(data: bytes) -> None:
    with pytest.raises(BrokenFileError):
        read(data)


# ---- Markdown -------------------------------------------------------------------------------


def test_markdown_has_a_heading_tags_formatting_origin_and_files() -> None:
    text = "Важно: #дом a*b\n# не заголовок\nhttps://example.com/a_b_c код"
    note = Note(
        7,
        text,
        NOON,
        ({"type": "bold", "offset": 0, "length": 6}, {"type": "code", "offset": len(text) - 3, "length": 3}),
        Origin("Анна", "https://t.me/anna/5"),
        (File("photo", "x"), File("document", "y", name="план.pdf")),
        pinned=True,
    )
    (data,) = written([note], markdown_file(UTC))
    assert data.decode() == (
        "## 25.11.2026 10:00 · №7 📌\n\n> Переслано: [Анна](https://t.me/anna/5)\n\n"
        "**Важно:** #дом a\\*b\n\\# не заголовок\nhttps://example.com/a_b_c `код`\n\n"
        "- 🖼 фото\n- 📄 файл план.pdf\n"
    )


@pytest.mark.parametrize(
    ("text", "kind", "more", "right"),
    [
        ("раз\n\n два", "bold", {}, "**раз**\n\n **два**"),
        ("a```b", "pre", {"language": "md"}, "\n````md\na```b\n````\n"),
        ("тут", "text_link", {"url": "https://x.y/a_(b) c"}, "[тут](https://x.y/a_%28b%29%20c)"),
        ("%%тайна%% $x$ a == b 50%", "spoiler", {}, "\\%\\%тайна\\%\\% \\$x\\$ a \\=\\= b 50%"),
        ("a == b", "code", {}, "`a == b`"),
    ],
)
def test_markdown_is_what_was_meant(text: str, kind: str, more: dict[str, str], right: str) -> None:
    note = Note(1, text, NOON, ({"type": kind, "offset": 0, "length": len(text), **more},))
    (data,) = written([note], markdown_file(UTC))
    assert data.decode() == f"## 25.11.2026 10:00 · №1\n\n{right}\n"
