"""Authenticators of the pages: each finds the person that a request comes from."""

from dataclasses import dataclass
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response

from mcp_server.http.oauth.pages import sign_in_page, visitor
from mcp_server.http.oauth.site import Site
from mcp_server.models.session import Person


class Authenticator(Protocol):
    """What authenticates the requests for pages."""

    @property
    def has_account(self) -> bool:
        """Whether the person has an account page, on which to sign out."""
        ...

    async def visitor(self, request: Request) -> Person | None:
        """Return the person, or None for a stranger."""
        ...

    def visit(self, request: Request) -> str:
        """Return the secret in the cookie of this browser. It is the key of the form tokens."""
        ...

    def refusal(self, request: Request) -> Response:
        """Return the answer for a stranger."""
        ...


@dataclass(frozen=True)
class SignIn:
    """The sign-in of the server over HTTP."""

    site: Site
    has_account: bool = True

    async def visitor(self, request: Request) -> Person | None:
        return await visitor(self.site, request)

    def visit(self, request: Request) -> str:
        return self.site.visit(request)

    def refusal(self, request: Request) -> Response:
        wanted = f"{request.url.path}?{request.url.query}".removesuffix("?")
        return sign_in_page(self.site, request, onward=wanted if request.method == "GET" else "/gear")
