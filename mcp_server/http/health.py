"""Liveness, readiness and metrics."""

import ipaddress
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from time import monotonic

import anyio
import psycopg
from prometheus_client import CONTENT_TYPE_LATEST
from psycopg.sql import SQL
from psycopg_pool import PoolTimeout
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from db.migrations import HEAD, ROLES_WORK, NoRoles
from db.pool import Pool
from mcp_server.errors import TimedOut
from mcp_server.http.metrics import Metrics
from mcp_server.protocol.strict import within_deadline

logger = logging.getLogger(__name__)

# Seconds for which a result is cached, and the timeout of the database check.
FRESH, PATIENCE = 1.0, 3.0
LOOK = SQL("""
    SELECT current_setting('transaction_read_only') = 'on', version_num, ({roles_work})
    FROM alembic_version
""").format(roles_work=SQL(ROLES_WORK))
# Proxies send at least one of these, whichever they are.
FORWARDED = (
    "forwarded",
    "via",
    "x-real-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "true-client-ip",
    "cf-ray",
)
FORWARDED_PREFIXES = ("x-forwarded-", "cf-connecting-", "fly-", "x-envoy-", "x-original-")


@dataclass
class Health:
    """The routes for operators. *metrics_from*: networks, besides this machine, that may read metrics."""

    pool: Pool
    metrics: Metrics
    read_only: bool
    metrics_from: Sequence[IPv4Network | IPv6Network] = ()
    _reason: str | None = None
    _looked: float = -FRESH
    _looking: anyio.Lock = field(default_factory=anyio.Lock)

    def routes(self) -> list[Route]:
        return [
            Route("/livez", self.livez),
            Route("/readyz", self.readyz),
            Route("/metrics", self.show_metrics),
        ]

    async def livez(self, _: Request) -> Response:
        return JSONResponse({"live": True})

    async def readyz(self, _: Request) -> Response:
        """Return 503 with the reason if the server cannot serve calls."""
        async with self._looking:
            if monotonic() - self._looked > FRESH:
                self._reason = await self._look()
                self._looked = monotonic()
        if self._reason is None:
            return JSONResponse({"ready": True})
        return JSONResponse({"ready": False, "reason": self._reason}, 503)

    async def _look(self) -> str | None:
        """Return why the server is not ready, or None."""
        try:
            accepts_no_writes, revision, roles_work = await within_deadline(self._ask(), PATIENCE)
        except (TimedOut, psycopg.Error, PoolTimeout) as exc:
            logger.warning("Not ready: %s", type(exc).__name__)
            return "the database does not answer"
        if revision != HEAD:
            return f"the database has schema {revision}, and this release needs {HEAD}"
        if not roles_work:
            return str(NoRoles())
        if accepts_no_writes and not self.read_only:
            # The pool may be connected to a former primary. Without calls, nothing else would reconnect it.
            await self.pool.drain()
            return "the database accepts no writes"
        return None

    async def _ask(self) -> tuple[bool, str | None, bool]:
        """Return whether the database is read-only, its revision, and whether its roles work."""
        async with self.pool.connection() as conn:
            cursor = await conn.execute(LOOK)
            row: tuple[bool, str, bool] | None = await cursor.fetchone()
            return row or (False, None, False)

    async def show_metrics(self, request: Request) -> Response:
        """Return metrics to this machine and *metrics_from*, but not through a proxy."""
        if any(map(is_from_proxy, request.headers)) or not self._may_see(request):
            return PlainTextResponse("Metrics are not available from this address. See --metrics-from.", 403)
        return Response(self.metrics.text(), media_type=CONTENT_TYPE_LATEST)

    def _may_see(self, request: Request) -> bool:
        try:
            address = ipaddress.ip_address(request.client.host if request.client else "")
        except ValueError:
            return False
        return address.is_loopback or any(address in network for network in self.metrics_from)


def is_from_proxy(header: str) -> bool:
    return header in FORWARDED or header.startswith(FORWARDED_PREFIXES)
