"""A SOCKS5 proxy on loopback (RFC 1928, 1929) that connects to one fixed address, whatever is requested."""

import socket
import socketserver

from support.loopback import Loopback
from support.tunnel import pipe

_VERSION, _NO_LOGIN, _PASSWORD, _NONE = 5, 0, 2, 0xFF
_IPV4, _NAME = 1, 3


class SocksServer(Loopback):
    """The proxy; `asked` are the requested addresses, `address` its own without a scheme.

    With `login` ("user:password") any other login is refused; with `refusing` every connection is.
    """

    def __init__(self, target_port: int, *, login: str = "", refusing: bool = False) -> None:
        server = _Server(("127.0.0.1", 0), _Handler)
        server.socks = self
        super().__init__(server)
        self.asked: list[str] = []
        self.target = ("127.0.0.1", target_port)
        self.login = login
        self.refusing = refusing

    @property
    def address(self) -> str:
        return self.url.removeprefix("http://")


class _Server(socketserver.ThreadingTCPServer):
    socks: SocksServer


class _Handler(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        if self._greet() and self._ask():
            with socket.create_connection(self.server.socks.target) as target:
                self.wfile.write(bytes([_VERSION, 0, 0, _IPV4]) + bytes(6))
                pipe(self.connection, target)

    def _greet(self) -> bool:
        methods = self._sized(self.rfile.read(2)[1])
        method = _PASSWORD if self.server.socks.login else _NO_LOGIN
        self.wfile.write(bytes([_VERSION, method if method in methods else _NONE]))
        if method == _NO_LOGIN or method not in methods:
            return method in methods
        self.rfile.read(1)
        given = b":".join(self._sized(self.rfile.read(1)[0]) for _ in range(2)).decode()
        self.wfile.write(bytes([1, given != self.server.socks.login]))
        return given == self.server.socks.login

    def _ask(self) -> bool:
        kind = self.rfile.read(4)[3]
        raw = self._sized(self.rfile.read(1)[0] if kind == _NAME else 4)
        host = raw.decode() if kind == _NAME else socket.inet_ntoa(raw)
        self.server.socks.asked.append(f"{host}:{int.from_bytes(self._sized(2))}")
        if self.server.socks.refusing:
            self.wfile.write(bytes([_VERSION, 5, 0, _IPV4]) + bytes(6))
        return not self.server.socks.refusing

    def _sized(self, size: int) -> bytes:
        return self.rfile.read(size)
