"""The server takes every call literally: nothing is dropped in silence, and every call ends in time."""

import asyncio
import logging
import re
from typing import Any

import psycopg
import pytest
from mcp import Client
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations
from psycopg import AsyncConnection

from db.pool import Pool
from db.query import fetch_value
from mcp_server.models.fields import Row
from mcp_server.protocol import strict
from mcp_server.protocol.edge import App, Written, read, write
from mcp_server.protocol.schema import lean, to_tool
from mcp_server.protocol.strict import StrictServer
from mcp_server.server import READS, build_server
from tests.calls import call, refused

WRITES = ToolAnnotations(read_only_hint=False)


class Done(Row):
    done: bool


async def with_tool(pool: Pool, user_id: int, function: Any, hints: ToolAnnotations = WRITES) -> StrictServer:
    server = build_server(App(pool, user_id))
    server._tool_manager._tools[function.__name__] = to_tool(function, "Test", hints)  # pyright: ignore[reportPrivateUsage]
    return server


async def test_an_unknown_tool_names_the_nearest(client: Client) -> None:
    assert (
        await refused(client, "list_item")
        == '[not_found] No tool "list_item". Did you mean "list_items" or "get_item"?'
    )


async def test_an_unknown_argument_names_the_nearest_and_nothing_is_written(client: Client) -> None:
    text = await refused(client, "create_item", name="Tent", weigth="1 kg")
    assert text == '[invalid_input] create_item has no argument "weigth". Did you mean "weight"?'
    assert (await call(client, "list_items"))["total"] == 0


async def test_an_unknown_argument_like_no_other_is_answered_with_all_of_them(client: Client) -> None:
    text = await refused(client, "get_item", zzz=1)
    assert text == '[invalid_input] get_item has no argument "zzz". Valid: item_id.'


async def test_an_unknown_field_of_an_object_is_refused(client: Client) -> None:
    made = await call(client, "create_item", name="Tent")
    text = await refused(client, "update_item", item_id=made["id"], changes={"nmae": "Tarp"})
    assert text == "[invalid_input] changes.nmae: no such field."


async def test_a_missing_argument_is_named(client: Client) -> None:
    assert await refused(client, "create_item") == "[invalid_input] name: is required."


@pytest.mark.parametrize("value", ["null", "true", '{"a":1}', '["x"]', "12", '"quoted"'])
async def test_text_that_looks_like_json_stays_text(client: Client, value: str) -> None:
    made = await call(client, "create_item", name=value, notes=value)
    assert (made["name"], made["notes"]) == (value, value)


async def test_objects_and_lists_may_come_as_json_in_a_text(client: Client) -> None:
    made = await call(client, "create_item", name="Tent")
    changed = await call(client, "update_item", item_id=str(made["id"]), changes='{"weight": "1 kg"}')
    assert changed["weight_grams"] == 1000
    setup = await call(client, "create_setup", name="S", lines=f'[{{"item_id": {made["id"]}}}]')
    assert setup["total_grams"] == 1000


@pytest.mark.parametrize("bad", ["a\x00b", "a\ud800b"])
async def test_what_cannot_be_stored_is_refused_wherever_it_is(client: Client, bad: str) -> None:
    server_side = (
        ("create_item", {"name": bad}, "name"),
        ("update_item", {"item_id": 1, "changes": {"notes": bad}}, "changes.notes"),
        (
            "create_setup",
            {"name": "S", "lines": [{"item_id": 1, "classification": bad}]},
            "lines.0.classification",
        ),
    )
    server = build_server(App(pool=None, user_id=0))  # pyright: ignore[reportArgumentType]
    for tool, arguments, path in server_side:
        with pytest.raises(ToolError, match=rf"\[invalid_input\] {re.escape(path)}: contains NUL"):
            await server.call_tool(tool, arguments)
    assert (await call(client, "list_items"))["total"] == 0


async def test_deep_and_large_arguments_are_refused(client: Client) -> None:
    deep: Any = "x"
    for _ in range(40):
        deep = [deep]
    assert "nested deeper than 32" in await refused(client, "create_setup", name="S", lines=deep)
    assert "exceed 4 MB" in await refused(client, "create_item", name="x" * (5 * 1024 * 1024))


async def sleep(conn: AsyncConnection) -> Done:
    cursor = await conn.execute("SELECT pg_sleep(4)")
    await cursor.fetchone()
    return Done(done=True)


def sleeper(edge: Any) -> Any:
    """A tool that sleeps while it reads or writes."""

    async def sleep_long(ctx: Context[App]) -> Done:
        """Sleep."""
        return await read(ctx).do(sleep)

    async def sleep_long_and_write(ctx: Context[App]) -> Written[Done]:
        """Sleep."""
        return await write(ctx).do(sleep)

    sleep_long_and_write.__name__ = sleep_long.__name__
    return sleep_long if edge is read else sleep_long_and_write


@pytest.mark.parametrize("edge", [read, write])
async def test_a_call_that_takes_too_long_is_ended_and_its_statement_with_it(
    pool: Pool, user_id: int, url: str, monkeypatch: pytest.MonkeyPatch, edge: Any
) -> None:
    monkeypatch.setattr(strict, "DEADLINE", 0.5)
    async with Client(await with_tool(pool, user_id, sleeper(edge))) as client:
        asked = asyncio.create_task(refused(client, "sleep_long"))
        await until(url, 1)
        assert (await asked).startswith("[timeout] ")
        await until(url, 0)
        assert (await call(client, "list_items"))["total"] == 0


