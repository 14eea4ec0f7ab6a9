"""A gentle end: no new calls, those that run are answered, then streams that would stay open for ever end."""

import signal
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import anyio
import uvicorn
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from sse_starlette.sse import AppStatus
from starlette.types import ASGIApp, Receive, Scope, Send

from mcp_server.http.gate import problem

# Seconds for calls that run, for their answers to leave, and for connections to close.
FOR_CALLS, FOR_ANSWERS, FOR_CONNECTIONS = 10.0, 0.3, 2
SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stop:
    """Whether the server is about to end, and which requests it still owes an answer.

    It counts requests of the protocol, because over SSE their HTTP requests end before they do.
    """

    def __init__(self) -> None:
        self.begun = False
        self._running = 0
        self._idle = anyio.Event()

    async def count(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        """Middleware of the MCP server. A subscription is no request to wait for: it ends with the server."""
        if ctx.method == "subscriptions/listen":
            return await call_next(ctx)
        self._running += 1
        try:
            return await call_next(ctx)
        finally:
            self._running -= 1
            self._idle.set()

    async def done(self) -> None:
        """Return when no request runs any more, or when they have had their time."""
        with anyio.move_on_after(FOR_CALLS):
            while self._running:
                self._idle = anyio.Event()
                await self._idle.wait()
        await anyio.sleep(FOR_ANSWERS)


class NoneWhenStopping:
    """Turns every new request away once the server is about to end: another replica will take it."""

    def __init__(self, app: ASGIApp, stop: Stop) -> None:
        self._app = app
        self._stop = stop

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._stop.begun and scope["path"] != "/livez":
            message = "[unavailable] This server is stopping. Try again in a few seconds."
            refusal = problem(503, message, {"Retry-After": "2", "Connection": "close"})
            await refusal(scope, receive, send)
        else:
            await self._app(scope, receive, send)


class Server(uvicorn.Server):
    """Uvicorn that ends gently, and with success: left to itself it would let the signal kill the process."""

    def __init__(self, config: uvicorn.Config, stop: Stop) -> None:
        super().__init__(config)
        self._stop = stop
        # It would end the SDK's streams at the signal, in the middle of answers.
        AppStatus.disable_automatic_graceful_drain()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        before = {number: signal.signal(number, self._leave) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _leave(self, number: int, frame: object) -> None:
        self.should_exit = True

    async def shutdown(self, sockets: Any = None) -> None:
        self._stop.begun = True
        await self._stop.done()
        AppStatus.should_exit = True
        await super().shutdown(sockets)
