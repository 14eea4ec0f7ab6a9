"""MCP over HTTP: one process that serves all users, over streamable HTTP and SSE."""

import logging
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from typing import Any, cast

import anyio
import psycopg
import uvicorn
from mcp.server.lowlevel import Server as LowLevelServer
from mcp.server.sse import SseServerTransport
from psycopg_pool import PoolTimeout
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import Receive, Scope, Send

from db.embedded import Database
from db.pool import Pool, create_pool
from mcp_server import audit, terminal
from mcp_server.accounts.auth import list_ids
from mcp_server.errors import Busy
from mcp_server.http.address import Failures
from mcp_server.http.body import WholeBodies
from mcp_server.http.callers import Callers
from mcp_server.http.connections import (
    OTHER_FILES,
    Connection,
    Connections,
    Limited,
    quiet_floods,
    raise_file_limit,
)
from mcp_server.http.gate import Gate, OwnHostsOnly, problem
from mcp_server.http.gear.authenticator import SignIn
from mcp_server.http.gear.routes import gear_routes
from mcp_server.http.gear.visit import Pages
from mcp_server.http.health import Health
from mcp_server.http.metrics import Metrics
from mcp_server.http.oauth.routes import oauth_routes
from mcp_server.http.oauth.site import Site
from mcp_server.http.oauth.step_up import StepUp
from mcp_server.http.origins import CrossOrigin
from mcp_server.http.proxy import TrustedProxies
from mcp_server.http.share import SharePages
from mcp_server.http.shares import FairShares, Rate
from mcp_server.http.stop import FOR_CONNECTIONS, RejectWhenStopping, Server, Stop
from mcp_server.http.streamable import NO_REBINDING_CHECK, Streamable
from mcp_server.http.upload import Uploads
from mcp_server.http.version import VersionsOnly
from mcp_server.process import (
    collect_garbage,
    forget_old_changes,
    restarting,
    share_processor,
    sharing,
)
from mcp_server.protocol import sdk
from mcp_server.protocol.edge import App, Caller
from mcp_server.protocol.live import Live
from mcp_server.protocol.quota import Quota
from mcp_server.protocol.shares import Shares
from mcp_server.protocol.strict import LARGEST_CALL, session_options
from mcp_server.server import WRITES, build_server, tools_off
from mcp_server.settings import Settings, SettingsError

# Bytes. Twice the largest call, because JSON escapes can double its size.
LARGEST_BODY = 2 * LARGEST_CALL
# Seconds. Longer than the idle timeout of load balancers, so that they close idle connections first.
KEEP_ALIVE = 75
# Timeout of the first database connection, in seconds.
PATIENCE = 10.0
# Minimum pool size, for bursts of calls.
CONNECTIONS = 4


def build_app(app: App, settings: Settings, url: str, stop: Stop) -> Starlette:
    """Return the ASGI app that serves *url*."""
    quota = Quota(settings.quota_mb) if settings.quota_mb else None
    app = replace(app, shares=Shares(), quota=quota, url=url)
    shares = FairShares(settings, LARGEST_BODY)
    metrics = Metrics(app.pool)
    gate = Gate(app.pool, url, metrics, Failures(), Callers(app.live))
    app.live.when_access_ends = gate.end_access
    # Tools never send requests to the client, so replicas need not share any state.
    off, site = tools_off(settings), Site(url, app.pool)
    server = build_server(app, off, metrics.count_call, middleware=[stop.count])
    streamable = Streamable(sdk.low_level(server), LARGEST_BODY)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        async with gate.leases.watching(), streamable.run():
            yield

    health = Health(app.pool, metrics, settings.read_only, settings.metrics_from)
    starlette = Starlette(
        routes=[
            *health.routes(),
            *oauth_routes(site),
            *gear_routes(Pages(replace(app, logged_as="web"), server, SignIn(site), shares, off)),
            *SharePages(app.pool, Rate(settings.rate_calls)).routes(),
            *([] if settings.read_only else [Uploads(app, shares, off).route()]),
            *mcp_routes(gate, settings, shares, streamable, Sse(sdk.low_level(server), app.live)),
        ],
        middleware=[
            Middleware(
                OwnHostsOnly,
                hosts=[*settings.allowed_host, url.partition("://")[2]],
                origins=settings.allowed_origin,
            ),
            Middleware(CrossOrigin, origins=settings.allowed_origin),
            Middleware(RejectWhenStopping, stop=stop),
        ],
        lifespan=lifespan,
    )
    # Some clients drop the key or the body when they are redirected.
    starlette.router.redirect_slashes = False
    return starlette


class Sse:
    """The ASGI apps of the older transport: a stream to the client, and the messages that it posts."""

    def __init__(self, server: LowLevelServer[Any], live: Live) -> None:
        self._server = server
        self._live = live
        self._transport = SseServerTransport("/messages/", NO_REBINDING_CHECK, LARGEST_BODY)
        self.post = self._transport.handle_post_message

    async def stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        caller: Caller = scope["user"]
        try:
            with self._live.connection(caller.principal.user_id):
                async with self._transport.connect_sse(scope, receive, send) as (received, answers):
                    await self._server.run(received, answers, session_options(self._server))
        except Busy as exc:
            await problem(429, str(exc), {"Retry-After": "5"})(scope, receive, send)


