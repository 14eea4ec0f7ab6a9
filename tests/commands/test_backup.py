"""Backups are restored and verified, or nothing changes."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import anyio
import psycopg
import pytest
from mcp import Client

from db import backup, migrations
from db.backup import BackupError
from db.embedded import Embedded
from db.pool import create_pool
from mcp_server.accounts.auth import ensure_user
from mcp_server.cli import run
from mcp_server.commands import daily
from mcp_server.protocol.edge import App
from mcp_server.server import build_server
from tests.calls import call
from tests.conftest import empty_database, run_sql
from tests.test_backup import digest, fill
from tests.test_embedded import postmaster
from tests.test_stdio import parameters


@pytest.fixture
def filled(direct: None, url: str) -> str:
    """A database with the collections of two users."""

    async def work() -> None:
        async with create_pool(url) as pool:
            for name in ("ada", "eve"):
                async with pool.connection() as conn:
                    user_id = await ensure_user(conn, name)
                await fill(pool, user_id)

    anyio.run(work)
    return url


def schema(url: str) -> str:
    """The definitions of a database, as pg_dump writes them."""
    with psycopg.connect(url) as conn:
        program = backup.program("pg_dump", conn.info.server_version // 10_000)
    done = subprocess.run(
        [program, "--schema-only", "--no-owner", url], capture_output=True, text=True, check=True
    )
    return "\n".join(line for line in done.stdout.splitlines() if "restrict" not in line)


async def serve(url: str) -> None:
    """Read and write a restored collection."""
    async with create_pool(url) as pool:
        async with pool.connection() as conn:
            user_id = await ensure_user(conn, "ada")
        async with Client(build_server(App(pool, user_id))) as client:
            assert (await call(client, "list_items"))["total"] == 2
            made = await call(client, "create_item", name="Spoon")
            await call(client, "undo_change", change_id=made["change_id"])


def test_a_restored_database_is_equal_and_can_be_served(filled: str, server: str, tmp_path: Path) -> None:
    file = tmp_path / "gear.backup"
    written = backup.write(filled, file)
    assert written.tables["items"].rows == 4
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [file.name]
    with empty_database(server) as restored:
        assert backup.restore(file, restored) == written
        assert digest(restored) == digest(filled)
        assert schema(restored) == schema(filled)
        anyio.run(serve, restored)


def test_an_owner_who_is_not_a_superuser_restores_and_cannot_back_up(
    filled: str, owner_url: str, empty_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "gear.backup"
    backup.write(filled, file)
    backup.restore(file, owner_url)
    assert digest(empty_url) == digest(filled)
    migrations.check(owner_url)
    before = file.read_bytes()
    with pytest.raises((BackupError, psycopg.errors.InsufficientPrivilege), match="row-level security"):
        backup.write(owner_url, file)
    assert file.read_bytes() == before


def test_a_database_with_rows_is_replaced_only_if_that_is_wanted(
    filled: str, server: str, tmp_path: Path
) -> None:
    file = tmp_path / "gear.backup"
    backup.write(filled, file)
    with empty_database(server) as other:
        migrations.upgrade(other)
        # Only a schema: nothing is lost.
        backup.restore(file, other)
        run_sql(other, "DELETE FROM items")
        before = digest(other)
        with pytest.raises(BackupError, match=r"not empty.*--replace"):
            backup.restore(file, other)
        assert digest(other) == before
        backup.restore(file, other, replace=True)
        assert digest(other) == digest(filled)
        run_sql(other, "CREATE TABLE recipes (id int)")
        with pytest.raises(BackupError, match="other tables, such as recipes"):
            backup.restore(file, other, replace=True)


def with_manifest(file: Path, change: Callable[[dict[str, object]], None]) -> None:
    with ZipFile(file) as zipped:
        manifest, dump = json.loads(zipped.read(backup.MANIFEST)), zipped.read(backup.DUMP)
    change(manifest)
    with ZipFile(file, "w") as zipped:
        zipped.writestr(backup.MANIFEST, json.dumps(manifest))
        zipped.writestr(backup.DUMP, dump)


def test_a_backup_that_does_not_match_changes_nothing(filled: str, server: str, tmp_path: Path) -> None:
    file = tmp_path / "gear.backup"
    backup.write(filled, file)
    whole = file.read_bytes()
    with empty_database(server) as other:
        backup.restore(file, other)
        before = digest(other)

        with_manifest(file, lambda manifest: manifest["tables"].update(items=[4, "17"]))  # pyright: ignore
        with pytest.raises(BackupError, match=r"Nothing was changed: table items differs"):
            backup.restore(file, other, replace=True)
        with_manifest(file, lambda manifest: manifest.update(revision="9999"))
        with pytest.raises(migrations.NewerSchema):
            backup.restore(file, other, replace=True)
        for damaged in (whole[:-1000], whole[:500] + b"?" + whole[501:], b"", b"PK"):
            file.write_bytes(damaged)
            with pytest.raises(BackupError, match="damaged"):
                backup.restore(file, other, replace=True)
        assert digest(other) == before


def test_no_password_is_among_the_arguments_of_a_process() -> None:
    address, environment = backup.without_password("postgresql://ada:secret@db.example/gear?sslmode=require")
    assert "secret" not in address
    assert "sslmode=require" in address
    assert environment["PGPASSWORD"] == "secret"


def command(url: str, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "mcp_server", *arguments],
        env={"PATH": os.environ["PATH"], "DATABASE_URL": url},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def test_a_restore_that_is_killed_leaves_an_empty_or_a_complete_database(
    filled: str, server: str, tmp_path: Path
) -> None:
    file = tmp_path / "gear.backup"
    backup.write(filled, file)
    expected, complete = digest(filled), list[bool]()
    for seconds in (0, 0.03, 0.1, 0.3, 1):
        with empty_database(server) as other:
            killed = command(other, "restore", str(file))
            until(lambda: loaders(other) == 1)
            time.sleep(seconds)
            killed.send_signal(signal.SIGKILL)
            killed.wait()
            # psql outlives its parent.
            until(lambda: loaders(other) == 0)
            complete.append(migrations.current(other) is not None)
            assert digest(other) == expected if complete[-1] else tables(other) == []
    assert not complete[0]
    assert digest(filled) == expected


def loaders(url: str) -> int:
    """How many processes of psql are connected to a database."""
    with psycopg.connect(url) as conn:
        query = """
            SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND application_name = 'psql'
        """
        return conn.execute(query).fetchall()[0][0]


def tables(url: str) -> list[str]:
    with psycopg.connect(url) as conn:
        return [name for (name,) in conn.execute(backup.TABLES).fetchall()]


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_everything_moves_from_the_embedded_database_to_another_and_back(
    folder: Path, filled: str, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = digest(filled)
    monkeypatch.setenv("DATABASE_URL", filled)
    assert run(["move", "--to", str(folder)]) == 0
    monkeypatch.delenv("DATABASE_URL")
    with Embedded(folder) as database:
        assert digest(database.url) == expected
    monkeypatch.setenv("GEARSHED_DATA_DIR", str(folder))
    with empty_database(server) as other:
        assert run(["move", "--to", other]) == 0
        assert digest(other) == expected
        assert run(["move", "--to", other]) == 1
        assert run(["move", "--to", other, "--replace"]) == 0


def test_an_empty_database_is_not_backed_up(
    empty_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", empty_url)
    assert run(["backup", str(tmp_path / "gear.backup")]) == 1
    assert capsys.readouterr().err == "gearshed: The database is empty: there is nothing to back up.\n"
    assert run(["restore", str(tmp_path / "missing")]) == 1
    assert "No such file" in capsys.readouterr().err


def test_a_server_backs_up_its_embedded_database_once_a_day(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ("--data-dir", str(folder))

    async def use() -> None:
        async with Client(parameters(*options)) as client:
            await call(client, "get_totals")

    anyio.run(use)
    # A new database is not worth one yet.
    assert daily.kept(folder) == []
    yesterday = time.time() - 2 * daily.DAY
    os.utime(folder / "postgres-16" / "PG_VERSION", (yesterday, yesterday))
    anyio.run(use)
    until(lambda: len(daily.kept(folder)) == 1 and postmaster(folder) is None)
    with backup.opened(daily.kept(folder)[0]) as (manifest, _):
        assert manifest.tables["users"].rows == 1
    anyio.run(use)
    until(lambda: postmaster(folder) is None)
    assert len(daily.kept(folder)) == 1


def test_the_last_backups_are_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEARSHED_DATA_DIR", str(folder))
    monkeypatch.setenv("GEARSHED_BACKUPS", "2")
    assert run(["users", "add", "ada", "--no-password"]) == 0
    (folder / "backups").mkdir()
    for day in (1, 2, 3):
        (folder / "backups" / f"gearshed-2026-01-0{day}T120000.backup").touch()
    assert run(["backup"]) == 0
    oldest, newest = daily.kept(folder)
    assert oldest.name == "gearshed-2026-01-03T120000.backup"
    with backup.opened(newest) as (manifest, _):
        assert manifest.tables["users"].rows == 1
