"""Access control: the Host and Origin of requests, and their key or access token."""

import re
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import psycopg
from mcp.server.auth.middleware.auth_context import AuthContextMiddleware
from mcp.types import INTERNAL_ERROR, INVALID_REQUEST, ErrorData, JSONRPCError
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from db.pool import Pool, credentials
from mcp_server import audit
from mcp_server.accounts import key
from mcp_server.accounts.auth import authenticate
from mcp_server.errors import Busy, TimedOut, Unavailable, from_exception
from mcp_server.http.address import Failures
from mcp_server.http.callers import Callers
from mcp_server.http.leases import Leases
from mcp_server.http.metrics import Metrics
from mcp_server.http.origins import shares
from mcp_server.models.auth import Principal
from mcp_server.protocol.edge import Caller
from mcp_server.protocol.strict import is_lost, within_deadline
from mcp_server.settings import NETLOC

Found = TypeVar("Found")

# Always allowed, whatever the address that the server listens on.
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
BEARER = re.compile(r"bearer +(?P<token>\S+)", re.IGNORECASE)
# The form of keys and tokens. Anything else is rejected without a query.
TOKEN = re.compile(r"[\w.~+/=-]{16,512}", re.ASCII)
NO_CREDENTIALS = "Connect with a key, `Authorization: Bearer <key>`, or sign in with OAuth."
# Seconds for the look-up of a key. The call has its own deadline.
FOR_LOOK_UP = 5.0
INVALID_CREDENTIALS = "This key or token is not valid: it may be misspelt, expired or revoked."


