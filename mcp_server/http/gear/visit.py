"""A visit: one request of a person for a page, what it reads and writes, and the response."""

import hmac
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeVar, cast
from urllib.parse import parse_qsl, urlencode, urlsplit

from mcp.server.connection import Connection
from mcp.server.context import ServerRequestContext
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.session import ServerSession
from mcp.shared.message import ServerMessageMetadata
from mcp.shared.transport_context import TransportContext
from mcp.types import LATEST_PROTOCOL_VERSION, CallToolResult
from psycopg import AsyncConnection
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from mcp_server.accounts import browser
from mcp_server.errors import AppError, InvalidInput, NotFound
from mcp_server.http.exchange import Exchange
from mcp_server.http.gate import in_time
from mcp_server.http.gear.authenticator import Authenticator
from mcp_server.http.gear.rendering import ADDRESSES, HEADERS, TEMPLATES
from mcp_server.http.oauth.site import form_token
from mcp_server.http.shares import FairShares
from mcp_server.models.change import ChangeShown
from mcp_server.models.oauth import OAuthError
from mcp_server.models.session import Person
from mcp_server.protocol.edge import App, principal, read
from mcp_server.protocol.strict import StrictServer
from mcp_server.services import history

Arguments = ParamSpec("Arguments")
Found = TypeVar("Found")

# The purpose of the token in each form.
PURPOSE = "gear"
# Parameters of an address that a redirect does not keep.
PASSING = frozenset({"done", "edit", "show"})


@dataclass(frozen=True)
class Pages:
    """What all visits share: *server* has the tools that write, and *off* those that are turned off."""

    app: App
    server: StrictServer
    authenticator: Authenticator
    shares: FairShares | None = None
    off: Mapping[str, str] = field(default_factory=dict[str, str])


class Problem(NamedTuple):
    """Why a form was refused. Its page is shown again, with the message beside the form."""

    form: str
    message: str


@dataclass(frozen=True)
class Visit:
    """One request. *sent* has the fields of its form, if it is one, and *made* what the form created."""

    pages: Pages
    request: Request
    person: Person
    sent: Mapping[str, str] = field(default_factory=dict[str, str])
    problem: Problem | None = None
    made: Mapping[str, Any] | None = None

    @cached_property
    def ctx(self) -> Context[App]:
        """The context of a tool call, as for a client with one request."""
        exchange = Exchange(
            TransportContext(kind="pages", can_send_request=False, headers=self.request.headers),
            1,
            ServerMessageMetadata(request_context=self.request),
        )
        program = browser.describe(self.request.headers.get("user-agent", ""))
        connection = Connection.from_envelope(
            LATEST_PROTOCOL_VERSION, {"name": program, "version": ""} if program else None, {}
        )
        return Context(
            request_context=ServerRequestContext(
                session=ServerSession(exchange, connection),
                lifespan_context=self.pages.app,
                protocol_version=LATEST_PROTOCOL_VERSION,
                method="tools/call",
                request=self.request,
            ),
            mcp_server=self.pages.server,
        )

    @property
    def may_write(self) -> bool:
        return principal(self.ctx).may_write

    @property
    def token(self) -> str:
        return form_token(self.pages.authenticator.visit(self.request), PURPOSE)

    def check_token(self) -> None:
        """Raise OAuthError for a form that is not from our own page in this browser (CSRF)."""
        if not hmac.compare_digest(self.token.encode(), self.sent.get("token", "").encode()):
            raise OAuthError(
                "invalid_request", "The page has expired or was opened in another browser. Reload it."
            )

    def asked(self, name: str) -> str:
        """Return a parameter of the address."""
        return self.request.query_params.get(name, "")

    def row_id(self, noun: str) -> int:
        """Return the id in the address of the page of a row."""
        text: str = self.request.path_params["id"]
        if not text.isascii() or not text.isdigit() or not 0 < int(text) < 2**63:
            raise NotFound(f"This {noun} does not exist.")
        return int(text)

    @property
    def here(self) -> str:
        """The address of this page, to which its forms return."""
        kept = [(name, value) for name, value in self.request.query_params.multi_items() if value]
        return address(self.request.url.path, kept)

    def with_parameter(self, name: str, value: object) -> str:
        """Return the address of this page with a parameter. Without a value, it is dropped."""
        kept = [
            (key, each)
            for key, each in self.request.query_params.multi_items()
            if each and key not in PASSING and key != name
        ]
        return address(self.request.url.path, [*kept, (name, str(value))] if value else kept)

    def new_key(self) -> str:
        """Return an idempotency key, so that a form that is sent twice has one effect."""
        return secrets.token_urlsafe(16)

    async def read(
        self,
        work: Callable[Concatenate[AsyncConnection, Arguments], Awaitable[Found]],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> Found:
        """Read from the person's collection in one transaction."""
        return await in_time(read(self.ctx, together=True).do(work, *args, **kwargs))

    async def call(self, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Call a tool that writes, and return its structured result."""
        try:
            result = await self.pages.server.call_tool(tool, arguments, self.ctx)
        except ToolError as exc:
            raise exc.__cause__ if isinstance(exc.__cause__, AppError) else InvalidInput(str(exc)) from exc
        return cast(CallToolResult, result).structured_content or {}

    async def page(self, name: str, status: int = 200, **values: Any) -> Response:
        """Return a page. *values* are those of its template."""
        shown = {
            **ADDRESSES,
            "visit": self,
            "here": self.here,
            "done": await self._done(),
            "nothing_done": self.asked("done") == "0",
            **values,
        }
        html = TEMPLATES.get_template(f"{name}.html").render(shown)
        return HTMLResponse(html, status, HEADERS)

    async def _done(self) -> ChangeShown | None:
        """Return the change that led to this page, to offer its undo."""
        done = self.asked("done")
        if not done.isascii() or not done.isdigit() or not 0 < int(done) < 2**63:
            return None
        try:
            return await self.read(history.get, int(done), 1)
        except NotFound:
            return None

    def onward(self, result: Mapping[str, Any], to: str | None = None) -> Response:
        """Redirect after a write to *to*, or to the page with the form, which shows what was done."""
        parts = urlsplit(to or self.back)
        kept = [(name, value) for name, value in parse_qsl(parts.query) if name not in PASSING]
        done = [("done", str(result.get("change_id", 0)))]
        fragment = f"#{parts.fragment}" if parts.fragment else ""
        return RedirectResponse(f"{address(parts.path, [*kept, *done])}{fragment}", 303)

    @property
    def back(self) -> str:
        """The address of the page with the form, which is one of ours."""
        parts = urlsplit(self.sent.get("back", ""))
        is_ours = not parts.scheme and not parts.netloc and is_page(parts.path)
        return parts.geturl() if is_ours else "/gear"

    def refused(self, message: str) -> "Visit":
        """Return the visit of the page with the form, which shows why the form was refused."""
        return replace(self._returned(), problem=Problem(self.sent.get("which", ""), message))

    def shown(self, result: Mapping[str, Any]) -> "Visit":
        """Return the visit of the page with the form, which shows what the form created."""
        return replace(self._returned(), made=result)

    def _returned(self) -> "Visit":
        parts = urlsplit(self.back)
        scope = {**self.request.scope, "path": parts.path, "query_string": parts.query.encode()}
        return replace(self, request=Request({**scope, "method": "GET"}))


def is_page(path: str) -> bool:
    return path == "/gear" or path.startswith("/gear/")


def address(path: str, query: list[tuple[str, str]]) -> str:
    return f"{path}?{urlencode(query)}".removesuffix("?")
