"""Keys: what a client sends in place of a person who signs in."""

import hashlib
import secrets
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

import psycopg
from psycopg import AsyncConnection

from db.query import fetch_all, fetch_one, fetch_value
from mcp_server.errors import NotFound
from mcp_server.models.auth import Key, Principal, Scope

# So that whoever finds a key in a file can tell what it opens.
PREFIX = "gs_"
# Characters that are kept to tell keys apart; 40 more stay unknown.
SHOWN = len(PREFIX) + 5


class Found(Principal):
    id: int
    used_lately: bool


def digest(key: str) -> str:
    """How a key is stored. It is random, so that nobody can guess it from this."""
    return hashlib.sha256(key.encode()).hexdigest()


async def create(
    conn: AsyncConnection, user_id: int, name: str, scopes: Sequence[Scope], lifetime: timedelta | None
) -> str:
    """Make a key and return it, for the only time."""
    key = PREFIX + secrets.token_urlsafe(32)
    await conn.execute(
        """
        INSERT INTO api_keys (user_id, name, key_hash, key_prefix, scopes, expires_at)
        VALUES (%(user_id)s, %(name)s, %(hash)s, %(prefix)s, %(scopes)s, now() + %(lifetime)s::interval)
        """,
        {
            "user_id": user_id,
            "name": name,
            "hash": digest(key),
            "prefix": key[:SHOWN],
            "scopes": list(scopes),
            "lifetime": lifetime,
        },
    )
    return key


async def find(conn: AsyncConnection, key: str) -> Principal | None:
    """Return who calls with *key*, or None when there is no such key or no longer. Its use is noted."""
    found = await fetch_one(
        conn,
        Found,
        """
        SELECT
            id, user_id, scopes, name AS client,
            coalesce(last_used_at > now() - interval '1 minute', false) AS used_lately
        FROM api_keys
        WHERE key_hash = %(hash)s AND (expires_at IS NULL OR expires_at > now())
        """,
        {"hash": digest(key)},
    )
    if found is None:
        return None
    if not found.used_lately:
        await note_use(conn, found.id)
    return Principal(user_id=found.user_id, scopes=found.scopes, client=found.client)


async def note_use(conn: AsyncConnection, key_id: int) -> None:
    """Note that a key was used. Where nothing can be written, or another call does so, it goes unnoted."""
    with suppress(psycopg.OperationalError, psycopg.errors.ReadOnlySqlTransaction):
        async with conn.transaction():
            # Nobody should wait for a disk because of this.
            await conn.execute("SET LOCAL synchronous_commit = off")
            await conn.execute(
                """
                UPDATE api_keys SET last_used_at = now()
                WHERE id = (SELECT id FROM api_keys WHERE id = %(id)s FOR UPDATE SKIP LOCKED)
                """,
                {"id": key_id},
            )


async def list_all(conn: AsyncConnection, user_id: int | None) -> list[Key]:
    """Return the keys of one user, or of all."""
    return await fetch_all(
        conn,
        Key,
        """
        SELECT
            api_keys.id, users.username, api_keys.name, api_keys.key_prefix, api_keys.scopes,
            api_keys.created_at, api_keys.expires_at, api_keys.last_used_at
        FROM api_keys
        JOIN users ON users.id = api_keys.user_id
        WHERE %(user_id)s::bigint IS NULL OR users.id = %(user_id)s
        ORDER BY users.username, api_keys.id
        """,
        {"user_id": user_id},
    )


async def revoke(conn: AsyncConnection, key_id: int) -> None:
    """Delete a key: the next call with it is refused."""
    if not await fetch_value(conn, "DELETE FROM api_keys WHERE id = %(id)s RETURNING id", {"id": key_id}):
        raise NotFound(f"No key {key_id}. `gearshed keys list` shows them.")