class OwnHostsOnly:
    """Middleware that rejects requests whose Host or Origin is not a name of this server.

    Pages of other *origins* may use what clients need.

    This prevents DNS rebinding: without it, a web page could use the browser to reach a server on a private
    network. A name without a port matches every port.
    """

    def __init__(self, app: ASGIApp, hosts: Sequence[str], origins: Sequence[str]) -> None:
        self._app = app
        self._origins = frozenset(origins)
        self._hosts = {name.lower() for name in (*LOOPBACK, *hosts)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (refusal := self._refusal(scope["path"], Headers(scope=scope))):
            await refusal(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _refusal(self, path: str, headers: Headers) -> Response | None:
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        if len(hosts) != 1 or not self._is_own(hosts[0]):
            return PlainTextResponse("Host is not a name of this server. See --allowed-host.", 421)
        for origin in origins:
            if shares(path, origin, self._origins):
                continue
            scheme, found, netloc = origin.partition("://")
            if not found or scheme.lower() not in ("http", "https") or not self._is_own(netloc):
                return PlainTextResponse("This web page may not use the server. See --allowed-origin.", 403)
        return None

    def _is_own(self, netloc: str) -> bool:
        parts = NETLOC.fullmatch(netloc)
        return parts is not None and not self._hosts.isdisjoint({netloc.lower(), parts["host"].lower()})


@dataclass(frozen=True)
class Gate:
    """What authentication needs; *url* is the server's public URL."""

    pool: Pool
    url: str
    metrics: Metrics
    failures: Failures
    callers: Callers
    leases: Leases = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "leases", Leases(self.find))

    async def find(self, token: str, resource: str) -> Principal | None:
        """Return the caller, or None. Retry once if the database connection was lost."""
        if cached := self.callers.find(token, resource):
            return cached
        generation = self.callers.generation
        found = await in_time(self._find(token, resource), FOR_LOOK_UP)
        if found:
            self.callers.keep(token, resource, found, generation)
        return found

    def end_access(self, user_id: int | None) -> None:
        """Look up the keys of a user again; without a *user_id*, those of all users."""
        self.callers.forget(user_id)
        self.leases.recheck(user_id)

    async def _find(self, token: str, resource: str) -> Principal | None:
        try:
            return await self._ask(token, resource)
        except psycopg.OperationalError as exc:
            if not is_lost(exc):
                raise
            return await self._ask(token, resource)

    async def _ask(self, token: str, resource: str) -> Principal | None:
        async with credentials(self.pool) as conn:
            found = await authenticate(conn, token, self.url + resource)
            if found is not None:
                return found
            candidates = await key.list_slow(conn, token)
        # Verification is slow, so it must not hold a connection.
        match = await key.matching(candidates, token)
        if match is None:
            return None
        async with credentials(self.pool) as conn:
            return await key.upgrade(conn, match, token)

    def guard(self, app: ASGIApp, resource: str) -> "Guarded":
        """Return *app* restricted to callers with access to *resource*, a path."""
        return Guarded(app, self, resource)


class Guarded:
    """An app behind authentication: requests without a valid key or token get 401."""

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
            answer = problem(429 if isinstance(known, Busy) else 503, str(known), {"Retry-After": "2"})
        if isinstance(answer, Principal):
            await self._serve(answer, scope, receive, send)
        else:
            await answer(scope, receive, send)

    async def _serve(self, caller: Principal, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request until it ends or its key or token does."""
        scope["user"] = Caller(caller)
        sent = Sent(send)
        with self._gate.leases.hold(caller, token_of(Headers(scope=scope)) or "", self._resource) as lease:
            await self._app(scope, receive, sent)
        if not lease.cancelled_caught or sent.ended:
            return
        if sent.begun:
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        else:
            await self._unauthorized(INVALID_CREDENTIALS, 'error="invalid_token", ')(scope, receive, send)

    async def _principal(self, headers: Headers, address: str) -> Principal | Response:
        sent = [*headers.getlist("authorization"), *headers.getlist("x-api-key")]
        if not sent:
            return self._unauthorized(NO_CREDENTIALS)
        failures = self._gate.failures
        token = token_of(headers) if len(sent) == 1 else None
        if token is not None:
            async with failures.turn(address, token):
                found = await self._gate.find(token, self._resource)
            if found:
                failures.know(token)
                return found
            failures.forget(token)
        self._gate.metrics.count_refused()
        if failures.too_many(address):
            audit.seldom("refused", address=address, reason="too many attempts")
            return problem(
                429, "Too many attempts with an invalid key. Retry in a minute.", {"Retry-After": "60"}
            )
        failures.note(address)
        audit.note("refused", address=address, reason="invalid key or token")
        return self._unauthorized(INVALID_CREDENTIALS, 'error="invalid_token", ')

    def _unauthorized(self, message: str, error: str = "") -> Response:
        document = f"{self._gate.url}/.well-known/oauth-protected-resource{self._resource}"
        challenge = f'Bearer {error}scope="read", resource_metadata="{document}"'
        return problem(401, message, {"WWW-Authenticate": challenge})


async def in_time(work: Coroutine[Any, Any, Found], seconds: float | None = None) -> Found:
    """Run what is not a call within a deadline, by default that of a call."""
    try:
        return await within_deadline(work, seconds)
    except TimedOut:
        raise Unavailable("The database does not respond. Retry in a few seconds.") from None


class Sent:
    """A `send` that knows whether the response has begun, and whether it has ended."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.begun = self.ended = False

    async def __call__(self, message: Message) -> None:
        self.begun = True
        self.ended = message["type"] == "http.response.body" and not message.get("more_body")
        await self._send(message)


def token_of(headers: Headers) -> str | None:
    """Return the token in the X-API-Key or Authorization header, or None if it is malformed."""
    if "x-api-key" in headers:
        token = headers["x-api-key"]
    else:
        bearer = BEARER.fullmatch(headers["authorization"])
        token = bearer["token"] if bearer else ""
    return token if TOKEN.fullmatch(token) else None


def problem(status: int, message: str, headers: dict[str, str]) -> Response:
    """Return a JSON-RPC error, so that clients show the message. The request id is not known here."""
    code = INTERNAL_ERROR if status == 503 else INVALID_REQUEST
    error = JSONRPCError(jsonrpc="2.0", id=None, error=ErrorData(code=code, message=message))
    return Response(error.model_dump_json(exclude_unset=True), status, headers, "application/json")
