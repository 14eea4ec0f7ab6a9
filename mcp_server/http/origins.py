"""Requests of web pages from other origins (CORS), for clients that run in a browser."""

import re
from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# What such a client needs. Pages for people stay closed to other origins.
SHARED = re.compile(r"/mcp/?|/register|/token|/\.well-known/oauth-[a-z/-]+")
HEADER_NAMES = re.compile(r"[A-Za-z0-9-]+( *, *[A-Za-z0-9-]+)*")
# Seconds for which browsers may cache the answer to a preflight request.
CACHED = "600"


def shares(path: str, origin: str, origins: Collection[str]) -> bool:
    """Return whether a page of *origin* may read the response to a request for *path*."""
    return origin.lower() in origins and SHARED.fullmatch(path) is not None


class CrossOrigin:
    """Middleware that lets pages of the allowed *origins* send requests and read the responses."""

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        self._app = app
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope) if scope["type"] == "http" else Headers()
        origin = headers.get("origin", "")
        if not shares(scope.get("path", ""), origin, self._origins):
            return await self._app(scope, receive, send)

        async def send_shared(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                answer["Access-Control-Allow-Origin"] = origin
                answer["Access-Control-Expose-Headers"] = "WWW-Authenticate, Mcp-Session-Id"
                answer.add_vary_header("Origin")
            await send(message)

        is_preflight = scope["method"] == "OPTIONS" and "access-control-request-method" in headers
        app = preflight(headers) if is_preflight else self._app
        return await app(scope, receive, send_shared)


def preflight(headers: Headers) -> Response:
    """Allow the request that the browser is about to send. It is authenticated then, not now."""
    names = headers.get("access-control-request-headers", "")
    allowed = {"Access-Control-Allow-Headers": names} if HEADER_NAMES.fullmatch(names) else {}
    return Response(
        status_code=204,
        headers={
            "Access-Control-Allow-Methods": "GET, POST, DELETE",
            "Access-Control-Max-Age": CACHED,
            **allowed,
        },
    )
