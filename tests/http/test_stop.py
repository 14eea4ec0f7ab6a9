"""The shutdown of a server, its health and its metrics."""

import asyncio
import re
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic

import anyio
import httpx2
import psycopg
import pytest
from mcp import MCPError
from psycopg import AsyncConnection

from db import migrations
from db.embedded import Embedded
from db.pool import create_pool
from mcp_server.accounts import auth, key
from mcp_server.models.auth import READ_WRITE
from scripts.served import WAYS, Served, Way, connected, served
from tests.calls import call, refused
from tests.http.conftest import Admit
from tests.test_faults import server_of_its_own as server_of_its_own
from tests.test_faults import stop_at_once


async def key_of(url: str) -> str:
    async with create_pool(url) as pool, pool.connection() as conn:
        return await key.create(conn, await auth.ensure_user(conn, "ada"), "laptop", READ_WRITE, None)


@asynccontextmanager
async def holding(url: str, item_id: int) -> AsyncGenerator[AsyncConnection]:
    """Block writes to items; yield the connection that holds the lock."""
    async with await AsyncConnection.connect(url) as conn:
        await conn.execute("SELECT 1 FROM items WHERE id = %s FOR UPDATE", [item_id])
        yield conn


async def waiting(conn: AsyncConnection) -> int:
    """Return the number of the server's statements that wait for a lock."""
    # Within a transaction, pg_stat_activity would not change.
    await conn.execute("SELECT pg_stat_clear_snapshot()")
    cursor = await conn.execute(
        """
        SELECT count(*)
        FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock' AND state = 'active'
        """
    )
    row = await cursor.fetchone()
    assert row is not None
    return row[0]


async def until(conn: AsyncConnection, count: int, seconds: float) -> None:
    with anyio.fail_after(seconds):
        while await waiting(conn) != count:  # noqa: ASYNC110 (another process changes it)
            await asyncio.sleep(0.02)


async def test_running_calls_are_answered_streams_end_and_the_exit_is_success(
    url: str, tmp_path: Path
) -> None:
    opens = await key_of(url)
    with served(url, tmp_path / "log") as server:
        async with (
            connected(server.url, opens, "legacy") as one,
            connected(server.url, opens, "auto") as two,
            connected(server.url, opens, "sse") as three,
            httpx2.AsyncClient(base_url=server.url) as other,
        ):
            item = await call(one, "create_item", name="Tent")
            for client in (one, two, three):
                # Otherwise the client would request the tool list before it returns a result.
                await client.list_tools()
            async with holding(url, item["id"]) as conn:
                changes = {"notes": "dry"}
                calls = [
                    asyncio.create_task(call(client, "update_item", item_id=item["id"], changes=changes))
                    for client in (one, two, three)
                ]
                await until(conn, 3, 5)
                server.process.send_signal(signal.SIGTERM)
                with anyio.fail_after(5):
                    while (await other.get("/readyz")).status_code != 503:  # noqa: ASYNC110 (the same)
                        await asyncio.sleep(0.02)
                assert (await other.get("/livez")).status_code == 200
                assert server.process.poll() is None
            for answered in calls:
                assert (await answered)["notes"] == "dry"
            started = monotonic()
            assert await asyncio.to_thread(server.process.wait, 10) == 0
            assert monotonic() - started < 5
    assert "Traceback" not in server.logged()


@pytest.mark.parametrize("way", WAYS)
async def test_a_call_that_a_client_abandons_is_cancelled_in_the_database(
    replicas: tuple[Served, Served], admit: Admit, shared_url: str, way: Way
) -> None:
    ada = await admit()
    async with connected(replicas[0].url, ada.key, way) as client:
        item = await call(client, "create_item", name="Tent")
    async with holding(shared_url, item["id"]) as conn:
        left = asyncio.create_task(leave_alone(replicas[0].url, ada.key, way, item["id"]))
        await until(conn, 1, 5)
        left.cancel()
        await until(conn, 0, 1.5)
        await asyncio.gather(left, return_exceptions=True)
    async with connected(replicas[0].url, ada.key, way) as client:
        assert "notes" not in await call(client, "get_item", item_id=item["id"])


