"""A request and its response without a session, for the protocol versions up to 2025-11-25.

For each of these requests, the SDK starts a session with its streams and tasks, although nothing of it
outlives the request. Here the request is handled directly, as the SDK handles one of the protocol 2026-07-28.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import anyio
from mcp.server.connection import Connection
from mcp.server.lowlevel import Server
from mcp.server.runner import modern_error_data, serve_one
from mcp.shared.dispatcher import CallOptions
from mcp.shared.exceptions import NoBackChannelError
from mcp.shared.inbound import MCP_PROTOCOL_VERSION_HEADER
from mcp.shared.message import ServerMessageMetadata
from mcp.shared.transport_context import TransportContext
from mcp.types import DEFAULT_NEGOTIATED_VERSION, JSONRPCError, JSONRPCRequest
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Send


@dataclass(frozen=True)
class Exchange:
    """What the SDK knows of a request whose response is one JSON object: it cannot send anything else."""

    transport: TransportContext
    request_id: str | int
    message_metadata: ServerMessageMetadata
    can_send_request: bool = False
    cancel_requested: anyio.Event = field(default_factory=anyio.Event)

    async def send_raw_request(
        self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None
    ) -> dict[str, Any]:
        raise NoBackChannelError(method)

    async def notify(
        self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None
    ) -> None:
        """Drop a notification."""

    async def progress(self, progress: float, total: float | None = None, message: str | None = None) -> None:
        """Drop a progress notification."""


def request_in(messages: list[Message], largest: int) -> JSONRPCRequest | None:
    """Return the request in a body, or None if the body is something else, malformed, or too large."""
    body = b"".join(part.get("body", b"") for part in messages)
    if len(body) > largest:
        return None
    try:
        return JSONRPCRequest.model_validate_json(body)
    except ValidationError:
        return None


async def handle(
    server: Server[Any], state: Any, request: Request, message: JSONRPCRequest, receive: Receive, send: Send
) -> None:
    """Answer a request. If the client disconnects, cancel its handling."""
    async with anyio.create_task_group() as tasks:

        async def leave() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            tasks.cancel_scope.cancel()

        tasks.start_soon(leave)
        response = await answer(server, state, request, message)
        await response(request.scope, receive, send)
        tasks.cancel_scope.cancel()


async def answer(server: Server[Any], state: Any, request: Request, message: JSONRPCRequest) -> Response:
    version = request.headers.get(MCP_PROTOCOL_VERSION_HEADER, DEFAULT_NEGOTIATED_VERSION)
    exchange = Exchange(
        TransportContext(kind="streamable-http", can_send_request=False, headers=request.headers),
        message.id,
        ServerMessageMetadata(request_context=request),
    )
    connection = Connection.from_envelope(version, None, None)
    try:
        result = await serve_one(
            server, exchange, message.method, message.params, connection=connection, lifespan_state=state
        )
    except Exception as exc:
        error = JSONRPCError(jsonrpc="2.0", id=message.id, error=modern_error_data(exc))
        return Response(error.model_dump_json(exclude_unset=True), media_type="application/json")
    body = {"jsonrpc": "2.0", "id": message.id, "result": result}
    return Response(
        json.dumps(body, ensure_ascii=False, separators=(",", ":")), media_type="application/json"
    )
