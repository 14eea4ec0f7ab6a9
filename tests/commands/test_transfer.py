"""Everything of one user in a file, and back: equal, or refused with a reason and nothing stored."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import anyio
import psycopg
import pytest
from mcp import Client

from db.collection import DERIVED
from db.pool import Pool, create_pool, transaction
from db.query import fetch_value
from db.schema import metadata
from mcp_server import cli
from mcp_server.accounts import auth, key, password
from mcp_server.accounts.transfer import MANIFEST, STORED, TABLES, member
from mcp_server.models.auth import READ_WRITE
from mcp_server.protocol.edge import App
from mcp_server.server import build_server
from scripts.databases import create_test_db
from tests.calls import call, refused
from tests.commands.test_people import Done
from tests.pictures import in_base64, photo
from tests.test_backup import digest, fill

Gearshed = Callable[..., Done]
READS: dict[str, dict[str, Any]] = {
    "list_items": {},
    "list_categories": {},
    "list_setups": {},
    "list_threads": {},
    "list_changes": {},
    "get_totals": {},
    "export_csv": {},
    "get_settings": {},
    "plan_purchases": {"budget_cents": 100_000},
}
OF_A_ROW = ("get_item", "get_setup", "get_thread", "get_image", "get_change", "decide_thread")


@pytest.fixture
def elsewhere(server: str, template: str) -> Generator[str]:
    """Another migrated database."""
    with create_test_db(server, template) as url:
        yield url


@pytest.fixture
def gearshed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Gearshed:
    """Run a command on a database."""

    def run(url: str, *arguments: str) -> Done:
        monkeypatch.setenv("DATABASE_URL", url)
        code = cli.run(arguments)
        shown = capsys.readouterr()
        return Done(code, str(shown.out), str(shown.err))

    return run


async def use(pool: Pool, user_id: int) -> list[int]:
    """Give a user rows in every table of the collection, and return changes that can be undone."""
    await fill(pool, user_id)
    async with Client(build_server(App(pool, user_id))) as client:
        items = (await call(client, "list_items"))["items"]
        spoons = [{"name": "Spork \\N", "weight": "9.3 g"}, {"name": "Ö"}]
        made = await call(client, "create_items", items=spoons)
        changes = {"name": 'Shell\\"jacket"', "notes": "a\nb\t\\.", "weight": "0.1 oz"}
        renamed = await call(client, "update_item", item_id=items[0]["id"], changes=changes)
        await call(client, "upload_image", item_id=items[0]["id"], data=in_base64(photo()))
        # With its image.
        deleted = await call(client, "delete_item", item_id=items[1]["id"])
        thread = await call(client, "create_thread", name="Stove", replaces_item_id=items[0]["id"])
        gas = await call(client, "add_candidate", thread_id=thread["id"], name="Gas", price_cents=3000)
        criteria = [{"name": "quiet", "importance": 2, "worst": 0, "best": 10}]
        await call(client, "update_thread", thread_id=thread["id"], changes={"criteria": criteria})
        values = [{"name": "quiet", "value": 7}]
        await call(client, "update_candidate", candidate_id=gas["id"], changes={"values": values})
        await call(client, "resolve_thread", thread_id=thread["id"], candidate_id=gas["id"])
        await call(client, "update_settings", changes={"weight_unit": "oz"})
        undone = await call(client, "create_item", name="Mistake", idempotency_key="once")
        await call(client, "undo_change", change_id=undone["change_id"])
    return [made["change_id"], renamed["change_id"], deleted["change_id"]]


async def answers(url: str) -> list[Any]:
    """Return what each tool that reads says about ada's collection."""
    found: list[Any] = []
    async with create_pool(url) as pool:
        async with pool.connection() as conn:
            user_id = await auth.get_user(conn, "ada")
        async with Client(build_server(App(pool, user_id, read_only=True))) as client:
            for tool, arguments in READS.items():
                found.append((tool, await call(client, tool, **arguments)))
            for tool in OF_A_ROW:
                noun = tool.partition("_")[2]
                for number in range(1, 25):
                    result = await client.call_tool(
                        tool, {"thread_id" if tool == "decide_thread" else f"{noun}_id": number}
                    )
                    found.append((tool, number, result.model_dump(mode="json")))
    return found


class Exported(NamedTuple):
    file: Path
    # Changes that can be undone.
    change_ids: list[int]
    # The secret of a key.
    key: str


@pytest.fixture
def exported(url: str, tmp_path: Path, gearshed: Gearshed) -> Exported:
    """The file of a user with rows in every table."""

    async def work() -> tuple[list[int], str]:
        async with create_pool(url) as pool:
            async with pool.connection() as conn:
                user_id = await auth.add_user(conn, "ada", await password.hashed("correct horse"))
                secret = await key.create(conn, user_id, "phone", READ_WRITE, None)
            return await use(pool, user_id), secret

    change_ids, secret = anyio.run(work)
    file = tmp_path / "ada.gearshed"
    done = gearshed(url, "users", "export", "ada", str(file))
    assert (done.code, done.err) == (0, "")
    assert "4 items, 1 images, 17 changes" in done.out
    assert file.stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == [file.name]
    return Exported(file, change_ids, secret)


