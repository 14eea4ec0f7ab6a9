"""Clients that send what they like, and a server whose limits are short."""

import socket
import time
from collections.abc import Generator, Iterable
from contextlib import contextmanager

from scripts.served import Served


def program(*statements: str) -> tuple[str, str]:
    """Return the arguments with which Python runs *statements* and then Gearshed."""
    return "-c", "\n".join([*statements, "from mcp_server.cli import main", "main()"])


@contextmanager
def sockets(server: Served, number: int) -> Generator[list[socket.socket]]:
    """Open connections to a server."""
    host, _, port = server.url.removeprefix("http://").partition(":")
    opened = [socket.create_connection((host, int(port)), timeout=5) for _ in range(number)]
    try:
        yield opened
    finally:
        for each in opened:
            each.close()


def head(path: str, *headers: str, method: str = "POST") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *headers, "", ""]
    return "\r\n".join(lines).encode()


def trickle(clients: Iterable[socket.socket], seconds: float) -> set[socket.socket]:
    """Send a byte now and then, and return the connections that the server has closed by the end."""
    closed, until = set[socket.socket](), time.monotonic() + seconds
    while time.monotonic() < until:
        for client in clients:
            if client not in closed and is_closed(client):
                closed.add(client)
        time.sleep(0.1)
    return closed


def is_closed(client: socket.socket) -> bool:
    client.setblocking(False)
    try:
        client.send(b"x")
        # An answer, such as 408, may arrive before the end.
        while client.recv(65536):
            pass
    except BlockingIOError:
        return False
    except OSError:
        pass
    finally:
        client.setblocking(True)
    return True


def answer(client: socket.socket) -> bytes:
    """Return the first line of the answer, or nothing if the connection was closed."""
    client.settimeout(10)
    try:
        return client.recv(65536).partition(b"\r\n")[0]
    except OSError:
        return b""
