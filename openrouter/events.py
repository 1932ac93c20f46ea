"""Splits the body of an answer, as it arrives, into its JSON objects."""

import re
from collections.abc import Iterator
from typing import Any

from openrouter.errors import cut_short, unreadable
from openrouter.http import Head
from openrouter.parse import parsed
from openrouter.refusals import refusal

_DONE = b"[DONE]"
# Some servers send as data what belongs in a comment.
_HEARTBEAT = re.compile(
    r"[^\w{]*(?:ping|pong|heart.?beat|(?:keep.?)?alive|ok|connected|"
    r"(?:openrouter )?processing|null|none|undefined)?[^\w{]*",
    re.IGNORECASE,
)
_LINE_END = re.compile(rb"\r\n|\r|\n")
_PADDING = b"\xef\xbb\xbf \t\r\n"  # a BOM, or blanks that keep a slow connection alive


class EventReader:
    """Reads one body: the events of a stream, or the single JSON of a whole answer or refusal.

    The first byte decides which: some servers answer a request for a stream with ordinary JSON, and
    not all send a Content-Type.
    """

    def __init__(self, head: Head) -> None:
        self.done = False  # whether the stream has sent [DONE]
        self._head = head
        self._streamed: bool | None = None if head.status < 300 else False  # None: not known yet
        self._whole: list[bytes] = []
        self._line = b""
        self._data: list[bytes] = []

    def feed(self, chunk: bytes) -> Iterator[dict[str, Any]]:
        """Yield the events that this chunk completes; raises OpenRouterError."""
        if self._streamed is None:
            chunk = chunk.lstrip(_PADDING)
            self._streamed = chunk[:1] not in b"{[<" if chunk else None
        if self._streamed:
            for data in self._messages(chunk):
                yield from self._event(data)
        else:
            self._whole.append(chunk)

    def finish(self) -> Iterator[dict[str, Any]]:
        """Yield what the end of the body completes; raises OpenRouterError if the body was cut short."""
        if not self._streamed:
            yield self._whole_answer()
            return
        for data in self._messages(b"\n\n"):
            yield from self._event(data, last=True)
        if not self.done:
            raise cut_short()

    def _whole_answer(self) -> dict[str, Any]:
        body = parsed(b"".join(self._whole))
        if self._head.status >= 300:
            raise refusal(self._head.status, body, self._head.headers)
        return _checked(body)

    def _event(self, data: bytes, *, last: bool = False) -> Iterator[dict[str, Any]]:
        value = parsed(data)
        if data.strip() == _DONE:
            self.done = True
        elif self.done or _carries_nothing(data, value):
            return
        elif last and value is None:
            raise cut_short()  # in mid-event
        else:
            yield _checked(value)

    def _messages(self, chunk: bytes) -> Iterator[bytes]:
        """Yield the data of each server-sent event; comments and other fields are left out.

        Splits bytes, at the standard's three line ends: the second byte of «х», 0x85, is one in Latin-1.
        """
        text = self._line + chunk
        half = b"\r" if text.endswith(b"\r") else b""  # perhaps half of a CRLF
        *lines, rest = _LINE_END.split(text.removesuffix(half))
        self._line = rest + half
        for line in lines:
            is_data = line.startswith(b"data:")
            # Some servers omit the blank line: then an event ends where its JSON is complete.
            if self._data and (not line or (is_data and _is_whole(self._data))):
                yield b"\n".join(self._data)
                self._data = []
            if is_data:
                self._data.append(line[5:].removeprefix(b" "))


def _is_whole(data: list[bytes]) -> bool:
    """Return whether the data lines are a complete event."""
    if len(data) > 1:
        return False
    value = parsed(data[0])
    return value is not None or _carries_nothing(data[0], value)


def _carries_nothing(data: bytes, value: object) -> bool:
    """Return whether this only keeps the connection alive: empty, a number, punctuation, a word like ping."""
    if isinstance(value, dict | list):
        return not any(map(bool, value))
    if isinstance(value, int | float):  # a counter, a time, `true`
        return True
    word = value if isinstance(value, str) else data.decode("utf-8", "replace")
    return _HEARTBEAT.fullmatch(word) is not None


def _checked(event: object) -> dict[str, Any]:
    """Return the event; raises OpenRouterError if it is not an object, or reports a failure."""
    if not isinstance(event, dict):
        raise unreadable()
    wrong = event.get("error") or "error" in (event.get("object"), event.get("type"))
    if wrong or ("choices" not in event and (event.get("message") or event.get("detail"))):
        raise refusal(200, event)
    return event
