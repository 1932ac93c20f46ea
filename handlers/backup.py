"""/backup: a copy of the database, for the owner only."""

from commands import OWNERS, Call, command
from handlers.basics import OWNER_ONLY
from telegram.replies import Reply, UserError
from upkeep.backup import back_up
from upkeep.packing import packed

PRIVATE_ONLY = "Копию базы пришлю только в личном чате: в ней все заметки."
MAX_UPLOAD = 50_000_000  # bytes; Telegram's limit for a bot


@command("backup", "", "Копия базы данных", group=OWNERS)
def backup(call: Call) -> Reply:
    """/backup: a fresh copy of the database as a file."""
    if call.user_id != call.app.gate.owner:  # it holds everybody's notes; may_manage() is not enough
        raise UserError(OWNER_ONLY)
    if not call.private:
        raise UserError(PRIVATE_ONLY)
    return Reply("Делаю копию…", later=lambda: _made(call))


def _made(call: Call) -> Reply:
    now = call.app.settings.now()
    path = back_up(call.app.db.path, now)
    said = f"Копия базы от {now:%d.%m.%Y %H:%M}. Вернуть её: python bot.py --restore {{}}"
    document = packed(path, MAX_UPLOAD)
    if document is None:
        return Reply(f"{said.format(path)}\nДля Telegram она слишком велика и лежит там, где работает бот.")
    return Reply(said.format(document[0]), document=document)
