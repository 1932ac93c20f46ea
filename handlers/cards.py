"""A note's card: its full text with formatting and files, and the buttons below it."""

from collections.abc import Iterator

from commands import MORE, Call, WrongArgumentsError, button, command
from db import Note
from handlers.brief import brief_button
from handlers.changing import to_replace, will_replace
from handlers.keeping import brought_back, source
from handlers.note_words import (
    NO_NOTES,
    attached,
    line,
    local,
    note_buttons,
    own,
    replied_note,
    shows,
    tied,
    title,
    when,
)
from storage.tags import tags_in
from telegram.formatted import Formatted, concat, lines
from telegram.replies import MAX_COPIED, Button, Buttons, Reply
from telegram.splitting import utf16_len

REPLY_WITH_TEXT = "Ответьте на это сообщение новым текстом."
SHOWN_OF_A_DAY = 50


@command("note", "<id>", "Показать заметку целиком", group=MORE)
def note(call: Call) -> Reply:
    """/note 8: the card of that note; sent as a reply to a note, it needs no number."""
    number = replied_note(call) if not call.args.strip() else None
    return card(call, call.app.db.get_note(call.user_id, number or call.number()))


@button("note")
def open_note(call: Call) -> Reply:
    """A note's number under a list: the card of that note."""
    return card(call, call.app.db.get_note(call.user_id, *own(call)))


def card(call: Call, note: Note) -> Reply:
    """Return a note's card; a reply to any of its messages refers to this note."""
    head = f"#{note.number} · {when(call, note.created_at)}", ()
    body = (note.text, note.entities) if note.text else (title(note), ())
    text, entities = lines(head, body, *_tail(call, note))
    reply = Reply(text, entities, buttons=card_buttons(call, note), files=attached(note))
    return shows(call, reply, note.number)


def _tail(call: Call, note: Note) -> Iterator[Formatted]:
    """Yield the lines below a note's text: origin, time of the last edit, tags."""
    if origin := note.origin:
        link = {"type": "text_link", "offset": 0, "length": utf16_len(origin.name), "url": origin.link}
        date = f", {when(call, origin.date)}" if origin.date else ""
        yield concat(
            ("Откуда: ", ()), (origin.name, [link] if origin.link and origin.name else []), (date, ())
        )
    if note.edited_at:
        yield f"Изменена: {when(call, note.edited_at)}", ()
    if tags := tags_in(note.text, note.entities):
        yield "Теги: " + " ".join(f"#{tag}" for tag in tags), ()


def card_buttons(call: Call, note: Note) -> Buttons:
    """Return the buttons of a note's card."""
    data = tied(call, note.number)
    pin = Button("📍", "unpin", data) if note.pinned else Button("📌", "pin", data)
    copy = [Button("📋", copies=note.text)] if 0 < utf16_len(note.text) <= MAX_COPIED else []
    below = [row for row in [brief_button(call, note)] if row]
    return [[Button("✏️ Изменить", "change", data), pin, Button("🗑", "throw", data), *copy], *below]


@button("change")
def press_change(call: Call) -> Reply:
    """«✏️ Изменить»: asks for a new text, and takes it from the next reply to the card or to this question."""
    note = call.app.db.get_note(call.user_id, *own(call))
    will_replace(call, [*to_replace(call), note.number])
    # In a group only a mentioned person's client opens the reply, since the quoted card is the bot's own.
    word = len(REPLY_WITH_TEXT.split()[0])
    mention = {"type": "text_mention", "offset": 0, "length": word, "user": {"id": call.user_id}}
    mentions = [] if call.private else [mention]
    return shows(call, Reply(REPLY_WITH_TEXT, mentions, asks=True), note.number)


@button("pin")
def press_pin(call: Call) -> Reply:
    """«📌»: the note is pinned, and comes first in the list."""
    return _pinned(call, call.date)


@button("unpin")
def press_unpin(call: Call) -> Reply:
    """«📍»: the note is unpinned."""
    return _pinned(call, None)


def _pinned(call: Call, pinned_at: int | None) -> Reply:
    note = call.app.notebook.pin_note(call.user_id, *own(call), pinned_at=pinned_at)
    said = f"Заметка #{note.number} {'закреплена' if note.pinned else 'откреплена'}."
    return Reply(buttons=card_buttons(call, note), in_place=True, notice=said)


@button("throw")
def press_throw(call: Call) -> Reply:
    """«🗑»: the note goes into the bin; the card keeps a button that restores it."""
    (number,) = own(call)
    call.app.db.delete_note(call.user_id, number, deleted_at=call.date, source=source(call))
    back = Button("↩️ Вернуть", "retrieve", tied(call, number))
    return Reply(buttons=[[back]], in_place=True, notice=f"Заметка #{number} удалена.")


@button("retrieve")
def press_retrieve(call: Call) -> Reply:
    """«↩️ Вернуть» under the card of a deleted note: the note is restored."""
    note = brought_back(call, *own(call))
    return Reply(
        buttons=card_buttons(call, note), in_place=True, notice=f"Заметка #{note.number} возвращена."
    )


# Random notes


@command("note_random", "[год]", "Случайная заметка", group=MORE)
def note_random(call: Call) -> Reply | str:
    """/note_random: the card of a random note; /note_random год: notes of this day in earlier years."""
    wanted = call.args.strip().lower()
    if wanted == "год":
        return _of_this_day(call)
    if wanted:
        raise WrongArgumentsError
    note = call.app.notebook.random_note(call.user_id)
    return card(call, note) if note else NO_NOTES


def _of_this_day(call: Call) -> Reply | str:
    zone = call.app.settings.timezone
    today = local(call, call.date).date()
    notes = call.app.days.of_this_day(call.user_id, today, zone)
    if not notes:
        return "В этот день прошлых лет заметок не было."
    shown = notes[:SHOWN_OF_A_DAY]
    more = f", последние {len(shown)}" if len(notes) > len(shown) else ""
    head = f"В этот день прошлых лет: {len(notes)}{more}."
    return Reply("\n".join([head, *(line(call, note) for note in shown)]), buttons=note_buttons(call, shown))
