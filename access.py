"""The access gate: every update passes it before anything is stored, and only admitted people get through."""

import re
import threading
import time
from collections.abc import Callable

from settings import EVERYBODY, Settings
from storage.people import People
from telegram.updates import Speaker, Update

TELL_AGAIN_S = 3600
REFUSALS, GUESSES = 30, 10  # a minute, for all strangers together; twice as many after a quiet time
STAND_IN = (
    "Под этим именем может писать не один человек, поэтому я на него не отвечаю. "
    "Напишите от своего имени или в личный чат со мной."
)
NOBODYS = "Бот пока ничей. Ссылка для владельца напечатана там, где его запустили."
TOO_MANY_GUESSES = "Слишком много попыток войти: откройте ссылку ещё раз через минуту."


class Budget:
    """A token bucket: it gains `a_minute` tokens a minute, starts full, and holds twice that at most."""

    def __init__(self, a_minute: int, clock: Callable[[], float]) -> None:
        self._a_minute = a_minute
        self._clock = clock
        self._left, self._at = 2.0 * a_minute, clock()

    @property
    def is_spent(self) -> bool:
        """Whether there is no token right now."""
        return self._now() < 1

    def spend(self) -> bool:
        """Take a token, and return whether there was one."""
        if self._now() < 1:
            return False
        self._left -= 1
        return True

    def _now(self) -> float:
        """Add the tokens gained since the last call, and return how many there are."""
        now = self._clock()
        self._left = min(2 * self._a_minute, self._left + (now - self._at) * self._a_minute / 60)
        self._at = now
        return self._left


class Gate:
    """Who may use the bot, kept in memory: those in ALLOWED_USERS, or else the people in the database."""

    def __init__(
        self, settings: Settings, people: People, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._allowed = settings.allowed_users
        # The ids in ALLOWED_USERS, the owner first.
        self.listed = self._allowed if isinstance(self._allowed, tuple) else ()
        self._people = people
        self._clock = clock
        self._told: dict[int, float] = {}  # id of a stranger or chat -> when it got a refusal (monotonic)
        self._refusals, self._guesses = Budget(REFUSALS, clock), Budget(GUESSES, clock)
        self._lock = threading.Lock()  # of two concurrent reloads, the later must win
        self.reload()

    def reload(self) -> None:
        """Read the people again, after somebody joined or left."""
        with self._lock:
            known = self._people.list()
            owners = self.listed[:1] or [person.user_id for person in known if person.owner]
            self.owner = owners[0] if owners else None
            self._let_in = frozenset(self.listed or [person.user_id for person in known])

    def invitation(self, username: str) -> str:
        """Return how to become the bot's owner; "" if it has one or ALLOWED_USERS is set."""
        if not self.by_invitation or self.owner is not None:
            return ""
        code = self._people.owner_code()
        return (
            f"Бот пока ничей. Станьте владельцем: откройте https://t.me/{username}?start={code}\n"
            f"или напишите боту: /start {code}"
        )

    @property
    def by_invitation(self) -> bool:
        """Whether people join by one-time links, not by ALLOWED_USERS."""
        return self._allowed == ()

    def admits(self, user_id: int) -> bool:
        """Return whether this person may use the bot."""
        return self._allowed == EVERYBODY or user_id in self._let_in

    def may_manage(self, user_id: int) -> bool:
        """Return whether this person may change shared data: the owner, or, without one, all under `*`."""
        return user_id == self.owner or (self.owner is None and self._allowed == EVERYBODY)

    def lets_pass(self, update: Update) -> bool:
        """Return whether the sender may use the bot, or joins right now with the code in this update."""
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
        """Return the sentence for somebody the gate turns away; "" if the bot stays silent.

        It stays silent to ordinary messages in a group, to anybody who got a refusal within the last hour,
        and while strangers exceed the rate limit, so that refusals never delay the owner.
        """
        sentence = self._sentence(update)
        whom = update.speaker.id if update.speaker else update.place.chat_id
        told = self._clock() - self._told.get(whom, -TELL_AGAIN_S) < TELL_AGAIN_S
        if not sentence or (told and TOO_MANY_GUESSES not in sentence) or not self._refusals.spend():
            return ""
        self._remember(whom)
        return sentence

    def spares_a_word(self) -> bool:
        """Return whether a stranger may be answered right now; the answer counts against the rate limit."""
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
        """Note who got a refusal now, and forget those of over an hour ago, which come first."""
        now = self._clock()
        self._told.pop(whom, None)
        self._told[whom] = now
        while now - next(iter(self._told.values())) >= TELL_AGAIN_S:
            del self._told[next(iter(self._told))]


def _start_code(update: Update) -> str:
    """Return the code in a private «/start <code>» that the sender wrote, not forwarded; "" otherwise."""
    if update.kind != "message" or not update.private or not update.message or update.message.foreign:
        return ""
    found = re.match(r"/start(?:@\w+)?\s+([\w-]{1,64})\s*$", update.message.text, re.ASCII)
    return found[1] if found else ""
