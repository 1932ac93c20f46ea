"""/note_*: a person's own notes."""

from datetime import UTC, datetime, tzinfo

from commands import Call, WrongArgumentsError, command, parse_number
from db import Hit, Note
from telegram.lines import first_line, snippet

NO_NOTES = "Заметок пока нет. Добавить: /note_add <текст>"
LISTED = 10
FOUND = 50


@command("note_add", "<текст>", "Добавить заметку")
def note_add(call: Call) -> str:
    """/note_add купить хлеб: kept as it was written, and its number."""
    note = call.app.db.add_note(
        call.user_id, call.text(), created_at=call.date, source=f"update {call.entry_id}"
    )
    return f"Заметка #{note.number} сохранена."


@command("note_list", "[N]", "Список заметок")
def note_list(call: Call) -> str:
    """/note_list 20: the newest ones, a line each."""
    limit = call.number(100, LISTED)
    notes = call.app.db.list_notes(call.user_id, limit)
    if not notes:
        return NO_NOTES
    total = call.app.db.count_notes(call.user_id)
    return "\n".join(
        [f"Последние заметки ({len(notes)} из {total}):", *(_line(call, note) for note in notes)]
    )


@command("note_find", "<подстрока>", "Поиск заметок")
def note_find(call: Call) -> str:
    """/note_find хлеб: the newest ones with that in them, and how many there are."""
    needle = call.text().strip()
    total, hits = call.app.db.find_notes(call.user_id, needle, FOUND)
    if not hits:
        return f"Ничего не найдено: {first_line(needle)}"
    head = f"Найдено: {total}" + (f", последние {len(hits)}" if total > len(hits) else "")
    return "\n".join([f"{head}.", *(_hit(call, hit) for hit in hits)])


@command("note_edit", "<id> <текст>", "Изменить заметку")
def note_edit(call: Call) -> str:
    """/note_edit 8 купить два: that text instead."""
    number, text = _number_and_text(call)
    call.app.db.edit_note(call.user_id, number, text, edited_at=call.date)
    return f"Заметка #{number} изменена."


@command("note_del", "<id>", "Удалить заметку")
def note_del(call: Call) -> str:
    """/note_del 8: the note is put away; its first line shows whether it was the right one."""
    gone = call.app.db.delete_note(
        call.user_id, call.number(), deleted_at=call.date, source=f"update {call.entry_id}"
    )
    return f"Заметка #{gone.number} удалена.\n{first_line(gone.text)}"


@command("note_count", "", "Сколько заметок")
def note_count(call: Call) -> str:
    """/note_count: how many."""
    return f"Заметок: {call.app.db.count_notes(call.user_id)}."


def _number_and_text(call: Call) -> tuple[int, str]:
    words = call.args.split(maxsplit=1)
    if len(words) < 2:
        raise WrongArgumentsError
    return parse_number(words[0]), words[1]


def _line(call: Call, note: Note) -> str:
    return f"#{note.number} · {_when(call, note)} · {first_line(note.text)}"


def _hit(call: Call, hit: Hit) -> str:
    note, (start, length) = hit.note, hit.spans[0] if hit.spans else (0, 0)
    return f"#{note.number} · {_when(call, note)} · {snippet(note.text, start, length)}"


def _when(call: Call, note: Note) -> str:
    return f"{_local(note.created_at, call.app.settings.timezone):%d.%m.%Y %H:%M}"


def _local(time: int, zone: tzinfo | None) -> datetime:
    return datetime.fromtimestamp(time, UTC).astimezone(zone)
