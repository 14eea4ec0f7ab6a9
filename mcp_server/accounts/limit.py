"""Limits on how often something may be tried, which all replicas keep together."""

import hashlib

from psycopg import AsyncConnection

from db.query import fetch_value
from mcp_server.errors import Busy


async def spend(conn: AsyncConnection, what: str, most: int, seconds: int) -> None:
    """Count one try of *what*; raise Busy when there were *most* within *seconds* already."""
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
        raise Busy("Too many tries. Wait a minute, then try again.")
