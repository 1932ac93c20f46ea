"""Everything known about notes, as JSON: one record per line, so that a long file can be read line by line.

    {"program": "Заметочник", "version": 1, "notes": [
    {"number": 7, "text": "купить хлеб #дом", "created_at": 1795600800, "tags": ["дом"]},
    {"number": 8, "text": "", "created_at": 1795600801, "files": [{"kind": "photo", "file_id": "…", …}]}
    ]}

Times are seconds since 1970, UTC. `entities` (formatting), `origin` (of a forward), `files`, `pinned`,
`edited_at` and `tags` are left out if empty; `tags` are not read back, since the text contains them. Files
are Telegram's ids, with which only this bot can download them.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from db import File, Note, Origin
from storage.tags import tags_in
from telegram.contents import FILES
from telegram.splitting import utf16_len
from transfer.files import LATEST_S, BrokenFileError, Format, Unreadable

PROGRAM = "Заметочник"
PROGRAM_IN_ASCII = json.dumps(PROGRAM)  # as other programs may escape it
VERSION = 1
_FIRST_LINE = f'{{"program": "{PROGRAM}", "version": {VERSION}, "notes": [\n'
_LAST_LINE = "]}"
Record = dict[str, Any]


def _write(note: Note) -> str:
    record: Record = {"number": note.number, "text": note.text, "created_at": note.created_at}
    if note.edited_at is not None:
        record["edited_at"] = note.edited_at
    optional = {
        "pinned": note.pinned,
        "tags": tags_in(note.text, note.entities),
        "entities": note.entities,
        "origin": note.origin and asdict(note.origin),
        "files": [asdict(file) for file in note.files],
    }
    return json.dumps(record | {name: value for name, value in optional.items() if value}, ensure_ascii=False)


JSON = Format("json", _write, before=_FIRST_LINE, between=",\n", after=f"\n{_LAST_LINE}\n")


def is_json(beginning: str) -> bool:
    """Return whether a file with this beginning is an export of ours."""
    named = any(name in beginning for name in (f'"{PROGRAM}"', PROGRAM_IN_ASCII))
    return beginning.lstrip().startswith("{") and named


def read_json(lines: Iterable[str]) -> Iterator[Note | Unreadable]:
    """Yield the notes in a file's lines; raises BrokenFileError if it is incomplete or of a newer version."""
    numbered = ((number, text) for number, line in enumerate(lines, start=1) if (text := line.strip()))
    _, first = next(numbered)
    head = _loads(f"{first}{_LAST_LINE}")
    if isinstance(head, dict) and head.get("notes") == []:
        _check_version(head)
        yield from _read_lines(numbered)
    else:  # an editor has reformatted it
        whole = _loads("\n".join([first, *(line for _, line in numbered)]))
        if not isinstance(whole, dict) or not isinstance(whole.get("notes"), list):
            raise BrokenFileError("это не целый JSON")
        _check_version(whole)
        yield from (_note(record, number) for number, record in enumerate(whole["notes"], start=1))


def _read_lines(numbered: Iterable[tuple[int, str]]) -> Iterator[Note | Unreadable]:
    for number, line in numbered:
        if line == _LAST_LINE:
            return
        yield _note(_loads(line.removesuffix(",")), number)
    raise BrokenFileError("у него нет конца")


def _check_version(head: Record) -> None:
    version = head.get("version")
    if type(version) is not int or version < 1:
        raise BrokenFileError("в нём нет номера версии")
    if version > VERSION:
        raise BrokenFileError("он сделан более новой версией программы")


def _loads(text: str) -> object:
    """Return the parsed JSON; None if it is not JSON, or nested too deeply."""
    try:
        return json.loads(text.encode("utf-8", "surrogateescape"))  # raises for damaged bytes
    except (ValueError, RecursionError):
        return None


def _note(record: object, line: int) -> Note | Unreadable:
    try:
        return _read(record)
    except (AttributeError, KeyError, TypeError, ValueError):
        return Unreadable(line)


def _read(record: Any) -> Note:
    """Return the Note in a record; raises AttributeError, KeyError, TypeError or ValueError if it is none."""
    json.dumps(record, ensure_ascii=False).encode()  # raises for a lone surrogate, which SQLite cannot store
    text = _checked(record["text"], str)
    edited_at = record.get("edited_at")
    return Note(
        number=_whole(record["number"], 1, 10**18),
        text=text,
        created_at=_whole(record["created_at"], 0, LATEST_S),
        entities=tuple(_entity(entity, text) for entity in record.get("entities") or ()),
        origin=_origin(record["origin"]) if record.get("origin") else None,
        files=tuple(map(_file, record.get("files") or ())),
        pinned=_checked(record.get("pinned", False), bool),
        edited_at=None if edited_at is None else _whole(edited_at, 0, LATEST_S),
    )


def _file(record: Any) -> File:
    texts = dict.fromkeys(("kind", "file_id", "file_unique_id", "name", "mime"), str)
    if record["kind"] not in FILES or not record["file_id"]:
        raise ValueError(record)
    return File(**_fields(record, **texts, size=int))


def _origin(record: Any) -> Origin:
    _whole(record.get("date") or 0, 0, LATEST_S)
    return Origin(**_fields(record, name=str, link=str, date=int))


def _entity(entity: Any, text: str) -> Record:
    length = utf16_len(text)
    start = _whole(entity["offset"], 0, length)
    _whole(entity["length"], 1, length - start)
    _checked(entity["type"], str)
    return dict(entity)


def _fields(record: Any, **kinds: type) -> Record:
    """Return the known fields of a record, without those that are None; raises TypeError."""
    known = {name: record[name] for name in kinds if record.get(name) is not None}
    return {name: _checked(value, kinds[name]) for name, value in known.items()}


def _checked(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise TypeError(kind)
    return value


def _whole(value: Any, lowest: int, highest: int) -> int:
    if type(value) is not int or not lowest <= value <= highest:
        raise ValueError(value)
    return value
