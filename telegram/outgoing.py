"""Turn a reply into the API calls that deliver it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from telebot import types

from telegram.attachments import Outgoing, attachments
from telegram.replies import Button, Buttons, Reply
from telegram.splitting import Part, split

NO_PREVIEW = types.LinkPreviewOptions(is_disabled=True)  # else Telegram fetches an answer's first URL


def outgoing(reply: Reply, message_id: int) -> Iterator[Outgoing]:
    """Yield the calls that deliver a reply: quoting the message, or editing it if the reply is `in_place`."""
    if reply.document:
        method, document = document_of(*reply.document)
        quoted: dict[str, Any] = {"reply_parameters": quote(message_id)}
        refused = Outgoing("send_message", {**quoted, "text": not_taken(reply)})
        yield Outgoing(method, {**quoted, **document}, instead=(refused,))
    yield from attachments(reply.files, quote(message_id))
    if reply.reaction:
        reaction = [types.ReactionTypeEmoji(reply.reaction)]
        reacted = {"message_id": message_id, "reaction": reaction}
        yield Outgoing("set_message_reaction", reacted, instead=tuple(_messages(reply, message_id)))
        for other in reply.reacted_to:
            yield Outgoing("set_message_reaction", {**reacted, "message_id": other}, instead=())
    elif reply.in_place and not reply.text and reply.buttons:
        buttons = {"message_id": message_id, "reply_markup": _keyboard(reply.buttons)}
        yield Outgoing("edit_message_reply_markup", buttons, instead=())
    elif reply.picture:
        shown = {"photo": reply.picture, "caption": reply.text, "reply_parameters": quote(message_id)}
        in_words = _messages(replace(reply, in_place=False), message_id)
        yield Outgoing("send_photo", shown, instead=tuple(in_words))
    else:
        yield from _messages(reply, message_id)


def _messages(reply: Reply, message_id: int) -> Iterator[Outgoing]:
    parts = split(reply.text, reply.entities) if reply.text else []
    for number, part in enumerate(parts):
        message = message_of(part, reply.buttons if number == len(parts) - 1 else ())
        if reply.asks:
            message["reply_markup"] = types.ForceReply(selective=True)
        if number == 0 and reply.in_place:
            yield Outgoing("edit_message_text", {"message_id": message_id, **message})
        else:
            quoted = quote(None if number else message_id)
            yield Outgoing("send_message", {"reply_parameters": quoted, **message})


def not_taken(reply: Reply) -> str:
    """Return the sentence for a document that Telegram refuses."""
    name = reply.document[0] if reply.document else ""
    return (
        f"Telegram не принял файл {name}. В группе они могут быть запрещены: тогда напишите мне в личный чат."
    )


def document_of(name: str, content: bytes) -> tuple[str, dict[str, Any]]:
    """Return the method and the parameters that send a file."""
    return "send_data", {"data": content, "data_type": "document", "visible_file_name": name}


def message_of(part: Part, buttons: Buttons) -> dict[str, Any]:
    """Return the parameters that sending and editing have in common."""
    return {
        "text": part.text,
        "entities": part.entities,
        "reply_markup": _keyboard(buttons),
        "link_preview_options": NO_PREVIEW,
    }


def quote(message_id: int | None) -> types.ReplyParameters | None:
    """Return parameters that quote a message, or send without a quote if it was deleted meanwhile."""
    return types.ReplyParameters(message_id, allow_sending_without_reply=True) if message_id else None


def _keyboard(buttons: Buttons) -> types.InlineKeyboardMarkup | None:
    if not buttons:
        return None
    return types.InlineKeyboardMarkup([[_button(button) for button in row] for row in buttons])


def _button(button: Button) -> types.InlineKeyboardButton:
    if button.copies:
        return types.InlineKeyboardButton(button.text, copy_text=types.CopyTextButton(button.copies))
    return types.InlineKeyboardButton(button.text, callback_data=f"{button.name}:{button.data}")
