"""Connections: limited in number, in all and per address, and in the time that a client may take to send."""

import asyncio
import logging
import sys
from collections import Counter
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address
from time import monotonic
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from mcp_server.http.address import network

logger = logging.getLogger(__name__)

# Seconds for the head of a request, and after that for its body.
FOR_HEAD, FOR_BODY = 10.0, 30.0
# Files that are not connections of clients: of the database, of the program, of pictures being decoded.
OTHER_FILES = 100
FULL = b"HTTP/1.1 503 Service Unavailable\r\n"
TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\n"
CLOSE = b"Connection: close\r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n"


class Connections:
    """Counts the open connections. *proxies* carry many clients, so only the limit in all applies to them."""

    def __init__(self, total: int, each: int, proxies: Sequence[IPv4Network | IPv6Network] = ()) -> None:
        self._total = total
        self._each = each
        self._proxies = proxies
        self._open: Counter[str] = Counter()

    def admit(self, address: str) -> bool:
        """Count a connection from *address*, unless there are too many."""
        if self._open.total() >= self._total:
            logger.warning("Refusing connections: %d are open (GEARSHED_MAX_CONNECTIONS)", self._total)
            return False
        source = network(address)
        if self._open[source] >= self._each and not self._is_proxy(address):
            logger.warning(
                "Refusing connections of %s: %d are open (GEARSHED_MAX_CONNECTIONS_EACH)",
                source,
                self._each,
            )
            return False
        self._open[source] += 1
        return True

    def leave(self, address: str) -> None:
        source = network(address)
        self._open[source] -= 1
        if not self._open[source]:
            del self._open[source]

    def _is_proxy(self, address: str) -> bool:
        return any(ip_address(address) in proxy for proxy in self._proxies)


class Limited(asyncio.Protocol):
    """Limits for a protocol of uvicorn. By default it waits without end for the rest of a request."""

    transport: asyncio.Transport
    loop: asyncio.AbstractEventLoop
    client: tuple[str, int] | None
    cycle: Any

    def __init__(self, connections: Connections, **options: Any) -> None:
        super().__init__(**options)
        self._connections = connections
        self._address: str | None = None
        self._limit: asyncio.TimerHandle | None = None
        self._limited: float | None = None

    def seconds_left(self) -> float | None:
        """Return in how many seconds the part of a request that is being received has to be complete."""
        raise NotImplementedError

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        super().connection_made(transport)
        address = self.client[0] if self.client else ""
        if self._connections.admit(address):
            self._address = address
            self._limit_time()
        else:
            self._refuse(FULL)

    def data_received(self, data: bytes) -> None:
        if self._address is not None and not self.transport.is_closing():
            super().data_received(data)
            self._limit_time()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._end_limit()
        if self._address is not None:
            self._connections.leave(self._address)
            self._address = None

    def _limit_time(self) -> None:
        seconds = self.seconds_left()
        if seconds != self._limited:
            self._end_limit()
            if seconds is not None and not self.transport.is_closing():
                self._limit, self._limited = self.loop.call_later(seconds, self._refuse, TOO_SLOW), seconds

    def _end_limit(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
        self._limit = self._limited = None

    def _refuse(self, status: bytes) -> None:
        if not self.transport.is_closing():
            # Before the first request, there is no cycle.
            if not self.cycle or self.cycle.response_complete:
                self.transport.write(status + CLOSE)
            self.transport.close()


class Connection(Limited, H11Protocol):  # pyright: ignore[reportIncompatibleVariableOverride]
    """Uvicorn's protocol in Python, with limits."""

    def seconds_left(self) -> float | None:
        state = self.conn.their_state
        return FOR_HEAD if state is h11.IDLE else FOR_BODY if state is h11.SEND_BODY else None


def raise_file_limit() -> int | None:
    """Allow as many open files as the operating system lets this process have, and return how many."""
    if sys.platform == "win32":
        return None
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return None if hard == resource.RLIM_INFINITY else hard


class OnceAMinute(logging.Filter):
    """Drops records with one of these *beginnings* if the same one was logged within the last minute."""

    def __init__(self, *beginnings: str) -> None:
        super().__init__()
        self._beginnings = beginnings
        self._last: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        text, now = str(record.msg), monotonic()
        beginning = next((each for each in self._beginnings if text.startswith(each)), None)
        if beginning is None:
            return True
        # Its traceback is always that of asyncio.
        record.exc_info = record.exc_text = None
        is_new = now - self._last.get(beginning, -60.0) >= 60
        if is_new:
            self._last[beginning] = now
        return is_new


def quiet_floods() -> None:
    """Log once a minute what a client can cause as often as it likes."""
    logger.addFilter(OnceAMinute("Refusing connections: ", "Refusing connections of "))
    logging.getLogger("asyncio").addFilter(OnceAMinute("socket.accept() out of system resource"))
    logging.getLogger("uvicorn.error").addFilter(
        OnceAMinute("Invalid HTTP request", "Unsupported upgrade", "No supported WebSocket")
    )