@pytest.mark.parametrize("edge", [read, write])
async def test_a_cancelled_call_takes_its_statement_with_it(
    pool: Pool, user_id: int, url: str, edge: Any
) -> None:
    async with Client(await with_tool(pool, user_id, sleeper(edge))) as client:
        asked = asyncio.create_task(client.call_tool("sleep_long", {}))
        await until(url, 1)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        await until(url, 0)
        assert (await call(client, "list_items"))["total"] == 0


async def test_sixty_dropped_calls_leave_no_more_backends_than_the_pool_has(
    pool: Pool, user_id: int, url: str
) -> None:
    async with Client(await with_tool(pool, user_id, sleeper(read))) as client:
        for _ in range(6):
            asked = [asyncio.create_task(client.call_tool("sleep_long", {})) for _ in range(10)]
            await until(url, pool.max_size)
            for each in asked:
                each.cancel()
            await asyncio.gather(*asked, return_exceptions=True)
        await until(url, 0)
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as conn:
            cursor = await conn.execute(
                "SELECT count(*) FROM pg_stat_activity "
                "WHERE datname = current_database() AND backend_type = 'client backend'"
            )
            backends = await cursor.fetchone()
        assert backends is not None
        assert backends[0] <= pool.max_size + 4
        assert (await call(client, "list_items"))["total"] == 0


async def until(url: str, backends: int) -> None:
    """Wait until as many backends run pg_sleep: 5 seconds to begin, 1.5 to be gone."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as conn:
        for _ in range(100 if backends else 30):
            cursor = await conn.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
            if await cursor.fetchone() == (backends,):
                return
            await asyncio.sleep(0.05)
    pytest.fail(f"not {backends} backends that sleep")


async def test_a_lost_race_is_run_again(pool: Pool, user_id: int) -> None:
    runs: list[int] = []

    async def insert(conn: AsyncConnection) -> Done:
        runs.append(1)
        await conn.execute("INSERT INTO categories (name) VALUES ('Once')")
        if len(runs) < 3:
            await conn.execute("DO $$ BEGIN RAISE SQLSTATE '40001'; END $$")
        return Done(done=True)

    async def lose_twice(ctx: Context[App]) -> Written[Done]:
        """Lose."""
        return await write(ctx).do(insert)

    async with Client(await with_tool(pool, user_id, lose_twice)) as client:
        assert (await call(client, "lose_twice"))["done"] is True
        assert (await call(client, "list_categories"))["total"] == 1
    assert len(runs) == 3


@pytest.mark.parametrize(("hints", "expected"), [(READS, 2), (WRITES, 1)])
async def test_after_a_lost_connection_only_reads_are_run_again(
    pool: Pool, user_id: int, hints: ToolAnnotations, expected: int
) -> None:
    runs: list[int] = []

    async def terminate_once(conn: AsyncConnection) -> Done:
        runs.append(1)
        if len(runs) == 1:
            await terminate(pool, await fetch_value(conn, "SELECT pg_backend_pid()"))
        await conn.execute("SELECT 1")
        return Done(done=True)

    async def lose_connection(ctx: Context[App]) -> Done:
        """Lose."""
        return await read(ctx).do(terminate_once)

    async with Client(await with_tool(pool, user_id, lose_connection, hints)) as client:
        result = await client.call_tool("lose_connection", {})
    assert len(runs) == expected
    assert result.is_error == (hints is WRITES)


async def terminate(pool: Pool, pid: int) -> None:
    async with pool.connection() as other:
        cursor = await other.execute("SELECT pg_terminate_backend(%(pid)s, 1000)", {"pid": pid})
        assert await cursor.fetchone() == (True,)


async def test_a_bug_is_shown_as_its_incident_and_logged_once(
    pool: Pool, user_id: int, caplog: pytest.LogCaptureFixture
) -> None:
    async def break_down(ctx: Context[App]) -> Done:
        """Break."""
        raise RuntimeError("the secret of the house")

    with caplog.at_level(logging.ERROR):
        async with Client(await with_tool(pool, user_id, break_down)) as client:
            text = await refused(client, "break_down")
    found = re.fullmatch(r"\[internal\] A bug in Gearshed \(incident ([0-9a-f]{8}) in its log\)\..*", text)
    assert found
    (record,) = caplog.records
    assert found[1] in record.getMessage()
    assert record.exc_info is not None


def test_lean_schemas_lose_titles_references_and_nulls_and_nothing_else() -> None:
    schema = {
        "title": "T",
        "$defs": {"N": {"type": "object", "title": "N", "properties": {"title": {"type": "string"}}}},
        "properties": {
            "n": {"$ref": "#/$defs/N", "description": "d"},
            "list": {"type": "array", "items": {"$ref": "#/$defs/N"}},
            "maybe": {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None, "title": "M"},
            "limit": {"type": "integer", "default": 50},
        },
    }
    inner = {"type": "object", "properties": {"title": {"type": "string"}}}
    assert lean(schema) == {
        "properties": {
            "n": {**inner, "description": "d"},
            "list": {"type": "array", "items": inner},
            "maybe": {"type": "integer"},
            "limit": {"type": "integer", "default": 50},
        }
    }
