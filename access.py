"""The one gate: every update passes it before anything of it is stored, and only for people let in."""

import re
import threading
import time
from collections.abc import Callable

from settings import EVERYBODY, Settings
from storage.people import People
from telegram.updates import Speaker, Update

TELL_AGAIN_S = 3600
REFUSALS, GUESSES = 30, 10  # a minute, of all strangers together; twice as many after a quiet time
STAND_IN = (
    "Под этим именем может писать не один человек, поэтому я на него не отвечаю. "
    "Напишите от своего имени или в личный чат со мной."
)
NOBODYS = "Бот пока ничей. Ссылка для владельца напечатана там, где его запустили."
TOO_MANY_GUESSES = "Слишком много попыток войти: откройте ссылку ещё раз через минуту."


class Budget:
    """So many of something a minute; what is not spent can be saved up, twice as many at most."""

    def __init__(self, a_minute: int, clock: Callable[[], float]) -> None:
        self._a_minute = a_minute
        self._clock = clock
        self._left, self._at = 2.0 * a_minute, clock()

    @property
    def is_spent(self) -> bool:
        """Whether there is none left just now."""
        return self._now() < 1

    def spend(self) -> bool:
        """Take one, and return whether there was one."""
        if self._now() < 1:
            return False
        self._left -= 1
        return True

    def _now(self) -> float:
        """Return how many there are by now: they grow again, a little with every second."""
        now = self._clock()
        self._left = min(2 * self._a_minute, self._left + (now - self._at) * self._a_minute / 60)
        self._at = now
        return self._left


class Gate:
    """Who may use the bot, kept in memory: by ALLOWED_USERS, else by the people in the file."""

    def __init__(
        self, settings: Settings, people: People, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._allowed = settings.allowed_users
        # The ids in ALLOWED_USERS, the owner's first.
        self.listed = self._allowed if isinstance(self._allowed, tuple) else ()
        self._people = people
        self._clock = clock
        self._told: dict[int, float] = {}  # stranger or chat -> when
        self._refusals, self._guesses = Budget(REFUSALS, clock), Budget(GUESSES, clock)
        self._lock = threading.Lock()  # of two who reload at once, the later one has to win
        self.reload()

    def reload(self) -> None:
        """Read the people anew, after one came or went."""
        with self._lock:
            known = self._people.list()
            owners = self.listed[:1] or [person.user_id for person in known if person.owner]
            self.owner = owners[0] if owners else None
            self._let_in = frozenset(self.listed or [person.user_id for person in known])

    def invitation(self, username: str) -> str:
        """Return how to become the owner of this bot, for whoever started it; "" if that is settled."""
        if not self.by_invitation or self.owner is not None:
            return ""
        code = self._people.owner_code()
        return (
            f"Бот пока ничей. Станьте владельцем: откройте https://t.me/{username}?start={code}\n"
            f"или напишите боту: /start {code}"
        )

    @property
    def by_invitation(self) -> bool:
        """Whether people come by one-time links, not by ALLOWED_USERS."""
        return self._allowed == ()

    def admits(self, user_id: int) -> bool:
        """Return whether somebody is let in."""
        return self._allowed == EVERYBODY or user_id in self._let_in

    def may_manage(self, user_id: int) -> bool:
        """Return whether somebody may change what is everybody's; without an owner each may."""
        return user_id == self.owner or (self.owner is None and self._allowed == EVERYBODY)

    def lets_pass(self, update: Update) -> bool:
        """Return whether an update comes from somebody who is let in, perhaps by the code in it."""
        who = update.speaker
        return who is not None and (self.admits(who.id) or self._lets_in(who, _start_code(update)))

    def _lets_in(self, who: Speaker, code: str) -> bool:
        if not (self.by_invitation and code) or self._guesses.is_spent:
            return False
        if self._people.join(who.id, who.name, code):
            self.reload()
            return True
        self._guesses.spend()
        return False

    def refusal(self, update: Update) -> str:
        """Return what to tell whom the gate does not let pass.

        Empty in a group, for whoever was told within the last hour, and when too many ask at once: the
        owner waits for none of them.
        """
        sentence = self._sentence(update)
        whom = update.speaker.id if update.speaker else update.place.chat_id
        told = self._clock() - self._told.get(whom, -TELL_AGAIN_S) < TELL_AGAIN_S
        if not sentence or (told and TOO_MANY_GUESSES not in sentence) or not self._refusals.spend():
            return ""
        self._remember(whom)
        return sentence

    def spares_a_word(self) -> bool:
        """Return whether a stranger may be answered at all just now."""
        return self._refusals.spend()

    def _sentence(self, update: Update) -> str:
        if update.stands_in:
            return STAND_IN
        if update.speaker is None or not (update.query_id or (update.kind == "message" and update.private)):
            return ""
        spent = self.by_invitation and _start_code(update) and self._guesses.is_spent
        if self.by_invitation and self.owner is None:
            return TOO_MANY_GUESSES if spent else NOBODYS
        advice = TOO_MANY_GUESSES if spent else "Пригласить вас может его владелец."
        return f"Это личный бот. Ваш id: {update.speaker.id}. {advice}"

    def _remember(self, whom: int) -> None:
        """Note who has been told; whoever was told an hour ago stands first and is forgotten."""
        now = self._clock()
        self._told.pop(whom, None)
        self._told[whom] = now
        while now - next(iter(self._told.values())) >= TELL_AGAIN_S:
            del self._told[next(iter(self._told))]


def _start_code(update: Update) -> str:
    """Return the code of a one-time link, if it is a private «/start <code>» in somebody's own words."""
    if update.kind != "message" or not update.private or not update.message or update.message.foreign:
        return ""
    found = re.match(r"/start(?:@\w+)?\s+([\w-]{1,64})\s*$", update.message.text, re.ASCII)
    return found[1] if found else ""
