"""Rate limits, shared by all replicas.

A refused attempt raises Busy, which rolls back its count: attempts during a delay do not prolong it.
"""

import hashlib

from psycopg import AsyncConnection

from db.query import fetch_value
from mcp_server.errors import Busy

# Attempts before the first delay. Delays in seconds: the first one, and the longest.
FREE, FIRST_DELAY, LONGEST_DELAY = 10, 60, 3600
DAY = 24 * 3600


async def spend(conn: AsyncConnection, what: str, most: int, seconds: int) -> None:
    """Count one attempt at *what*; raise Busy if there were more than *most* within *seconds*."""
    if await count(conn, what, seconds) > most:
        raise Busy("Too many attempts. Wait a minute, then retry.")


async def slow_down(conn: AsyncConnection, what: str) -> None:
    """Count one attempt at *what*; raise Busy during a delay.

    Every attempt beyond the free ones starts a delay, which is twice as long each time, until *succeeded*.
    """
    # First of all, because this makes concurrent attempts wait for each other.
    attempts = await count(conn, what, DAY)
    delay = digest(f"delay of {what}")
    left = await fetch_value(
        conn,
        """
        SELECT ceil(extract(epoch FROM until - now()) / 60)::int
        FROM attempts
        WHERE what = %(what)s AND until > now()
        """,
        {"what": delay},
    )
    if left is not None:
        raise Busy(f"Too many attempts. Wait {'a minute' if left == 1 else f'{left} minutes'}, then retry.")
    if attempts >= FREE:
        seconds = min(FIRST_DELAY * 2 ** min(attempts - FREE, 10), LONGEST_DELAY)
        await conn.execute(
            """
            INSERT INTO attempts (what, count, until)
            VALUES (%(what)s, 1, now() + make_interval(secs => %(seconds)s))
            ON CONFLICT (what) DO UPDATE SET until = excluded.until
            """,
            {"what": delay, "seconds": seconds},
        )


async def succeeded(conn: AsyncConnection, what: str) -> None:
    """Forget the attempts that *slow_down* counted."""
    await conn.execute(
        "DELETE FROM attempts WHERE what = ANY (%(whats)s)",
        {"whats": [digest(what), digest(f"delay of {what}")]},
    )


async def count(conn: AsyncConnection, what: str, seconds: int) -> int:
    """Count one attempt at *what* and return how many there were since the first one, within *seconds*."""
    # Rows that another transaction is counting are skipped, because waiting for them can be a deadlock.
    await conn.execute(
        """
        DELETE FROM attempts
        WHERE what IN (SELECT what FROM attempts WHERE until <= now() FOR UPDATE SKIP LOCKED)
        """
    )
    return await fetch_value(
        conn,
        """
        INSERT INTO attempts AS old (what, count, until)
        VALUES (%(what)s, 1, now() + make_interval(secs => %(seconds)s))
        ON CONFLICT (what) DO UPDATE SET
            count = CASE WHEN old.until > now() THEN old.count + 1 ELSE 1 END,
            until = CASE WHEN old.until > now() THEN old.until ELSE excluded.until END
        RETURNING count
        """,
        {"what": digest(what), "seconds": seconds},
    )


def digest(what: str) -> bytes:
    return hashlib.sha256(what.encode()).digest()
