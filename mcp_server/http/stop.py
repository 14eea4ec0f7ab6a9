"""Graceful shutdown: reject new calls, finish running ones, then close the remaining streams."""

import faulthandler
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

# Timeouts in seconds for running calls, for sending their responses, and for closing connections.
FOR_CALLS, FOR_ANSWERS, FOR_CONNECTIONS = 10.0, 0.3, 2
# Seconds after which the process ends in any case, even if a thread does not.
AT_LATEST = FOR_CALLS + FOR_ANSWERS + FOR_CONNECTIONS + 1
SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stop:
    """Whether the server is stopping, and how many requests are running.

    These are MCP requests: over SSE, the HTTP request ends before the MCP request does.
    """

    def __init__(self) -> None:
        self.begun = False
        self._running = 0
        self._idle = anyio.Event()

    async def count(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        """Count running requests (MCP middleware). Subscriptions are left out: they last until the stop."""
        if ctx.method == "subscriptions/listen":
            return await call_next(ctx)
        self._running += 1
        try:
            return await call_next(ctx)
        finally:
            self._running -= 1
            self._idle.set()

    async def done(self) -> None:
        """Wait until no request is running, or until the timeout."""
        with anyio.move_on_after(FOR_CALLS):
            while self._running:
                self._idle = anyio.Event()
                await self._idle.wait()
        await anyio.sleep(FOR_ANSWERS)


class RejectWhenStopping:
    """Middleware that rejects new requests while the server is stopping; another replica can take them."""

    def __init__(self, app: ASGIApp, stop: Stop) -> None:
        self._app = app
        self._stop = stop

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._stop.begun and scope["path"] != "/livez":
            message = "[unavailable] This server is stopping. Retry in a few seconds."
            refusal = problem(503, message, {"Retry-After": "2", "Connection": "close"})
            await refusal(scope, receive, send)
        else:
            await self._app(scope, receive, send)


class Server(uvicorn.Server):
    """Uvicorn with a graceful shutdown and exit code 0. By default, it re-raises the signal at the end."""

    def __init__(self, config: uvicorn.Config, stop: Stop) -> None:
        super().__init__(config)
        self._stop = stop
        # sse-starlette would otherwise close the SDK's streams at the signal, in the middle of responses.
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
        if not self.should_exit:
            # It needs no help of Python, and writes on standard error where the threads are.
            faulthandler.dump_traceback_later(AT_LATEST, exit=True)
        self.should_exit = True

    async def shutdown(self, sockets: Any = None) -> None:
        self._stop.begun = True
        await self._stop.done()
        AppStatus.should_exit = True
        await super().shutdown(sockets)
