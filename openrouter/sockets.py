"""A way to hang up on a connection of requests from another thread.

A read, a handshake or a wait for headers cannot be interrupted through requests: closing the response
takes the reader's lock, and before the headers there is no response yet. Shutting the socket down wakes
whoever is stuck in it. So each socket is told of as soon as it is connected, which only the class that
connects it can do (`_new_conn`, the same for plain, TLS, tunnelled and SOCKS connections).
"""

import socket
from collections.abc import Callable
from typing import Any

from requests.adapters import HTTPAdapter

Tell = Callable[[socket.socket], None]


class TellingAdapter(HTTPAdapter):
    """Tells of each socket before any handshake, request or header goes over it."""

    def __init__(self, tell: Tell) -> None:
        super().__init__()
        self._tell = tell

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        pool.ConnectionCls = _telling(pool.ConnectionCls, self._tell)
        return pool


def _telling(connection: Any, tell: Tell) -> type:
    """Return a class of connections like this one that tells of its sockets."""

    class Telling(connection):  # type: ignore[misc]
        def _new_conn(self) -> socket.socket:
            sock: socket.socket = super()._new_conn()
            tell(sock)
            return sock

    return Telling
