"""HTTP to OpenRouter or any compatible server, which can be aborted at any moment."""

import math
import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, Self

import requests
from urllib3.exceptions import HTTPError

from openrouter.errors import OTHER_MODEL, Kind, OpenRouterError, unreadable
from openrouter.failures import explained, leads_nowhere
from openrouter.parse import parsed
from openrouter.service import Service
from openrouter.sockets import TellingAdapter
from openrouter.ways import Way, failed

MAX_BODY = 16 * 1024 * 1024  # bytes
CONNECT_TIMEOUT_S = 5.0
_FAREWELL_S = 0.2  # time for a thread to notice that its connection was cut
_HEADERS = {"HTTP-Referer": "http://localhost", "X-Title": "Zametochnik"}


# ---- Stopping -------------------------------------------------------------------------------


class StoppedError(Exception):
    """Somebody pressed the stop button."""


class Abort(threading.Event):
    """A stop button: `set()`, from any thread, at once ends the exchanges that were given it."""

    def __init__(self) -> None:
        super().__init__()
        self.exchanges: list[Exchange] = []

    def set(self) -> None:
        """Press it: cut the connection at once, whatever its reader is doing."""
        super().set()
        for exchange in tuple(self.exchanges):
            exchange.leave()


# ---- The exchange ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Head:
    """The status and headers of a response."""

    status: int
    headers: Mapping[str, str]


class _End:
    """The end of a response."""


Item = Head | bytes | OpenRouterError | _End


