"""/note_list and /note_find: a line and a button for each note, in pages."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from commands import Call, button
from db import Hit, Note
from handlers.note_words import NO_NOTES, hit_line, line, note_buttons, own, tied
from handlers.pages import last_page
from telegram.formatted import lines
from telegram.lines import first_line
from telegram.replies import Button, Buttons, Reply

LISTED = 10
FOUND = 50  # hits in the first answer; further pages have LISTED
MAX_TAPS = 90  # note buttons below a message; Telegram allows 100 buttons


@dataclass(frozen=True, slots=True)
class Pages:
    """The shown part of a long list, and its page buttons; positions count from 0."""

    name: str  # of the button
    data: tuple[int, ...]  # the button's data besides the page
    total: int
    step: int = LISTED
    start: int = 0
    shown: int = 0

    def buttons(self, call: Call) -> list[list[Button]]:
        """Return the row of page buttons, or no row if there is only one page."""
        end = self.start + self.shown
        if self.start == 0 and end >= self.total:
            return []
        last = last_page(self.total, self.step)
        page, following = self.start // self.step + 1, end // self.step + 1
        here = f"{page}/{last}" if following <= page + 1 else f"{page}–{following - 1}/{last}"
        row = [Button("◀", self.name, tied(call, *self.data, page - 1))] if page > 1 else []
        row.append(Button(here, "here", tied(call)))
        row += [Button("▶", self.name, tied(call, *self.data, following))] if end < self.total else []
        return [row]


def start_of(page: int, total: int, step: int = LISTED) -> int:
    """Return where a page begins, or the last page if there are fewer now."""
    return (min(page, last_page(total, step)) - 1) * step


def start_of_last(total: int) -> int:
    """Return where the last page begins."""
    return (last_page(total, LISTED) - 1) * LISTED


def below(call: Call, pages: Pages, notes: Sequence[Note], name: str = "note", *more: int) -> Buttons:
    """Return the buttons below a list of notes."""
    return [*note_buttons(call, notes[:MAX_TAPS], name, *more), *pages.buttons(call)]


@button("here")
def press_here(call: Call) -> Reply:
    """The page number between ◀ and ▶."""
    own(call, 0)
    return Reply(notice="Эта страница и открыта.")


# The newest notes


def newest(call: Call, limit: int) -> Reply | str:
    """Return a list of the newest notes, pinned ones first."""
    total = call.app.db.count_notes(call.user_id)
    notes = call.app.db.list_notes(call.user_id, limit)
    if not notes:
        return NO_NOTES
    pages = _list_pages(total, limit, 0, len(notes))
    return _listed(call, pages, notes, f"Последние заметки ({len(notes)} из {total}):")


@button("list")
def turn_list(call: Call) -> Reply | str:
    """◀ ▶ under /note_list: that page."""
    step, page = own(call, 2)
    total = call.app.db.count_notes(call.user_id)
    start = start_of(page, total, step)
    notes = call.app.db.list_notes(call.user_id, step, start)
    if not notes:
        return Reply(NO_NOTES, in_place=True)
    head = f"Заметки {start + 1}–{start + len(notes)} из {total}:"
    return _listed(call, _list_pages(total, step, start, len(notes)), notes, head, in_place=True)


def _list_pages(total: int, limit: int, start: int, shown: int) -> Pages:
    step = min(limit, LISTED)
    return Pages("list", (step,), total, step, start, shown)


def _listed(call: Call, pages: Pages, notes: list[Note], head: str, *, in_place: bool = False) -> Reply:
    text = "\n".join([head, *(line(call, note) for note in notes)])
    return Reply(text, buttons=below(call, pages, notes), in_place=in_place)


# Found notes


@button("find")
def turn_find(call: Call) -> Reply:
    """◀ ▶ under search results, or a suggested word: the hits."""
    return _turn(call, find)


@button("tagpage")
def turn_tag(call: Call) -> Reply | str:
    """◀ ▶ under a tag's notes: that page."""
    return _turn(call, find_tagged)


def _turn(call: Call, search: Callable[..., Reply]) -> Reply:
    kept, page = own(call, 2)
    query = call.app.recalled.text(call.user_id, kept)
    return search(call, query, (page - 1) * LISTED, LISTED, in_place=True)


def find(call: Call, query: str, start: int, limit: int, *, in_place: bool = False) -> Reply:
    """Return a list of search hits, beginning with hit number `start`, counted from 0."""
    zone = call.app.settings.timezone
    total, hits = call.app.db.find_notes(call.user_id, query, limit, start, zone=zone)
    if not hits and total:  # some were deleted meanwhile
        return find(call, query, start_of_last(total), limit, in_place=in_place)
    return _hits(call, "find", query, start, total, hits, in_place=in_place)


def find_tagged(call: Call, tag: str, start: int, limit: int, *, in_place: bool = False) -> Reply:
    """Return a list of the notes with exactly this tag: #дом does not match #домен."""
    total, hits = call.app.notebook.tagged(call.user_id, tag.removeprefix("#"), limit, start)
    if not hits and total:
        return find_tagged(call, tag, start_of_last(total), limit, in_place=in_place)
    return _hits(call, "tagpage", tag, start, total, hits, in_place=in_place)


def _hits(
    call: Call, name: str, query: str, start: int, total: int, hits: list[Hit], *, in_place: bool
) -> Reply:
    if not hits:
        return _nothing(call, query, in_place=in_place)
    if start:
        head = f"Найдено: {total} ({start + 1}–{start + len(hits)})."
    else:
        head = f"Найдено: {total}{f', последние {len(hits)}' if total > len(hits) else ''}."
    text, entities = lines((head, ()), *(hit_line(call, hit) for hit in hits))
    kept = call.app.recalled.keep(call.user_id, [query]) if total > len(hits) else []
    pages = Pages(name, tuple(kept), total, LISTED, start, len(hits))
    buttons = below(call, pages, [hit.note for hit in hits])
    return Reply(text, entities, buttons=buttons, in_place=in_place)


def _nothing(call: Call, query: str, *, in_place: bool) -> Reply:
    """Report that nothing was found, and suggest similar words from the person's notes."""
    words = call.app.notebook.similar_words(call.user_id, query)
    kept = call.app.recalled.keep(call.user_id, words) if words else []
    offered = [
        [Button(first_line(word), "find", tied(call, number, 1))]
        for word, number in zip(words, kept, strict=True)
    ]
    text = f"Ничего не найдено: {first_line(query)}" + ("\nМожет быть:" if offered else "")
    return Reply(text, buttons=offered, in_place=in_place)
