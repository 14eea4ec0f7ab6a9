"""Where the server is found, and what a request to it holds."""

import hashlib
import hmac
import secrets
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from psycopg import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from db.pool import Pool, credentials
from mcp_server.accounts.session import HOURS
from mcp_server.models.oauth import OAuthError
from mcp_server.untrusted.fetch import Rules

# The paths where MCP is spoken: each is a resource of its own, and the whole server is one too.
ENDPOINTS = ("/mcp", "/sse")


@dataclass(frozen=True)
class Site:
    """The server as the world sees it: *url* is its origin, without a slash at the end."""

    url: str
    pool: Pool
    rules: Rules = field(default_factory=Rules)

    @property
    def resources(self) -> list[str]:
        return [self.url, *(f"{self.url}{path}" for path in ENDPOINTS)]

    @property
    def secure(self) -> bool:
        return self.url.startswith("https://")

    @property
    def cookie(self) -> str:
        """The cookie's name. With this prefix, a browser lets no other host and no plain http set it."""
        return "__Host-gearshed" if self.secure else "gearshed"

    def transaction(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Lend a connection that sees users and their tokens, and nobody's collection."""
        return credentials(self.pool)

    def resource(self, asked: str) -> str:
        """Return the resource that *asked* names. Old clients name none and mean the whole server."""
        named = asked.removesuffix("/") or self.url
        if named not in self.resources:
            raise OAuthError("invalid_target", "resource is not an address of this server.")
        return named

    def visit(self, request: Request) -> str:
        """Return what the cookie holds: a session, or a number that becomes none before the sign-in."""
        return request.cookies.get(self.cookie) or secrets.token_urlsafe(32)

    def remember(self, response: Response, visit: str) -> None:
        response.set_cookie(
            self.cookie, visit, max_age=HOURS * 3600, secure=self.secure, httponly=True, samesite="lax"
        )


def form_token(visit: str, purpose: str) -> str:
    """What a form holds to prove that it came from our page, in this browser, for this purpose.

    The cookie is the key: nobody else knows it, and every replica can compute the same.
    """
    return hmac.new(visit.encode(), purpose.encode(), hashlib.sha256).hexdigest()


async def form(request: Request) -> dict[str, str]:
    """Return the fields of a form."""
    if request.headers.get("content-type", "").partition(";")[0] != "application/x-www-form-urlencoded":
        raise OAuthError("invalid_request", "Send a form: application/x-www-form-urlencoded.")
    return fields(await request.body())


def fields(text: bytes) -> dict[str, str]:
    """Read `a=1&b=2`. A name that comes twice is refused: readers disagree on which one counts."""
    try:
        pairs = parse_qsl(text.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=50)
    except ValueError:
        raise OAuthError("invalid_request", "The parameters cannot be read.") from None
    if len(dict(pairs)) < len(pairs):
        raise OAuthError("invalid_request", "A parameter is there twice.")
    if any("\0" in value for _, value in pairs):
        raise OAuthError("invalid_request", "A parameter holds a character that cannot be stored.")
    return dict(pairs)
