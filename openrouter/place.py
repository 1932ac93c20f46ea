"""The position in the Markdown of a growing text, as far as it decides what a tag there means."""

import re

_SENTENCE_ENDS = frozenset(".!?…)]}»”")


class Place:
    """The position at the end of an answer so far: in code or not, and after which character."""

    def __init__(self) -> None:
        self._fence = ""  # that opened the current code block
        self._head = ""  # the beginning of the current line
        self._runs = 0  # runs of backticks in this line
        self._sign = "\n"  # the last character
        self._opened: set[str] = set()  # names of tags such as <s>

    def knows(self, token: str) -> bool:
        """Return whether a token here is in code, or closes a tag that the answer itself opened."""
        return bool(self._fence) or self._runs % 2 == 1 or token.strip("</>").lower() in self._opened

    @property
    def glued(self) -> bool:
        """Whether a token here would touch the word before it: nobody mentions a token like that."""
        return self._sign.isalnum() or self._sign in _SENTENCE_ENDS

    def alone(self, rest: str) -> bool:
        """Return whether a token here, followed by this text, is not part of a sentence."""
        behind = rest.lstrip(" ")[:1]
        return not self._head.strip() and (behind in ("", "\n") or rest[:1].isalnum())

    def after(self, text: str) -> str:
        """Move on to the end of this text, and return it."""
        self._opened |= {tag.lower() for tag in re.findall(r"<([a-z:]+)>", text, re.IGNORECASE)}
        first, *others = text.split("\n")
        self._go_on(first)
        for line in others:
            self._end_line()
            self._go_on(line)
        return text

    def _go_on(self, text: str) -> None:
        if text:
            goes_on = self._sign == text[0] == "`"  # the same run of backticks
            self._runs += len(re.findall("`+", text)) - (1 if goes_on else 0)
            self._head = (self._head + text)[:80]
            self._sign = text[-1]

    def _end_line(self) -> None:
        head = self._head.strip()
        if self._fence:
            if head.startswith(self._fence) and not head.strip(self._fence[0]):
                self._fence = ""
        elif fence := re.match(r"`{3,}(?!.*`)|~{3,}", head):
            self._fence = fence[0]
        self._head, self._runs, self._sign = "", 0, "\n"