class Exchange:
    """One request and its response, within a total time.

    It runs in a thread of its own and passes on what arrives through a queue, so that the deadlines
    and the stop button work whatever that thread is stuck in: a name look-up, a handshake, a server
    that sends one byte a second (timeouts in requests are per read:
    https://requests.readthedocs.io/en/latest/user/quickstart/#timeouts).
    """

    def __init__(
        self,
        service: Service,
        method: str,
        path: str,
        *,
        timeout_s: float,
        silence_s: float | None = None,
        abort: Abort | None = None,
        payload: dict[str, Any] | None = None,
    ) -> None:
        self._service = service
        self._request = (method, service.base_url + path, payload)
        self._deadline = time.monotonic() + timeout_s
        self._patience = max(timeout_s, CONNECT_TIMEOUT_S)
        self._silence_s = timeout_s if silence_s is None else silence_s
        self._abort = abort or Abort()
        # With the time of arrival (monotonic), which decides whether it came too late: a reader may be busy.
        self._inbox: SimpleQueue[tuple[float, Item]] = SimpleQueue()
        self._lock = threading.Lock()
        self._line: socket.socket | None = None
        self._left = self._headed = False
        self._ways: list[Way] = []
        self._way: Way | None = None  # the one being tried
        self._thread = threading.Thread(target=self._run, name="openrouter", daemon=True)

    def __enter__(self) -> Self:
        if self._abort.is_set():
            raise StoppedError
        self._arrived_at = time.monotonic()
        self.heard()
        self._abort.exchanges.append(self)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._abort.exchanges.remove(self)
        self._hang_up()
        self._thread.join(_FAREWELL_S)

    def heard(self) -> None:
        """Note that something meaningful has arrived: restart the silence timeout."""
        self._silent_at = self._arrived_at + self._silence_s

    def leave(self) -> None:
        """Hang up, from any thread."""
        self._put(_End())
        self._hang_up()

    def receive(self, wait_s: float = math.inf) -> Head | bytes | None:
        """Return the next item: the head, then the body piece by piece, then b"".

        None means that nothing arrived within `wait_s`. Raises OpenRouterError or StoppedError.
        """
        due = min(self._deadline, self._silent_at)
        left = due - time.monotonic()
        item = self._wait(min(left, wait_s))
        if self._abort.is_set():
            raise StoppedError
        if (item is None and left <= wait_s) or (item is not None and self._arrived_at > due):
            raise self._late()
        if isinstance(item, OpenRouterError):
            raise item
        return b"" if isinstance(item, _End) else item

    def head(self) -> Head:
        """Wait for the headers; raises OpenRouterError or StoppedError."""
        item = self.receive()
        if not isinstance(item, Head):
            raise unreadable()
        return item

    def json(self) -> object:
        """Return the whole body, parsed; None if it is not JSON. Raises OpenRouterError or StoppedError."""
        chunks: list[bytes] = []
        while isinstance(item := self.receive(), bytes) and item:
            chunks.append(item)
        return parsed(b"".join(chunks))

    def _wait(self, seconds: float) -> Item | None:
        if self._abort.is_set():
            return None
        with suppress(Empty):
            self._arrived_at, item = self._inbox.get(timeout=max(0.0, seconds))
            return item
        return None

    def _put(self, item: Item) -> None:
        self._inbox.put((time.monotonic(), item))

    def _late(self) -> OpenRouterError:
        if not self._headed and self._way:  # perhaps a proxy that accepts connections but leads nowhere
            failed(self._ways, self._way)
        if self._deadline <= self._silent_at:
            msg = "Время ожидания ответа вышло."
        else:
            msg = "Модель слишком долго молчит."
        kind = None if self._headed else Kind.UNREACHABLE  # OpenRouter sends its headers within a second
        return OpenRouterError(504, f"{msg} {OTHER_MODEL}", kind=kind)

    def _hang_up(self) -> None:
        with self._lock:
            self._left = True
            if self._line:
                with suppress(OSError):  # the server hung up first
                    self._line.shutdown(socket.SHUT_RDWR)
                self._line.close()

    # Everything below runs in the exchange's own thread.

    def _run(self) -> None:
        try:
            self._receive()
        except OpenRouterError as error:
            self._put(error)
        except (requests.RequestException, HTTPError, OSError) as trouble:
            # In our own words: the texts of these exceptions contain URLs.
            self._put(explained(trouble, self._way, connected=self._line is not None))
        finally:
            self._put(_End())

    def _receive(self) -> None:
        """Try one way after another until one connects; raises the error of the last one."""
        self._ways = ways = self._service.ways()
        for way in ways:
            self._way = way
            try:
                self._receive_by(way)
                return
            except requests.RequestException as trouble:
                connected = self._line is not None
                if self._left or self._headed or not leads_nowhere(trouble, connected=connected):
                    raise
                failed(ways, way)
                if way is ways[-1]:
                    raise

    def _receive_by(self, way: Way) -> None:
        if self._line:
            self._line.close()
            self._line = None
        with requests.Session() as session, self._send(session, way) as response:
            self._headed = True
            self._put(Head(response.status_code, response.headers))
            size = 0
            # read1 returns what has arrived; the other read methods wait for a full buffer.
            while data := response.raw.read1(65536, decode_content=True):
                size += len(data)
                if size > MAX_BODY:
                    self._put(OpenRouterError(502, "Ответ сервиса длиннее 16 МБ."))
                    return
                self._put(data)

    def _send(self, session: requests.Session, way: Way) -> requests.Response:
        method, url, payload = self._request
        adapter = TellingAdapter(self._hold)
        session.mount("http://", adapter)
        session.mount("https://", adapter)
        return session.request(
            method,
            url,
            json=payload,
            headers=_HEADERS,
            auth=self._authorize,
            proxies=way.proxies,  # type: ignore[arg-type]  # None in them: ignore the machine's proxies
            timeout=(CONNECT_TIMEOUT_S, self._patience),
            allow_redirects=False,  # the key is for this server only
            stream=True,
        )

    def _authorize(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Set the key; as `auth`, since requests overwrites a plain header with an entry in ~/.netrc."""
        if self._service.key:
            request.headers["Authorization"] = f"Bearer {self._service.key}"
        return request

    def _hold(self, sock: socket.socket) -> None:
        """Keep a duplicate of the socket, so that another thread can hang up."""
        with self._lock:
            if self._left:
                sock.close()
                raise ConnectionAbortedError
            self._line = sock.dup()