def mcp_routes(
    gate: Gate, settings: Settings, shares: FairShares, streamable: Streamable, sse: Sse
) -> list[BaseRoute]:
    """Return the routes of the protocol, behind authentication and the limits of each user."""
    metadata = f"{gate.url}/.well-known/oauth-protected-resource/mcp"
    writes = set(WRITES) - tools_off(settings).keys()
    step_up = StepUp(streamable, metadata, writes, LARGEST_BODY)
    mcp = gate.guard(shares.share(WholeBodies(VersionsOnly(step_up), LARGEST_BODY)), "/mcp")
    streamable_routes = [Route("/mcp", mcp), Route("/mcp/", mcp)]
    if settings.workers > 1:
        # A message has to reach the process that has its stream.
        return [*streamable_routes, *(Route(path, no_sse, methods=["GET"]) for path in ("/sse", "/sse/"))]
    stream = gate.guard(shares.share(sse.stream), "/sse")
    return [
        *streamable_routes,
        Route("/sse", stream, methods=["GET"]),
        Route("/sse/", stream, methods=["GET"]),
        Mount("/messages", gate.guard(shares.share(WholeBodies(sse.post, LARGEST_BODY)), "/sse")),
    ]


async def no_sse(_: Request) -> Response:
    return problem(501, "This server has several workers and does not support SSE. Connect to /mcp.", {})


async def forget_old_changes_daily(pool: Pool, days: int) -> None:
    """Delete all users' old changes now, and once a day."""
    while True:
        with suppress(psycopg.Error, PoolTimeout):
            async with pool.connection() as conn:
                users = await list_ids(conn)
            for user_id in users:
                await forget_old_changes(pool, user_id, days)
        await anyio.sleep(24 * 3600)


async def serve_http(database: Database, settings: Settings, *, is_first: bool = True) -> None:
    """Serve until a signal arrives. The first of several processes also deletes old changes."""
    # The audit log is independent of GEARSHED_LOG_LEVEL.
    audit.logger.setLevel(logging.INFO)
    stop = Stop()
    with open_port(settings) as listener:
        url = settings.public_url or f"http://{netloc(settings.host, listener.getsockname()[1])}"
        async with create_pool(database.url, restarting(database), min_size=CONNECTIONS) as pool:
            await pool.wait(PATIENCE)
            async with (
                sharing(App(pool, None, settings.read_only), database, settings) as app,
                anyio.create_task_group() as tasks,
            ):
                if is_first and not settings.read_only:
                    tasks.start_soon(forget_old_changes_daily, pool, settings.undo_days)
                config = configured(build_app(app, settings, url, stop), settings)
                if is_first and settings.log_format == "json":
                    audit.note("serving", url=url, read_only=settings.read_only)
                elif is_first:
                    terminal.warn(announcement(url, settings))
                share_processor()
                collect_garbage()
                await Server(config, stop).serve(sockets=[listener])
                tasks.cancel_scope.cancel()


def announcement(url: str, settings: Settings) -> str:
    older = "" if settings.workers > 1 else f", and {url}/sse for older clients"
    return f"gearshed: serving {url}/mcp{older}"


def configured(web: Starlette, settings: Settings) -> uvicorn.Config:
    """Return how uvicorn serves *web*."""
    quiet_floods()
    files = raise_file_limit()
    most = settings.max_connections if files is None else min(settings.max_connections, files - OTHER_FILES)
    connections = Connections(max(most, 1), settings.max_connections_each, settings.trusted_proxy)
    return uvicorn.Config(
        TrustedProxies(web, settings.trusted_proxy) if settings.trusted_proxy else web,
        # A function is enough, but the type is that of a class.
        http=cast(Any, limited(connections)),
        log_config=None,
        # URLs may contain secrets.
        access_log=False,
        server_header=False,
        # TrustedProxies reads them.
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=FOR_CONNECTIONS,
    )


def limited(connections: Connections) -> Callable[..., Limited]:
    """Return what uvicorn calls for each connection. The parser in C is used if it is installed."""
    if find_spec("httptools"):
        from mcp_server.http.fast import FastConnection

        return partial(FastConnection, connections)
    return partial(Connection, connections)


def open_port(settings: Settings) -> socket.socket:
    """Return a socket that listens on the configured address."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        listener = socket.create_server(
            (settings.host, settings.port), family=family, backlog=2048, reuse_port=settings.workers > 1
        )
    except OSError as exc:
        raise SettingsError(
            f"GEARSHED_HOST, GEARSHED_PORT: cannot listen on {netloc(settings.host, settings.port)}: "
            f"{exc.strerror}. Choose another address or port."
        ) from exc
    # Inherited by connections. asyncio does not set it, and each message over SSE would take 40 ms longer.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def netloc(host: str, port: int) -> str:
    """Return `host:port` as a client on this machine can use it."""
    name = {"0.0.0.0": "localhost", "::": "localhost"}.get(host, host)  # noqa: S104 (not bound here)
    return f"[{name}]:{port}" if ":" in name else f"{name}:{port}"
