"""Where in its Markdown a growing text has come to, as far as that says what a tag there means."""

import re

_SENTENCE_ENDS = frozenset(".!?…)]}»”")


class Place:
    """Where in its Markdown an answer has come to: in code, and after what sign."""

    def __init__(self) -> None:
        self._fence = ""  # that a block of code was opened with
        self._head = ""  # of the line
        self._runs = 0  # of backticks in it
        self._sign = "\n"
        self._opened: set[str] = set()  # tags like <s>

    def knows(self, token: str) -> bool:
        """Return whether this is in code, or closes what was opened in the answer itself."""
        return bool(self._fence) or self._runs % 2 == 1 or token.strip("</>").lower() in self._opened

    @property
    def glued(self) -> bool:
        """Return whether a token here would follow upon a word: nobody writes of tokens like that."""
        return self._sign.isalnum() or self._sign in _SENTENCE_ENDS

    def alone(self, rest: str) -> bool:
        """Return whether a token here, with this text behind it, is no part of a sentence."""
        behind = rest.lstrip(" ")[:1]
        return not self._head.strip() and (behind in ("", "\n") or rest[:1].isalnum())

    def after(self, text: str) -> str:
        """Return the text, having gone on to its end."""
        self._opened |= {tag.lower() for tag in re.findall(r"<([a-z:]+)>", text, re.IGNORECASE)}
        first, *others = text.split("\n")
        self._go_on(first)
        for line in others:
            self._end_line()
            self._go_on(line)
        return text

    def _go_on(self, text: str) -> None:
        if text:
            goes_on = self._sign == text[0] == "`"  # in the run that stands there
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
