"""How far a long work has come, for the case that it is begun again after a kill."""

from commands import Call


def remembered(call: Call, work: str) -> list[int]:
    """Return the numbers that an earlier run of this work noted last; none if this is the first one."""
    entry_id, *numbers = map(int, call.app.preferences.get(call.user_id, work, "0").split())
    return numbers if entry_id == call.entry_id else []


def remember(call: Call, work: str, *numbers: int) -> None:
    """Note how far a work has come; of each kind the last one of a person is known."""
    call.app.works[call.entry_id].advanced = True
    call.app.preferences.put(call.user_id, work, " ".join(map(str, (call.entry_id, *numbers))))
