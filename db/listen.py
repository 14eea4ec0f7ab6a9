"""Hearing of changes that any process made, on one connection of its own that always comes back."""

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

# Seconds before connecting again, doubled each time, and between two looks where nothing can be heard.
FIRST_PAUSE, LONGEST_PAUSE, LOOK_EVERY = 0.2, 5.0, 2.0
# What has changed since: everything of everybody, for all one knows.
UNKNOWN = "{}"


@asynccontextmanager
async def listening(
    url: str, hear: Callable[[str], None], watched: Callable[[], Iterable[int]]
) -> AsyncGenerator[None]:
    """Give *hear* each notification meanwhile, as JSON; without a user_id it is about everybody.

    Where PostgreSQL cannot notify, it is asked about the users that are *watched* every two seconds.
    """
    # A task of its own, because anyio's way to cancel would keep psycopg from ending its statement.
    task = asyncio.create_task(listen(make_conninfo(url, **CONNECTION), hear, watched))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def listen(conninfo: str, hear: Callable[[str], None], watched: Callable[[], Iterable[int]]) -> None:
    pause = FIRST_PAUSE
    while True:
        try:
            async with await AsyncConnection.connect(conninfo, autocommit=True) as conn:
                if reason := await cannot_listen(conn):
                    logger.warning(
                        "Changes are looked for every %g seconds instead of being heard of at once: %s.",
                        LOOK_EVERY,
                        reason,
                    )
                    await look(conn, hear, watched)
                await conn.execute("LISTEN gearshed_changes")
                pause = FIRST_PAUSE
                # Whatever happened before, or while there was no connection, nobody has told.
                hear(UNKNOWN)
                async for notification in conn.notifies():
                    hear(notification.payload)
        except psycopg.Error as exc:
            if pause == FIRST_PAUSE:
                logger.warning("No changes are heard of until the database is back: %s", type(exc).__name__)
        await asyncio.sleep(pause * (1 + random.random()))  # noqa: S311 (no secret)
        pause = min(2 * pause, LONGEST_PAUSE)


async def cannot_listen(conn: AsyncConnection) -> str | None:
    """Return why nothing would ever be heard on a connection, if that is so."""
    cursor = await conn.execute("SELECT pg_backend_pid(), pg_is_in_recovery()")
    found: tuple[int, bool] | None = await cursor.fetchone()
    if found is None or found[0] != conn.info.backend_pid:
        return "a pooler such as PgBouncer is in between (DATABASE_DIRECT_URL can name the way past it)"
    return "a standby notifies nobody" if found[1] else None


async def look(
    conn: AsyncConnection, hear: Callable[[str], None], watched: Callable[[], Iterable[int]]
) -> None:
    """Look again and again whether a watched user has written, as long as the connection lasts."""
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
