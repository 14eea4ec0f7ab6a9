"""One process migrates, however many start, or each of them gives the reason why the database is unusable."""

import multiprocessing
import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from db import migrations
from db.pool import create_pool, transaction
from mcp_server.accounts.auth import ensure_user
from tests.conftest import ROOT, empty_database
from tests.factories import make_item
from tests.test_cli import complaint, gearshed


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
        # A migration waits for this table's name in the middle of its transaction.
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


def test_a_database_without_the_privileges_of_its_roles_is_refused(url: str) -> None:
    migrations.upgrade(url)
    with psycopg.connect(url) as conn:
        conn.execute("REVOKE ALL ON items FROM gearshed_app")
    for start in (migrations.upgrade, migrations.check):
        with pytest.raises(migrations.NoRoles, match="Restore with `gearshed restore`"):
            start(url)


async def test_an_owner_who_is_not_a_superuser_migrates_serves_and_is_bound_to_a_user_too(
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


@pytest.mark.parametrize("revision", sorted(migrations.FORMER))
def test_a_database_from_before_the_first_release_is_refused_with_the_way_out(
    url: str, revision: str
) -> None:
    with psycopg.connect(url) as conn:
        conn.execute("UPDATE alembic_version SET version_num = %(revision)s", {"revision": revision})
    message = (
        f"The database has schema {revision}, made by a development version before 0009: start the previous "
        "version once, which upgrades it to 0009, or use a new database."
    )
    assert complaint(gearshed("db", "upgrade", DATABASE_URL=url)) == f"gearshed: {message}"
    assert alembic("upgrade", "head", DATABASE_URL=url) == (255, f"FAILED: {message}")
    assert migrations.current(url) == revision


def test_revisions_stand_in_their_order_whatever_their_ids_are(tmp_path: Path) -> None:
    before = "None"
    for revision in ('"0009"', '"f00d"', "'0010'", '"a1_b2"'):
        text = f"revision: str = {revision}\ndown_revision: str | None = {before}\nbranch_labels = None\n"
        (tmp_path / f"{revision[1:-1]}_what_it_does.py").write_text(text)
        before = revision
    assert migrations.in_order(tmp_path) == ["0009", "f00d", "0010", "a1_b2"]


def alembic(*arguments: str, **environment: str) -> tuple[int, str]:
    """Run the `alembic` command; return its exit code, and the lines that it prints about errors."""
    done = subprocess.run(
        [sys.executable, "-m", "alembic", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, f"{done.stdout}{done.stderr}".strip()


def test_alembic_without_a_database_says_so_in_one_line() -> None:
    assert alembic("upgrade", "head") == (
        255,
        "FAILED: Set DATABASE_URL to the database that the revisions are for.",
    )


def test_alembic_does_not_show_a_password_that_it_cannot_use() -> None:
    code, line = alembic("upgrade", "head", DATABASE_URL="postgresql://ada:secret@[")
    assert (code, line.count("\n")) == (255, 0)
    assert line.startswith("FAILED: DATABASE_URL, ")
    assert "secret" not in line


def test_alembic_waits_for_a_server_that_is_migrating(empty_url: str) -> None:
    with psycopg.connect(empty_url) as other:
        other.execute("SELECT pg_advisory_xact_lock(%(lock)s)", {"lock": migrations.LOCK})
        command = [sys.executable, "-m", "alembic", "upgrade", "head"]
        environment = {"PATH": os.environ["PATH"], "DATABASE_URL": empty_url}
        waiting = subprocess.Popen(command, cwd=ROOT, env=environment)
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(4)
        other.rollback()
        assert waiting.wait(20) == 0
    assert migrations.current(empty_url) == migrations.HEAD


def test_alembic_reads_the_password_from_the_file_that_the_server_reads(
    owner_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    file.write_text("owner\n")
    url = make_conninfo(owner_url, password="not this one")
    assert alembic("upgrade", "head", DATABASE_URL=url, DATABASE_PASSWORD_FILE=str(file)) == (0, "")
    assert migrations.current(owner_url) == migrations.HEAD
