"""Notes changed by messages: a reply adds to one or replaces it, an edited message edits it."""

from dataclasses import replace

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
LEFT_BLANK = "Заметка #{0} не изменена: в ней ничего бы не осталось. Удалить: /note_del {0}"


def add_to(call: Call, number: int) -> Reply:
    """Add a reply to the note that it replies to, or put it in its place after «✏️ Изменить»."""
    message, wanted = call.message, to_replace(call)
    if is_blank(message.text) and not message.files:
        raise UserError(NOTHING_IN_IT)
    if number in wanted and not is_blank(message.text):
        return _replace(call, number)
    return append(call, number, (message.text, message.entities))


def to_replace(call: Call) -> list[int]:
    """Return the notes that the next reply replaces."""
    return [int(number) for number in call.app.preferences.get(call.user_id, "replacing").split()]


def will_replace(call: Call, numbers: list[int]) -> None:
    """Remember the notes that the next reply replaces, the last ones if there are many."""
    call.app.preferences.put(call.user_id, "replacing", " ".join(map(str, numbers[-20:])))


def _replace(call: Call, number: int) -> Reply:
    message = call.message
    note = call.app.db.edit_note(
        call.user_id,
        number,
        message.text,
        edited_at=call.date,
        entities=message.entities,
        files=files_of(message),
        source=source(call),
    )
    keep_pieces(call, note, message, 0)
    will_replace(call, [other for other in to_replace(call) if other != number])
    return changed(call, note, "изменена")


def append(call: Call, number: int, formatted: Formatted) -> Reply:
    """Add the end of a message, and its files, to a note."""
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
    """Tell how a note was changed, and offer to take that back."""
    button_back = Button("↩️ Вернуть", "undo", tied(call, note.number, call.entry_id))
    return shows(call, Reply(f"Заметка #{note.number} {how}.", buttons=[[button_back]]), note.number)


def edited(call: Call) -> Reply | str:
    """Change the note that an edited message is a piece of; a reaction tells that it was done."""
    piece = call.app.pieces.find(call.place.chat_id, call.message.id)
    other_command = call.name in COMMANDS and call.name != "note_add"
    if piece is None or piece.user_id != call.user_id or other_command:
        return ""
    waiting = call.app.notebook.waiting_source(call.user_id, piece.number)
    try:
        note = (brought_back if waiting else _there)(call, piece.number)
    except NoteNotFoundError:  # what is deleted stays as it was
        return ""
    message = call.message
    is_command = call.name == "note_add"
    reply = _change_piece(
        call, note, piece, (call.args, call.entities) if is_command else (message.text, message.entities)
    )
    if waiting:  # for «📝 Записать» or «🤖 Спросить»
        call.app.db.delete_note(call.user_id, note.number, deleted_at=call.date, source=waiting)
    return reply


def _there(call: Call, number: int) -> Note:
    return call.app.db.get_note(call.user_id, number)


def _change_piece(call: Call, note: Note, piece: NotePiece, new: Formatted) -> Reply | str:
    old, files = (note.text, [*note.entities]), _fresh(call, note)
    start, length, head, line = on_its_line(note.text, piece.start, piece.length, new)
    stands = piece.is_(piece_of(note.text, piece.start, piece.length))
    text, entities = replaced(old, start, length, line) if stands else old
    if is_blank(text) and not note.files and not files:
        return LEFT_BLANK.format(note.number)
    differs = bool(files) or (text, entities) != old
    if differs:
        call.app.db.edit_note(
            call.user_id,
            note.number,
            text,
            edited_at=call.date,
            entities=tuple(entities),
            files=files,
            instead_of=piece.file,
            source=source(call),
        )
    done = not stands and piece_of(note.text, start, utf16_len(new[0])) == new[0]  # and then came a kill
    now = replace(piece, file=whole(call.message).file)
    if stands or done:
        now = note_piece(call.user_id, note.number, start + head, new[0], now.file)
    if now != piece:
        longer = utf16_len(line[0]) - length if stands or done else 0
        call.app.pieces.change(call.place.chat_id, call.message.id, piece, now, longer)
    if not (stands or done or piece.is_(new[0])):
        return CHANGED_SINCE.format(note.number)
    return Reply(reaction="✍") if differs or done else ""


def _fresh(call: Call, note: Note) -> tuple[File, ...]:
    """Return the file of a message unless the note has it."""
    there = {file.file_unique_id for file in note.files}
    return tuple(file for file in files_of(call.message) if file.file_unique_id not in there)
