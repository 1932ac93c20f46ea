"""Long work under way, an export or an import: whose it is, and whether somebody wants it stopped."""

from dataclasses import dataclass


@dataclass(slots=True)
class Work:
    """One work, until it has said how it ended."""

    user_id: int
    stopped: bool = False  # somebody has asked for its end, which comes with the next step
    advanced: bool = False  # begun again, it goes on further than it did before
    ending: bool = False  # it only has to say how it ended, and can be stopped no more
