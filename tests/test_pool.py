"""What every transaction is bound to, and when a pool replaces its connections."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeAlias

import psycopg
import pytest
from psycopg import AsyncConnection, errors

from db.pool import Pool, create_pool, credentials, reading, transaction, writing
from db.query import fetch_value
from tests.calls import call
from tests.conftest import run_sql
from tests.test_undo import new_collection

Lent: TypeAlias = Callable[[Pool, int], AbstractAsyncContextManager[AsyncConnection]]
WAYS: dict[str, Lent] = {
    "transaction": lambda pool, user_id: transaction(pool, user_id),
    "writing": lambda pool, user_id: writing(pool, user_id),
    "reading": lambda pool, user_id: reading(pool, user_id),
    "reading together": lambda pool, user_id: reading(pool, user_id, together=True),
    "credentials": lambda pool, _: credentials(pool),
}


@pytest.mark.parametrize("way", WAYS)
async def test_every_transaction_has_limits(pool: Pool, user_id: int, way: str) -> None:
    query = """
        SELECT array_agg(current_setting(name) ORDER BY at)
        FROM unnest(ARRAY[
            'lock_timeout', 'statement_timeout', 'idle_in_transaction_session_timeout',
            'client_connection_check_interval'
        ]) WITH ORDINALITY AS setting (name, at)
    """
    async with WAYS[way](pool, user_id) as conn:
        assert await fetch_value(conn, query, {}) == ["2s", "5s", "10s", "1s"]


async def backends(pool: Pool) -> set[int]:
    """Return the backends of two connections of a pool."""
    async with pool.connection() as first, pool.connection() as second:
        return {first.info.backend_pid, second.info.backend_pid}


async def test_a_pool_is_given_up_when_the_server_says_it_is_read_only(pool: Pool, user_id: int) -> None:
    before = await backends(pool)
    async with transaction(pool, user_id) as conn:
        await conn.execute("SELECT count(*) FROM items")
    assert await backends(pool) & before, "after a transaction that succeeds, the connections are kept"
    with pytest.raises(errors.ReadOnlySqlTransaction):
        async with transaction(pool, user_id, read_only=True) as conn:
            await conn.execute("INSERT INTO items (name) VALUES ('Tent')")
    assert not await backends(pool) & before


async def test_a_pool_is_given_up_when_a_connection_is_lost(direct: None, pool: Pool, url: str) -> None:
    before = await backends(pool)

    async def lose() -> None:
        async with credentials(pool) as conn:
            end_backend(url, conn.info.backend_pid)
            await conn.execute("SELECT 1")

    with pytest.raises(psycopg.OperationalError):
        await lose()
    assert not await backends(pool) & before


def end_backend(url: str, backend_pid: int) -> None:
    """End a backend, and wait for its end."""
    with psycopg.connect(url) as conn:
        conn.execute("SELECT pg_terminate_backend(%(pid)s, 5000)", {"pid": backend_pid})


async def test_the_log_has_times_in_utc_whatever_the_zone_of_the_server(url: str) -> None:
    with psycopg.connect(url) as conn:
        name = conn.info.dbname
    run_sql(url, "ALTER DATABASE {} SET timezone = 'Asia/Tokyo'", name)
    async with create_pool(url) as pool, new_collection(pool) as collection:
        async with pool.connection() as conn:
            assert await fetch_value(conn, "SHOW timezone", {}) == "Asia/Tokyo"
        await call(collection.client, "create_item", name="Tent")
        async with transaction(pool, collection.user_id) as conn:
            logged: Any = await fetch_value(conn, "SELECT after FROM row_changes", {})
        assert logged["created_at"].endswith("+00:00")
