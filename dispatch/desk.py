"""What every step of handling an update uses, and short answers that come from no handler."""

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
    """The tools for handling an update."""

    app: App
    journal: Journal
    delivery: Delivery
    background: Lanes  # for answers the chat must not wait for
    work_lanes: Lanes  # for jobs of minutes, done step by step

    def tell(self, update: Update, sentence: str, *, instead_of: int | None = None) -> None:
        """Reply to an update, or edit the message `instead_of`; a failure is only logged."""
        try:
            if instead_of:
                self.delivery.attempt(update.place, "edit_message_text", message_id=instead_of, text=sentence)
            else:
                quoted = quote(update.quotable)
                self.delivery.attempt(update.place, "send_message", text=sentence, reply_parameters=quoted)
        except (Pause, UndeliverableError, RefusedError) as exc:
            log.info("Не сказано (%s): %s", type(exc).__name__, sentence)

    def tell_of_trouble(self, update: Update, trouble: str) -> None:
        """Reply that the database cannot be used right now and that the message is not lost."""
        self.tell(update, f"Не получилось: {trouble}. Сообщение не потеряно, отвечу, как только смогу.")
