"""PostgreSQL stops under a running server and comes back: the server recovers without a restart."""

import asyncio
import os
import signal
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from mcp import Client

from db.embedded import Embedded
from tests.calls import call, refused
from tests.test_embedded import is_alive, postmaster
from tests.test_stdio import parameters


def stop_at_once(folder: Path) -> None:
    database = Embedded(folder)
    database._run("pg_ctl", "stop", "-D", database.data, "-m", "immediate")  # pyright: ignore[reportPrivateUsage]
    assert postmaster(folder) is None


async def answered(client: Client, tool: str, seconds: float) -> int:
    """Call until a call succeeds, and return the number of errors; give up after *seconds*."""
    failed, until = 0, time.monotonic() + seconds
    while True:
        result = await client.call_tool(tool, {})
        if not result.is_error:
            return failed
        failed += 1
        assert time.monotonic() < until, result
        await asyncio.sleep(0.1)


@contextmanager
def frozen(database: Embedded) -> Generator[None]:
    """Stop all processes of a database, as a hanging disk would."""
    postmaster = int((database.data / "postmaster.pid").read_text().split()[0])
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    processes = [postmaster, *map(int, children)]
    for each in processes:
        os.kill(each, signal.SIGSTOP)
    try:
        yield
    finally:
        for each in processes:
            os.kill(each, signal.SIGCONT)


async def test_an_embedded_database_that_was_stopped_is_started_again(folder: Path) -> None:
    async with Client(parameters("--data-dir", str(folder))) as client:
        await call(client, "create_item", name="Tent")
        stop_at_once(folder)
        assert (await refused(client, "list_items")).startswith("[unavailable] ")
        assert await answered(client, "list_items", 12) > 0
        assert (await call(client, "list_items"))["total"] == 1
    assert postmaster(folder) is None


async def test_many_failed_calls_and_a_silence_do_not_keep_it_away(
    server_of_its_own: Embedded,
) -> None:
    database = server_of_its_own
    async with Client(parameters("serve", DATABASE_URL=database.url)) as client:
        await call(client, "create_item", name="Tent")
        stop_at_once(database.folder)
        failed = await asyncio.gather(*(client.call_tool("list_items", {}) for _ in range(80)))
        assert all(result.is_error for result in failed)
        await asyncio.sleep(7)
        assert (await client.call_tool("list_items", {})).is_error
        database.start()
        await answered(client, "list_items", 5)


async def test_after_a_restart_one_write_fails_at_most(server_of_its_own: Embedded) -> None:
    database = server_of_its_own
    async with Client(parameters("serve", DATABASE_URL=database.url)) as client:
        await asyncio.gather(*(call(client, "list_items") for _ in range(30)))
        stop_at_once(database.folder)
        database.start()
        result = await client.call_tool("create_item", {"name": "Tent"})
        made = 0 if result.is_error else 1
        for _ in range(10):
            await call(client, "create_item", name="Tent")
        assert (await call(client, "list_items"))["total"] == made + 10


@pytest.fixture
def server_of_its_own(folder: Path) -> Generator[Embedded]:
    with Embedded(folder) as database:
        yield database


async def test_a_killed_backend_costs_a_read_nothing_and_leaves_nothing_running(folder: Path) -> None:
    async with Client(parameters("--data-dir", str(folder))) as client:
        await call(client, "create_item", name="Tent")
        url, pid = Embedded(folder).url, postmaster(folder)
        assert pid is not None
        with psycopg.connect(url) as conn:
            kill_another_backend(conn)
        wait_for(url)
        assert (await call(client, "list_items"))["total"] == 1
    assert postmaster(folder) is None
    assert not is_alive(pid)


def wait_for(url: str) -> None:
    """Wait until the server has recovered, however slow the machine is."""
    for _ in range(100):
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("the server does not come back")


def kill_another_backend(conn: psycopg.Connection) -> None:
    """Kill one the hard way: PostgreSQL ends all its connections and recovers."""
    row = conn.execute(
        "SELECT min(pid) FROM pg_stat_activity "
        "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    ).fetchone()
    assert row is not None
    os.kill(row[0], signal.SIGKILL)
    for _ in range(50):
        try:
            conn.execute("SELECT 1")
        except psycopg.OperationalError:
            return
        time.sleep(0.1)
    pytest.fail("the server did not notice")
