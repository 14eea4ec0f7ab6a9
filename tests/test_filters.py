"""Tools that are turned off are not there, and a server that is read-only cannot write."""

import os
import shutil
import tempfile
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import Any, Literal

import psycopg
import pytest
from mcp import Client
from mcp.server.mcpserver import Context
from psycopg import AsyncConnection, errors
from psycopg.conninfo import conninfo_to_dict

from db import migrations
from db.embedded import Embedded
from db.pool import Pool
from mcp_server import settings
from mcp_server.models.fields import Row
from mcp_server.protocol.edge import App, Written, write
from mcp_server.protocol.schema import to_tool
from mcp_server.server import TOOLS, build_server, tools_off
from mcp_server.settings import SettingsError
from tests.calls import call, refused
from tests.conftest import empty_database, end_sessions
from tests.factories import make_item
from tests.test_cli import complaint, gearshed
from tests.test_stdio import parameters

Era = Literal["legacy", "auto"]
READING = [entry.name for entry in TOOLS if entry.hints.read_only_hint]


def on(**options: Any) -> list[str]:
    """The tools that are left with these options."""
    off = tools_off(settings.load(options))
    return [entry.name for entry in TOOLS if entry.name not in off]


def test_without_filters_every_tool_is_on() -> None:
    assert on() == [entry.name for entry in TOOLS]


def test_chosen_tools_are_the_only_ones() -> None:
    assert on(tools=" get_item,list_items ,") == ["list_items", "get_item"]


def test_excluded_tools_are_off_even_if_chosen() -> None:
    assert on(tools="get_item,list_items", exclude_tools="get_item") == ["list_items"]
    assert set(on(exclude_tools="get_item")) == {entry.name for entry in TOOLS} - {"get_item"}


def test_read_only_leaves_the_tools_that_read_even_if_others_are_chosen() -> None:
    assert on(read_only=True) == READING
    assert on(read_only=True, tools="get_item,delete_item") == ["get_item"]


@pytest.mark.parametrize("field", ["tools", "exclude_tools"])
def test_an_unknown_tool_is_refused_with_the_nearest(field: str) -> None:
    with pytest.raises(SettingsError) as caught:
        on(**{field: "get_item,list_item"})
    assert str(caught.value) == (
        f'GEARSHED_{field.upper()}: unknown tool "list_item". Did you mean "list_items" or "get_item"?'
    )


@pytest.mark.parametrize("names", ["", " ", ",", " , "])
def test_an_option_without_a_name_in_it_is_refused_rather_than_all_tools(names: str) -> None:
    with pytest.raises(SettingsError, match=r"GEARSHED_TOOLS: .+ comma-separated names"):
        on(tools=names)


def test_the_environment_has_the_same_settings_and_options_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEARSHED_TOOLS", "get_item, list_items")
    monkeypatch.setenv("GEARSHED_EXCLUDE_TOOLS", "get_item")
    assert on() == ["list_items"]
    assert on(tools="get_setup") == ["get_setup"]
    assert on(exclude_tools="list_items") == ["get_item"]
    monkeypatch.setenv("GEARSHED_TOOLS", "")
    monkeypatch.setenv("GEARSHED_READ_ONLY", "1")
    assert on() == [name for name in READING if name != "get_item"]


