"""Step-up authorization: a client with read access that calls a tool that writes must request more access."""

from collections.abc import Collection
from typing import Literal

from pydantic import BaseModel, ValidationError
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from mcp_server import audit
from mcp_server.http.body import joined, read_ahead
from mcp_server.protocol.edge import Caller

NEEDS_WRITE = "This tool writes, and the user granted read access only. Request the scope write."


class Named(BaseModel):
    name: str


class ToolCall(BaseModel):
    """The part of a request that names the tool."""

    method: Literal["tools/call"]
    params: Named


class StepUp:
    """Middleware that answers 403 if a client lacks a scope that the user could grant, so that it asks again.

    A key cannot get another scope. In that case, the tool itself returns an error.
    """

    def __init__(self, app: ASGIApp, metadata: str, writes: Collection[str], largest: int) -> None:
        self._app = app
        self._challenge = (
            f'Bearer error="insufficient_scope", scope="read write", resource_metadata="{metadata}"'
        )
        self._writes = writes
        self._largest = largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        caller: Caller = scope["user"]
        who = caller.principal
        if scope["method"] == "POST" and who.by_consent and not who.may_write:
            messages, receive = await read_ahead(receive, self._largest)
            tool = tool_of(joined(messages))
            if tool in self._writes:
                audit.note("refused", user=who.user_id, client=who.client, tool=tool, reason="scope")
                response = JSONResponse(
                    {"error": "insufficient_scope", "error_description": NEEDS_WRITE},
                    403,
                    {"WWW-Authenticate": self._challenge},
                )
                return await response(scope, receive, send)
        return await self._app(scope, receive, send)


def tool_of(body: bytes) -> str | None:
    """Return the name of the tool that a request calls, or None if it is not a tool call."""
    try:
        return ToolCall.model_validate_json(body).params.name
    except ValidationError:
        return None
