"""API keys."""

import hashlib
from datetime import timedelta

import anyio
import psycopg
import pytest
from argon2 import PasswordHasher

from db.pool import Pool, credentials
from mcp_server.accounts import key
from mcp_server.errors import Busy, NotFound
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


OLD_KEY = "gb_3f2a91c07e5d4b68a1f09c3d5e7b8a42"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
OLD_HASH = CHEAP.hash(OLD_KEY)


async def add_old_key(pool: Pool, user_id: int, prefix: str = OLD_KEY[:8], hashed: str = OLD_HASH) -> None:
    async with pool.connection() as conn:
        await conn.execute(
            """
            INSERT INTO api_keys (user_id, name, key_hash, key_prefix)
            VALUES (%(user_id)s, 'phone', %(hash)s, %(prefix)s)
            """,
            {"user_id": user_id, "hash": hashed, "prefix": prefix},
        )


async def stored_hashes(pool: Pool) -> list[str]:
    async with pool.connection() as conn:
        cursor = await conn.execute("SELECT key_hash FROM api_keys ORDER BY id")
        return [hashed for (hashed,) in await cursor.fetchall()]


async def slow_keys(pool: Pool, text: str) -> list[key.SlowKey]:
    async with credentials(pool) as conn:
        return await key.list_slow(conn, text)


async def test_only_argon2_hashes_with_the_prefix_of_a_key_are_verified(pool: Pool, user_id: int) -> None:
    await add_old_key(pool, user_id)
    await add_old_key(pool, user_id, "gb_other", CHEAP.hash("other"))
    await add_old_key(pool, user_id, "", CHEAP.hash("no prefix"))
    await create(pool, user_id)
    assert [found.key_hash for found in await slow_keys(pool, OLD_KEY)] == [OLD_HASH]
    assert await slow_keys(pool, "gb_unknown_key") == []


async def test_a_key_with_an_argon2_hash_matches_only_that_hash(pool: Pool, user_id: int) -> None:
    await add_old_key(pool, user_id)
    candidates = await slow_keys(pool, OLD_KEY)
    assert await key.matching(candidates, OLD_KEY) == candidates[0]
    assert await key.matching(candidates, f"{OLD_KEY}x") is None


async def test_a_key_with_an_argon2_hash_is_valid_in_a_read_only_database(pool: Pool, user_id: int) -> None:
    await add_old_key(pool, user_id)
    (candidate,) = await slow_keys(pool, OLD_KEY)
    async with credentials(pool) as conn:
        await conn.execute("SET TRANSACTION READ ONLY")
        principal = await key.upgrade(conn, candidate, OLD_KEY)
    assert principal == Principal(user_id=user_id, scopes=READ_WRITE, client="phone")
    assert await stored_hashes(pool) == [OLD_HASH]


async def test_a_key_that_is_revoked_while_it_is_verified_is_rejected(pool: Pool, user_id: int) -> None:
    await add_old_key(pool, user_id)
    (candidate,) = await slow_keys(pool, OLD_KEY)
    async with pool.connection() as conn:
        await key.revoke(conn, candidate.id)
    async with credentials(pool) as conn:
        assert await key.upgrade(conn, candidate, OLD_KEY) is None


async def test_two_first_uses_of_a_key_at_once_both_succeed(pool: Pool, user_id: int) -> None:
    await add_old_key(pool, user_id)
    (candidate,) = await slow_keys(pool, OLD_KEY)
    for _ in range(2):
        async with credentials(pool) as conn:
            assert await key.upgrade(conn, candidate, OLD_KEY) == Principal(
                user_id=user_id, scopes=READ_WRITE, client="phone"
            )
    assert await stored_hashes(pool) == [key.digest(OLD_KEY)]


async def test_a_queue_of_keys_to_verify_is_bounded(
    pool: Pool, user_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add_old_key(pool, user_id)
    candidates = await slow_keys(pool, OLD_KEY)
    monkeypatch.setattr(key, "MOST_WAITING", 2)
    results: list[key.SlowKey | Exception | None] = []

    async def verify() -> None:
        try:
            results.append(await key.matching(candidates, OLD_KEY))
        except Busy as exc:
            results.append(exc)

    other = object()
    key.ONE_AT_A_TIME.acquire_on_behalf_of_nowait(other)
    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(verify)
        await anyio.wait_all_tasks_blocked()
        assert [type(each) for each in results] == [Busy]
        key.ONE_AT_A_TIME.release_on_behalf_of(other)
    assert results[1:] == [candidates[0]] * 2


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
