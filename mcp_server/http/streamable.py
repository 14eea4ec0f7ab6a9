"""Streamable HTTP, which answers with an event stream, or with JSON if a client accepts nothing else."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from mcp.server.lowlevel import Server
from mcp.server.streamable_http import check_accept_headers
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

# OwnHostsOnly replaces the SDK's check: it covers every route, and ports.
NO_REBINDING_CHECK = TransportSecuritySettings(enable_dns_rebinding_protection=False)


class Streamable:
    """The ASGI app of /mcp. It keeps no state between requests."""

    def __init__(self, server: Server[Any], largest: int) -> None:
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
        async with self._streams.run(), self._json.run():
            yield

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        accepts_json, accepts_streams = check_accept_headers(Request(scope))
        manager = self._json if accepts_json and not accepts_streams else self._streams
        await manager.handle_request(scope, receive, send)
