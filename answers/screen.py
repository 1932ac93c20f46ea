"""The messages in which one answer grows, brought up to date one call at a time."""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from telegram.api import RefusedError
from telegram.delivery import Delivery
from telegram.outgoing import document_of, message_of
from telegram.replies import Buttons
from telegram.splitting import Part
from telegram.updates import Place

log = logging.getLogger(__name__)


class Screen:
    """One answer's messages in a chat; `messages` are the ids of those sent already."""

    def __init__(
        self,
        delivery: Delivery,
        place: Place,
        messages: list[int],
        on_message: Callable[[list[int]], None],
    ) -> None:
        self._delivery = delivery
        self._place = place
        self.messages = list(messages)
        self._shown: list[tuple[Part, Buttons] | None] = [None] * len(messages)
        self._on_message = on_message

    def step(self, parts: Sequence[Part], buttons: Buttons, *, final: bool = False) -> bool:
        """Update the first message that differs, and return whether there was one; buttons go below the last.

        Surplus messages are deleted, one a call, only if `final`. Raises Pause if it is too early,
        UndeliverableError if the chat cannot be written to, and RefusedError.
        """
        for number, part in enumerate(parts):
            wanted = (part, buttons if number == len(parts) - 1 else ())
            if number >= len(self._shown) or self._shown[number] != wanted:
                self._show(number, *wanted, final=final)
                return True
        return final and self._delete_surplus(len(parts))

    def attach(self, name: str, text: str) -> None:
        """Send a text as a file below the messages; raises what `step` does."""
        method, document = document_of(name, text.encode())
        sent = self._delivery.attempt(self._place, method, **document)
        self.messages.append(sent["message_id"])
        self._shown.append(None)
        self._on_message(self.messages)

    def _show(self, number: int, part: Part, buttons: Buttons, *, final: bool) -> None:
        message = message_of(part, buttons)
        if number < len(self.messages):
            new_id = self._edited(self.messages[number], message, final=final)
        else:
            new_id = self._sent(message)
        known = number < len(self.messages) and self.messages[number] == new_id
        self._shown[number : number + 1] = [(part, buttons)]
        self.messages[number : number + 1] = [new_id]
        if not known:
            self._on_message(self.messages)

    def _edited(self, message_id: int, message: dict[str, Any], *, final: bool) -> int:
        try:
            result = self._delivery.attempt(
                self._place, "edit_message_text", message_id=message_id, **message
            )
        except RefusedError as exc:
            if not final:
                raise
            log.warning("Ответ не вписан в прежнее сообщение, отправляю новое: %s", exc)
            return self._sent(message)
        return int(result["message_id"]) if isinstance(result, dict) else message_id

    def _sent(self, message: dict[str, Any]) -> int:
        return int(self._delivery.attempt(self._place, "send_message", **message)["message_id"])

    def _delete_surplus(self, wanted: int) -> bool:
        """Delete the last message if an earlier, longer attempt left too many; return whether it did."""
        if len(self.messages) <= wanted:
            return False
        with suppress(RefusedError):  # already deleted, or too old to delete
            self._delivery.attempt(self._place, "delete_message", message_id=self.messages[-1])
        self.messages.pop()
        self._shown.pop()
        self._on_message(self.messages)
        return True
