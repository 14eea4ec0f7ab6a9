"""API keys."""

import hashlib
from datetime import timedelta

import psycopg
import pytest

from db.pool import Pool, credentials
from mcp_server.accounts import key
from mcp_server.errors import NotFound
from mcp_server.models.auth import READ, READ_WRITE, Principal


async def create(pool: Pool, user_id: int, lifetime: timedelta | None = None) -> str:
    async with pool.connection() as conn:
        return await key.create(conn, user_id, "laptop", READ, lifetime)


async def find(pool: Pool, text: str) -> Principal | None:
    async with credentials(pool) as conn:
        return await key.find(conn, text)


async def last_used(pool: Pool) -> list[object]:
    async with pool.connection() as conn:
        return [found.last_used_at for found in await key.list_all(conn, None)]


async def test_a_key_identifies_its_user_and_its_scopes(pool: Pool, user_id: int) -> None:
    made = await create(pool, user_id)
    assert await find(pool, made) == Principal(user_id=user_id, scopes=READ, client="laptop")
    for wrong in ("", "gs_", made[:-1], made + " ", made.upper(), made.removeprefix("gs_")):
        assert await find(pool, wrong) is None


async def test_a_key_of_the_old_application_stays_valid(pool: Pool, user_id: int) -> None:
    old = "0123456789abcdef" * 4
    async with pool.connection() as conn:
        await conn.execute(
            """
            INSERT INTO api_keys (user_id, name, key_hash, key_prefix)
            VALUES (%(user_id)s, 'old', %(hash)s, '01234567')
            """,
            {"user_id": user_id, "hash": hashlib.sha256(old.encode()).hexdigest()},
        )
    assert await find(pool, old) == Principal(user_id=user_id, scopes=READ_WRITE, client="old")


async def test_the_use_of_a_key_is_recorded_once_a_minute(pool: Pool, user_id: int) -> None:
    made = await create(pool, user_id)
    assert await last_used(pool) == [None]
    await find(pool, made)
    (first,) = await last_used(pool)
    assert first is not None
    await find(pool, made)
    assert await last_used(pool) == [first]


async def test_a_key_is_valid_in_a_read_only_database(pool: Pool, user_id: int) -> None:
    made = await create(pool, user_id)
    async with credentials(pool) as conn:
        await conn.execute("SET TRANSACTION READ ONLY")
        assert await key.find(conn, made) is not None
    assert await last_used(pool) == [None]


async def test_an_expired_or_revoked_key_is_invalid(pool: Pool, user_id: int) -> None:
    expired = await create(pool, user_id, timedelta(0))
    assert await find(pool, expired) is None
    made = await create(pool, user_id, timedelta(days=1))
    assert await find(pool, made) is not None
    async with pool.connection() as conn:
        (_, listed) = await key.list_all(conn, user_id)
        assert made.startswith(listed.key_prefix)
        await key.revoke(conn, listed.id)
        with pytest.raises(NotFound, match="keys list"):
            await key.revoke(conn, listed.id)
    assert await find(pool, made) is None


async def test_the_database_contains_no_key(pool: Pool, user_id: int, url: str) -> None:
    made = await create(pool, user_id)
    with psycopg.connect(url) as conn:
        (stored,) = conn.execute("SELECT api_keys::text FROM api_keys").fetchall()
    assert "laptop" in stored[0]
    assert made[key.SHOWN :] not in stored[0]


async def test_the_credentials_role_sees_no_collection(pool: Pool) -> None:
    for query in ("SELECT name FROM items", "UPDATE users SET username = ''", "DELETE FROM api_keys"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            async with credentials(pool) as conn:
                await conn.execute(query)