@pytest.mark.parametrize("text", ["maybe", "read_only", " "])
def test_whether_to_be_read_only_cannot_be_unclear(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("GEARSHED_READ_ONLY", text)
    with pytest.raises(SettingsError, match="GEARSHED_READ_ONLY"):
        on()


@pytest.fixture
async def reader(pool: Pool, user_id: int, era: Era) -> AsyncGenerator[Client]:
    """A client of ada's server, which is read-only and without get_totals."""
    off = tools_off(settings.load({"read_only": True, "exclude_tools": "get_totals"}))
    async with Client(build_server(App(pool, user_id, read_only=True), off), mode=era) as client:
        yield client


async def test_a_tool_that_is_off_is_not_listed_and_a_call_says_why(
    reader: Client, conn: AsyncConnection
) -> None:
    listed = [tool.name for tool in (await reader.list_tools()).tools]
    assert listed == [name for name in READING if name != "get_totals"]
    ask = "Continue without it, or ask the person who runs Gearshed to turn it on."
    assert await refused(reader, "create_item", name="Tent") == (
        f"[forbidden] create_item is turned off: the server is read-only. {ask}"
    )
    assert await refused(reader, "get_totals") == (
        f"[forbidden] get_totals is turned off: GEARSHED_EXCLUDE_TOOLS includes it. {ask}"
    )
    assert (await call(reader, "list_items"))["total"] == 0
    assert "read-only" in str(reader.instructions)


async def test_resources_stay_and_prompts_whose_tools_are_off_go(
    reader: Client, conn: AsyncConnection
) -> None:
    item_id = await make_item(conn, "Tent", weight=5)
    await conn.commit()
    for uri in ("gear://summary", f"gear://items/{item_id}"):
        assert "Tent" in (await reader.read_resource(uri)).model_dump_json()
    names = [prompt.name for prompt in (await reader.list_prompts()).prompts]
    assert names == ["find_what_to_leave", "lighten_setup"]


async def test_a_read_only_server_writes_nothing_even_through_a_tool_that_claims_to_read(
    pool: Pool, user_id: int, era: Era
) -> None:
    class Done(Row):
        done: bool

    async def insert(conn: AsyncConnection) -> Done:
        await conn.execute("INSERT INTO items (name) VALUES ('Sneaked')")
        return Done(done=True)

    async def sneak(ctx: Context[App]) -> Written[Done]:
        """Sneak."""
        return await write(ctx).do(insert)

    for read_only in (True, False):
        server = build_server(App(pool, user_id, read_only=read_only))
        tool = to_tool(sneak, "Sneak", TOOLS[0].hints)
        server._tool_manager._tools["sneak"] = tool  # pyright: ignore[reportPrivateUsage]
        async with Client(server, mode=era) as client:
            result = await client.call_tool("sneak", {})
            assert result.is_error == read_only
            assert (await call(client, "list_items"))["total"] == (0 if read_only else 1)


@pytest.fixture
async def stocked(url: str, conn: AsyncConnection) -> str:
    """The address of a database in which ada has a tent."""
    await make_item(conn, "Tent")
    await conn.commit()
    return url


async def test_a_process_takes_filters_as_options(stocked: str, era: Era) -> None:
    server = parameters(
        "--user", "ada", "--read-only", "--tools", "list_items,delete_item", DATABASE_URL=stocked
    )
    async with Client(server, mode=era) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == ["list_items"]
        assert (await call(client, "list_items"))["total"] == 1
        assert "the server is read-only" in await refused(client, "delete_item", item_id=1)
        assert "GEARSHED_TOOLS does not include it" in await refused(client, "get_item", item_id=1)


async def test_a_process_takes_filters_from_its_environment(stocked: str, era: Era) -> None:
    server = parameters(
        "--user",
        "ada",
        DATABASE_URL=stocked,
        GEARSHED_READ_ONLY="true",
        GEARSHED_TOOLS="get_item,list_items",
        GEARSHED_EXCLUDE_TOOLS="get_item",
    )
    async with Client(server, mode=era) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == ["list_items"]
        assert "[forbidden] get_item is turned off" in await refused(client, "get_item", item_id=1)


@pytest.mark.parametrize("options", [[], ["--read-only"]])
async def test_it_serves_a_known_user_where_everything_is_read_only(
    server: str, stocked: str, options: list[str]
) -> None:
    with psycopg.connect(stocked, autocommit=True) as conn:
        conn.execute(
            "DO $$ BEGIN EXECUTE format("
            "'ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$"
        )
    end_sessions(server, str(conninfo_to_dict(stocked)["dbname"]))
    with psycopg.connect(stocked) as conn, pytest.raises(errors.ReadOnlySqlTransaction):
        conn.execute("CREATE TABLE proof ()")
    async with Client(parameters(*options, "--user", "ada", DATABASE_URL=stocked)) as client:
        assert (await call(client, "list_items"))["total"] == 1
        refusal = await refused(client, "create_item", name="Tarp")
        assert refusal.startswith("[forbidden] " if "--read-only" in options else "[read_only] ")


@pytest.fixture
def standby() -> Generator[Path]:
    """The folder of an embedded database that is a standby, in which `local` has an empty collection."""
    folder = Path(tempfile.mkdtemp(prefix="gearshed-test-"))
    with Embedded(folder) as database:
        migrations.upgrade(database.url)
        with psycopg.connect(database.url) as conn:
            conn.execute("INSERT INTO users (username) VALUES ('local')")
        data = database.data
    (data / "standby.signal").touch()
    if os.geteuid() == 0:
        shutil.chown(data / "standby.signal", "nobody")
    yield folder
    shutil.rmtree(folder)


async def test_it_serves_from_a_standby(standby: Path) -> None:
    with Embedded(standby) as database, psycopg.connect(database.url) as conn:
        assert conn.execute("SELECT pg_is_in_recovery()").fetchone() == (True,)
        async with Client(parameters("--read-only", "--data-dir", str(standby))) as client:
            assert (await call(client, "list_items"))["total"] == 0
            assert "[forbidden]" in await refused(client, "create_item", name="Tent")


def test_a_read_only_server_creates_no_user(url: str) -> None:
    line = complaint(gearshed("serve", "--read-only", "--user", "newcomer", DATABASE_URL=url))
    assert line == (
        "gearshed: GEARSHED_USER: no user 'newcomer', and a read-only server does not create it. "
        "Start once without --read-only, or name another user."
    )
    with psycopg.connect(url) as conn:
        assert conn.execute("SELECT count(*) FROM users").fetchone() == (0,)


def test_a_read_only_server_creates_no_schema(server: str) -> None:
    with empty_database(server) as url:
        line = complaint(gearshed("serve", "--read-only", DATABASE_URL=url))
        assert "no schema yet" in line
        assert line.endswith("Run `gearshed db upgrade` first.")
        assert migrations.current(url) is None


def test_a_tool_that_there_is_not_stops_the_start(url: str) -> None:
    for line in (
        complaint(gearshed("--tools", "list_item", DATABASE_URL=url)),
        complaint(gearshed("serve", DATABASE_URL=url, GEARSHED_TOOLS="list_item")),
    ):
        assert line == (
            'gearshed: GEARSHED_TOOLS: unknown tool "list_item". Did you mean "list_items" or "get_item"?'
        )
