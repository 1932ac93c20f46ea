"""Notes changed by messages: a reply appends or replaces, an edited message edits its note."""

from commands import COMMANDS, Call
from db import File, Note, NoteNotFoundError
from handlers.keeping import brought_back, keep_pieces, source
from handlers.note_words import files_of, shows, tied
from storage.pieces import NotePiece, note_piece
from telegram.formatted import Formatted, is_blank, on_its_line, piece_of, replaced
from telegram.replies import Button, Reply, UserError
from telegram.splitting import utf16_len
from telegram.updates import whole

NOTHING_IN_IT = "Тут нечего записать: ни слов, ни файла."
CHANGED_SINCE = (
    "Заметка #{0} с тех пор изменена, и правка сообщения её не затронула. "
    "Заменить текст: /note_edit {0} <текст>"
)
NOT_AGAIN = "Правка сообщения команду не выполняет: отправьте её новым сообщением."
LEFT_BLANK = "Заметка #{0} не изменена: в ней ничего бы не осталось. Удалить: /note_del {0}"


def add_to(call: Call, number: int) -> Reply:
    """Append a reply to the note it refers to, or after «✏️ Изменить» replace the note's text with it."""
    message, wanted = call.message, to_replace(call)
    if is_blank(message.text) and not message.files:
        raise UserError(NOTHING_IN_IT)
    if number in wanted and not is_blank(message.text):
        return _replace(call, number)
    return append(call, number, (message.text, message.entities))


def to_replace(call: Call) -> list[int]:
    """Return the numbers of the notes whose next reply replaces their text."""
    return [int(number) for number in call.app.preferences.get(call.user_id, "replacing").split()]


def will_replace(call: Call, numbers: list[int]) -> None:
    """Save the numbers of the notes whose next reply replaces their text, at most the last 20."""
    call.app.preferences.put(call.user_id, "replacing", " ".join(map(str, numbers[-20:])))


def _replace(call: Call, number: int) -> Reply:
    message = call.message
    note = rewrite(call, number, (message.text, message.entities), files_of(message))
    keep_pieces(call, note, message, 0)
    will_replace(call, [other for other in to_replace(call) if other != number])
    return changed(call, note, "изменена")


def rewrite(
    call: Call, number: int, formatted: Formatted, files: tuple[File, ...], instead_of: str = ""
) -> Note:
    """Replace a note's text, and add files, or put them in place of the file with the id `instead_of`."""
    text, entities = formatted
    return call.app.db.edit_note(
        call.user_id,
        number,
        text,
        edited_at=call.date,
        entities=tuple(entities),
        files=files,
        instead_of=instead_of,
        source=source(call),
    )


def append(call: Call, number: int, formatted: Formatted) -> Reply:
    """Append `formatted`, the end of the call's message, and the message's files to a note."""
    text, entities = formatted
    note = call.app.notebook.append_note(
        call.user_id,
        number,
        text,
        edited_at=call.date,
        entities=tuple(entities),
        files=files_of(call.message),
        source=source(call),
    )
    length = utf16_len(text)
    cut = utf16_len(call.message.text) - length
    keep_pieces(call, note, call.message, cut, at=utf16_len(note.text) - length)
    return changed(call, note, "дополнена")


def changed(call: Call, note: Note, how: str) -> Reply:
    """Report how a note was changed, with a button that undoes it."""
    button_back = Button("↩️ Вернуть", "undo", tied(call, note.number, call.entry_id))
    return shows(call, Reply(f"Заметка #{note.number} {how}.", buttons=[[button_back]]), note.number)


def edited(call: Call) -> Reply | str:
    """An edited message: the note made from it changes too, and a reaction confirms it."""
    piece = call.app.pieces.find(call.place.chat_id, call.message.id)
    adds = call.name == "note_add"
    if piece is None or (call.name in COMMANDS and not adds):
        return NOT_AGAIN if call.private and call.name in COMMANDS else ""
    if piece.user_id != call.user_id:
        return ""
    number, get_note = piece.number, call.app.db.get_note
    waiting = call.app.notebook.waiting_source(call.user_id, number)
    try:
        note = brought_back(call, number) if waiting else get_note(call.user_id, number)
    except NoteNotFoundError:  # a deleted note stays as it was
        return ""
    new = (call.args, call.entities) if adds else (call.message.text, call.message.entities)
    reply = _change_piece(call, note, piece, new)
    if waiting:  # for «📝 Записать» or «🤖 Спросить»
        call.app.db.delete_note(call.user_id, number, deleted_at=call.date, source=waiting)
    return reply


def _change_piece(call: Call, note: Note, piece: NotePiece, new: Formatted) -> Reply | str:
    """Replace a message's old text in its note by the new one, if the note still contains it unchanged."""
    start, length, head, line = on_its_line(note.text, piece.start, piece.length, new)
    stands = piece.is_(piece_of(note.text, piece.start, piece.length))
    # The new text is there already: a run that was killed did it, or the person edited the note.
    is_done = not stands and piece_of(note.text, start, utf16_len(new[0])) == new[0]
    before, files = (note.text, [*note.entities]), _fresh(call, note)
    after = replaced(before, start, length, line) if stands else before
    if is_blank(after[0]) and not note.files and not files:
        return LEFT_BLANK.format(note.number)
    differs = bool(files) or after != before
    if differs:
        rewrite(call, note.number, after, files, instead_of=piece.file)
    now = piece._replace(file=whole(call.message).file)
    if stands or is_done:
        now = note_piece(call.user_id, note.number, start + head, new[0], now.file)
        _remember(call, piece, now, utf16_len(line[0]) - length)
    else:
        _remember(call, piece, now, 0)
        if not piece.is_(new[0]):
            return CHANGED_SINCE.format(note.number)
    return Reply(f"Заметка #{note.number} исправлена.", reaction="✍") if differs or is_done else ""


def _remember(call: Call, piece: NotePiece, now: NotePiece, longer: int) -> None:
    """Save which piece of the note the message is now."""
    if now != piece:
        call.app.pieces.change(call.place.chat_id, call.message.id, piece, now, longer)


def _fresh(call: Call, note: Note) -> tuple[File, ...]:
    """Return the files of the message that the note does not have yet."""
    there = {file.file_unique_id for file in note.files}
    return tuple(file for file in files_of(call.message) if file.file_unique_id not in there)
