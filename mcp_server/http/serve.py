"""MCP over HTTP: one process that serves whoever comes with a key, on both of the protocol's transports."""

import logging
import socket
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import anyio
import psycopg
import uvicorn
from mcp.server.sse import SseServerTransport
from mcp.server.streamable_http_manager import StreamableHTTPASGIApp, StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from psycopg_pool import PoolTimeout
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from db.embedded import Database
from db.pool import Pool, create_pool
from mcp_server import audit
from mcp_server.accounts.auth import list_ids
from mcp_server.http.address import Failures
from mcp_server.http.gate import Gate, OwnNameOnly
from mcp_server.http.health import Health
from mcp_server.http.metrics import Metrics
from mcp_server.http.oauth.routes import oauth_routes
from mcp_server.http.oauth.site import Site
from mcp_server.http.oauth.step_up import StepUp
from mcp_server.http.stop import FOR_CONNECTIONS, NoneWhenStopping, Server, Stop
from mcp_server.http.version import VersionsOnly
from mcp_server.process import forget_old_changes, restarting, sharing
from mcp_server.protocol import sdk
from mcp_server.protocol.edge import App
from mcp_server.protocol.strict import LARGEST_CALL, session_options
from mcp_server.server import WRITES, build_server, tools_off
from mcp_server.settings import Settings, SettingsError

# Bytes. The largest call fits, with as much again for how its characters are written.
LARGEST_BODY = 2 * LARGEST_CALL
# Seconds: longer than balancers keep a connection that is not used, so that it is they who close it.
KEEP_ALIVE = 75
# Seconds for the database to accept the first connection.
PATIENCE = 10.0
# Kept open, for many who come at once.
CONNECTIONS = 4
# Ours look at every route, and at the ports of names too.
NO_OTHER_CHECKS = TransportSecuritySettings(enable_dns_rebinding_protection=False)


def build_app(app: App, settings: Settings, url: str, stop: Stop) -> Starlette:
    """Return all that is served under *url*."""
    metrics, off = Metrics(app.pool), tools_off(settings)
    # No tool asks back, so no request leaves a state for the next one that replicas would have to share.
    server = build_server(app, off, metrics.count_call, middleware=[stop.count])
    low_level = sdk.low_level(server)
    streamable = StreamableHTTPSessionManager(
        low_level, stateless=True, security_settings=NO_OTHER_CHECKS, max_request_body_size=LARGEST_BODY
    )
    sse = SseServerTransport("/messages/", NO_OTHER_CHECKS, LARGEST_BODY)

    async def open_sse(scope: Scope, receive: Receive, send: Send) -> None:
        async with sse.connect_sse(scope, receive, send) as (received, answers):
            await low_level.run(received, answers, session_options(low_level))

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        async with streamable.run():
            yield

    step_up = StepUp(
        StreamableHTTPASGIApp(streamable),
        f"{url}/.well-known/oauth-protected-resource/mcp",
        set(WRITES) - off.keys(),
        LARGEST_BODY,
    )
    gate = Gate(app.pool, url, metrics, Failures())
    health = Health(app.pool, metrics, settings.read_only, settings.metrics_from)
    return Starlette(
        routes=[
            *health.routes(),
            *oauth_routes(Site(url, app.pool)),
            Route("/mcp", gate.guard(VersionsOnly(step_up), "/mcp")),
            Route("/sse", gate.guard(open_sse, "/sse"), methods=["GET"]),
            Mount("/messages", gate.guard(sse.handle_post_message, "/sse")),
        ],
        middleware=[
            Middleware(OwnNameOnly, hosts=[*settings.allowed_host, url.partition("://")[2]]),
            Middleware(NoneWhenStopping, stop=stop),
        ],
        lifespan=lifespan,
    )


async def forget_old_changes_daily(pool: Pool, days: int) -> None:
    """Forget everybody's old changes now, and once a day."""
    while True:
        with suppress(psycopg.Error, PoolTimeout):
            async with pool.connection() as conn:
                users = await list_ids(conn)
            for user_id in users:
                await forget_old_changes(pool, user_id, days)
        await anyio.sleep(24 * 3600)


async def serve_http(database: Database, settings: Settings) -> None:
    """Serve until a signal comes."""
    # Who wrote and who was refused is logged whatever else is.
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
                if not settings.read_only:
                    tasks.start_soon(forget_old_changes_daily, pool, settings.undo_days)
                config = uvicorn.Config(
                    build_app(app, settings, url, stop),
                    log_config=None,
                    # Addresses may hold what nobody should read in a log.
                    access_log=False,
                    server_header=False,
                    proxy_headers=bool(settings.trusted_proxy),
                    forwarded_allow_ips=[str(network) for network in settings.trusted_proxy],
                    timeout_keep_alive=KEEP_ALIVE,
                    timeout_graceful_shutdown=FOR_CONNECTIONS,
                )
                print(f"gearshed: serving {url}/mcp, and {url}/sse for older clients", file=sys.stderr)
                await Server(config, stop).serve(sockets=[listener])
                tasks.cancel_scope.cancel()


def open_port(settings: Settings) -> socket.socket:
    """Return a socket on the address that the settings name."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        listener = socket.create_server((settings.host, settings.port), family=family, backlog=2048)
    except OSError as exc:
        raise SettingsError(
            f"GEARSHED_HOST, GEARSHED_PORT: cannot listen on {netloc(settings.host, settings.port)}: "
            f"{exc.strerror}. Choose another."
        ) from exc
    # Connections inherit it. asyncio would not think of it: each answer over SSE would take 40 ms more.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def netloc(host: str, port: int) -> str:
    """`host:port`, under a name that a client on this machine can use."""
    name = {"0.0.0.0": "localhost", "::": "localhost"}.get(host, host)  # noqa: S104 (not bound here)
    return f"[{name}]:{port}" if ":" in name else f"{name}:{port}"
