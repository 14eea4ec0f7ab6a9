"""The MCP-Protocol-Version header: an error that names it, for a value that is not a version."""

import re

from mcp.shared.inbound import MCP_PROTOCOL_VERSION_HEADER
from mcp.types import UNSUPPORTED_PROTOCOL_VERSION, ErrorData, JSONRPCError
from mcp.types.version import KNOWN_PROTOCOL_VERSIONS
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

VERSION = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


class VersionsOnly:
    """Refuses requests whose MCP-Protocol-Version is not a date.

    The SDK would take it for a version after 2025-11-25 and report an error in the body. It checks dates.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        invalid = [
            version
            for version in Headers(scope=scope).getlist(MCP_PROTOCOL_VERSION_HEADER)
            if not VERSION.fullmatch(version)
        ]
        app = unsupported(invalid[0]) if invalid else self._app
        await app(scope, receive, send)


def unsupported(version: str) -> Response:
    """Return the protocol's error for an unsupported version. The request's id is not known here."""
    known = ", ".join(KNOWN_PROTOCOL_VERSIONS)
    error = ErrorData(
        code=UNSUPPORTED_PROTOCOL_VERSION,
        message=f"The header MCP-Protocol-Version is {version[:100]!r}, which is not a protocol version. "
        f"Send one of {known}, or omit the header.",
        data={"supported": list(KNOWN_PROTOCOL_VERSIONS), "requested": version[:100]},
    )
    body = JSONRPCError(jsonrpc="2.0", id=None, error=error).model_dump_json(exclude_unset=True)
    return Response(body, 400, media_type="application/json")
