"""/note_stats: how many notes a person wrote when, as bars and as a picture of the last year."""

import math
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta

from commands import Call, command
from handlers.note_words import local
from pictures.heatmap import first_day, heatmap
from storage.query import midnight
from telegram.lines import first_line, grouped
from telegram.replies import Reply
from telegram.splitting import pre

BAR = 20  # characters of the longest bar
BY_DAY, BY_WEEK = 31, 210  # days; the bars must fit a phone, beyond this they are monthly
TAGS = 5


@command("note_stats", "[days]", "Статистика по датам")
def note_stats(call: Call) -> Reply:
    """/note_stats 30: a bar for each day, week or month, then the last year as a picture."""
    days = call.number(365, 7)
    today = local(call, call.date).date()
    counts = _counts(call, today - timedelta(days=days - 1), today)
    text, entities = pre("\n".join([*_bars(counts, days, today), f"Всего: {sum(counts.values())}"]))
    has_notes = call.app.db.count_notes(call.user_id) > 0
    return Reply(text, entities, later=(lambda: _year(call, today)) if has_notes else None)


def _year(call: Call, today: date) -> Reply:
    """Draw the last year, with a summary as the caption."""
    counts = _counts(call, first_day(today), today)
    return Reply("\n".join(_summary(call, today)), picture=heatmap(counts, today))


def _summary(call: Call, today: date) -> Iterator[str]:
    days, zone = call.app.days, call.app.settings.timezone
    yield f"Всего заметок: {grouped(call.app.db.count_notes(call.user_id))}"
    if streak := days.streak(call.user_id, today, zone):
        yield f"Дней подряд: {streak}"
    hour = days.busiest_hour(call.user_id, 0, zone)
    if hour is not None:
        yield f"Чаще всего: {hour:02}:00–{(hour + 1) % 24:02}:00"
    if tags := call.app.notebook.tags(call.user_id)[:TAGS]:
        yield "Теги: " + ", ".join(f"{first_line(f'#{tag}')} {count}" for tag, count in tags)


def _bars(counts: dict[date, int], days: int, today: date) -> Iterator[str]:
    """Yield a line for each day, week or month, also for those without notes."""
    all_days = [today - timedelta(days=n) for n in reversed(range(days))]
    if days <= BY_DAY:
        labels = [f"{day:%d.%m}" for day in all_days]
    elif days <= BY_WEEK:
        yield "По неделям, с понедельника:"
        labels = [f"{day - timedelta(days=day.weekday()):%d.%m}" for day in all_days]
    else:
        yield "По месяцам:"
        labels = [f"{day:%m.%Y}" for day in all_days]
    totals: Counter[str] = Counter(dict.fromkeys(labels, 0))
    for label, day in zip(labels, all_days, strict=True):
        totals[label] += counts.get(day, 0)
    most = max(totals.values())
    for label, count in totals.items():
        yield f"{label} {count:>4} {'█' * math.ceil(count * BAR / most) if count else ''}".rstrip()


def _counts(call: Call, first: date, today: date) -> dict[date, int]:
    zone = call.app.settings.timezone
    counts = call.app.days.counts(call.user_id, midnight(first, zone), zone)
    # A phone with a wrong clock may date a note in the future; it counts once that day comes.
    return {day: count for day, count in counts.items() if first <= day <= today}
