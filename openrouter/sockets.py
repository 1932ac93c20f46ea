"""Lets another thread hang up a connection made by requests.

A read, a handshake or a wait for headers cannot be interrupted through requests: closing the response
takes the reader's lock, and before the headers there is no response. Shutting down the socket wakes the
thread that waits on it. So each socket is reported once it is connected, which only the connection's class
can do (in `_new_conn`, the same for plain, TLS, tunnelled and SOCKS connections).
"""

import socket
from collections.abc import Callable
from typing import Any

from requests.adapters import HTTPAdapter

Tell = Callable[[socket.socket], None]


class TellingAdapter(HTTPAdapter):
    """An adapter that passes each socket to `tell` before any handshake or request goes over it."""

    def __init__(self, tell: Tell) -> None:
        super().__init__()
        self._tell = tell

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        pool.ConnectionCls = _telling(pool.ConnectionCls, self._tell)
        return pool


def _telling(connection: Any, tell: Tell) -> type:
    """Return a subclass of this connection class that passes its sockets to `tell`."""

    class Telling(connection):  # type: ignore[misc]
        def _new_conn(self) -> socket.socket:
            sock: socket.socket = super()._new_conn()
            tell(sock)
            return sock

    return Telling
