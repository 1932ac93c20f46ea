"""Turn a Call into a Reply: call its handler, and turn exceptions into sentences."""

import sqlite3

from commands import BUTTONS, COMMANDS, Call, WrongArgumentsError
from handlers import basics, capture, changing
from in_words import in_words, storage_trouble
from telegram.replies import Reply, UserError


def answer(call: Call) -> Reply:
    """Call the handler; return its reply, or a Reply with the sentence for what it raised.

    If the database file cannot be used, sqlite3.Error passes through: the update waits in the journal.
    """
    try:
        reply = _run(call)
    except Exception as exc:  # the one place that turns exceptions, even bugs, into answers
        if isinstance(exc, sqlite3.Error) and storage_trouble(exc):
            raise
        sentence = in_words(exc)
        # A toast shows one line and disappears; a longer sentence, with advice, becomes a message.
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
    # A button from an older version, or made-up data, is not our error.
    gone = Reply(notice="Эта кнопка больше не действует.")
    press = BUTTONS.get(call.name)
    try:
        return press(call) if press else gone
    except WrongArgumentsError:
        return gone
