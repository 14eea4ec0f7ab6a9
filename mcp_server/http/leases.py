"""Requests end when the key or token that they came with does: streams last longer than either may."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from time import monotonic

import anyio

from mcp_server import audit
from mcp_server.errors import from_exception
from mcp_server.models.auth import Principal

logger = logging.getLogger(__name__)

# Seconds between two look-ups of the key of a stream.
RECHECK = 60.0
Find = Callable[[str, str], Awaitable[Principal | None]]


@dataclass(eq=False)
class Lease:
    """A request in progress, and when its key has to be looked up again."""

    principal: Principal
    token: str
    resource: str
    scope: anyio.CancelScope
    due: float
    expires: float

    def renew(self, principal: Principal) -> None:
        self.expires = expiry(principal)
        self.due = min(monotonic() + RECHECK, self.expires)


class Leases:
    """All requests in progress. *find* looks up the caller with a token for a resource."""

    def __init__(self, find: Find) -> None:
        self._find = find
        self._leases: set[Lease] = set()
        self._wake = asyncio.Event()

    @contextmanager
    def hold(self, principal: Principal, token: str, resource: str) -> Generator[anyio.CancelScope]:
        """Run the body until the key or token is no longer valid. Then it is cancelled."""
        with anyio.CancelScope() as scope:
            lease = Lease(principal, token, resource, scope, 0.0, 0.0)
            lease.renew(principal)
            self._leases.add(lease)
            try:
                yield scope
            finally:
                self._leases.discard(lease)

    def recheck(self, user_id: int | None) -> None:
        """Look up the keys of a user now; without a *user_id*, those of all users."""
        for lease in self._leases:
            if user_id in (None, lease.principal.user_id):
                lease.due = 0.0
        self._wake.set()

    @asynccontextmanager
    async def watching(self) -> AsyncGenerator[None]:
        task = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def _watch(self) -> None:
        while True:
            self._wake.clear()
            now = monotonic()
            due: dict[tuple[str, str], list[Lease]] = {}
            for lease in self._leases:
                if lease.due <= now:
                    due.setdefault((lease.token, lease.resource), []).append(lease)
            for (token, resource), leases in due.items():
                await self._check(token, resource, leases)
            try:
                async with asyncio.timeout(1):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def _check(self, token: str, resource: str, leases: list[Lease]) -> None:
        """Renew or end the requests of one key. Without an answer, they last until it expires."""
        try:
            found, failed = await self._find(token, resource), False
        except Exception as exc:
            found, failed = None, True
            if from_exception(exc) is None:
                logger.exception("A key could not be looked up again")
        for lease in leases:
            if found is not None and found.user_id == lease.principal.user_id:
                lease.renew(found)
            elif failed and monotonic() < lease.expires:
                lease.due = min(monotonic() + RECHECK, lease.expires)
            else:
                lease.scope.cancel()
        if found is None and not failed:
            who = leases[0].principal
            audit.note("ended", user=who.user_id, client=who.client, reason="its key or token is not valid")


def expiry(principal: Principal) -> float:
    """Return when the key or token expires, on the clock of this process."""
    return float("inf") if principal.seconds_left is None else monotonic() + principal.seconds_left
