"""What text is to a search: the form in which texts are compared, and the way back to the places in them."""

import unicodedata


def fold(text: str) -> str:
    """Bring a text to the form in which searches compare: no case, no ё, composed letters.

    SQLite's own LIKE, lower() and NOCASE know the case of ASCII only.
    """
    return unicodedata.normalize("NFC", text).casefold().replace("ё", "е")


def find_folded(text: str, needle: str) -> tuple[int, int]:
    """Return where the text holds the needle as a search sees it, and how long that is there.

    The end of the text and 0 if it does not hold it.
    """
    wanted = fold(needle)
    start = fold(text).find(wanted)
    if start < 0:
        return len(text), 0
    places = original_places(text)
    first, last = places[start], places[start + len(wanted) - 1] if wanted else places[start]
    end = next((place for place in places[start + len(wanted) :] if place > last), len(text))
    return first, end - first if wanted else 0


def original_places(text: str) -> list[int]:
    """Return for each letter of the folded text where the letter that it comes from stands in the text.

    One more stands at the end: the length of the text. Folding changes lengths: ß is ss.
    """
    places: list[int] = []
    begin = 0
    for end in range(1, len(text) + 1):
        if end == len(text) or not unicodedata.combining(text[end]):
            places += [begin] * len(fold(text[begin:end]))
            begin = end
    return [*places, len(text)]
