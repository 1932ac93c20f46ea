"""Importing an export of this bot: look into the file, offer to add its notes, add them."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice

from answers.media import MAX_FILE
from commands import Call, button
from db import Note
from handlers.resumed import remember, remembered
from storage.importing import Importing
from telegram.contents import File
from telegram.lines import grouped
from telegram.replies import Button, Reply, UserError
from telegram.updates import Message
from transfer.files import BrokenFileError, Unreadable
from transfer.reading import Export, recognised

BATCH = 500  # notes per transaction
NAMED = 100  # unreadable lines listed in the answer
GONE = "Этого файла больше нет. Пришлите его ещё раз."


def may_be_export(message: Message) -> bool:
    """Return whether a message has a file that may be an export of this bot."""
    return message.private and _file_in(message) is not None


def look_into(call: Call, keep: Callable[[], Reply]) -> Reply:
    """Offer to import the message's file; if it is not an export, call `keep` to save it as a note."""
    return Reply("⏳ Смотрю файл…", work=lambda: _looking(call, keep))


@button("import")
def run_import(call: Call) -> Reply:
    """«📥 Добавить»: the file's notes are added."""
    if _file_in(call.message.reply_to) is None:
        raise UserError(GONE)
    return Reply("Добавляю…", in_place=True, work=lambda: _importing(call))


def _looking(call: Call, keep: Callable[[], Reply]) -> Iterator[str | Reply]:
    yield _offer(call, keep)


def _offer(call: Call, keep: Callable[[], Reply]) -> Reply:
    try:
        export = recognised(_download(call, call.message))
    except UserError:  # it cannot be downloaded; the note keeps its file_id anyway
        export = None
    if export is None:
        return replace(keep(), reaction="")  # a message is there already, so no reaction
    total, unreadable = _survey(call, export)
    text = f"Это выгрузка заметок: {grouped(total)} шт.{_unreadable(unreadable)}"
    keeping = Button("📎 Оставить файлом", "import_not")
    if not total:
        return Reply(f"{text} Добавлять нечего.", buttons=[[keeping]])
    return Reply(f"{text} Добавить?", buttons=[[Button("📥 Добавить", "import"), keeping]])


def _importing(call: Call) -> Iterator[str | Reply]:
    """Add the notes of a file; after a kill, continue after the last batch that was added."""
    export = recognised(_download(call, call.message.reply_to))
    if export is None:
        raise UserError(GONE)
    total, unreadable = _survey(call, export)  # raises before anything is added
    added, known, seen = remembered(call, "import") or (0, 0, 0)
    sound = (record for record in _records(call, export) if isinstance(record, Note))
    records = islice(sound, seen, None)
    importing = Importing(call.app.db, call.user_id, to_the_minute=export.kind == "txt")
    while batch := list(islice(records, BATCH)):
        done = importing.add(batch)
        added, known, seen = added + done.added, known + done.known, seen + len(batch)
        remember(call, "import", added, known, seen)
        yield f"Добавляю: {grouped(seen)} из {grouped(total)}…"
    yield Reply(f"Добавлено: {grouped(added)}. Уже были: {grouped(known)}.{_unreadable(unreadable)}")


def _survey(call: Call, export: Export) -> tuple[int, list[int]]:
    """Return how many notes a file has, and the numbers of its unreadable lines; raises UserError."""
    total, unreadable = 0, []
    try:
        for record in _records(call, export):
            if isinstance(record, Unreadable):
                unreadable.append(record.line)
            else:
                total += 1
    except BrokenFileError as exc:
        raise UserError(f"Это файл с выгрузкой заметок, но {exc}. Ничего не добавлено.") from None
    return total, unreadable


def _records(call: Call, export: Export) -> Iterator[Note | Unreadable]:
    return export.notes(call.app.settings.timezone)


def _unreadable(lines: list[int]) -> str:
    if not lines:
        return ""
    more = " …" if len(lines) > NAMED else ""
    word = "строка" if len(lines) == 1 else "строки"
    return f" Не прочитано: {len(lines)} ({word} {', '.join(map(str, lines[:NAMED]))}{more})."


def _file_in(message: Message | None) -> File | None:
    """Return the message's file if its name and size allow it to be an export."""
    files = message.files if message else ()
    if len(files) != 1 or files[0].kind != "document" or files[0].size > MAX_FILE:
        return None
    return files[0] if files[0].name.lower().endswith((".json", ".txt")) else None


def _download(call: Call, message: Message | None) -> bytes:
    file = _file_in(message)
    if file is None:
        raise UserError(GONE)
    return call.app.download(file.file_id)
