"""/invite, /people, /remove: the owner lets people in and out."""

import unicodedata

from commands import OWNERS, Call, button, command, parse_number
from handlers.basics import owner_only
from handlers.pages import page_of, turning
from storage.people import Person
from telegram.lines import first_line
from telegram.replies import Button, Reply, UserError

PAGE = 20
LONGEST_NAME = 40
BY_SETTING = "Кого пускать, задано в ALLOWED_USERS (.env): измените его и перезапустите бота."

IN_TERMINAL = (
    "В терминале бот только ваш. Приглашать можно, когда он работает в Telegram: впишите TOKEN в .env."
)


@command("invite", "", "Пригласить человека", group=OWNERS)
def invite(call: Call) -> str:
    """/invite: a link that lets one person in."""
    _check(call)
    code = call.app.people.invitation()
    return (
        f"Ссылка на одного человека, действует сутки:\nhttps://t.me/{call.app.username}?start={code}\n"
        f"Или пусть напишет боту: /start {code}"
    )


@command("people", "", "Кто пользуется ботом", group=OWNERS)
def people(call: Call) -> Reply:
    """/people: who may use the bot, with a button to remove each guest."""
    _check(call)
    return _page(call, 1)


@button("people")
def turn_page(call: Call) -> Reply:
    """«2 из 6 ▶»: that page replaces this one."""
    _check(call)
    return _page(call, call.number(), in_place=True)


@command("remove", "<id>", "Убрать человека", group=OWNERS)
def remove(call: Call) -> str:
    """/remove 12345: that guest is removed."""
    _check(call)
    return _remove(call, call.number())


@button("remove")
def press_remove(call: Call) -> Reply:
    """«Убрать: Анна (12345)»: that guest is removed, and the list updated."""
    _check(call)
    page, _, user_id = call.args.partition(".")
    shown = parse_number(page)
    notice = _remove(call, parse_number(user_id))
    return _page(call, shown, in_place=True, notice=notice)


def _page(call: Call, number: int, *, in_place: bool = False, notice: str = "") -> Reply:
    shown, number, last = page_of(call.app.people.list(), number, PAGE)
    lines = [f"{'★' if person.owner else ' '} {_name(person)} (id {person.user_id})" for person in shown]
    text = "\n".join(["Боту доверены:", *lines, "", "Пригласить: /invite. Убрать: /remove <id>"])
    buttons = [
        [Button(f"Убрать: {_name(guest)} ({guest.user_id})", "remove", f"{number}.{guest.user_id}")]
        for guest in shown
        if not guest.owner
    ]
    turns = [turning("people", number, last)] if last > 1 else []
    return Reply(text, buttons=buttons + turns, in_place=in_place, notice=notice)


def _name(person: Person) -> str:
    """Return a name cut to one line, without direction marks that would reverse the rest of the line."""
    visible = "".join(char for char in person.name if unicodedata.category(char) != "Cf")
    return first_line(visible, LONGEST_NAME) or "без имени"


def _remove(call: Call, user_id: int) -> str:
    person = call.app.people.remove(user_id)
    call.app.gate.reload()
    call.app.questions.drop(user_id)
    return f"{_name(person)} больше не пользуется ботом. Заметки остались и вернутся вместе с ним."


def _check(call: Call) -> None:
    """Raise UserError unless the owner asks, in a private chat, and guests are managed by invitation."""
    owner_only(call)
    if not call.private:
        raise UserError(
            "Это не для чужих глаз. Напишите мне в личный чат: /invite, /people или /remove <id>."
        )
    if not call.app.gate.by_invitation:
        raise UserError(BY_SETTING if call.app.settings.token else IN_TERMINAL)
