"""What it takes to handle an update, and a word to whoever sent it, where no handler answers."""

import logging
from dataclasses import dataclass

from commands import App
from dispatch.lanes import Lanes
from storage.journal import Journal
from telegram.api import RefusedError
from telegram.delivery import Delivery, Pause, UndeliverableError
from telegram.outgoing import quote
from telegram.updates import Update

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Desk:
    """What it takes to handle an update."""

    app: App
    journal: Journal
    delivery: Delivery
    background: Lanes  # for what takes so long that the chat must not wait for it
    work_lanes: Lanes  # for what takes minutes, step by step

    def tell(self, update: Update, sentence: str, *, instead_of: int | None = None) -> None:
        """Say something to whoever sent an update, or in a message that stands already, if it works out."""
        try:
            if instead_of:
                self.delivery.attempt(update.place, "edit_message_text", message_id=instead_of, text=sentence)
            else:
                quoted = quote(update.quotable)
                self.delivery.attempt(update.place, "send_message", text=sentence, reply_parameters=quoted)
        except (Pause, UndeliverableError, RefusedError) as exc:
            log.info("Не сказано (%s): %s", type(exc).__name__, sentence)

    def tell_of_trouble(self, update: Update, trouble: str) -> None:
        """Say to whoever sent an update that the file cannot be used just now, and that nothing is lost."""
        self.tell(update, f"Не получилось: {trouble}. Сообщение не потеряно, отвечу, как только смогу.")