async def leave_alone(url: str, key: str, way: Way, item_id: int) -> None:
    """Disconnect before the response arrives."""
    async with connected(url, key, way) as client:
        await client.call_tool("update_item", {"item_id": item_id, "changes": {"notes": "dry"}})


async def test_without_a_database_it_is_live_but_not_ready_and_recovers(
    server_of_its_own: Embedded, tmp_path: Path
) -> None:
    database = server_of_its_own
    migrations.upgrade(database.url)
    opens = await key_of(database.url)
    with served(database.url, tmp_path / "log") as server:
        async with (
            connected(server.url, opens, "auto") as client,
            httpx2.AsyncClient(base_url=server.url) as http,
        ):
            assert (await http.get("/readyz")).status_code == 200
            await call(client, "create_item", name="Tent")
            stop_at_once(database.folder)
            started = monotonic()
            with pytest.raises(MCPError, match=r"^\[unavailable\] "):
                await client.call_tool("list_items", {})
            assert monotonic() - started < 4
            assert await readiness(http, 503) == "the database does not answer"
            assert (await http.get("/livez")).status_code == 200
            database.start()
            await readiness(http, 200)
            with psycopg.connect(database.url, autocommit=True) as conn:
                conn.execute("ALTER SYSTEM SET default_transaction_read_only = on")
                conn.execute("SELECT pg_reload_conf()")
                assert await readiness(http, 503) == "the database accepts no writes"
                assert (await call(client, "list_items"))["total"] == 1
                conn.execute("SET default_transaction_read_only = off")
                conn.execute("ALTER SYSTEM RESET default_transaction_read_only")
                conn.execute("SELECT pg_reload_conf()")
                await readiness(http, 200)
                conn.execute("REVOKE SELECT ON items FROM gearshed_app")
                assert "pg_restore" in await readiness(http, 503)
                conn.execute("GRANT SELECT ON items TO gearshed_app")
                await readiness(http, 200)
                conn.execute("UPDATE alembic_version SET version_num = '9999'")
                assert "has schema 9999" in await readiness(http, 503)


async def readiness(http: httpx2.AsyncClient, status: int) -> str:
    """Wait until the server is ready, or not ready, and return the reason."""
    response = await http.get("/readyz")
    with anyio.fail_after(8):
        while response.status_code != status:
            await anyio.sleep(0.1)
            response = await http.get("/readyz")
    return response.json().get("reason", "")


async def test_metrics_are_for_this_machine_and_name_only_tools_and_codes(
    replicas: tuple[Served, Served], admit: Admit
) -> None:
    ada = await admit()
    async with connected(replicas[0].url, ada.key, "auto") as client:
        await call(client, "list_items")
        await refused(client, "get_item", item_id=10**9)
        await refused(client, "no_such_tool_as_this")
    async with httpx2.AsyncClient(base_url=replicas[0].url) as http:
        figures = (await http.get("/metrics")).text
        for header in (
            "X-Forwarded-For",
            "Forwarded",
            "X-Real-IP",
            "Via",
            "X-Forwarded-Host",
            "CF-Connecting-IP",
        ):
            assert (await http.get("/metrics", headers={header: "127.0.0.1"})).status_code == 403
    assert re.search(r'^gearshed_calls_total\{tool="get_item"\} \d', figures, re.MULTILINE)
    assert 'gearshed_calls_total{tool="unknown"}' in figures
    assert 'gearshed_errors_total{code="not_found"}' in figures
    assert 'gearshed_call_seconds_bucket{le="0.1",tool="list_items"}' in figures
    assert "gearshed_pool_size " in figures
    assert "no_such_tool" not in figures
