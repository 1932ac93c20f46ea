"""A Call becomes a Reply: its handler is called here, and what that raises is caught here."""

import sqlite3

from commands import BUTTONS, COMMANDS, Call, WrongArgumentsError
from handlers import basics, capture, changing
from in_words import in_words, storage_trouble
from telegram.replies import Reply, UserError


def answer(call: Call) -> Reply:
    """Call the handler, and make its reply, or what it raised, a Reply.

    Trouble with the file itself passes through: the update waits in the journal until it is over.
    """
    try:
        reply = _run(call)
    except Exception as exc:  # every answer, even that to a mistake of ours, is made here
        if isinstance(exc, sqlite3.Error) and storage_trouble(exc):
            raise
        sentence = in_words(exc)
        # What flashes up over a button holds one line, and no way on that somebody could follow.
        reply = Reply(notice=sentence) if call.query_id and "\n" not in sentence else Reply(sentence)
    return Reply(reply) if isinstance(reply, str) else reply


def _run(call: Call) -> Reply | str:
    if call.query_id:
        return _press(call)
    if call.edited:
        return changing.edited(call)
    if not call.name:
        return capture.plain_message(call)
    command = COMMANDS.get(call.name)
    if command is None:
        return basics.unknown_command(call)
    if command.owner_only:
        basics.owner_only(call)
    try:
        return command.run(call)
    except WrongArgumentsError as exc:
        raise UserError(f"{command.wrong}\n{exc}".rstrip()) from None


def _press(call: Call) -> Reply | str:
    # A button of an older version, or data that somebody made up, is no error of ours.
    gone = Reply(notice="Эта кнопка больше не действует.")
    press = BUTTONS.get(call.name)
    try:
        return press(call) if press else gone
    except WrongArgumentsError:
        return gone
