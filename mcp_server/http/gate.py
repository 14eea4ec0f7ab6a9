"""Who gets in: requests that name this server, and that come with a key or a token that opens."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
from mcp.server.auth.middleware.auth_context import AuthContextMiddleware
from mcp.types import INTERNAL_ERROR, INVALID_REQUEST, ErrorData, JSONRPCError
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from db.pool import Pool, credentials
from mcp_server import audit
from mcp_server.accounts.auth import authenticate
from mcp_server.errors import from_exception
from mcp_server.http.address import Failures
from mcp_server.http.metrics import Metrics
from mcp_server.models.auth import Principal
from mcp_server.protocol.edge import Caller
from mcp_server.protocol.strict import is_lost
from mcp_server.settings import NETLOC

# On whatever address it listens.
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
BEARER = re.compile(r"bearer +(?P<token>\S+)", re.IGNORECASE)
# What a key or a token can look like at all: anything else is not worth asking the database about.
TOKEN = re.compile(r"[\w.~+/=-]{16,512}", re.ASCII)
NOTHING_SENT = "Connect with a key, `Authorization: Bearer <key>`, or sign in with OAuth."
OPENS_NOTHING = "This key or token does not open anything: it may be misspelt, expired or revoked."


class OwnNameOnly:
    """Lets requests pass whose Host, and Origin if there is one, is a name of this server.

    Otherwise a page in somebody's browser could talk to a server that only that browser can reach. A name
    without a port stands for every port.
    """

    def __init__(self, app: ASGIApp, hosts: Sequence[str]) -> None:
        self._app = app
        self._hosts = {name.lower() for name in (*LOOPBACK, *hosts)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (refusal := self._refusal(Headers(scope=scope))):
            await refusal(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _refusal(self, headers: Headers) -> Response | None:
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        if len(hosts) != 1 or not self._is_own(hosts[0]):
            return PlainTextResponse("Not a name of this server: see --allowed-host.", 421)
        for origin in origins:
            scheme, found, netloc = origin.partition("://")
            if not found or scheme.lower() not in ("http", "https") or not self._is_own(netloc):
                return PlainTextResponse("Not a page of this server: see --allowed-host.", 403)
        return None

    def _is_own(self, netloc: str) -> bool:
        parts = NETLOC.fullmatch(netloc)
        return parts is not None and not self._hosts.isdisjoint({netloc.lower(), parts["host"].lower()})


@dataclass(frozen=True)
class Gate:
    """What it takes to find out who sends a request; *url* is the server's address as the world knows it."""

    pool: Pool
    url: str
    metrics: Metrics
    failures: Failures

    def guard(self, app: ASGIApp, resource: str) -> "Guarded":
        """Return *app* for those only who may use the *resource*, a path."""
        return Guarded(app, self, resource)


class Guarded:
    """An app that learns who calls; whoever has no key or token for it is answered 401."""

    def __init__(self, app: ASGIApp, gate: Gate, resource: str) -> None:
        self._app = AuthContextMiddleware(app)
        self._gate = gate
        self._resource = resource

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        address = scope["client"][0] if scope["client"] else ""
        try:
            answer = await self._principal(Headers(scope=scope), address)
        except Exception as exc:
            known = from_exception(exc)
            if known is None:
                raise
            answer = problem(503, str(known), {"Retry-After": "2"})
        if isinstance(answer, Principal):
            scope["user"] = Caller(answer)
            await self._app(scope, receive, send)
        else:
            await answer(scope, receive, send)

    async def _principal(self, headers: Headers, address: str) -> Principal | Response:
        sent = [*headers.getlist("authorization"), *headers.getlist("x-api-key")]
        if not sent:
            return self._unauthorized(NOTHING_SENT)
        if self._gate.failures.too_many(address):
            audit.note("refused", address=address, reason="too many attempts")
            return problem(429, "Too many attempts with a wrong key. Wait a minute.", {"Retry-After": "60"})
        token = token_of(headers) if len(sent) == 1 else None
        if token is not None and (found := await self._find(token)):
            return found
        self._gate.failures.note(address)
        self._gate.metrics.count_refused()
        audit.note("refused", address=address, reason="wrong key or token")
        return self._unauthorized(OPENS_NOTHING, 'error="invalid_token", ')

    async def _find(self, token: str) -> Principal | None:
        """Return who calls. A connection that was lost is no reason to turn anybody away."""
        try:
            return await self._ask(token)
        except psycopg.OperationalError as exc:
            if not is_lost(exc):
                raise
            return await self._ask(token)

    async def _ask(self, token: str) -> Principal | None:
        async with credentials(self._gate.pool) as conn:
            return await authenticate(conn, token, self._gate.url + self._resource)

    def _unauthorized(self, message: str, error: str = "") -> Response:
        document = f"{self._gate.url}/.well-known/oauth-protected-resource{self._resource}"
        challenge = f'Bearer {error}scope="read", resource_metadata="{document}"'
        return problem(401, message, {"WWW-Authenticate": challenge})


def token_of(headers: Headers) -> str | None:
    """Return what the one header that is there gives as a token, if it looks like one."""
    if "x-api-key" in headers:
        token = headers["x-api-key"]
    else:
        bearer = BEARER.fullmatch(headers["authorization"])
        token = bearer["token"] if bearer else ""
    return token if TOKEN.fullmatch(token) else None


def problem(status: int, message: str, headers: dict[str, str]) -> Response:
    """Answer in the protocol's form, so that clients show the words; the request's id is not known here."""
    code = INTERNAL_ERROR if status == 503 else INVALID_REQUEST
    error = JSONRPCError(jsonrpc="2.0", id=None, error=ErrorData(code=code, message=message))
    return Response(error.model_dump_json(exclude_unset=True), status, headers, "application/json")
