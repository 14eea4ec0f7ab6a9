"""The public URL of the server, its cookie, and form parsing."""

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

# The paths of MCP. Each is a protected resource, and so is the whole server.
ENDPOINTS = ("/mcp", "/sse")
# Seconds.
YEAR = 365 * 24 * 3600


@dataclass(frozen=True)
class Site:
    """The server as clients see it: *url* is its origin, without a trailing slash."""

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
        """The cookie's name. With the `__Host-` prefix, browsers let only this host set it, over https."""
        return "__Host-gearshed" if self.secure else "gearshed"

    @property
    def browser_cookie(self) -> str:
        return f"{self.cookie}-browser"

    def transaction(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Open a transaction that can access users and tokens, but not collections."""
        return credentials(self.pool)

    def resource(self, asked: str) -> str:
        """Return the resource that *asked* names. Old clients omit it and mean the whole server."""
        named = asked.removesuffix("/") or self.url
        if named not in self.resources:
            raise OAuthError("invalid_target", "resource is not a URL of this server.")
        return named

    def visit(self, request: Request) -> str:
        """Return the cookie's value: a session, or before the sign-in a random value for form tokens."""
        return request.cookies.get(self.cookie) or secrets.token_urlsafe(32)

    def remember(self, response: Response, visit: str) -> None:
        response.set_cookie(
            self.cookie, visit, max_age=HOURS * 3600, secure=self.secure, httponly=True, samesite="lax"
        )

    def remember_browser(self, response: Response, known: str) -> None:
        response.set_cookie(
            self.browser_cookie,
            known,
            max_age=YEAR,
            path="/",
            secure=self.secure,
            httponly=True,
            samesite="strict",
        )


def form_token(visit: str, purpose: str) -> str:
    """Return a token that proves that a form comes from our page, in this browser, for this purpose.

    The cookie is the HMAC key: only this browser knows it, and every replica computes the same token.
    """
    return hmac.new(visit.encode(), purpose.encode(), hashlib.sha256).hexdigest()


async def form(request: Request) -> dict[str, str]:
    """Return the fields of a form."""
    if request.headers.get("content-type", "").partition(";")[0] != "application/x-www-form-urlencoded":
        raise OAuthError("invalid_request", "Send a form: application/x-www-form-urlencoded.")
    return fields(await request.body())


def fields(text: bytes) -> dict[str, str]:
    """Parse `a=1&b=2`. A repeated name is rejected, because parsers disagree on which value counts."""
    try:
        pairs = parse_qsl(text.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=50)
    except ValueError:
        raise OAuthError("invalid_request", "The parameters are malformed.") from None
    if len(dict(pairs)) < len(pairs):
        raise OAuthError("invalid_request", "A parameter is repeated.")
    if any("\0" in value for _, value in pairs):
        raise OAuthError("invalid_request", "A parameter contains a NUL character.")
    return dict(pairs)
