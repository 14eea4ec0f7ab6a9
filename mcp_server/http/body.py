"""Request bodies: read ahead, dropped if the client leaves before the end, refused if they hold too much."""

import json

import anyio.lowlevel
from mcp.types import INVALID_REQUEST
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mcp_server.protocol.message import TOO_MANY, counted, id_at_an_end, rejection


async def read_ahead(receive: Receive, largest: int) -> tuple[list[Message], Receive]:
    """Return the messages of a body, up to *largest* bytes, and a function that receives them again.

    A body is one message then, so that it is joined once, however many middlewares read it ahead.
    """
    messages, size = list[Message](), 0
    while not messages or (messages[-1].get("more_body") and size <= largest):
        messages.append(await receive())
        size += len(messages[-1].get("body", b""))
    if messages[-1]["type"] == "http.request":
        messages[-1]["body"] = joined(messages)
        del messages[:-1]
    left = messages[::-1]

    async def again() -> Message:
        return left.pop() if left else await receive()

    return messages, again


def joined(messages: list[Message]) -> bytes:
    return b"".join(message.get("body", b"") for message in messages)


class WholeBodies:
    """Middleware that drops requests that the client aborted: apps would log a traceback for each.

    It refuses a body with too many values before anything parses it.
    """

    def __init__(self, app: ASGIApp, largest: int) -> None:
        self._app = app
        self._largest = largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "POST":
            messages, receive = await read_ahead(receive, self._largest)
            if messages[-1]["type"] == "http.disconnect":
                return
            body = joined(messages)
            # As json.loads decodes it: the bytes of another encoding may hold quotes that are not there.
            text = body.decode(json.detect_encoding(body), "replace")
            if await is_crowded(text):
                await too_many_values(text)(scope, receive, send)
                return
        await self._app(scope, receive, send)


async def is_crowded(text: str) -> bool:
    """Whether JSON holds too many values. Other requests are served between the steps of counting."""
    for crowded in counted(text):
        if crowded:
            return True
        await anyio.lowlevel.checkpoint()
    return False


def too_many_values(text: str) -> Response:
    error = rejection(INVALID_REQUEST, TOO_MANY, id_at_an_end(text))
    return Response(error.model_dump_json(exclude_unset=True), 400, media_type="application/json")
