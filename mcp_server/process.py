"""Tasks of a serving process that do not depend on the transport."""

import gc
import logging
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import anyio.to_thread
from psycopg import AsyncConnection
from psycopg.errors import ReadOnlySqlTransaction

from db.embedded import Database, EmbeddedError
from db.listen import listening
from db.pool import Pool, create_pool, transaction
from db.standby import following
from mcp_server.accounts.auth import ensure_user, find_user
from mcp_server.protocol import stdio
from mcp_server.protocol.edge import App
from mcp_server.server import build_server, tools_off
from mcp_server.services import change as change_log
from mcp_server.services import share
from mcp_server.settings import Settings, SettingsError

logger = logging.getLogger(__name__)

# Seconds that a thread may compute while another waits
# (Python's default is 0.005). A call waits for about ten turns.
LONGEST_TURN = 0.0002


async def serve_stdio(database: Database, settings: Settings) -> None:
    """Serve one client on standard input and output."""
    off = tools_off(settings)
    async with create_pool(database.url, restarting(database)) as pool:
        async with pool.connection() as conn:
            user_id = await user_to_serve(conn, settings)
        if not settings.read_only:
            # The server can start while the database is read-only.
            with suppress(ReadOnlySqlTransaction):
                await forget_old_changes(pool, user_id, settings.undo_days)
        async with sharing(
            App(pool, user_id, settings.read_only, files=settings.files), database, settings
        ) as app:
            server = build_server(app, off)
            collect_garbage()
            await stdio.serve(server)


def share_processor() -> None:
    """Let threads that compute, such as those that read lists, give way to the event loop sooner."""
    sys.setswitchinterval(LONGEST_TURN)


def collect_garbage() -> None:
    """Collect garbage from now on, except what the start has created, which lives as long as the process."""
    gc.freeze()
    gc.enable()


async def user_to_serve(conn: AsyncConnection, settings: Settings) -> int:
    """Return the id of the user whose collection is served. A read-only server does not create it."""
    if not settings.read_only:
        return await ensure_user(conn, settings.user)
    user_id = await find_user(conn, settings.user)
    if user_id is None:
        raise SettingsError(
            f"GEARSHED_USER: no user {settings.user!r}, and a read-only server does not create it. "
            "Start once without --read-only, or name another user."
        )
    return user_id


def restarting(database: Database) -> Callable[[object], Awaitable[None]]:
    """Return the callback for a lost database. It restarts the embedded one."""

    async def restart(_: object) -> None:
        try:
            await anyio.to_thread.run_sync(database.start)
        except EmbeddedError as exc:
            logger.error("The embedded database cannot be restarted: %s", exc)

    return restart


async def forget_old_changes(pool: Pool, user_id: int, days: int) -> None:
    """Delete changes older than *days*, and shares that expired as long ago.

    In batches, so that other transactions do not wait long.
    """
    forgotten = change_log.BATCH
    while forgotten == change_log.BATCH:
        async with transaction(pool, user_id) as conn:
            forgotten = await change_log.prune(conn, days)
    async with transaction(pool, user_id) as conn:
        await share.prune(conn, days)


@asynccontextmanager
async def sharing(app: App, database: Database, settings: Settings) -> AsyncGenerator[App]:
    """Yield *app* connected to other processes: it gets their changes and can read from a standby."""
    async with (
        listening(settings.direct_url or database.url, app.live.deliver, app.live.users, app.live.connect),
        following(settings.replica_url) as standby,
    ):
        yield replace(app, standby=standby)
