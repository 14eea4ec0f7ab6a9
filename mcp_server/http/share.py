"""`/s/<token>`: a page that shows one setup to anyone who has the link. The token is the only credential.

Unknown, ended and expired links get the same answer. No log line contains a token.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from psycopg import AsyncConnection
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from db.pool import Pool, shared
from mcp_server import audit
from mcp_server.errors import AppError, Busy, InvalidInput, NotFound, from_exception
from mcp_server.http.address import Failures, address
from mcp_server.http.gate import in_time
from mcp_server.http.shares import Rate
from mcp_server.models.share import Shared
from mcp_server.services import export, share
from mcp_server.turns import Turns
from mcp_server.web import share as web

Result = TypeVar("Result")

HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
}
ALONE = {**HEADERS, "Content-Security-Policy": web.policy(), "X-Frame-Options": "DENY"}
EMBEDDED = {**HEADERS, "Content-Security-Policy": web.policy(embedded=True)}
# Look-ups of tokens at once, and reads of setups: of the shares of one user, and in all. Most connections of
# the pool (db/pool.py) are left for calls.
LOOK_UPS, EACH, TOTAL = 1, 1, 2


class Opened(NamedTuple):
    """An open link."""

    token: str
    token_hash: bytes
    shared: Shared

    @property
    def path(self) -> str:
        return f"/s/{self.token}"


@dataclass(frozen=True)
class SharePages:
    """The pages of shares, within a *rate* for the shares of each user."""

    pool: Pool
    rate: Rate
    failures: Failures = field(default_factory=Failures)
    look_ups: Turns = field(default_factory=lambda: Turns(LOOK_UPS, LOOK_UPS, "pages"))
    reads: Turns = field(default_factory=lambda: Turns(EACH, TOTAL, "pages", waiting=100))

    def routes(self) -> list[Route]:
        return [
            self._route("/s/{token}", self._page),
            self._route("/s/{token}/embed", self._embedded),
            self._route("/s/{token}/csv", self._csv),
        ]

    def _route(self, path: str, show: Callable[[Opened], Awaitable[Response]]) -> Route:
        async def answer(request: Request) -> Response:
            client = address(request)
            try:
                opened = await self._open(request.path_params["token"], client)
                return await show(opened) if opened else self._closed(client)
            except NotFound:
                # It was ended since it was found.
                return self._closed(client)
            except Exception as exc:
                known = from_exception(exc)
                if known is None:
                    raise
                return refusal(known)

        return Route(path, answer)

    async def _open(self, token: str, client: str) -> Opened | None:
        token_hash = share.hash_of(token)
        if token_hash is None:
            return None
        async with self.failures.turn(client, token), self.look_ups.take(None):
            found = await in_time(self._find(token_hash))
        if found is None:
            self.failures.forget(token)
            return None
        self.failures.know(token)
        if seconds := self.rate.seconds(found.user_id):
            raise Busy(f"This page is opened too often. Retry in {seconds} seconds.")
        self.rate.spend(found.user_id, 1)
        return Opened(token, token_hash, found)

    async def _find(self, token_hash: bytes) -> Shared | None:
        async with shared(self.pool, token_hash) as conn:
            return await share.find(conn)

    async def _read(
        self, opened: Opened, read: Callable[[AsyncConnection, Shared], Awaitable[Result]]
    ) -> Result:
        """Read a shared setup. No connection is held while its page is written."""
        user_id = opened.shared.user_id

        async def one() -> Result:
            async with shared(self.pool, opened.token_hash, user_id) as conn:
                return await read(conn, opened.shared)

        async with self.reads.take(user_id):
            return await in_time(one())

    async def _page(self, opened: Opened) -> Response:
        shown = await self._read(opened, share.show)
        text = web.page(
            shown, prices=opened.shared.prices, path=opened.path, expires_at=opened.shared.expires_at
        )
        return HTMLResponse(text, headers=ALONE)

    async def _embedded(self, opened: Opened) -> Response:
        shown = await self._read(opened, share.show)
        text = web.page(shown, prices=opened.shared.prices, path=opened.path, embedded=True)
        return HTMLResponse(text, headers=EMBEDDED)

    async def _csv(self, opened: Opened) -> Response:
        text = await self._read(opened, export.export_share)
        headers = {**ALONE, "Content-Disposition": 'attachment; filename="setup.csv"'}
        return PlainTextResponse(text, headers=headers, media_type="text/csv")

    def _closed(self, client: str) -> Response:
        """Return the answer for a link that shows nothing. Too many of them may be guesses."""
        if self.failures.too_many(client):
            audit.seldom("refused", address=client, reason="too many share links")
            return refusal(Busy("Too many links that show nothing were opened from this address."), "60")
        self.failures.note(client)
        return HTMLResponse(web.CLOSED, 404, ALONE)


def refusal(error: AppError, seconds: str = "5") -> Response:
    if isinstance(error, InvalidInput):
        return PlainTextResponse(f"{error.args[0]}\n", 413, ALONE)
    status = 429 if isinstance(error, Busy) else 503
    return PlainTextResponse(f"{error.args[0]}\n", status, {**ALONE, "Retry-After": seconds})
