"""Client addresses, and failed attempts per address."""

import ipaddress
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from time import monotonic

import anyio
from psycopg import AsyncConnection
from starlette.requests import Request

from mcp_server.accounts import limit
from mcp_server.accounts.key import digest
from mcp_server.errors import Busy

# Failures allowed per address within so many seconds, and the number of addresses remembered.
MOST_FAILURES, WITHIN, MOST_ADDRESSES = 30, 60.0, 10_000
# Look-ups that wait for networks with too many failures, about half a second's worth.
MOST_WAITING = 100
# Keys and tokens whose last look-up succeeded.
MOST_KNOWN = 1000


def address(request: Request) -> str:
    return request.client.host if request.client else ""


def client_network(request: Request) -> str:
    """Return the client's network, the unit by which attempts are counted."""
    return network(address(request))


async def spend(conn: AsyncConnection, request: Request, what: str, most: int, seconds: int) -> None:
    """Count an attempt by the client's network; with IPv6 also three times *most* by the /48 around it.

    Providers assign either to one client. Raise Busy if there were too many.
    """
    for place in dict.fromkeys((client_network(request), network(address(request), 48))):
        await limit.spend(conn, f"{what} {place}", 3 * most if place.endswith("/48") else most, seconds)


def network(address: str, prefix: int = 64) -> str:
    """Return an IPv4 address, or the network of an IPv6 address: one client usually has a whole /64."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(parsed) if parsed.version == 4 else str(ipaddress.ip_network((parsed, prefix), strict=False))


class Failures:
    """Counts recent failures per client network, and bounds the look-ups for networks with too many."""

    def __init__(self) -> None:
        self._since: dict[str, tuple[float, int]] = {}
        self._known: dict[str, None] = {}
        self._one_at_a_time = anyio.CapacityLimiter(1)

    def too_many(self, address: str) -> bool:
        started, count = self._since.get(network(address), (0.0, 0))
        return count >= MOST_FAILURES and monotonic() - started < WITHIN

    def know(self, token: str) -> None:
        """Remember that *token* was valid, so that *turn* does not make it wait."""
        known = digest(token)
        self._known.pop(known, None)
        self._known[known] = None
        if len(self._known) > MOST_KNOWN:
            del self._known[next(iter(self._known))]

    def forget(self, token: str) -> None:
        self._known.pop(digest(token), None)

    @asynccontextmanager
    async def turn(self, address: str, token: str) -> AsyncGenerator[None]:
        """Wait until *token* may be looked up. Only networks with too many failures have to wait.

        A valid key may share its address with invalid ones, so it is looked up even then. One at a time, so
        that a flood of invalid keys takes one connection of the pool at most.
        """
        if digest(token) in self._known or not self.too_many(address):
            yield
            return
        if self._one_at_a_time.statistics().tasks_waiting >= MOST_WAITING:
            raise Busy("Too many invalid keys are sent from this address. Retry in a few seconds.")
        async with self._one_at_a_time:
            yield

    def note(self, address: str) -> None:
        now, key = monotonic(), network(address)
        started, count = self._since.pop(key, (now, 0))
        self._since[key] = (started, count + 1) if now - started < WITHIN else (now, 1)
        if len(self._since) > MOST_ADDRESSES:
            del self._since[next(iter(self._since))]
