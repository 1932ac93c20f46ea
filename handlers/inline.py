"""@bot in any chat: the person's own notes, to paste there."""

from commands import App
from db import Note
from storage.query import QueryError
from telegram import contents
from telegram.inline import Choice
from telegram.lines import file_line, first_line

PAGE = 20  # Telegram allows 50, but long notes make a long answer


def notes_to_paste(app: App, user_id: int, query: str, offset: str) -> tuple[list[Choice], str]:
    """Return a page of notes that match (the newest for an empty query), and the next page's offset or ""."""
    begin = int(offset) if offset.isascii() and offset.isdigit() and len(offset) < 10 else 0
    notes = _found(app, user_id, query.strip(), begin)
    return [_choice(note) for note in notes[:PAGE]], str(begin + PAGE) if len(notes) > PAGE else ""


def _found(app: App, user_id: int, query: str, begin: int) -> list[Note]:
    if not query:
        return app.db.list_notes(user_id, PAGE + 1, begin)
    try:
        _, hits = app.db.find_notes(user_id, query, PAGE + 1, begin, zone=app.settings.timezone)
    except QueryError:  # a date that is only half typed
        return []
    return [hit.note for hit in hits]


def _choice(note: Note) -> Choice:
    file = note.files[0] if note.files else None
    named = file_line(file.kind, file.name) if file else ""
    return Choice(
        id=str(note.number),
        title=first_line(note.text, 60) or named,
        description=" ".join(filter(None, (f"#{note.number}", named, _second_line(note.text)))),
        text=note.text,
        entities=note.entities,
        file=contents.File(file.kind, file.file_id, file.name, file.mime) if file else None,
    )


def _second_line(text: str) -> str:
    return first_line(text.strip().partition("\n")[2], 80)
