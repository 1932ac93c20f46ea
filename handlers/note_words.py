"""SCAFFOLD: nin's."""

from commands import Call, WrongArgumentsError, parse_number
from telegram.replies import UserError

NOT_YOURS = "Это чужие заметки."


def tied(call: Call, *numbers: int) -> str:
    """Return the data of a button that only the person who is answered may press."""
    return ".".join(map(str, (call.user_id, *numbers)))


def own(call: Call, count: int = 1) -> list[int]:
    """Return the numbers that a button carries; raises UserError for another person's."""
    owner, *numbers = (parse_number(part) for part in call.args.split("."))
    if owner != call.user_id:
        raise UserError(NOT_YOURS)
    if len(numbers) != count:
        raise WrongArgumentsError
    return numbers
