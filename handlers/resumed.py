"""The saved progress of a long work, to continue it after a kill."""

from commands import Call


def remembered(call: Call, work: str) -> list[int]:
    """Return the numbers that an earlier run of this work saved last; [] on its first run."""
    entry_id, *numbers = map(int, call.app.preferences.get(call.user_id, work, "0").split())
    return numbers if entry_id == call.entry_id else []


def remember(call: Call, work: str, *numbers: int) -> None:
    """Save a work's progress; only a person's last work of each kind is remembered."""
    call.app.works[call.entry_id].advanced = True
    call.app.preferences.put(call.user_id, work, " ".join(map(str, (call.entry_id, *numbers))))
