"""Search queries that a model suggests for a question, if the day's free questions allow one more."""

import logging
import re
import time

from db import Model
from openrouter_client import Kind, OpenRouterError, chat_once, is_openrouter, key_info
from storage.dialogue import Dialogue
from storage.registry import Attempt

log = logging.getLogger(__name__)
KEPT_FREE = 5  # of the day's free questions: with fewer left, none is spent on queries
KNOWN_S = 60  # how long the service's figure of questions left is trusted
TIMEOUT_S, KEY_S, MAX_TOKENS = 20, 5, 1_000
MOST_QUERIES, MOST_LETTERS = 5, 100
PROMPT = (
    "Я ищу в своих заметках ответ на вопрос. Напиши от трёх до пяти коротких поисковых запросов: слова, "
    "которые могут стоять в нужной заметке, и другие слова о том же. Каждый запрос на своей строке, больше "
    "ничего.\n\nВопрос: "
)


class Searching:
    """Asks a model for queries, and counts that as one of the person's questions."""

    def __init__(self, dialogue: Dialogue) -> None:
        self._dialogue = dialogue
        self._left: int | None = None
        self._asked_at = -float(KNOWN_S)  # monotonic

    def queries(self, user_id: int, question: str, model: Model) -> list[str]:
        """Return queries for a question; [] if few free questions are left or the model gives none."""
        left = self._free_left() if is_openrouter(model.key) and not model.paid else None
        if left is not None and left < KEPT_FREE:
            return []
        started = time.monotonic()
        tokens, text, failed = 0, "", False
        try:
            messages = [{"role": "user", "content": PROMPT + question}]
            answer = chat_once(messages, model=model.key, max_tokens=MAX_TOKENS, timeout_s=TIMEOUT_S)
            text, tokens = answer.text, (answer.prompt_tokens or 0) + (answer.completion_tokens or 0)
        except OpenRouterError as exc:
            log.info("Поисковые запросы не придуманы: %s", exc)
            failed = exc.kind in (Kind.UPSTREAM, Kind.EMPTY)
        ms = round(1000 * (time.monotonic() - started))
        self._dialogue.note_aside(user_id, Attempt(model.id, ms, tokens, failed))
        return queries_in(text)

    def _free_left(self) -> int | None:
        """Return how many free questions are left today, None if unknown; asking costs nothing."""
        if time.monotonic() - self._asked_at >= KNOWN_S:
            try:
                self._left = key_info(KEY_S).remaining
            except OpenRouterError:
                self._left = None
            self._asked_at = time.monotonic()
        return self._left


def queries_in(text: str) -> list[str]:
    """Return the queries in an answer, whatever kind of list the model made of them."""
    lines = (re.sub(r"^[\W\d_]+|[\W_]+$", "", line) for line in text.splitlines())
    return [line for line in lines if 0 < len(line) <= MOST_LETTERS][:MOST_QUERIES]
