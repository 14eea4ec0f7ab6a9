"""OAuth clients, from dynamic registration or from client ID metadata documents."""

import secrets

from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from db.query import fetch_one
from mcp_server.models.oauth import Client, Registration

# Registration is open to anyone, so clients without a grant are limited in number and expire after a day.
MOST_UNUSED = 1000


async def register(conn: AsyncConnection, asked: Registration) -> Client:
    """Register a client and return it. It expires after a day unless a user grants it access."""
    client = Client(
        client_id=secrets.token_urlsafe(16), client_name=asked.client_name, redirect_uris=asked.redirect_uris
    )
    await remember(conn, client)
    return client


async def make_room(conn: AsyncConnection) -> None:
    """Delete expired clients, and the oldest ones without a grant if there are too many."""
    await conn.execute("DELETE FROM oauth_clients WHERE expires_at <= now()")
    await conn.execute(
        """
        DELETE FROM oauth_clients
        WHERE expires_at IS NOT NULL AND id IN (
            SELECT id
            FROM oauth_clients
            WHERE expires_at IS NOT NULL
            ORDER BY expires_at DESC, id DESC
            OFFSET %(most)s - 1
        )
        """,
        {"most": MOST_UNUSED},
    )


async def remember(conn: AsyncConnection, client: Client) -> None:
    """Insert *client*, or update it from its current document."""
    if await find(conn, client.client_id) is None:
        await make_room(conn)
    await conn.execute(
        """
        INSERT INTO oauth_clients AS old (client_id, client_name, redirect_uris, expires_at)
        VALUES (%(client_id)s, %(client_name)s, %(redirect_uris)s, now() + interval '24 hours')
        ON CONFLICT (client_id)
        DO UPDATE SET
            client_name = excluded.client_name,
            redirect_uris = excluded.redirect_uris,
            expires_at = CASE WHEN old.expires_at IS NOT NULL THEN excluded.expires_at END
        """,
        {**client.model_dump(), "redirect_uris": Jsonb(client.redirect_uris)},
    )


async def find(conn: AsyncConnection, client_id: str) -> Client | None:
    """Return the client, or None if it is unknown or expired."""
    return await fetch_one(
        conn,
        Client,
        """
        SELECT client_id, client_name, redirect_uris
        FROM oauth_clients
        WHERE client_id = %(client_id)s AND (expires_at IS NULL OR expires_at > now())
        """,
        {"client_id": client_id},
    )


async def keep(conn: AsyncConnection, client_id: str) -> None:
    """Remove the client's expiry, because a user has granted it access."""
    await conn.execute(
        "UPDATE oauth_clients SET expires_at = NULL WHERE client_id = %(client_id)s", {"client_id": client_id}
    )
