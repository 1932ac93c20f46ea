"""A text that is written piece by piece, with its entities, none of which Telegram refuses."""

from collections import Counter

from telegram.splitting import Entity, utf16_len


class Writer:
    """A text that grows, the entities that are complete, and those that are open."""

    def __init__(self) -> None:
        self.entities: list[Entity] = []
        self._written: list[str] = []
        self._length = 0  # in UTF-16 units
        self._open: dict[str, Entity] = {}  # by type, without their lengths
        self._depths = Counter[str]()  # how often each type is open
        # What stands before the next text is written together with it, so nothing stands before nothing.
        self.gap = ""  # the end of the line before, an empty line
        self.marker = ""  # the number or the bullet of an item of a list

    @property
    def text(self) -> str:
        return "".join(self._written)

    def write(self, text: str) -> None:
        """Write text, behind the gap and the marker that are due."""
        due = (self.gap if self._length else "") + self.marker
        self.gap = self.marker = ""
        self._written += [due, text]
        self._length += utf16_len(due + text)

    def begin(self, kind: str, **more: str) -> None:
        """Begin an entity; in another one of its type, which Telegram refuses, it is none of its own."""
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
        """Write code, which Telegram takes neither in bold and the like nor in a link."""
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
