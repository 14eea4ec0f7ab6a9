"""Streamable HTTP: requests get JSON, and an event stream where there is more than one message."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from mcp.server.lowlevel import Server
from mcp.server.streamable_http import check_accept_headers
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from mcp.shared.inbound import MCP_PROTOCOL_VERSION_HEADER
from mcp.types.version import HANDSHAKE_PROTOCOL_VERSIONS
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from mcp_server.http import exchange
from mcp_server.http.body import read_ahead

# OwnHostsOnly replaces the SDK's check: it covers every route, and ports.
NO_REBINDING_CHECK = TransportSecuritySettings(enable_dns_rebinding_protection=False)


class Streamable:
    """The ASGI app of /mcp. It keeps no state between requests."""

    def __init__(self, server: Server[Any], largest: int) -> None:
        self._server = server
        self._largest = largest
        self._state: Any = None
        self._streams, self._json = (
            StreamableHTTPSessionManager(
                server,
                json_response=json_response,
                stateless=True,
                security_settings=NO_REBINDING_CHECK,
                max_request_body_size=largest,
            )
            for json_response in (False, True)
        )

    @asynccontextmanager
    async def run(self) -> AsyncGenerator[None]:
        lifespan = self._server.lifespan(self._server)
        async with lifespan as self._state, self._streams.run(), self._json.run():
            yield

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        accepts_json, accepts_streams = check_accept_headers(request)
        if scope["method"] == "POST" and accepts_json and is_session_version(request) and is_json(request):
            messages, receive = await read_ahead(receive, self._largest)
            if message := exchange.request_in(messages, self._largest):
                return await exchange.handle(self._server, self._state, request, message, receive, send)
        manager = self._json if accepts_json and not accepts_streams else self._streams
        return await manager.handle_request(scope, receive, send)


def is_session_version(request: Request) -> bool:
    """Whether a request belongs to a protocol version with sessions, which is also the default."""
    version = request.headers.get(MCP_PROTOCOL_VERSION_HEADER)
    return version is None or version in HANDSHAKE_PROTOCOL_VERSIONS


def is_json(request: Request) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip() == "application/json"
