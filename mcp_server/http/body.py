"""Request bodies: read ahead, and ignored if the client leaves before the end."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


async def read_ahead(receive: Receive, largest: int) -> tuple[list[Message], Receive]:
    """Return the messages of a body, up to *largest* bytes, and a function that receives them again."""
    messages, size = list[Message](), 0
    while not messages or (messages[-1].get("more_body") and size <= largest):
        messages.append(await receive())
        size += len(messages[-1].get("body", b""))
    left = messages[::-1]

    async def again() -> Message:
        return left.pop() if left else await receive()

    return messages, again


class WholeBodies:
    """Middleware that drops requests that the client aborted: apps would log a traceback for each."""

    def __init__(self, app: ASGIApp, largest: int) -> None:
        self._app = app
        self._largest = largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "POST":
            messages, receive = await read_ahead(receive, self._largest)
            if messages[-1]["type"] == "http.disconnect":
                return
        await self._app(scope, receive, send)
