"""Browser sessions."""

import secrets

from psycopg import AsyncConnection

from db.query import fetch_all, fetch_one
from mcp_server.accounts import turn
from mcp_server.accounts.key import digest
from mcp_server.models.auth import Login
from mcp_server.models.session import Person, Session

# A session is only needed to grant and revoke access; clients stay connected without one.
HOURS = 12


async def begin(conn: AsyncConnection, login: Login, browser: str | None = None) -> str | None:
    """Start a session and return its secret, for a cookie; None if the password was replaced meanwhile.

    *browser* is the name by which the person recognizes the session.
    """
    session = secrets.token_urlsafe(32)
    await conn.execute("DELETE FROM sessions WHERE expires_at <= now()")
    await turn.issuing(conn, login.user_id)
    cursor = await conn.execute(
        """
        INSERT INTO sessions (id, user_id, expires_at, browser)
        SELECT %(id)s, id, now() + make_interval(hours => %(hours)s), %(browser)s
        FROM users
        WHERE id = %(user_id)s AND password_hash IS NOT DISTINCT FROM %(password_hash)s
        """,
        {"id": digest(session), "hours": HOURS, "browser": browser, **login.model_dump()},
    )
    return session if cursor.rowcount else None


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


async def list_all(conn: AsyncConnection, user_id: int, session: str) -> list[Session]:
    """Return the user's sessions: first the one whose secret is *session*, then the most recent ones."""
    return await fetch_all(
        conn,
        Session,
        """
        SELECT number, browser, expires_at - make_interval(hours => %(hours)s) AS since,
            id = %(id)s AS is_this
        FROM sessions
        WHERE user_id = %(user_id)s AND expires_at > now()
        ORDER BY is_this DESC, expires_at DESC, number DESC
        """,
        {"user_id": user_id, "id": digest(session), "hours": HOURS},
    )


async def end(conn: AsyncConnection, session: str) -> None:
    await conn.execute("DELETE FROM sessions WHERE id = %(id)s", {"id": digest(session)})


async def end_number(conn: AsyncConnection, user_id: int, number: int) -> None:
    """End one session, if it is one of the user's."""
    await conn.execute(
        "DELETE FROM sessions WHERE user_id = %(user_id)s AND number = %(number)s",
        {"user_id": user_id, "number": number},
    )


async def end_others(conn: AsyncConnection, user_id: int, session: str) -> None:
    """End all sessions of the user but the one whose secret is *session*."""
    await conn.execute(
        "DELETE FROM sessions WHERE user_id = %(user_id)s AND id <> %(id)s",
        {"user_id": user_id, "id": digest(session)},
    )


async def end_all(conn: AsyncConnection, user_id: int) -> None:
    await conn.execute("DELETE FROM sessions WHERE user_id = %(user_id)s", {"user_id": user_id})
