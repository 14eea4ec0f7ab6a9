"""A standby serves reads once it has replayed what the reader wrote, and no call waits for a lost standby."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import LiteralString, NamedTuple

import psycopg
import pytest
from mcp import Client
from psycopg.conninfo import make_conninfo

from db import migrations, private
from db.embedded import Embedded
from db.pool import create_pool
from db.standby import FOR_ANSWER, following
from mcp_server.accounts.auth import ensure_user
from mcp_server.protocol.edge import App
from mcp_server.server import build_server
from tests.calls import call
from tests.test_faults import frozen, stop_at_once


class Pair(NamedTuple):
    primary: Embedded
    standby: Embedded


@pytest.fixture
def pair(folder: Path) -> Generator[Pair]:
    """A migrated server, and a standby that follows it."""
    # As root, PostgreSQL runs as another user, who needs access to the folder.
    folder.chmod(0o755)
    with Embedded(folder / "primary") as primary:
        migrations.upgrade(primary.url)
        standby = Embedded(folder / "standby")
        copy(primary, standby)
        with standby:
            yield Pair(primary, standby)


def copy(primary: Embedded, standby: Embedded) -> None:
    private.claim(standby.folder)
    private.enclose(standby.folder, standby.log)
    standby.data.mkdir(mode=0o700)
    private.give_to_server(standby.data)
    # As root, the standby runs as another user, so it needs a password.
    run(primary, "CREATE ROLE replica LOGIN REPLICATION PASSWORD 'copy'")
    address = make_conninfo(primary.url, user="replica", password="copy")
    options = ("-R", "-X", "stream", "-c", "fast", "-D", standby.data)
    primary._run("pg_basebackup", *options, "-d", address)  # pyright: ignore[reportPrivateUsage]
    # The copied data contains the lock file of the primary's socket.
    (standby.data / ".s.PGSQL.5432.lock").unlink(missing_ok=True)


def run(database: Embedded, statement: LiteralString) -> None:
    with psycopg.connect(database.url, autocommit=True) as conn:
        conn.execute(statement)


def says(database: Embedded, query: LiteralString) -> bool:
    with psycopg.connect(database.url) as conn:
        return conn.execute(query).fetchone() == (True,)


async def until(database: Embedded, query: LiteralString) -> None:
    async with asyncio.timeout(10):
        while not says(database, query):  # noqa: ASYNC110 (there is no event to wait for)
            await asyncio.sleep(0.05)


@asynccontextmanager
async def client_of(pair: Pair, username: str) -> AsyncGenerator[Client]:
    """A client of a separate server, as each process has one."""
    async with create_pool(pair.primary.url) as pool, following(pair.standby.url) as standby:
        async with pool.connection() as conn:
            user_id = await ensure_user(conn, username)
        async with Client(build_server(App(pool, user_id, standby=standby))) as client:
            yield client


async def names(client: Client) -> set[str]:
    return {item["name"] for item in (await call(client, "list_items"))["items"]}


CAUGHT_UP: LiteralString = """
    SELECT count(*) = 1
    FROM pg_stat_replication
    WHERE replay_lsn >= pg_current_wal_insert_lsn() AND state = 'streaming'
