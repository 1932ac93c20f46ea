"""Deleting notes, and the buttons that undo a deletion or an edit."""

import re
import time
from collections.abc import Iterator

from commands import Call, WrongArgumentsError, button, parse_number
from db import Note, NoteNotFoundError
from handlers.keeping import brought_back, source
from handlers.note_words import own, replied_note, shows, spelled, tied, title
from telegram.replies import Button, Reply, UserError

KEPT_DAYS = 30
MOST, NAMED = 1000, 50  # notes deleted at once; of these, listed by title
_DASH = re.compile(r"\s*(?:[-–—]+|…|\.{2,3})\s*")
_BETWEEN = re.compile(r"(?:[\s,;]|(?<!\w)и(?!\w))+")
NONE_DELETED = "Нет заметки #{}, поэтому ничего не удалено. Список: /note_list"


def delete_named(call: Call) -> Reply:
    """Delete the notes whose numbers follow the command, or the one replied to."""
    number = replied_note(call) if not call.args.strip() else None
    numbers = [number] if number else _numbers(call)
    try:
        return delete(call, numbers)
    except NoteNotFoundError as exc:
        if len(numbers) == 1:
            raise
        raise UserError(NONE_DELETED.format(exc.number)) from None


def _numbers(call: Call) -> list[int]:
    together = _DASH.sub("–", call.text())
    words = [word for word in _BETWEEN.split(together) if word]
    try:
        numbers = list(dict.fromkeys(number for word in words for number in _meant(call, word)))
    except WrongArgumentsError:
        return [call.number()]  # its error quotes all of the arguments
    if len(numbers) > MOST:
        raise UserError(f"За один раз можно удалить не больше {MOST} заметок. Ничего не удалено.")
    return numbers


def _meant(call: Call, word: str) -> list[int]:
    """Return the number in a word, or for a range like 3-8 the numbers of the notes that exist in it."""
    first, dash, last = word.partition("–")
    if not dash:
        return [parse_number(first)]
    low, high = sorted((parse_number(first), parse_number(last)))
    found = call.app.notebook.numbers_between(call.user_id, low, high, MOST + 1, source=source(call))
    if not found:
        raise UserError(f"Нет заметок с #{low} по #{high}, поэтому ничего не удалено. Список: /note_list")
    return found


def delete(call: Call, numbers: list[int], *, in_place: bool = False) -> Reply:
    """Move notes to the bin and report them; raises NoteNotFoundError, and then deletes none."""
    empty_bin(call)
    notes = call.app.db.delete_notes(call.user_id, numbers, deleted_at=call.date, source=source(call))
    return _deleted(call, notes, in_place=in_place)


def _deleted(call: Call, notes: list[Note], *, in_place: bool) -> Reply:
    if len(notes) == 1:
        text = f"Заметка #{notes[0].number} удалена.\n{title(notes[0])}"
        back = Button("↩️ Вернуть", "restore", tied(call, notes[0].number))
        return shows(call, Reply(text, buttons=[[back]], in_place=in_place), notes[0].number)
    numbers = [note.number for note in notes]
    lines = [f"Заметки {spelled(numbers)} удалены."]
    lines += [f"#{note.number} · {title(note)}" for note in notes[:NAMED]]
    if len(notes) > NAMED:
        lines.append(f"… и ещё {len(notes) - NAMED}: /note_trash")
    (kept,) = call.app.recalled.keep(call.user_id, [" ".join(map(str, numbers))])
    back = Button("↩️ Вернуть", "restoreall", tied(call, kept))
    return Reply("\n".join(lines), buttons=[[back]], in_place=in_place)


def empty_bin(call: Call) -> None:
    """Delete for good what has been in anybody's bin for more than KEPT_DAYS."""
    call.app.notebook.empty_trash(int(time.time()) - KEPT_DAYS * 86_400)


# Buttons under a receipt and under a deletion


@button("drop")
def press_drop(call: Call) -> Reply:
    """«↩️ Убрать» under a receipt: the note is deleted."""
    return delete(call, own(call), in_place=True)


@button("dropall")
def press_drop_all(call: Call) -> Reply:
    """«↩️ Убрать» under a receipt of several notes: all of them are deleted."""
    numbers = _listed(call)
    while True:
        try:
            return delete(call, numbers, in_place=True)
        except NoteNotFoundError as exc:  # this one is deleted already
            numbers.remove(exc.number)
            if not numbers:
                raise


@button("restore")
def press_restore(call: Call) -> Reply:
    """«↩️ Вернуть» under a deletion: the note is restored."""
    note = brought_back(call, *own(call))
    text = f"Заметка #{note.number} возвращена.\n{title(note)}"
    again = Button("↩️ Убрать", "drop", tied(call, note.number))
    return shows(call, Reply(text, buttons=[[again]], in_place=True), note.number)


@button("restoreall")
def press_restore_all(call: Call) -> Reply:
    """«↩️ Вернуть» under a deletion of several notes: all of them are restored."""
    notes = list(_brought_back(call, _listed(call)))
    text = f"Заметки {spelled([note.number for note in notes])} возвращены."
    return Reply(text, buttons=[[Button("↩️ Убрать", "dropall", call.args)]], in_place=True)


def _brought_back(call: Call, numbers: list[int]) -> Iterator[Note]:
    """Restore the notes that are still in the bin; raises NoteNotFoundError if none is."""
    gone = 0
    for number in numbers:
        try:
            yield brought_back(call, number)
        except NoteNotFoundError:
            gone += 1
            if gone == len(numbers):
                raise


def _listed(call: Call) -> list[int]:
    return [int(number) for number in call.app.recalled.text(call.user_id, *own(call)).split()]


@button("undo")
def press_undo(call: Call) -> Reply:
    """«↩️ Вернуть» under an edit: the note's earlier text; pressed again, the edited one."""
    number, *edit = own(call, 1, 2)  # a button of an older version names no edit: undo the last
    edited_by = f"update {edit[0]}" if edit else ""
    later = call.app.notebook.edits_since(call.user_id, number, edited_by)
    note = call.app.notebook.undo_edit(call.user_id, number, edited_by, source=source(call))
    which = f"текст, который был до этой правки и следующих за ней ({later})" if later else "прежний текст"
    text = f"Заметка #{note.number}: вернулся {which}.\n{title(note)}"
    again = Button("↩️ Вернуть", "undo", tied(call, note.number, call.entry_id))
    return shows(call, Reply(text, buttons=[[again]], in_place=True), note.number)
