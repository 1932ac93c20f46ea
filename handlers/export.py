"""/note_export: all of a person's notes, as files."""

from collections.abc import Callable, Iterator
from datetime import tzinfo

from commands import Call, WrongArgumentsError, command
from handlers.note_words import NO_NOTES
from handlers.resumed import remember, remembered
from telegram.lines import first_line, grouped
from telegram.replies import Reply
from transfer.files import FilePart, Format, parts
from transfer.json_lines import JSON
from transfer.markdown import markdown_file
from transfer.txt import txt

AT_ONCE = 500  # notes; more are exported as a long work
FORMATS: dict[str, Callable[[tzinfo | None], Format]] = {
    "": txt,
    "txt": txt,
    "json": lambda _: JSON,
    "md": markdown_file,
}


@command("note_export", "", "Экспорт заметок в .txt", wrong="[json | md]")
def note_export(call: Call) -> Reply | str:
    """/note_export json: all notes in one file, or in several if they are too many."""
    name = call.args.strip().lower().removeprefix(".")
    if name not in FORMATS:
        raise WrongArgumentsError(f"Выгрузки «{first_line(name, 30)}» нет.")
    form = FORMATS[name](call.app.settings.timezone)
    total = call.app.db.count_notes(call.user_id)
    if not total:
        return NO_NOTES
    if total <= AT_ONCE:
        files = [part for part in _parts(call, form) if isinstance(part, FilePart)]
        if len(files) == 1:
            return Reply(document=(f"notes.{form.ending}", files[0].content))
    return Reply(_progress(0, total), work=lambda: _exporting(call, form, total))


def _exporting(call: Call, form: Format, total: int) -> Iterator[str | Reply]:
    """Send one file after another; after a kill, continue after the last file that was sent."""
    sent, last, done = remembered(call, "export") or (0, 0, 0)
    for news in _parts(call, form, last):
        if isinstance(news, FilePart):
            sent += 1
            alone = sent == 1 and done >= total
            yield Reply(document=(f"notes{'' if alone else f'-{sent}'}.{form.ending}", news.content))
            remember(call, "export", sent, news.last_number, done)
        else:
            done += 1
            if done % AT_ONCE == 0:
                yield _progress(done, total)
    yield Reply(f"Готово. Заметок: {grouped(done)}, файлов: {sent}.")


def _parts(call: Call, form: Format, behind: int = 0) -> Iterator[FilePart | int]:
    notes = call.app.notebook.all_notes(call.user_id)
    return parts((note for note in notes if note.number > behind), form)


def _progress(done: int, total: int) -> str:
    return f"Готовлю: {grouped(done)} из {grouped(total)}…"
