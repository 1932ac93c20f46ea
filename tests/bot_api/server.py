"""A strict Bot API server on loopback: the Telegram of the tests and of the bench.

It answers and refuses as Telegram does, and fails on demand.
"""

import math
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar
from urllib.parse import unquote

from bot_api.chats import OWNER_ID, Chats, Message
from bot_api.failures import FailsOnDemand, too_many
from bot_api.http import Incoming, Listener, Outgoing, json_answer, refused
from bot_api.methods import METHODS
from bot_api.rules import RefusalError, Request, read_request

T = TypeVar("T")

TEST_TOKEN = "123456:TEST"

_LIMITED = frozenset(
    {name for name in METHODS if name.startswith("send")} - {"sendChatAction"} | {"editMessageText"}
)
_CANONICAL = {name.lower(): name for name in METHODS}
_TOKEN = re.compile(r"\d+:[\w-]+")
_TEXTS = frozenset({"text", "caption"})


@dataclass(frozen=True, slots=True)
class Call:
    """One method call: its time (monotonic seconds), parameters and answer.

    A file among the parameters is an `Upload`. `status` is 0 if the connection was cut; `failure` names the
    injected failure.
    """

    method: str
    params: dict[str, Any]
    at: float
    status: int
    result: Any = None
    description: str = ""
    failure: str = ""

    @property
    def ok(self) -> bool:
        """Whether the bot got a result."""
        return self.status == 200 and not self.failure

    @property
    def chat_id(self) -> int | None:
        """The chat named in the call, if any."""
        return self.params.get("chat_id")


@dataclass(slots=True)
class _Allowance:
    """A chat's remaining messages: a burst, refilled by one message per second."""

    burst: float
    left: float
    at: float = field(default_factory=time.monotonic)
    closed_until: float = 0.0

    def spend(self, pause_s: int) -> float:
        """Use up one message and return 0, or return the seconds to wait for it."""
        now = time.monotonic()
        self.left = min(self.burst, self.left + now - self.at)
        self.at = now
        if now < self.closed_until:
            return self.closed_until - now
        if self.left < 1:
            self.closed_until = now + pause_s
            return pause_s
        self.left -= 1
        return 0


