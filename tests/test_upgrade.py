"""A database of an earlier release starts with this one, keeps its data, and can undo its old changes."""

import os
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest
from mcp import Client, StdioServerParameters
from psycopg.sql import SQL, Identifier

from db import migrations
from db.collection import COLLECTION
from tests.calls import call, refused
from tests.conftest import ROOT, empty_database
from tests.test_schema import described, rows, secured

DUMPS = sorted((Path(__file__).parent / "data").glob("release_*.sql"))
LIST = (ROOT / "mcp_server" / "data" / "ultimate-hike-2025.csv").read_text(encoding="utf-8")
GRANTS: LiteralString = """
    SELECT relname, NULL, grantee::regrole::text, privilege_type
    FROM pg_class, aclexplode(relacl)
    WHERE relnamespace = 'public'::regnamespace AND grantee <> relowner
    UNION ALL
    SELECT relname, attname, grantee::regrole::text, privilege_type
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid, aclexplode(attacl)
    WHERE relnamespace = 'public'::regnamespace
    ORDER BY 1, 2, 3, 4
"""
WORDS: LiteralString = """
    SELECT user_id, id, word FROM items, words_of(concat_ws(' ', name, notes)) AS word
"""


# The template has created the roles that the dumps grant to.
@pytest.fixture(params=DUMPS, ids=[path.stem for path in DUMPS])
def old_url(server: str, template: str, request: pytest.FixtureRequest) -> Generator[str]:
    """A database as an earlier release left it."""
    with empty_database(server) as url:
        with psycopg.connect(url) as conn:
            # It changes settings of the session, which behind a pooler others use afterwards.
            conn.execute(request.param.read_bytes() + b"RESET ALL;")
        yield url


@asynccontextmanager
async def served(url: str, user: str) -> AsyncGenerator[Client]:
    """A client of this release's server. The dumps get older, so it keeps their changes."""
    environment = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": url,
        "GEARSHED_USER": user,
        "GEARSHED_UNDO_DAYS": "36500",
    }
    server = StdioServerParameters(command=sys.executable, args=["-m", "mcp_server"], env=environment)
    async with Client(server) as client:
        yield client


def contents(url: str) -> dict[str, list[dict[str, Any]]]:
    """Every row of a collection and its log, and every word, as JSON."""
    query = "SELECT to_jsonb(one) FROM {table} AS one ORDER BY to_jsonb(one)::text"
    tables = (*COLLECTION, "users", "item_words", "changes", "row_changes")
    with psycopg.connect(url, prepare_threshold=None) as conn:
        conn.execute("SET LOCAL timezone = 'UTC'")
        return {
            table: [row for (row,) in conn.execute(SQL(query).format(table=Identifier(table)))]
            for table in tables
            if conn.execute("SELECT to_regclass(%(table)s)", {"table": table}).fetchone() != (None,)
        }


async def test_the_server_starts_and_keeps_every_row(old_url: str) -> None:
    before = contents(old_url)
    async with served(old_url, "ada") as client:
        totals = await call(client, "get_totals")
        setup = await call(client, "get_setup", setup_id=1)
    after = contents(old_url)
    for table, old_rows in before.items():
        if table == "changes":
            old_rows = list(map(as_since_0011, old_rows))
        # A later release may have added columns.
        kept = [{name: row[name] for name in old_rows[0]} for row in after[table]] if old_rows else []
        if table == "item_words":
            # Later releases store more of them, and fold them.
            stored = {(row["user_id"], row["item_id"], row["word"]) for row in after[table]}
            assert stored == set(rows(old_url, WORDS))
            continue
        assert sorted(map(str, kept)) == sorted(map(str, old_rows)), table
        assert len(after[table]) == len(old_rows) > 0, table
    figures = {name: totals[name] for name in ("items", "pieces", "weight_grams", "price_cents", "unweighed")}
    assert figures == {
        "items": 65,
        "pieces": 107,
        "weight_grams": 9664.02,
        "price_cents": 25450,
        "unweighed": 1,
    }
    assert setup["total_grams"] == 6412.68


def as_since_0011(change: dict[str, Any]) -> dict[str, Any]:
    """The name of a program is no longer the client, and a change may undo several."""
    undoes = None if change["undoes"] is None else [change["undoes"]]
    return {**change, "client": None, "program": change["client"], "undoes": undoes}


async def test_what_was_undone_in_an_older_release_is_known(old_url: str) -> None:
    async with served(old_url, "ada") as client:
        changes = (await call(client, "list_changes", limit=100))["changes"]
        undone = {change["id"]: change["undone_by"] for change in changes if "undone_by" in change}
        assert undone == {
            id_: change["id"] for change in changes if "undoes" in change for id_ in change["undoes"]
        }
        assert undone
        for change_id, undone_by in undone.items():
            text = await refused(client, "undo_change", change_id=change_id)
            assert f"was already undone by change {undone_by}." in text


async def test_the_upgraded_schema_is_the_one_that_a_new_database_has(old_url: str, url: str) -> None:
    """It fails when functions.sql has changed and no revision runs the changed section."""
    migrations.upgrade(old_url)
    assert described(old_url) == described(url)
    assert secured(old_url) == secured(url)
    assert rows(old_url, GRANTS) == rows(url, GRANTS)


async def test_items_of_an_older_release_are_found_by_their_words(old_url: str) -> None:
    async with served(old_url, "ada") as client:
        found = await call(client, "list_items", query="duct ta")
        assert [item["name"] for item in found["items"]] == ["Duct tape"]


async def test_every_change_of_an_older_release_can_be_undone(old_url: str) -> None:
    async with served(old_url, "ada") as client:
        changes = (await call(client, "list_changes", limit=100))["changes"]
        assert {change["tool"] for change in changes} >= {"import_csv", "resolve_thread", "undo_change"}
        for change in changes:
            await call(client, "undo_change", change_id=change["id"])
        assert (await call(client, "list_items"))["total"] == 0
    left = {table: len(found) for table, found in contents(old_url).items() if table in COLLECTION and found}
    # The item of eve.
    assert left == {"items": 1}


async def test_every_older_change_can_be_undone_after_a_column_is_added(old_url: str) -> None:
    migrations.upgrade(old_url)
    with psycopg.connect(old_url) as conn:
        for table in COLLECTION:
            add = SQL("ALTER TABLE {table} ADD COLUMN added text NOT NULL DEFAULT 'new'")
            conn.execute(add.format(table=Identifier(table)))
    before = contents(old_url)
    async with served(old_url, "ada") as client:
        changes = (await call(client, "list_changes", limit=100))["changes"]
        for change in changes:
            await call(client, "undo_change", change_id=change["id"])
        assert (await call(client, "list_items"))["total"] == 0
        undone = (await call(client, "list_changes", limit=len(changes)))["changes"]
        for change in undone:
            await call(client, "undo_change", change_id=change["id"])
    after = contents(old_url)
    assert {table: after[table] for table in COLLECTION} == {table: before[table] for table in COLLECTION}


async def test_a_retry_with_an_old_key_gives_the_first_result(old_url: str) -> None:
    async with served(old_url, "ada") as client:
        again = await call(
            client, "import_csv", csv_text=LIST, setup_name="Ultimate Hike", idempotency_key="list"
        )
        assert again["repeated"]
        assert (await call(client, "list_items"))["total"] == 65
