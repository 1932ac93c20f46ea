"""«Кратко» on a long note's card: a model's summary, saved only on request."""

from answers.about_notes import BRIEF, briefed, told_of_one
from commands import Call, button
from db import Note
from handlers.ask import own_turn
from handlers.choices import LEAVE, choose
from handlers.keeping import source
from handlers.note_ask import YES, ask_consent, may_leave
from handlers.note_words import own, tied
from handlers.questions import put_question
from storage.dialogue import Turn, TurnNotFoundError
from telegram.formatted import concat
from telegram.markdown import markdown
from telegram.replies import Button, Reply

LONG = 800  # characters; a shorter note needs no summary


def brief_button(call: Call, note: Note) -> list[Button]:
    """Return the row with the summary button for a long note's card, or an empty row for a short note."""
    return [Button("Кратко", "brief", tied(call, note.number))] if len(note.text) >= LONG else []


@button("brief")
def brief(call: Call) -> Reply | str:
    """«Кратко»: the model is asked for a summary."""
    (number,) = own(call)
    if not may_leave(call):
        return ask_consent(call, Button(YES, "brief_yes", tied(call, number)))
    note = call.app.db.get_note(call.user_id, number)
    return put_question(call, BRIEF, context=told_of_one(note, call.app.settings.timezone))


@button("brief_yes")
def agree(call: Call) -> Reply | str:
    """«Да, спрашивать» before the first summary: the consent is saved, and the model asked."""
    own(call)
    choose(call, LEAVE, "yes")
    return brief(call)


@button("brief_keep")
def keep(call: Call) -> Reply:
    """«💾 Сохранить»: the summary is appended to the note."""
    turn, number = _summary(call)
    note = call.app.db.get_note(turn.user_id, number)
    text, entities = concat(("Кратко: ", ()), markdown(turn.answer))
    if text not in note.text:  # pressed twice
        call.app.notebook.append_note(
            turn.user_id, number, text, entities=entities, edited_at=call.date, source=source(call)
        )
    card = Button(f"#{number}", "note", tied(call, number))
    back = Button("↩️ Вернуть", "undo", tied(call, number, call.entry_id))
    return Reply(buttons=[[card, back]], in_place=True, notice=f"Добавлено в заметку #{number}.")


@button("brief_drop")
def drop(call: Call) -> Reply:
    """«Не надо»: the note stays unchanged."""
    _summary(call)
    return Reply("Не сохранено.", in_place=True)


def _summary(call: Call) -> tuple[Turn, int]:
    """Return the turn of the summary whose button was pressed, and the number of its note."""
    turn = own_turn(call, call.args)
    number = briefed(turn)
    if number is None or turn.user_id != call.user_id:
        raise TurnNotFoundError(turn.id)
    return turn, number
