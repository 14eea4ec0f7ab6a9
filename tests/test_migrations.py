"""However many servers start at once, and whatever the database holds: one migrates, or none and says why."""

import multiprocessing
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor

import psycopg
import pytest

from alembic import command
from db import migrations
from db.pool import create_pool, transaction
from mcp_server.accounts.auth import ensure_user
from mcp_server.services import listing
from tests.conftest import empty_database
from tests.factories import make_item


def test_servers_that_start_at_once_all_find_the_schema(empty_url: str) -> None:
    assert migrations.current(empty_url) is None
    with ProcessPoolExecutor(4, mp_context=multiprocessing.get_context("spawn")) as servers:
        list(servers.map(migrations.upgrade, [empty_url] * 4))
    assert migrations.current(empty_url) == migrations.HEAD


def test_databases_of_one_server_may_be_migrated_at_once(server: str) -> None:
    with (
        empty_database(server) as first,
        empty_database(server) as second,
        ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as servers,
    ):
        list(servers.map(migrations.upgrade, [first, second]))
        assert migrations.current(first) == migrations.current(second) == migrations.HEAD


def test_a_server_waits_for_another_that_is_migrating(empty_url: str) -> None:
    with psycopg.connect(empty_url) as other:
        other.execute("SELECT pg_advisory_xact_lock(%(lock)s)", {"lock": migrations.LOCK})
        code = "import sys; from db import migrations; migrations.upgrade(sys.argv[1])"
        waiting = subprocess.Popen([sys.executable, "-c", code, empty_url])
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(2)
        other.rollback()
        assert waiting.wait(20) == 0
    assert migrations.current(empty_url) == migrations.HEAD


def test_a_migration_that_was_killed_leaves_nothing_and_the_next_one_finishes(empty_url: str) -> None:
    with psycopg.connect(empty_url, autocommit=True) as other:
        # Whoever migrates has to wait for this table's name, in the middle of its transaction.
        other.execute("BEGIN")
        other.execute("CREATE TABLE candidates (id int)")
        code = "import sys; from db import migrations; migrations.upgrade(sys.argv[1])"
        migrating = subprocess.Popen([sys.executable, "-c", code, empty_url])
        with pytest.raises(subprocess.TimeoutExpired):
            migrating.wait(2)
        migrating.kill()
        migrating.wait()
        other.execute("ROLLBACK")
    assert migrations.current(empty_url) is None
    migrations.upgrade(empty_url)
    assert migrations.current(empty_url) == migrations.HEAD


def test_a_newer_schema_is_refused_and_left_alone(url: str) -> None:
    with psycopg.connect(url) as conn:
        conn.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(
        migrations.NewerSchema, match=r"has schema 9999, and this release knows schemas up to \d{4}"
    ):
        migrations.upgrade(url)
    assert migrations.current(url) == "9999"


async def test_an_owner_who_is_no_superuser_migrates_serves_and_is_bound_to_a_user_too(
    owner_url: str,
) -> None:
    migrations.upgrade(owner_url)
    async with create_pool(owner_url) as pool:
        async with pool.connection() as conn:
            user_id = await ensure_user(conn, "ada")
        async with transaction(pool, user_id) as conn:
            assert await make_item(conn) > 0
        async with pool.connection() as conn:
            with pytest.raises(psycopg.Error):
                await conn.execute("SELECT count(*) FROM items")
            await conn.rollback()


async def test_items_of_an_older_release_are_found_by_their_words(owner_url: str) -> None:
    with migrations.engine(owner_url).begin() as connection:
        command.upgrade(migrations.config(connection), "0001")
    async with create_pool(owner_url) as pool:
        async with pool.connection() as conn:
            user_id = await ensure_user(conn, "ada")
        async with transaction(pool, user_id) as conn:
            await conn.execute("INSERT INTO items (name, notes) VALUES ('Tent', 'green')")
        migrations.upgrade(owner_url)
        async with transaction(pool, user_id) as conn:
            assert [row.name for row in (await listing.find(conn, query="green tent")).items] == ["Tent"]
