"""/start and /help, the answer to an unknown command, and checks for owner-only commands."""

from difflib import get_close_matches
from itertools import groupby

from commands import COMMANDS, NOTES, Call, Command, command
from telegram.replies import UserError

OWNER_ONLY = "Это может только владелец бота."
NO_OWNER = (
    "Платную модель может добавить и выбрать только владелец, а у бота его нет: "
    "впишите в ALLOWED_USERS (.env) его id вместо *."
)


# A command typed while the Russian keyboard layout is on: /фыл is /ask.
_SAME_KEYS = str.maketrans("йцукенгшщзфывапролдячсмить", "qwertyuiopasdfghjklzxcvbnm")


@command("start", "", "Приветствие и помощь")
@command("help", "", "Все команды", in_menu=False)
def show_help(call: Call) -> str:
    """/start, /help: every command that the person may use, with its summary."""
    lines = ["Привет! Это заметочник на SQLite.", "", "Команды:"]
    for group, rows in groupby(_known_to(call), lambda row: row.group):
        lines += [] if group == NOTES else ["", f"{group}:"]
        lines += [_line(row) for row in rows if row.name not in ("start", "help")]
    return "\n".join(lines)


def unknown_command(call: Call) -> str:
    """/no_such_one: the closest known command; nothing in a group, where it may be for another bot."""
    if not call.private:
        return ""
    near = get_close_matches(
        call.name.lower().translate(_SAME_KEYS), [row.name for row in _known_to(call)], 1
    )
    perhaps = f" Может быть, /{near[0]}?" if near else ""
    return f"Нет команды /{call.name}.{perhaps} Все команды: /help"


def owner_only(call: Call) -> None:
    """Raise UserError unless the person may change settings that everybody shares."""
    if not call.app.gate.may_manage(call.user_id):
        raise UserError(OWNER_ONLY)


def owners_money(call: Call) -> None:
    """Raise UserError unless the person is the owner; without an owner, nobody may spend money."""
    owner_only(call)
    if call.app.gate.owner is None:
        raise UserError(NO_OWNER)


def _known_to(call: Call) -> list[Command]:
    """Return the commands that /help lists for this person."""
    return [row for row in COMMANDS.values() if not row.owner_only or call.user_id == call.app.gate.owner]


def _line(row: Command) -> str:
    return f"  {f'/{row.name} {row.usage}'.rstrip()} — {row.summary[0].lower()}{row.summary[1:]}"
