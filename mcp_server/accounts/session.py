"""Sessions: who has signed in with a browser."""

import secrets

from psycopg import AsyncConnection

from db.query import fetch_one
from mcp_server.accounts.key import digest
from mcp_server.models.session import Person

# Long enough for an evening of connecting things; clients stay connected without it.
HOURS = 12


async def begin(conn: AsyncConnection, user_id: int) -> str:
    """Return a new session of the user, for a cookie."""
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
    """Return whose *session* it is, or None when it has ended or never was."""
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
