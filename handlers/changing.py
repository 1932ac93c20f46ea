"""Notes changed by messages: a reply adds to one or replaces it, an edited message edits it."""


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
    note = rewrite(call, number, (message.text, message.entities), files_of(message))
    keep_pieces(call, note, message, 0)
    will_replace(call, [other for other in to_replace(call) if other != number])
    return changed(call, note, "изменена")


def rewrite(
    call: Call, number: int, formatted: Formatted, files: tuple[File, ...], instead_of: str = ""
) -> Note:
    """Put a text in the place of a note's, and files to its files, or in the place of that one."""
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
    adds = call.name == "note_add"
    if piece is None or piece.user_id != call.user_id or (call.name in COMMANDS and not adds):
        return ""
    number, get_note = piece.number, call.app.db.get_note
    waiting = call.app.notebook.waiting_source(call.user_id, number)
    try:
        note = brought_back(call, number) if waiting else get_note(call.user_id, number)
    except NoteNotFoundError:  # what is deleted stays as it was
        return ""
    new = (call.args, call.entities) if adds else (call.message.text, call.message.entities)
    reply = _change_piece(call, note, piece, new)
    if waiting:  # for «📝 Записать» or «🤖 Спросить»
        call.app.db.delete_note(call.user_id, number, deleted_at=call.date, source=waiting)
    return reply


def _change_piece(call: Call, note: Note, piece: NotePiece, new: Formatted) -> Reply | str:
    """Put what a message says now in the place of what it said, if that still stands there."""
    start, length, head, line = on_its_line(note.text, piece.start, piece.length, new)
    stands = piece.is_(piece_of(note.text, piece.start, piece.length))
    # Before a kill, or by somebody who wrote the same into the note.
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
    return Reply(reaction="✍") if differs or is_done else ""


def _remember(call: Call, piece: NotePiece, now: NotePiece, longer: int) -> None:
    """Note what of the note the message is now."""
    if now != piece:
        call.app.pieces.change(call.place.chat_id, call.message.id, piece, now, longer)


def _fresh(call: Call, note: Note) -> tuple[File, ...]:
    """Return the file of a message unless the note has it."""
    there = {file.file_unique_id for file in note.files}
    return tuple(file for file in files_of(call.message) if file.file_unique_id not in there)
