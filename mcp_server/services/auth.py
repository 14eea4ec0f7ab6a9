"""Users: whose collection is served."""

from typing import cast

from psycopg import AsyncConnection

from db.query import fetch_value


async def find_user(conn: AsyncConnection, username: str) -> int | None:
    """Return the id of the user called *username*, or None when there is no such user."""
    query = "SELECT id FROM users WHERE username = %(username)s"
    return await fetch_value(conn, query, {"username": username})


async def ensure_user(conn: AsyncConnection, username: str) -> int:
    """Return the id of the user called *username*, who is created on first use."""
    insert = (
        "INSERT INTO users (username) VALUES (%(username)s) ON CONFLICT (username) DO NOTHING RETURNING id"
    )
    return (
        await find_user(conn, username)
        or await fetch_value(conn, insert, {"username": username})
        # Somebody else was faster.
        or cast(int, await find_user(conn, username))
    )
