"""Users: whose collection is served."""

from psycopg import AsyncConnection

from db.query import fetch_value


async def ensure_user(conn: AsyncConnection, username: str) -> int:
    """Return the id of the user called *username*, who is created on first use."""
    name = {"username": username}
    created = await fetch_value(
        conn,
        "INSERT INTO users (username) VALUES (%(username)s) ON CONFLICT (username) DO NOTHING RETURNING id",
        name,
    )
    return created or await fetch_value(conn, "SELECT id FROM users WHERE username = %(username)s", name)
