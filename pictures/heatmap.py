"""A year as a calendar: one square per day, the darker the busier."""

import io
import math
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

WEEKS = 27  # in a row; two rows make a year, and fit the width of a phone
_CELL, _STEP, _MARGIN, _LABEL = 26, 30, 16, 26  # pixels
_COLOURS = ("#ebedf0", "#9be9a8", "#40c463", "#30a14e", "#216e39")
_INK = "#57606a"
# glibc keeps the memory that each thread has used, here 2 MB: one thread draws, or sixteen would keep 35 MB.
# https://sourceware.org/glibc/wiki/MallocInternals
_DRAWING = ThreadPoolExecutor(1, "pictures")


def heatmap(counts: Mapping[date, int], today: date) -> bytes:
    """Return a PNG of the 54 weeks up to today's, with the months' numbers above them."""
    return _DRAWING.submit(_drawn, counts, today).result()


def _drawn(counts: Mapping[date, int], today: date) -> bytes:
    # Imported only when a picture is drawn, or every start would wait for it.
    from PIL import Image, ImageDraw, ImageFont

    half = _LABEL + 7 * _STEP + _MARGIN
    image = Image.new("RGB", (2 * _MARGIN + WEEKS * _STEP, _MARGIN + 2 * half), "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(18)
    first = first_day(today)
    most = max(counts.values(), default=0)
    for number in range((today - first).days + 1):
        day = first + timedelta(days=number)
        row, week = divmod(number // 7, WEEKS)
        left, top = _MARGIN + week * _STEP, _MARGIN + row * half
        if day.day == 1:  # the month's number goes above this week
            draw.text((left, top), f"{day:%m.%y}" if day.month == 1 else f"{day:%m}", _INK, font)
        corner = left, top + _LABEL + day.weekday() * _STEP
        box = (*corner, corner[0] + _CELL, corner[1] + _CELL)
        draw.rounded_rectangle(box, 5, _COLOURS[level(counts.get(day, 0), most)])
    png = io.BytesIO()
    image.save(png, "PNG", optimize=True)
    return png.getvalue()


def first_day(today: date) -> date:
    """Return the first day in the picture."""
    return today - timedelta(days=today.weekday() + 7 * (2 * WEEKS - 1))


def level(count: int, most: int) -> int:
    """Return a day's shade, 0 to 4; on a logarithmic scale, or one busy day would make all others pale."""
    return math.ceil(4 * math.log1p(count) / math.log1p(most)) if count else 0
