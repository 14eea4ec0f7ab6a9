"""Browser sessions."""

import secrets

from psycopg import AsyncConnection

from db.query import fetch_one
from mcp_server.accounts.key import digest
from mcp_server.models.session import Person

# A session is only needed to grant and revoke access; clients stay connected without one.
HOURS = 12


async def begin(conn: AsyncConnection, user_id: int) -> str:
    """Start a session of the user and return its secret, for a cookie."""
    session = secrets.token_urlsafe(32)
    await conn.execute("DELETE FROM sessions WHERE expires_at <= now()")
    await conn.execute(
        """
        INSERT INTO sessions (id, user_id, expires_at)
        VALUES (%(id)s, %(user_id)s, now() + make_interval(hours => %(hours)s))
        """,
        {"id": digest(session), "user_id": user_id, "hours": HOURS},
    )
    return session


async def find(conn: AsyncConnection, session: str) -> Person | None:
    """Return the person signed in with *session*, or None if it is unknown or expired."""
    return await fetch_one(
        conn,
        Person,
        """
        SELECT users.id, users.username
        FROM sessions
        JOIN users ON users.id = sessions.user_id
        WHERE sessions.id = %(id)s AND sessions.expires_at > now()
        """,
        {"id": digest(session)},
    )


async def end(conn: AsyncConnection, session: str) -> None:
    await conn.execute("DELETE FROM sessions WHERE id = %(id)s", {"id": digest(session)})


async def end_all(conn: AsyncConnection, user_id: int) -> None:
    await conn.execute("DELETE FROM sessions WHERE user_id = %(user_id)s", {"user_id": user_id})
