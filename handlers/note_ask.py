"""/note_ask: a question about one's own notes, which are sent to a model only with consent."""

import re

from answers.about_notes import MOST_NOTES, told_of
from answers.frame import stop_button
from commands import MORE, Call, button, command
from handlers.choices import LEAVE, choose, chosen
from handlers.note_words import NO_NOTES, own, tied
from handlers.questions import put_question
from openrouter_client import hosts, is_openrouter, missing_key
from telegram.replies import Button, Reply

LOOKING = "⏳ Ищу в заметках…"
NOTHING_FOUND = "В заметках ничего об этом не нашлось. Поискать словами: /note_find"
REFUSED = "Хорошо, заметки моделям не отправляю. Передумать можно в /settings."
ALLOWED = "Хорошо. Спросите: /note_ask <вопрос>"
YES, NO = "Да, спрашивать", "Нет"


@command("note_ask", "<вопрос>", "Спросить модель о своих заметках", group=MORE, asks_a_model=True)
def note_ask(call: Call) -> Reply | str:
    """/note_ask о чём-то: the relevant notes are found and sent to the model with the question."""
    question = call.text().strip()
    if not may_leave(call):
        return ask_consent(call, Button(YES, "note_ask_yes", tied(call)))
    return _ask(call, question)


@button("note_ask_yes")
def agree(call: Call) -> Reply | str:
    """«Да, спрашивать»: the consent is saved, and the question is asked."""
    own(call, 0)
    choose(call, LEAVE, "yes")
    asked = call.message.reply_to.text if call.message.reply_to else ""
    question = re.sub(r"^\s*/\S+\s*", "", asked).strip()
    return _ask(call, question) if question else Reply(ALLOWED, in_place=True)


@button("note_ask_no")
def refuse(call: Call) -> Reply:
    """«Нет»: the refusal is saved."""
    own(call, 0)
    choose(call, LEAVE, "no")
    return Reply(REFUSED, in_place=True)


def may_leave(call: Call) -> bool:
    """Return whether a person's notes may be sent to a model."""
    return chosen(call, LEAVE) == "yes"


def ask_consent(call: Call, yes: Button) -> Reply:
    """Ask whether notes may be sent to a model, naming the hosts that would receive them."""
    before = "Раньше вы решили заметки моделям не отправлять. " if chosen(call, LEAVE) == "no" else ""
    free = " Бесплатные модели могут хранить и публиковать то, что им присылают." if is_openrouter() else ""
    return Reply(
        f"{before}Чтобы ответить, я отправлю подходящие заметки (не больше {MOST_NOTES}) вместе с вопросом "
        f"модели на {' или '.join(hosts())}.{free} Отправлять?",
        buttons=[[yes, Button(NO, "note_ask_no", tied(call))]],
    )


def _ask(call: Call, question: str) -> Reply | str:
    if error := missing_key():
        raise error
    if not call.app.db.count_notes(call.user_id):
        return Reply(NO_NOTES, in_place=bool(call.query_id))
    if begun := call.app.dialogue.begun_by(call.entry_id):  # by an earlier run
        return put_question(call, question, context=begun.context)
    call.app.questions.check_room(call.user_id)
    return Reply(
        LOOKING,
        buttons=stop_button(call.entry_id),
        in_place=bool(call.query_id),
        later=lambda: _search(call, question),
    )


def _search(call: Call, question: str) -> Reply:
    """Find the relevant notes, and send them to the model with the question."""
    model = call.app.db.get_active_model()
    queries = call.app.searching.queries(call.user_id, question, model)
    notes = call.app.notebook.rank_notes(call.user_id, [question, *queries], MOST_NOTES)
    if not notes:
        return Reply(NOTHING_FOUND)
    return put_question(call, question, context=told_of(notes, call.app.settings.timezone))