class BotApiServer(Chats, FailsOnDemand):
    """The server, as a context manager or between `start` and `stop`.

    The bot connects to `url`. People's actions are inherited from `Chats`; what the bot did is in `calls` and
    `violations`. With `limits` a chat takes a burst of five messages or edits, then one per second; beyond
    that the answer is 429.
    """

    burst = 5
    pause_s = 3

    def __init__(
        self, token: str = TEST_TOKEN, username: str = "zametochnik_bot", *, limits: bool = False
    ) -> None:
        Chats.__init__(self, token, username)
        FailsOnDemand.__init__(self)
        self.token = token
        self.limits = limits
        self.calls: list[Call] = []
        self.violations: list[str] = []
        self._allowances: dict[int, _Allowance] = {}
        self._listener: Listener | None = None
        self._port = 0
        self._stopping = threading.Event()

    # Lifecycle

    @property
    def url(self) -> str:
        """The address to use instead of https://api.telegram.org."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> Self:
        """Listen, on the previous port if there was one."""
        self._stopping.clear()
        self.updates.close(closed=False)
        self._listener = Listener(self._port, self._answer)
        self._port = self._listener.server_port
        return self

    def stop(self) -> None:
        """Cut every connection and close the port; keep the state."""
        if self._listener is not None:
            self._stopping.set()
            self.updates.close()
            self._listener.close()
            self._listener = None

    stop_listening = stop
    resume = start

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    # What the bot did

    @property
    def ahead_s(self) -> float:
        """How many seconds the clock in the Date headers is ahead of the machine's."""
        return self._listener.ahead_s if self._listener else 0.0

    @ahead_s.setter
    def ahead_s(self, seconds: float) -> None:
        assert self._listener
        self._listener.ahead_s = seconds

    @property
    def pending(self) -> int:
        """The number of updates that the bot has not confirmed."""
        return len(self.updates)

    @property
    def commands(self) -> list[dict[str, str]]:
        """The menu that the owner sees."""
        return self.menu(OWNER_ID)

    @property
    def description(self) -> str:
        """The text in an empty chat with the bot."""
        russian = self.texts_about.get(("description", "ru"))
        return russian or self.texts_about.get(("description", ""), "")

    def calls_of(self, method: str, chat_id: int | None = None) -> list[Call]:
        """Return the calls of one method, optionally only those about one chat."""
        with self.changed:
            return [c for c in self.calls if c.method == method and chat_id in (None, c.chat_id)]

    def wait(self, predicate: Callable[[], T | None], timeout: float = 60) -> T:
        """Wait until the predicate is true and return its value; it is checked after every call.

        Raises AssertionError with the latest calls after `timeout` seconds.
        """
        with self.changed:
            value = self.changed.wait_for(predicate, timeout)
            if value:
                return value
            latest = "\n".join(map(_shown, self.calls[-15:]))
            raise AssertionError(f"not within {timeout} s; the latest calls:\n{latest}")

    def wait_text(self, chat_id: int, fragment: str, timeout: float = 60) -> Message:
        """Wait for a message of the bot that contains the fragment, and return the newest one."""

        def newest() -> Message | None:
            found = [m for m in self.messages(chat_id) if fragment in _visible(m)]
            return found[-1] if found else None

        return self.wait(newest, timeout)

    # Handling a request

    def _answer(self, incoming: Incoming) -> Outgoing:
        at = time.monotonic()
        try:
            if incoming.path.startswith("/file/bot"):
                return self._file(incoming.path)
            request = Request(self._method(incoming.path))
        except RefusalError as refusal:
            return refused(refusal)
        return self._perform(request, incoming, at)

    def _method(self, path: str) -> str:
        token, _, method = path.removeprefix("/bot").partition("/")
        self._check_token(token)
        if method.lower() not in _CANONICAL:
            with self.changed:
                self.violations.append(f"no method {method!r}")
            raise RefusalError(404, "Not Found: method not found")
        return _CANONICAL[method.lower()]

    def _check_token(self, token: str) -> None:
        if token != self.token:
            well_formed = _TOKEN.fullmatch(token)
            raise (RefusalError(401, "Unauthorized") if well_formed else RefusalError(404, "Not Found"))

    def _file(self, path: str) -> Outgoing:
        token, _, name = path.removeprefix("/file/bot").partition("/")
        self._check_token(token)
        with self.changed:
            found = [stored for stored in self.files.values() if stored.path == unquote(name)]
        if not found:
            raise RefusalError(404, "Not Found")
        return Outgoing(200, found[0].data, "application/octet-stream")

    def _perform(self, request: Request, incoming: Incoming, at: float) -> Outgoing:
        failure, result, refusal = None, None, None
        try:
            read_request(request, incoming.in_url | incoming.in_body)
            self._note_texts_in_url(request, incoming)
            failure = self.next_failure(request)
            if failure and not failure.after_effect:
                refusal = failure.refusal
            else:
                result = self._effect(request)
        except RefusalError as error:
            refusal = error
        outgoing = refused(refusal) if refusal else json_answer(200, {"ok": True, "result": result})
        outgoing = (failure and failure.broken_answer) or outgoing
        status = 0 if outgoing.cut else outgoing.status
        description = refusal.description if refusal else ""
        kind = failure.kind if failure else ""
        call = Call(request.method, request.params, at, status, result, description, kind)
        self._record(call, request.violations)
        if failure and kind == "hang" and self._stopping.wait(failure.hold_s):
            return Outgoing(cut=True)
        return outgoing

    def _note_texts_in_url(self, request: Request, incoming: Incoming) -> None:
        texts = _TEXTS & incoming.in_url.keys()
        if texts and request.method.startswith(("send", "edit")):
            request.note(f"{', '.join(sorted(texts))} in the URL, where proxies log it")

    def _effect(self, request: Request) -> Any:
        method = METHODS[request.method]
        if request.method == "getUpdates":  # it waits, and locks for itself
            return method(self, request)
        with self.changed:
            self._check_rate(request)
            return method(self, request)

    def _check_rate(self, request: Request) -> None:
        if not self.limits or request.method not in _LIMITED:
            return
        chat_id = request.params.get("chat_id", 0)
        allowance = self._allowances.setdefault(chat_id, _Allowance(self.burst, self.burst))
        if wait_s := allowance.spend(self.pause_s):
            raise too_many(math.ceil(wait_s))

    def _record(self, call: Call, violations: list[str]) -> None:
        with self.changed:
            self.calls.append(call)
            self.violations.extend(violations)
            self.changed.notify_all()


def _visible(message: Message) -> str:
    return str(message.get("text") or message.get("caption") or "")


def _shown(call: Call) -> str:
    params = {key: value for key, value in call.params.items() if key != "reply_markup"}
    return f"  {call.method} {str(params)[:300]} -> {call.status} {call.description}{call.failure}"