"""
# Not logged, so it does not move the user's last write: only readers of the primary see it at once.
RENAME: LiteralString = "UPDATE items SET name = name || '!'"


async def test_a_user_reads_their_own_writes_on_every_server_and_others_read_from_the_standby(
    pair: Pair,
) -> None:
    async with (
        client_of(pair, "ada") as ada,
        client_of(pair, "ada") as ada_elsewhere,
        client_of(pair, "eve") as eve,
    ):
        await call(ada, "create_item", name="Tent")
        await call(eve, "create_item", name="Stove")
        await until(pair.primary, CAUGHT_UP)
        run(pair.standby, "SELECT pg_wal_replay_pause()")
        await until(pair.standby, "SELECT pg_get_wal_replay_pause_state() = 'paused'")
        run(pair.primary, RENAME)
        assert await names(ada) == await names(ada_elsewhere) == {"Tent"}
        assert await names(eve) == {"Stove"}
        await call(ada, "create_item", name="Pot")
        assert await names(ada) == await names(ada_elsewhere) == {"Tent!", "Pot"}
        assert await names(eve) == {"Stove"}
        assert not says(pair.primary, CAUGHT_UP)
        run(pair.standby, "SELECT pg_wal_replay_resume()")
        await until(pair.primary, CAUGHT_UP)
        run(pair.standby, "SELECT pg_wal_replay_pause()")
        await until(pair.standby, "SELECT pg_get_wal_replay_pause_state() = 'paused'")
        run(pair.primary, RENAME)
        assert await names(ada) == await names(ada_elsewhere) == {"Tent!", "Pot"}
        assert await names(eve) == {"Stove!"}


async def test_while_the_standby_is_unreachable_the_primary_serves_and_one_line_is_logged(
    pair: Pair, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.standby.SILENCE", 0.5)
    async with client_of(pair, "ada") as ada:
        await call(ada, "create_item", name="Tent")
        await until(pair.primary, CAUGHT_UP)
        assert await names(ada) == {"Tent"}
        stop_at_once(pair.standby.folder)
        with caplog.at_level(logging.WARNING):
            for _ in range(5):
                assert await names(ada) == {"Tent"}
                await asyncio.sleep(0.3)
        assert [
            record.message.partition(":")[0] for record in caplog.records if record.name == "db.standby"
        ] == ["The standby is unreachable; reading from the primary"]
        pair.standby.start()
        await until(pair.primary, CAUGHT_UP)
        caplog.clear()
        async with asyncio.timeout(10):
            while "The standby is reachable again." not in [record.message for record in caplog.records]:
                assert await names(ada) == {"Tent"}
                await asyncio.sleep(0.2)


async def test_a_frozen_standby_delays_one_read_only(pair: Pair) -> None:
    async with client_of(pair, "ada") as ada:
        await call(ada, "create_item", name="Tent")
        await until(pair.primary, CAUGHT_UP)
        assert await names(ada) == {"Tent"}
        with frozen(pair.standby):
            begun = monotonic()
            assert await names(ada) == {"Tent"}
            delayed = monotonic()
            assert delayed - begun > FOR_ANSWER - 0.1, "the standby answered"
            assert await names(ada) == {"Tent"}
            assert monotonic() - delayed < FOR_ANSWER


async def test_own_writes_are_read_although_positions_of_a_former_server_are_larger(pair: Pair) -> None:
    """A restored database has the positions of the server that it was copied from."""
    async with client_of(pair, "ada") as ada:
        await call(ada, "create_item", name="Tent")
        run(pair.primary, "UPDATE last_writes SET lsn = 9e15")
        await until(pair.primary, CAUGHT_UP)
        run(pair.standby, "SELECT pg_wal_replay_pause()")
        await until(pair.standby, "SELECT pg_get_wal_replay_pause_state() = 'paused'")
        await call(ada, "create_item", name="Pot")
        assert await names(ada) == {"Tent", "Pot"}


async def test_after_a_failover_the_first_write_is_done_within_seconds(pair: Pair) -> None:
    hosts = [str(each._socket_folder()) for each in pair]  # pyright: ignore[reportPrivateUsage]
    url = make_conninfo(
        pair.primary.url, host=",".join(hosts), port="5432,5432", target_session_attrs="read-write"
    )
    async with create_pool(url) as pool:
        async with pool.connection() as conn:
            user_id = await ensure_user(conn, "ada")
        async with Client(build_server(App(pool, user_id))) as client:
            await call(client, "create_item", name="Tent")
            await until(pair.primary, CAUGHT_UP)
            stop_at_once(pair.primary.folder)
            assert (await client.call_tool("create_item", {"name": "Stove"})).is_error
            await asyncio.sleep(1)
            run(pair.standby, "SELECT pg_promote()")
            promoted = monotonic()
            while (result := await client.call_tool("create_item", {"name": "Pot"})).is_error:
                assert monotonic() < promoted + 30, result
            assert await names(client) == {"Tent", "Pot"}
