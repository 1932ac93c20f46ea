"""An answer's text as messages; of what is longer than ten messages only the beginning stands in them."""

from dataclasses import dataclass

from telegram.markdown import markdown
from telegram.splitting import LIMIT, Part, split, utf16_len

MOST_MESSAGES = 10  # of one answer; the whole of a longer one comes as a file
MOST_LETTERS = 60_000  # that are rendered at all, which is more than so many messages hold
IN_FILE = "\n\n… ответ целиком — в файле ниже."


@dataclass(frozen=True, slots=True)
class Rendered:
    """Messages; none if there is nothing to see. `whole` says whether all of the answer is in them."""

    parts: list[Part]
    whole: bool


class Renderer:
    """Renders a text that grows, each state of it once."""

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
    """Return the messages of a complete answer, with a plain text below the last one that is kept whole."""
    parts, ending = rendered.parts, ending.rstrip()
    if rendered.whole and not (parts and utf16_len(parts[-1].text + ending) <= LIMIT):
        return parts + split(ending)
    *others, last = parts
    if not rendered.whole:
        ending = IN_FILE + ending
        last = split(last.text, last.entities, LIMIT - utf16_len(ending))[0]
    return [*others, Part(last.text + ending, last.entities)]
