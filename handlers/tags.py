"""/tags: the tags of a person's notes, as buttons that find the notes."""

from commands import MORE, Call, button, command
from handlers.lists import FOUND, Pages, find_tagged, start_of
from handlers.note_words import own, tied
from telegram.lines import first_line
from telegram.replies import Button, Reply

NO_TAGS = "Тегов пока нет. Тег — это слово с решёткой прямо в тексте заметки: #работа"
PAGE, BESIDE = 30, 3
LABEL = 40  # UTF-16 units; Telegram refuses a keyboard of more than some kilobytes


@command("tags", "", "Теги заметок", group=MORE)
def tags(call: Call) -> Reply:
    """/tags: a button for each tag, with its count."""
    return _page(call, 1)


@button("tags")
def turn_tags(call: Call) -> Reply:
    """◀ ▶ under the tags: that page."""
    return _page(call, *own(call), in_place=True)


@button("tagged")
def press_tag(call: Call) -> Reply:
    """A tag's button: the notes that have it."""
    return find_tagged(call, call.app.recalled.text(call.user_id, *own(call)), 0, FOUND)


def _page(call: Call, page: int, *, in_place: bool = False) -> Reply:
    found = call.app.notebook.tags(call.user_id)
    if not found:
        return Reply(NO_TAGS, in_place=in_place)
    start = start_of(page, len(found), PAGE)
    shown = found[start : start + PAGE]
    kept = call.app.recalled.keep(call.user_id, [f"#{tag}" for tag, _ in shown])
    buttons = [
        Button(f"{first_line(f'#{tag}', LABEL)} · {count}", "tagged", tied(call, number))
        for (tag, count), number in zip(shown, kept, strict=True)
    ]
    rows = [buttons[at : at + BESIDE] for at in range(0, len(buttons), BESIDE)]
    pages = Pages("tags", (), len(found), PAGE, start, len(shown))
    return Reply(f"Теги: {len(found)}.", buttons=[*rows, *pages.buttons(call)], in_place=in_place)
