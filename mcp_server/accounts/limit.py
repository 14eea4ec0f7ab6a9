"""Rate limits, shared by all replicas."""

import hashlib

from psycopg import AsyncConnection

from db.query import fetch_value
from mcp_server.errors import Busy


async def spend(conn: AsyncConnection, what: str, most: int, seconds: int) -> None:
    """Count one attempt at *what*; raise Busy if there were more than *most* within *seconds*."""
    await conn.execute("DELETE FROM attempts WHERE until <= now()")
    count = await fetch_value(
        conn,
        """
        INSERT INTO attempts AS old (what, count, until)
        VALUES (%(what)s, 1, now() + make_interval(secs => %(seconds)s))
        ON CONFLICT (what) DO UPDATE SET count = old.count + 1
        RETURNING count
        """,
        {"what": hashlib.sha256(what.encode()).digest(), "seconds": seconds},
    )
    if count > most:
        raise Busy("Too many attempts. Wait a minute, then retry.")
