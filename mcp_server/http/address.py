"""Where a request comes from, and how often that address has failed."""

import ipaddress
from time import monotonic

from starlette.requests import Request

# Attempts that may fail within as many seconds, and addresses that are remembered.
MOST_FAILURES, WITHIN, MOST_ADDRESSES = 30, 60.0, 10_000


def address(request: Request) -> str:
    return request.client.host if request.client else ""


def whereabouts(request: Request) -> str:
    """The address, or all those that whoever has it has too: by this, tries are counted."""
    return network(address(request))


def network(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(parsed) if parsed.version == 4 else str(ipaddress.ip_network((parsed, 64), strict=False))


class Failures:
    """How often each address has failed lately. Of IPv6, whoever has one address has 2^64."""

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
