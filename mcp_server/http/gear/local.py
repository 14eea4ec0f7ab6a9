"""The pages of one person on this machine: a one-time address, and an end when they are idle."""

import asyncio
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import monotonic

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from mcp_server.http.gate import OwnHostsOnly
from mcp_server.http.gear.routes import gear_routes
from mcp_server.http.gear.visit import Pages
from mcp_server.http.oauth.pages import page
from mcp_server.models.session import Person
from mcp_server.protocol.edge import App
from mcp_server.protocol.strict import StrictServer

CLOSED = "This address was used, or is not complete. Run `gearshed open` again."
# Seconds without a request after which the pages end.
IDLE = 15 * 60.0


@dataclass
class OneTimeAddress:
    """Authenticates one browser, by an address that works once and then by a cookie."""

    person: Person
    port: int
    has_account: bool = False
    _token: str | None = field(default_factory=lambda: secrets.token_urlsafe(32))
    _secret: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    @property
    def path(self) -> str:
        """The address that lets a browser in."""
        return f"/gear/enter?token={self._token}"

    @property
    def cookie(self) -> str:
        # Ports share cookies, so that another process would overwrite one of the same name.
        return f"gearshed-{self.port}"

    async def visitor(self, request: Request) -> Person | None:
        return self.person if self._is_known(request) else None

    def visit(self, request: Request) -> str:
        return self._secret

    def refusal(self, request: Request) -> Response:
        return page("problem", 403, problem=CLOSED)

    async def enter(self, request: Request) -> Response:
        """Exchange the token for a cookie. The redirect takes the token out of the address."""
        sent = request.query_params.get("token", "")
        if self._token and hmac.compare_digest(self._token.encode(), sent.encode()):
            self._token = None
            response = RedirectResponse("/gear", 303, {"Cache-Control": "no-store"})
            response.set_cookie(self.cookie, self._secret, path="/gear", httponly=True, samesite="strict")
            return response
        return RedirectResponse("/gear", 303) if self._is_known(request) else self.refusal(request)

    def _is_known(self, request: Request) -> bool:
        return hmac.compare_digest(self._secret.encode(), request.cookies.get(self.cookie, "").encode())


class Activity:
    """Middleware that knows when the last request came. Streams of events are left out: pages reopen them."""

    def __init__(self) -> None:
        self.last = monotonic()

    def watch(self, app: ASGIApp) -> ASGIApp:
        async def watched(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http" and scope["path"] != "/gear/events":
                self.last = monotonic()
            await app(scope, receive, send)

        return watched

    async def ends(self, seconds: float = IDLE) -> None:
        """Wait until there was no request for so many *seconds*."""
        while (left := self.last + seconds - monotonic()) > 0:  # noqa: ASYNC110 (each request is one event)
            await asyncio.sleep(left)


def local_pages(
    app: App, server: StrictServer, authenticator: OneTimeAddress, off: Mapping[str, str]
) -> Starlette:
    """Return the ASGI app of the pages. Only names of this machine are accepted as Host (DNS rebinding)."""
    pages = Pages(app, server, authenticator, off=off)
    return Starlette(
        routes=[Route("/gear/enter", authenticator.enter, methods=["GET"]), *gear_routes(pages)],
        middleware=[Middleware(OwnHostsOnly, hosts=(), origins=())],
    )
