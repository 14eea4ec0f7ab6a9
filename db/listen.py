"""Notifications of changes by any process, on a dedicated connection that reconnects."""

import asyncio
import json
import logging
import random
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager

import psycopg
from psycopg import AsyncConnection
from psycopg.conninfo import make_conninfo

from db.pool import CONNECTION

logger = logging.getLogger(__name__)

# Seconds before reconnecting, doubled each time up to the longest, and seconds between two polls.
FIRST_PAUSE, LONGEST_PAUSE, LOOK_EVERY = 0.2, 5.0, 2.0
# Anything of any user may have changed.
UNKNOWN = "{}"


@asynccontextmanager
async def listening(
    url: str,
    hear: Callable[[str], None],
    watched: Callable[[], Iterable[int]],
    connected: Callable[[bool], None] = lambda _: None,
) -> AsyncGenerator[None]:
    """Pass each notification to *hear*, as JSON. One without a user_id concerns every user.

    Where LISTEN does not work, the users that are *watched* are polled every two seconds. *connected* is
    called with True when LISTEN starts, before *hear*, and with False when it ends.
    """
    # A separate task, because a cancellation by anyio would keep psycopg from ending its statement.
    task = asyncio.create_task(listen(make_conninfo(url, **CONNECTION), hear, watched, connected))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def listen(
    conninfo: str,
    hear: Callable[[str], None],
    watched: Callable[[], Iterable[int]],
    connected: Callable[[bool], None],
) -> None:
    pause = FIRST_PAUSE
    while True:
        try:
            async with await AsyncConnection.connect(conninfo, autocommit=True) as conn:
                if reason := await cannot_listen(conn):
                    logger.warning(
                        "Polling for changes every %g seconds instead of listening for them: %s.",
                        LOOK_EVERY,
                        reason,
                    )
                    await look(conn, hear, watched)
                await conn.execute("LISTEN gearshed_changes")
                pause = FIRST_PAUSE
                connected(True)
                try:
                    # Notifications sent before, or while disconnected, are lost.
                    hear(UNKNOWN)
                    async for notification in conn.notifies():
                        hear(notification.payload)
                finally:
                    connected(False)
        except psycopg.Error as exc:
            if pause == FIRST_PAUSE:
                logger.warning("Not receiving changes until the database is back: %s", type(exc).__name__)
        await asyncio.sleep(pause * (1 + random.random()))  # noqa: S311 (no secret)
        pause = min(2 * pause, LONGEST_PAUSE)


async def cannot_listen(conn: AsyncConnection) -> str | None:
    """Return why a connection would never receive a notification, or None if it would."""
    cursor = await conn.execute("SELECT pg_backend_pid(), pg_is_in_recovery()")
    found: tuple[int, bool] | None = await cursor.fetchone()
    if found is None or found[0] != conn.info.backend_pid:
        return "DATABASE_URL leads through a pooler such as PgBouncer (set DATABASE_DIRECT_URL to bypass it)"
    return "a standby sends no notifications" if found[1] else None


async def look(
    conn: AsyncConnection, hear: Callable[[str], None], watched: Callable[[], Iterable[int]]
) -> None:
    """Poll for writes of the watched users, as long as the connection lasts."""
    known: dict[int, int] = {}
    while True:
        users = list(watched())
        cursor = await conn.execute(
            "SELECT user_id, lsn FROM last_writes WHERE user_id = ANY (%(users)s)", {"users": users}
        )
        found: dict[int, int] = dict(await cursor.fetchall())
        now = {user_id: found.get(user_id, 0) for user_id in users}
        for user_id in users:
            if known.get(user_id) != now[user_id]:
                hear(json.dumps({"user_id": user_id}))
        known = now
        await asyncio.sleep(LOOK_EVERY)
