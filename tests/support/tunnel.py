"""An HTTP proxy on loopback that tunnels every CONNECT to one fixed address, whatever is requested."""

import selectors
import socket
import socketserver

from support.loopback import Loopback


class Tunnel(Loopback):
    """The proxy; `asked` are the methods and addresses of the requests."""

    def __init__(self, target_port: int, *, refusing: bool = False) -> None:
        self.asked: list[str] = []
        server = _Server(("127.0.0.1", 0), _Handler)
        server.tunnel = self
        super().__init__(server)
        self.target = ("127.0.0.1", target_port)
        self.refusing = refusing


class _Server(socketserver.ThreadingTCPServer):
    tunnel: Tunnel


class _Handler(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        self.server.tunnel.asked.append(" ".join(self.rfile.readline().decode().split()[:2]))
        while self.rfile.readline().strip():
            continue
        if self.server.tunnel.refusing:
            self.wfile.write(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
            return
        with socket.create_connection(self.server.tunnel.target) as target:
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            pipe(self.connection, target)


def pipe(client: socket.socket, target: socket.socket) -> None:
    """Copy bytes both ways until one side closes."""
    with selectors.DefaultSelector() as selector:
        selector.register(client, selectors.EVENT_READ, target)
        selector.register(target, selectors.EVENT_READ, client)
        while True:
            for key, _ in selector.select():
                data = key.fileobj.recv(65536)  # type: ignore[union-attr]
                if not data:
                    return
                key.data.sendall(data)
