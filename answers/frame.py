"""What surrounds an answer: the placeholder, the footer and the buttons."""

from answers.about_notes import briefed, cited, numbers_told
from answers.asking import Outcome
from db import Model
from openrouter_client import (
    FALLBACK,
    FREE_ROUTER,
    Kind,
    OpenRouterError,
    fallback_name,
    is_fallback,
)
from storage.dialogue import Turn
from telegram.lines import first_line
from telegram.replies import Button, Buttons

STOPPED = "остановлено"


def waiting(model: Model) -> str:
    """Return the placeholder for an answer, shown until its first word."""
    return f"⏳ {model.label}"


def stop_button(entry_id: int) -> Buttons:
    """Return the button below an answer that is still growing."""
    return [[Button("⏹ Стоп", "stop", entry_id)]]


def footer(outcome: Outcome, ms: int, note: str, *, stopped: bool) -> str:
    """Return the line below an answer: how long it took, which model answered, and which ones failed."""
    notes = [f"{ms} мс", f"модель: {outcome.model.key.removeprefix(FALLBACK)}"]
    notes += [f"ответила {picked}"] if (picked := _picked(outcome)) else []
    notes += [f"ответил запасной сервис {fallback_name()}"] if is_fallback(outcome.model.key) else []
    notes += [note] if note else []
    notes += [_why_not(model, exc) for model, exc in outcome.failures]
    notes += [STOPPED] if stopped else []
    return f"({'; '.join(notes)})"


def _picked(outcome: Outcome) -> str:
    """Return the model that the router picked; "" if no router was asked, or it does not say."""
    picked = outcome.answer.model if outcome.answer else ""
    if outcome.model.key != FREE_ROUTER or picked == FREE_ROUTER:
        return ""
    return first_line(picked, 100)


def elsewhere_too(outcome: Outcome) -> str:
    """Return a line with the other service's error; "" if there is none, or it is the outcome's own error."""
    failures = outcome.failures
    others = [exc for model, exc in failures[1:] if is_fallback(model.key) != is_fallback(failures[0][0].key)]
    return f"\n{others[0]}" if others and others[0] is not outcome.error else ""


def _why_not(model: Model, exc: OpenRouterError) -> str:
    return f"{model.key}{':' if exc.kind is Kind.EMPTY else ''} {exc.short}"


def buttons(turn: Turn, outcome: Outcome, text: str) -> Buttons:
    """Return the buttons below a complete answer, or below the sentence that says why there is none."""
    again, other = Button("🔁 Ещё раз", "again", turn.id), Button("🤖 Другая модель", "other", turn.id)
    if not text:
        return [[again, other]]
    if briefed(turn):
        return [[Button("💾 Сохранить", "brief_keep", turn.id), Button("Не надо", "brief_drop", turn.id)]]
    ran_out = bool(outcome.answer and outcome.answer.ran_out)
    go_on = [Button("➡️ Продолжить", "more", turn.id)] if ran_out else []
    return [*_cards(turn, text), [again, *go_on], [Button("📝 В заметки", "save", turn.id), other]]


def _cards(turn: Turn, text: str) -> Buttons:
    """Return buttons that open the notes that an answer cites; only the person who asked may press them."""
    named = cited(text, numbers_told(turn) or ())
    cards = [Button(f"#{number}", "note", f"{turn.user_id}.{number}") for number in named]
    return [cards[start : start + 5] for start in range(0, len(cards), 5)]
