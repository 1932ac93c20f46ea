"""Long work under way, an export or an import: whose it is, and whether somebody wants it stopped."""


class Works:
    """Each work goes by the number in the journal of what began it."""

    def __init__(self) -> None:
        self._owners: dict[int, int] = {}
        self._stopped: set[int] = set()
        self._ending: set[int] = set()

    def begin(self, entry_id: int, user_id: int) -> None:
        """Note that a work is under way."""
        self._owners[entry_id] = user_id

    def owner(self, entry_id: int) -> int | None:
        """Return whose work it is; None if it is over or was none."""
        return self._owners.get(entry_id)

    def stop(self, entry_id: int) -> None:
        """Ask for the end of a work; it ends with its next step."""
        self._stopped.add(entry_id)

    def is_stopped(self, entry_id: int) -> bool:
        """Return whether somebody has asked for its end."""
        return entry_id in self._stopped

    def begin_to_end(self, entry_id: int) -> None:
        """Note that a work only has to say how it ended."""
        self._ending.add(entry_id)

    def is_ending(self, entry_id: int) -> bool:
        """Return whether it is too late to stop a work."""
        return entry_id in self._ending

    def end(self, entry_id: int) -> None:
        """Forget a work that is over."""
        self._owners.pop(entry_id, None)
        self._stopped.discard(entry_id)
        self._ending.discard(entry_id)
