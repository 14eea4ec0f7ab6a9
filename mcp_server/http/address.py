"""Client addresses, and failed attempts per address."""

import ipaddress
from time import monotonic

from starlette.requests import Request

# Failures allowed per address within so many seconds, and the number of addresses remembered.
MOST_FAILURES, WITHIN, MOST_ADDRESSES = 30, 60.0, 10_000


def address(request: Request) -> str:
    return request.client.host if request.client else ""


def client_network(request: Request) -> str:
    """Return the client's network, the unit by which attempts are counted."""
    return network(address(request))


def network(address: str) -> str:
    """Return an IPv4 address, or the /64 network of an IPv6 address: one client usually has all of it."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(parsed) if parsed.version == 4 else str(ipaddress.ip_network((parsed, 64), strict=False))


class Failures:
    """Counts recent failures per client network."""

    def __init__(self) -> None:
        self._since: dict[str, tuple[float, int]] = {}

    def too_many(self, address: str) -> bool:
        started, count = self._since.get(network(address), (0.0, 0))
        return count >= MOST_FAILURES and monotonic() - started < WITHIN

    def note(self, address: str) -> None:
        now, key = monotonic(), network(address)
        started, count = self._since.pop(key, (now, 0))
        self._since[key] = (started, count + 1) if now - started < WITHIN else (now, 1)
        if len(self._since) > MOST_ADDRESSES:
            del self._since[next(iter(self._since))]
