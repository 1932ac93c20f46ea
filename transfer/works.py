"""The state of a long job, an export or an import: whose it is, and whether it should stop."""

from dataclasses import dataclass


@dataclass(slots=True)
class Work:
    """One job, until it has reported how it ended."""

    user_id: int
    stopped: bool = False  # somebody asked to stop it, which happens at the next step
    advanced: bool = False  # it has stored progress, with which it can be resumed
    ending: bool = False  # it only has to report how it ended, and can no longer be stopped
