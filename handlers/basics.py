"""/start and /help, and the answers to what is no command."""

from commands import COMMANDS, Call, command
from telegram.replies import UserError

OWNER_ONLY = "Это может только владелец бота."


@command("start", "", "Приветствие и помощь")
@command("help", "", "")
def show_help(call: Call) -> str:
    lines = [
        f"  /{row.name} {row.usage}".rstrip()
        for row in COMMANDS.values()
        if row.name not in ("start", "help") and (not row.owner_only or call.user_id == call.app.gate.owner)
    ]
    return "\n".join(["Привет! Это заметочник на SQLite.", "", "Команды:", *lines])


def unknown_command(call: Call) -> str:
    return f"Нет команды /{call.name}. Все команды: /help" if call.private else ""


def owner_only(call: Call) -> None:
    """Raise UserError unless the person may change what is everybody's."""
    if not call.app.gate.may_manage(call.user_id):
        raise UserError(OWNER_ONLY)
