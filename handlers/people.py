"""/invite, /people, /remove: the owner lets people in and out."""

from commands import Call, button, command
from handlers.basics import owner_only
from telegram.replies import Button, Reply, UserError

BY_SETTING = "Кого пускать, задано в ALLOWED_USERS (.env): измените его и перезапустите бота."

IN_TERMINAL = (
    "В терминале бот только ваш. Приглашать можно, когда он работает в Telegram: впишите TOKEN в .env."
)


@command("invite", "", "Пригласить человека", owner_only=True)
def invite(call: Call) -> str:
    _by_invitation(call)
    code = call.app.people.invitation()
    return (
        f"Ссылка на одного человека, действует сутки:\nhttps://t.me/{call.app.username}?start={code}\n"
        f"Или пусть напишет боту: /start {code}"
    )


@command("people", "", "Кто пользуется ботом", owner_only=True)
def people(call: Call) -> Reply:
    _by_invitation(call)
    known = call.app.people.list()
    lines = [f"{'★' if person.owner else ' '} {person.name} (id {person.user_id})" for person in known]
    guests = [person for person in known if not person.owner]
    buttons = [
        [Button(f"Убрать: {guest.name} ({guest.user_id})", "remove", guest.user_id)] for guest in guests
    ]
    return Reply(
        "\n".join(["Боту доверены:", *lines, "", "Пригласить: /invite. Убрать: /remove <id>"]),
        buttons=buttons,
    )


@command("remove", "<id>", "Убрать человека", owner_only=True)
def remove(call: Call) -> str:
    _by_invitation(call)
    return _remove(call, call.number())


@button("remove")
def press_remove(call: Call) -> Reply:
    owner_only(call)
    return Reply(notice=_remove(call, call.number()))


def _remove(call: Call, user_id: int) -> str:
    person = call.app.people.remove(user_id)
    call.app.gate.reload()
    call.app.questions.drop(user_id)
    return f"{person.name} больше не пользуется ботом. Заметки остались и вернутся вместе с ним."


def _by_invitation(call: Call) -> None:
    if not call.app.gate.by_invitation:
        raise UserError(BY_SETTING if call.app.settings.token else IN_TERMINAL)