def test_an_imported_user_gets_equal_answers_and_can_undo_old_changes(
    url: str, elsewhere: str, exported: Exported, gearshed: Gearshed
) -> None:
    # Another user id than at home.
    for name in ("eve", "mallory"):
        assert gearshed(elsewhere, "users", "add", name, "--no-password").code == 0
    imported = gearshed(elsewhere, "users", "import", str(exported.file))
    assert (imported.code, imported.err) == (
        0,
        "The file has no keys and no password. `gearshed keys create` creates a key.\n",
    )
    assert "user ada: 4 items, 1 images, 17 changes" in imported.out
    assert anyio.run(answers, elsewhere) == anyio.run(answers, url)
    for place in (url, elsewhere):
        anyio.run(undo_and_create, place, exported.change_ids)


async def undo_and_create(url: str, change_ids: list[int]) -> None:
    async with create_pool(url) as pool:
        async with pool.connection() as conn:
            user_id = await auth.get_user(conn, "ada")
        async with Client(build_server(App(pool, user_id))) as client:
            for change_id in reversed(change_ids):
                await call(client, "undo_change", change_id=change_id)
            assert (await call(client, "list_items", query="map"))["total"] == 1
            again = {"name": "Mistake", "idempotency_key": "once"}
            assert "was undone by change" in await refused(client, "create_item", **again)
            made = await call(client, "create_item", name="New")
            # Not the id of the item whose creation was undone: that can be redone.
            assert made["id"] > await newest_item(pool, user_id)
            await call(client, "undo_change", change_id=made["change_id"])


async def newest_item(pool: Pool, user_id: int) -> int:
    query = "SELECT max(row_id) FROM row_changes WHERE table_name = 'items' AND after ->> 'name' <> 'New'"
    async with transaction(pool, user_id) as conn:
        return await fetch_value(conn, query)


def test_secrets_are_only_exported_if_that_is_wanted(
    url: str, elsewhere: str, exported: Exported, gearshed: Gearshed
) -> None:
    file = exported.file
    assert key.digest(exported.key).encode() not in file.read_bytes()
    assert b"argon2" not in file.read_bytes()
    with ZipFile(file) as archive:
        assert b'"phone"' in archive.read(member("api_keys"))
    assert gearshed(url, "users", "export", "ada", str(file), "--secrets").code == 0
    done = gearshed(elsewhere, "users", "import", str(file))
    assert (done.code, done.err) == (0, "")

    async def sign_in() -> None:
        async with create_pool(elsewhere) as pool, pool.connection() as conn:
            caller = await key.find(conn, exported.key)
            assert caller
            assert caller.user_id == await auth.get_user(conn, "ada")
            login = await auth.find_login(conn, "ada")
            assert await password.matches(login and login.password_hash, "correct horse")

    anyio.run(sign_in)


def test_every_table_with_rows_of_a_user_is_exported_derived_or_expires() -> None:
    owned = {table.name for table in metadata.sorted_tables if "user_id" in table.columns}
    derived = {*DERIVED, "last_writes"} - {*STORED}
    # A code is valid for seconds.
    assert owned == {*TABLES} - {"users"} | derived | {"oauth_codes"}


def rewritten(file: Path, table: str, change: Callable[[list[Any]], object], **manifest: object) -> None:
    """Change the rows of a table in a file as an attacker would: with the right hash."""
    with ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    rows = [json.loads(line) for line in parts[member(table)].splitlines()]
    change(rows)
    written = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows).encode()
    parts[member(table)] = written
    content = json.loads(parts.pop(MANIFEST))
    content["tables"][table] = {
        "rows": len(rows),
        "bytes": len(written),
        "sha256": hashlib.sha256(written).hexdigest(),
    }
    parts[MANIFEST] = json.dumps(content | manifest).encode()
    with ZipFile(file, "w", ZIP_STORED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)


def with_archive(file: Path, change: Callable[[ZipFile], object], mode: Any = "a") -> None:
    with ZipFile(file, mode) as archive:
        change(archive)


def compressed(file: Path) -> None:
    with ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts[member("items")] = b"0" * 10_000_000
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)


