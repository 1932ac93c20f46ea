"""The one gate: every update passes it before anything of it is stored, and only for people let in."""

import threading
import time

from settings import EVERYBODY, Settings
from storage.people import People
from telegram.updates import Body, chat_of, sender, start_code

TELL_AGAIN_S = 3600


class Gate:
    """Who may use the bot, kept in memory: by ALLOWED_USERS, else by the people in the file."""

    def __init__(self, settings: Settings, people: People) -> None:
        self._allowed = settings.allowed_users
        self._people = people
        self._told: dict[int, float] = {}  # stranger -> when, monotonic
        self._lock = threading.Lock()  # of two who reload at once, the later one has to win
        self.reload()

    def reload(self) -> None:
        """Read the people anew, after one came or went."""
        listed = self._allowed if isinstance(self._allowed, tuple) else ()
        with self._lock:
            known = self._people.list()
            owners = listed[:1] or [person.user_id for person in known if person.owner]
            self.owner = owners[0] if owners else None
            self._let_in = frozenset(listed or [person.user_id for person in known])

    @property
    def by_invitation(self) -> bool:
        """Tell whether people come by one-time links, not by ALLOWED_USERS."""
        return self._allowed == ()

    def admits(self, user_id: int) -> bool:
        """Tell whether somebody is let in."""
        return self._allowed == EVERYBODY or user_id in self._let_in

    def may_manage(self, user_id: int) -> bool:
        """Tell whether somebody may change what is everybody's; without an owner each may."""
        return user_id == self.owner or (self.owner is None and self._allowed == EVERYBODY)

    def lets_pass(self, body: Body) -> bool:
        """Tell whether an update comes from somebody who is let in, be it by the code in it."""
        person = sender(body)
        if person is None:
            return self._allowed == EVERYBODY
        if self.admits(person["id"]):
            return True
        code = self.by_invitation and start_code(body)
        if not code or not self._people.join(person["id"], person.get("first_name", ""), code):
            return False
        self.reload()
        return True

    def refusal(self, body: Body) -> str:
        """Return what to tell a stranger; nothing in a group's midst, and nothing twice within an hour."""
        person, now = sender(body), time.monotonic()
        heard = "callback_query" in body or ("message" in body and chat_of(body).get("type") == "private")
        if person is None or not heard:
            return ""
        if now - self._told.get(person["id"], -TELL_AGAIN_S) < TELL_AGAIN_S:
            return ""
        self._told = {who: when for who, when in self._told.items() if now - when < TELL_AGAIN_S} | {
            person["id"]: now
        }
        return f"Это личный бот. Ваш id: {person['id']}. Пригласить вас может его владелец."
