"""API keys: credentials that a client sends without a sign-in."""

import hashlib
import secrets
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

import anyio
import anyio.to_thread
import psycopg
from psycopg import AsyncConnection

from db.query import fetch_all, fetch_one
from mcp_server.accounts import password
from mcp_server.errors import Busy, NotFound
from mcp_server.models.auth import Key, Principal, Scope

# Identifies a leaked key as one of Gearshed.
PREFIX = "gs_"
# Characters stored in plain text to tell keys apart. The other 38 are stored only as a hash.
SHOWN = len(PREFIX) + 5
# Each verification takes 64 MB and a core. It must not delay sign-ins, which have a limiter of their own.
ONE_AT_A_TIME = anyio.CapacityLimiter(1)
MOST_WAITING = 10


class Found(Principal):
    id: int
    used_lately: bool


class SlowKey(Principal):
    """A key of the old application with an argon2 hash."""

    id: int
    key_hash: str


def digest(key: str) -> str:
    """Return the stored form of a key. Keys are random, so an unsalted fast hash is sufficient."""
    return hashlib.sha256(key.encode()).hexdigest()


async def create(
    conn: AsyncConnection, user_id: int, name: str, scopes: Sequence[Scope], lifetime: timedelta | None
) -> str:
    """Create a key and return it. Only its hash is stored."""
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
    """Return the caller with *key*, or None if it is unknown or expired. Record when it was used."""
    found = await fetch_one(
        conn,
        Found,
        """
        SELECT
            id, user_id, scopes, name AS client,
            extract(epoch FROM expires_at - now())::float AS seconds_left,
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
    return Principal(**found.model_dump(include=set(Principal.model_fields)))


async def list_slow(conn: AsyncConnection, key: str) -> list[SlowKey]:
    """Return the valid keys with an argon2 hash that have the prefix of *key*."""
    return await fetch_all(
        conn,
        SlowKey,
        """
        SELECT id, user_id, scopes, name AS client, key_hash,
            extract(epoch FROM expires_at - now())::float AS seconds_left
        FROM api_keys
        WHERE starts_with(key_hash, '$argon2') AND key_prefix <> '' AND starts_with(%(key)s, key_prefix)
        AND (expires_at IS NULL OR expires_at > now())
        ORDER BY id
        """,
        {"key": key},
    )


async def matching(candidates: Sequence[SlowKey], key: str) -> SlowKey | None:
    """Return the candidate whose hash matches *key*, or None. Takes about 0.1 s for each of them."""
    if not candidates:
        return None
    if ONE_AT_A_TIME.statistics().tasks_waiting >= MOST_WAITING:
        raise Busy("Too many keys are being verified. Retry in a few seconds.")
    async with ONE_AT_A_TIME:
        for candidate in candidates:
            if await anyio.to_thread.run_sync(password.verified, candidate.key_hash, key):
                return candidate
    return None


async def upgrade(conn: AsyncConnection, found: SlowKey, key: str) -> Principal | None:
    """Replace the argon2 hash of *key* with its SHA-256 where possible, and return the caller.

    Return None if the key was revoked while its hash was being verified.
    """
    # In a read-only database, the key stays valid and is verified again at the next call.
    with suppress(psycopg.errors.ReadOnlySqlTransaction):
        async with conn.transaction():
            upgraded = await conn.execute(
                """
                UPDATE api_keys SET key_hash = %(hash)s, last_used_at = now()
                WHERE id = %(id)s AND key_hash = %(old)s
                """,
                {"id": found.id, "old": found.key_hash, "hash": digest(key)},
            )
        if upgraded.rowcount == 0:
            # Revoked, or upgraded by another call.
            return await find(conn, key)
    return Principal(**found.model_dump(include=set(Principal.model_fields)))


async def note_use(conn: AsyncConnection, key_id: int) -> None:
    """Record the use of a key, unless the database is read-only or another call is recording it."""
    with suppress(psycopg.OperationalError, psycopg.errors.ReadOnlySqlTransaction):
        async with conn.transaction():
            # Losing this update in a crash is acceptable; waiting for the disk is not.
            await conn.execute("SET LOCAL synchronous_commit = off")
            await conn.execute(
                """
                UPDATE api_keys SET last_used_at = now()
                WHERE id = (SELECT id FROM api_keys WHERE id = %(id)s FOR UPDATE SKIP LOCKED)
                """,
                {"id": key_id},
            )


async def list_all(conn: AsyncConnection, user_id: int | None) -> list[Key]:
    """Return the keys of one user, or of all users."""
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
    """Delete a key. The next request with it is rejected, and open streams end."""
    cursor = await conn.execute("DELETE FROM api_keys WHERE id = %(id)s", {"id": key_id})
    if cursor.rowcount == 0:
        raise NotFound(f"No key {key_id}. `gearshed keys list` lists all keys.")