HOSTILE: dict[str, tuple[Callable[[Path], object], str]] = {
    "a damaged file": (lambda file: file.write_bytes(file.read_bytes()[:-300]), "damaged"),
    "no archive": (lambda file: file.write_bytes(b"PK"), "damaged"),
    "a zip bomb": (compressed, "compressed"),
    "another table": (
        lambda file: with_archive(file, lambda archive: archive.writestr("oauth_clients.ndjson", "{}")),
        'expected parts: "oauth_clients.ndjson"',
    ),
    "a changed row": (
        lambda file: file.write_bytes(file.read_bytes().replace(b"Wind shirt", b"Windy hirt")),
        "damaged",
    ),
    "another user's id": (
        lambda file: rewritten(file, "items", lambda rows: rows[0].update(user_id=1)),
        "items: a row names a user",
    ),
    "another user's id in the log": (
        lambda file: rewritten(file, "row_changes", lambda rows: rows[0]["after"].update(user_id=1)),
        "row_changes: a row names a user",
    ),
    "a change of a table that no undo may write": (
        lambda file: rewritten(file, "row_changes", lambda rows: rows[0].update(table_name="api_keys")),
        "row_changes: a change is one of another table",
    ),
    "a change that is not one of a row": (
        lambda file: rewritten(file, "row_changes", lambda rows: rows[0].update(after=[1])),
        "row_changes: a change is not one of a row",
    ),
    "an id that uses up a sequence": (
        lambda file: rewritten(file, "settings", lambda rows: rows[0].update(id=2**62)),
        "settings: an id is out of range",
    ),
    "an id in the log that uses up a sequence": (
        lambda file: rewritten(file, "row_changes", lambda rows: rows[0].update(row_id=2**62)),
        "row_changes: an id is out of range",
    ),
    "an unknown field": (
        lambda file: rewritten(file, "items", lambda rows: rows[0].update(color="red")),
        "items: the rows as stored differ",
    ),
    "a reference to nothing": (
        lambda file: rewritten(file, "items", lambda rows: rows[0].update(category_id=77)),
        "references: ",
    ),
    "a negative weight": (
        lambda file: rewritten(file, "items", lambda rows: rows[0].update(weight_grams=-1)),
        "items: new row for relation",
    ),
    "text that is not a row": (
        lambda file: rewritten(file, "items", lambda rows: rows.append("tent")),
        "items: a line is not an object",
    ),
    "another schema": (
        lambda file: rewritten(file, "items", lambda rows: None, revision="0009"),
        'The file has schema "0009"',
    ),
    "another version": (lambda file: rewritten(file, "items", lambda rows: None, version=2), "manifest"),
    "another kind of file": (
        lambda file: rewritten(file, "items", lambda rows: None, format="x"),
        "manifest",
    ),
    "an empty name": (lambda file: rewritten(file, "items", lambda rows: None, username=" "), "name: "),
    "a name with control characters": (
        lambda file: rewritten(file, "items", lambda rows: None, username="a\x1b[31m"),
        "name: must not contain control characters",
    ),
}


def test_a_hostile_file_is_refused_with_a_reason_and_nothing_is_stored(
    url: str, elsewhere: str, exported: Exported, gearshed: Gearshed
) -> None:
    file = exported.file
    honest, before = file.read_bytes(), digest(elsewhere)
    for what, (change, reason) in HOSTILE.items():
        file.write_bytes(honest)
        change(file)
        assert file.read_bytes() != honest, what
        done = gearshed(elsewhere, "users", "import", str(file))
        assert (what, done.code, done.out) == (what, 1, "")
        assert reason in done.err, what
        assert done.err.count("\n") == 1, what
        assert digest(elsewhere) == before, what
    file.write_bytes(honest)
    done = gearshed(url, "users", "import", str(file))
    assert (done.code, done.err) == (1, 'gearshed: User "ada" already exists. Choose another name.\n')
    # The file as it was is not hostile.
    assert gearshed(elsewhere, "users", "import", str(file)).code == 0


def test_an_import_that_is_killed_stores_everything_or_nothing(
    elsewhere: str, exported: Exported, gearshed: Gearshed, tmp_path: Path
) -> None:
    file, again = exported.file, tmp_path / "again"
    empty, complete = digest(elsewhere), list[bool]()
    for seconds in (0.1, 0.5, 0.7, 0.9, 1.3):
        kill_an_import(elsewhere, file, seconds)
        complete.append(user_exists(elsewhere))
        if complete[-1]:
            assert gearshed(elsewhere, "users", "export", "ada", str(again)).code == 0
            assert stored(again) == stored(file)
            assert gearshed(elsewhere, "users", "remove", "ada", "--yes").code == 0
        assert digest(elsewhere) == empty
    assert not complete[0]


def kill_an_import(url: str, file: Path, seconds: float) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "mcp_server", "users", "import", str(file)],
        env={"PATH": os.environ["PATH"], "DATABASE_URL": url},
        stdout=subprocess.DEVNULL,
    )
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.wait()
    wait_until_alone(url)


def manifest(file: Path) -> Any:
    with ZipFile(file) as archive:
        return json.loads(archive.read(MANIFEST))


def stored(file: Path) -> dict[str, Any]:
    """Return the numbers and hashes of what an import stores without secrets."""
    return {table: part for table, part in manifest(file)["tables"].items() if table != "api_keys"}


def wait_until_alone(url: str) -> None:
    """Wait until the transaction of a killed process has ended. A pooler keeps its session."""
    deadline = time.monotonic() + 30
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as conn:
        while conn.execute("""
            SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'
        """).fetchone() != (0,):
            assert time.monotonic() < deadline
            time.sleep(0.01)


def user_exists(url: str) -> bool:
    with psycopg.connect(url) as conn:
        return conn.execute("SELECT count(*) FROM users").fetchone() != (0,)
