"""Building a text piece by piece, with only entities that Telegram accepts."""

from collections import Counter

from telegram.splitting import Entity, utf16_len


class Writer:
    """A growing text with its finished and its open entities."""

    def __init__(self) -> None:
        self.entities: list[Entity] = []
        self._written: list[str] = []
        self._length = 0  # in UTF-16 units
        self._open: dict[str, Entity] = {}  # by type; their lengths are not known yet
        self._depths = Counter[str]()  # nesting level of each type
        # Written together with the next text, so that neither is left over without one.
        self.gap = ""  # line breaks and rules
        self.marker = ""  # a list item's number or bullet

    @property
    def text(self) -> str:
        return "".join(self._written)

    def write(self, text: str) -> None:
        """Write text, after the pending gap and marker."""
        due = (self.gap if self._length else "") + self.marker
        self.gap = self.marker = ""
        self._written += [due, text]
        self._length += utf16_len(due + text)

    def begin(self, kind: str, **more: str) -> None:
        """Begin an entity; inside one of the same type, which Telegram refuses, it adds nothing."""
        self.write("")
        self._depths[kind] += 1
        self._open.setdefault(kind, {"type": kind, "offset": self._length, "length": 0, **more})

    def end(self, kind: str) -> None:
        self._depths[kind] -= 1
        if not self._depths[kind]:
            self._complete(self._open.pop(kind))

    def _complete(self, entity: Entity) -> None:
        if length := self._length - entity["offset"]:
            self.entities.append({**entity, "length": length})

    def code(self, text: str, kind: str, **more: str) -> None:
        """Write code; other styles, which Telegram refuses in it, are interrupted; in a link it is text."""
        if not text.strip() or "text_link" in self._open:
            self.write(text)
            return
        self.write("")
        interrupted = [entity for entity in self._open.values() if entity["type"] != "blockquote"]
        for entity in interrupted:
            self._complete(entity)
        self.entities.append({"type": kind, "offset": self._length, "length": utf16_len(text), **more})
        self.write(text)
        for entity in interrupted:
            entity["offset"] = self._length
