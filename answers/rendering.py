"""Renders an answer as messages; one longer than ten messages is cut, and also comes as a file."""

from dataclasses import dataclass

from telegram.markdown import markdown
from telegram.splitting import LIMIT, Part, split, utf16_len

MOST_MESSAGES = 10  # for one answer
MOST_LETTERS = 60_000  # characters to render at most; ten messages hold fewer
IN_FILE = "\n\n… ответ целиком — в файле ниже."


@dataclass(frozen=True, slots=True)
class Rendered:
    """Messages, none if nothing would be visible; `whole` is whether they hold the entire answer."""

    parts: list[Part]
    whole: bool


class Renderer:
    """Renders a growing text; the latest result is cached."""

    def __init__(self) -> None:
        self._beginning = ""
        self._parts: list[Part] = []

    def render(self, text: str) -> Rendered:
        """Return the text as messages."""
        beginning = text[:MOST_LETTERS]
        if beginning != self._beginning:
            self._beginning, self._parts = beginning, split(*markdown(beginning))
        whole = beginning == text and len(self._parts) <= MOST_MESSAGES
        return Rendered(self._parts[:MOST_MESSAGES], whole)


def with_ending(rendered: Rendered, ending: str) -> list[Part]:
    """Return the messages of a complete answer, with `ending`, plain and never cut, below the last one."""
    parts, ending = rendered.parts, ending.rstrip()
    if rendered.whole and not (parts and utf16_len(parts[-1].text + ending) <= LIMIT):
        return parts + split(ending)
    *others, last = parts
    if not rendered.whole:
        ending = IN_FILE + ending
        last = split(last.text, last.entities, LIMIT - utf16_len(ending))[0]
    return [*others, Part(last.text + ending, last.entities)]
