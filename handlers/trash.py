"""/note_trash: a person's deleted notes, with buttons that restore them."""

from commands import MORE, Call, button, command
from db import Note
from handlers.deleting import KEPT_DAYS, empty_bin
from handlers.keeping import brought_back
from handlers.lists import LISTED, Pages, below, start_of
from handlers.note_words import own, title, when
from telegram.replies import Reply

EMPTY = f"В корзине пусто. Удалённое хранится здесь {KEPT_DAYS} дней."


@command("note_trash", "", "Удалённые заметки", group=MORE)
def note_trash(call: Call) -> Reply:
    """/note_trash: the deleted notes, the latest first, each with a button that restores it."""
    empty_bin(call)
    return _trash(call, 1)


@button("bin")
def turn_bin(call: Call) -> Reply:
    """◀ ▶ under the bin: that page."""
    return _trash(call, *own(call), in_place=True)


@button("untrash")
def press_untrash(call: Call) -> Reply:
    """A note's number under the bin: that note is restored."""
    number, *page = own(call, 1, 2)  # a button of an older version has no page
    note = brought_back(call, number)
    return _trash(call, *page or [1], in_place=True, notice=f"Заметка #{note.number} возвращена.")


def _trash(call: Call, page: int, *, in_place: bool = False, notice: str = "") -> Reply:
    total, _ = call.app.notebook.trash(call.user_id, 0)
    if not total:
        return Reply(EMPTY, in_place=in_place, notice=notice)
    start = start_of(page, total)
    _, notes = call.app.notebook.trash(call.user_id, LISTED, start)
    head = f"В корзине: {total}, хранятся {KEPT_DAYS} дней. Вернуть — кнопкой с номером."
    text = "\n".join([head, *(_line(call, note) for note in notes)])
    pages = Pages("bin", (), total, LISTED, start, len(notes))
    buttons = below(call, pages, notes, "untrash", page)
    return Reply(text, buttons=buttons, in_place=in_place, notice=notice)


def _line(call: Call, note: Note) -> str:
    return f"#{note.number} · {when(call, note.deleted_at or 0)} · {title(note)}"
