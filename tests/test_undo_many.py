"""Undoing the changes of one agent, whatever others do meanwhile; and which changes are meant."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp import Client
from mcp.types import Implementation
from psycopg.sql import SQL, Identifier

from db.collection import COLLECTION
from db.pool import Pool, transaction
from mcp_server.accounts.auth import ensure_user
from mcp_server.protocol.edge import App
from mcp_server.server import build_server
from mcp_server.services import undo
from tests.calls import call, refused, text_of
from tests.test_undo import CALLS, FEW, MORE, NUMBERS, Collection, act, structure_of

# These tools write rows that are not named by their ids, such as the category "Shelter", or the same picture.
SHARED = {"create_category", "update_category", "update_settings", "import_csv", "upload_image"}
OWN = [tool for tool in (*CALLS, *MORE) if tool not in SHARED]


@asynccontextmanager
async def two_agents(pool: Pool) -> AsyncGenerator[tuple[Collection, Collection]]:
    """Two programs of one new user."""
    async with pool.connection() as conn:
        user_id = await ensure_user(conn, f"user {next(NUMBERS)}")
    app = App(pool, user_id)
    async with (
        Client(build_server(app), client_info=Implementation(name="ant", version="1")) as ant,
        Client(build_server(app), client_info=Implementation(name="bee", version="1")) as bee,
    ):
        yield Collection(ant, pool, user_id), Collection(bee, pool, user_id)


States = dict[tuple[str, int], dict[str, Any]]


async def states(collection: Collection) -> States:
    """Every row of a collection, as JSON."""
    found: States = {}
    async with transaction(collection.pool, collection.user_id, read_only=True) as conn:
        for table in COLLECTION:
            query = SQL("SELECT to_jsonb(one) FROM {table} AS one").format(table=Identifier(table))
            cursor = await conn.execute(query)
            found |= {(table, row["id"]): row for (row,) in await cursor.fetchall()}
    return found


async def act_on_own(agent: Collection, random: Random, tool: str, own: set[tuple[str, int]]) -> None:
    """Make a random call that names only rows of the agent's own, and note the rows that it created."""
    before = await states(agent)
    agent.ids = {
        table: [row_id for of, row_id in own if of == table and (of, row_id) in before]
        for table in COLLECTION
    }
    await agent.client.call_tool(tool, CALLS[tool](random, agent))
    own |= (await states(agent)).keys() - before.keys()


@FEW
@given(
    before=st.lists(st.sampled_from(OWN), max_size=8),
    turns=st.lists(st.tuples(st.booleans(), st.sampled_from(OWN)), min_size=4, max_size=25),
    seed=st.integers(0, 2**32),
)
async def test_without_the_changes_of_one_agent_everything_is_as_the_other_alone_left_it(
    pool: Pool, before: list[str], turns: list[tuple[bool, str]], seed: int
) -> None:
    random = Random(seed)
    async with two_agents(pool) as (ant, bee):
        rows_of_ant: set[tuple[str, int]] = set()
        rows_of_bee: set[tuple[str, int]] = set()
        for tool in before:
            await act_on_own(ant, random, tool, rows_of_ant)
        start = await states(ant)
        last = (await call(ant.client, "list_changes", limit=1))["changes"]
        for by_ant, tool in turns:
            if by_ant:
                await act_on_own(ant, random, tool, rows_of_ant)
            else:
                await act_on_own(bee, random, tool, rows_of_bee)
        both = await states(ant)
        changes = (await call(ant.client, "list_changes", program="ant", limit=500))["changes"]
        ids = [change["id"] for change in changes if not last or change["id"] > last[0]["id"]]
        alone = {place: row for place, row in start.items() if place in rows_of_ant}
        alone |= {place: row for place, row in both.items() if place in rows_of_bee}
        if not ids:
            assert both == alone
            return
        done = structure_of(await ant.client.call_tool("undo_changes", {"change_ids": ids}))
        assert await states(ant) == alone
        if "change_id" in done:
            await call(bee.client, "undo_change", change_id=done["change_id"])
            assert await states(ant) == both


@FEW
@given(
    turns=st.lists(st.tuples(st.booleans(), st.sampled_from([*CALLS, *MORE])), min_size=4, max_size=25),
    seed=st.integers(0, 2**32),
)
async def test_changes_that_overlap_are_undone_as_if_one_by_one_or_refused(
    pool: Pool, turns: list[tuple[bool, str]], seed: int
) -> None:
    random = Random(seed)
    async with two_agents(pool) as (ant, bee):
        for by_ant, tool in turns:
            agent = ant if by_ant else bee
            await act(agent, random, tool)
            if random.random() < 0.2:
                await undo_some(agent, random)
        before = await ant.hash()
        changes = (await call(ant.client, "list_changes", program="ant", limit=500))["changes"]
        result = await ant.client.call_tool("undo_changes", {"program": "ant"})
        at_once = await ant.hash()
        if result.is_error:
            assert at_once == before
        elif change_id := structure_of(result).get("change_id"):
            undone = {each["id"] for each in structure_of(result)["undone"]}
            assert {id_ for id_, by in (await undone_by(ant)).items() if by == change_id} == undone
            await call(ant.client, "undo_change", change_id=change_id)
            assert await ant.hash() == before
        if not result.is_error:
            for change in changes:
                alone = await ant.client.call_tool("undo_change", {"change_id": change["id"]})
                assert not alone.is_error or "was already undone by change" in text_of(alone)
            assert await ant.hash() == at_once


async def undo_some(agent: Collection, random: Random) -> None:
    """Undo some change of either agent, or the last two."""
    changes = (await call(agent.client, "list_changes", limit=500))["changes"]
    if changes and random.random() < 0.7:
        await agent.client.call_tool("undo_change", {"change_id": random.choice(changes[:5])["id"]})
    else:
        await agent.client.call_tool("undo_changes", {"last": 2})


async def made(agent: Collection, *names: str) -> list[dict[str, Any]]:
    return [await call(agent.client, "create_item", name=name, weight=100) for name in names]


def ids_of(rows: list[dict[str, Any]]) -> list[int]:
    return [row["change_id"] for row in rows]


async def undone_by(agent: Collection) -> dict[int, int]:
    """Which changes are undone, and by which change."""
    changes = (await call(agent.client, "list_changes", limit=500))["changes"]
    return {change["id"]: change["undone_by"] for change in changes if "undone_by" in change}


async def names(agent: Collection) -> list[str]:
    return [item["name"] for item in (await call(agent.client, "list_items"))["items"]]


async def test_the_last_changes_are_neither_undone_ones_nor_undos(pool: Pool) -> None:
    async with two_agents(pool) as (ant, _):
        a, b, c, d = ids_of(await made(ant, "A", "B", "C", "D"))
        undo_d = (await call(ant.client, "undo_change", change_id=d))["change_id"]
        tried = await call(ant.client, "undo_changes", last=2, dry_run=True)
        assert [change["action"] for change in tried["changes"]] == ["deleted", "deleted"]
        assert await names(ant) == ["A", "B", "C"]
        done = await call(ant.client, "undo_changes", last=2)
        assert done["undone"] == [
            {"id": c, "summary": 'Created item "C"'},
            {"id": b, "summary": 'Created item "B"'},
        ]
        assert done["rows"] == 2
        assert await names(ant) == ["A"]
        assert await undone_by(ant) == {b: done["change_id"], c: done["change_id"], d: undo_d}
        redone = await call(ant.client, "undo_change", change_id=done["change_id"])
        assert await names(ant) == ["A", "B", "C"]
        assert await undone_by(ant) == {done["change_id"]: redone["change_id"], d: undo_d}
        await call(ant.client, "undo_change", change_id=redone["change_id"])
        assert await undone_by(ant) == {
            b: done["change_id"],
            c: done["change_id"],
            redone["change_id"]: redone["change_id"] + 1,
            d: undo_d,
        }
        assert a not in await undone_by(ant)


async def test_changes_that_were_undone_already_are_skipped_and_their_undos_too(pool: Pool) -> None:
    async with two_agents(pool) as (ant, _):
        a, b = ids_of(await made(ant, "A", "B"))
        undo_a = (await call(ant.client, "undo_change", change_id=a))["change_id"]
        done = await call(ant.client, "undo_changes", program="ant")
        assert [change["id"] for change in done["undone"]] == [b]
        assert done["skipped"] == [undo_a, a]
        text = await refused(ant.client, "undo_changes", change_ids=[a, b])
        assert text == f"[conflict] Nothing to undo: {b}, {a} were undone already, or are their undos."


async def test_to_undo_all_of_an_agent_is_also_to_redo_what_it_undid_of_others(pool: Pool) -> None:
    async with two_agents(pool) as (ant, bee):
        (a,), (b,) = ids_of(await made(ant, "A")), ids_of(await made(bee, "B"))
        await call(ant.client, "undo_changes", change_ids=[a, b])
        assert await names(ant) == []
        done = await call(bee.client, "undo_changes", program="ant")
        assert await names(ant) == ["B"]
        assert {id_ for id_, by in (await undone_by(ant)).items() if by == done["change_id"]} == {a, b + 1}
        await call(bee.client, "undo_change", change_id=done["change_id"])
        assert await names(ant) == []
        assert await undone_by(ant) == {a: b + 1, b: b + 1, done["change_id"]: done["change_id"] + 1}


async def test_what_blocks_is_named_with_its_change_and_nothing_is_undone(pool: Pool) -> None:
    async with two_agents(pool) as (ant, bee):
        tent, tarp = await made(ant, "Tent", "Tarp")
        later = await call(bee.client, "update_item", item_id=tent["id"], changes={"weight": 90})
        before = await ant.hash()
        text = await refused(ant.client, "undo_changes", program="ant")
        assert text == (
            f"[conflict] Changes {tarp['change_id']}, {tent['change_id']} cannot be undone: item "
            f'{tent["id"]} "Tent" of change {tent["change_id"]} changed later, '
            f"in change {later['change_id']}. Undo the later changes first, newest first. Nothing was undone."
        )
        assert await ant.hash() == before


async def test_changes_by_others_in_between_block_even_if_the_newest_is_the_agents_own(pool: Pool) -> None:
    async with two_agents(pool) as (ant, bee):
        (tent,) = await made(bee, "Tent")
        for agent, weight in ((ant, 1), (bee, 2), (ant, 3)):
            await call(agent.client, "update_item", item_id=tent["id"], changes={"weight": weight})
        text = await refused(ant.client, "undo_changes", program="ant")
        assert f'item {tent["id"]} "Tent" of change' in text


async def test_another_agents_line_in_what_would_go_blocks(pool: Pool) -> None:
    async with two_agents(pool) as (ant, bee):
        category = await call(ant.client, "create_category", name="Shelter")
        (tent,) = await made(ant, "Tent")
        await call(bee.client, "update_item", item_id=tent["id"], changes={"category": "Shelter"})
        await call(ant.client, "update_item", item_id=tent["id"], changes={"weight": 5})
        before = await ant.hash()
        last = (await call(ant.client, "list_changes", limit=1))["changes"][0]["id"]
        ids = [category["change_id"], last]
        text = await refused(ant.client, "undo_changes", change_ids=ids)
        assert f'item {tent["id"]} "Tent"' in text
        assert await ant.hash() == before


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({}, "[invalid_input] Name the changes to undo: last, change_ids, since"),
        ({"last": 0}, "[invalid_input] last: must be from 1 to 500"),
        ({"last": 501}, "[invalid_input] last: must be from 1 to 500"),
        ({"last": 1, "change_ids": [1]}, "[invalid_input] change_ids: give either these, or last"),
        ({"client": "phone", "change_ids": [1]}, "[invalid_input] change_ids: give either these, or last"),
        ({"change_ids": [999_999]}, "[not_found] No change 999999. Call list_changes"),
        ({"client": "phone"}, "[not_found] No change matches. Call list_changes"),
        ({"since": "yesterday", "until": "3d"}, "[invalid_input] until: is before since."),
        ({"since": "soon"}, "[invalid_input] since: write a date or time like 2026-07-01"),
    ],
)
async def test_what_is_meant_must_be_clear(pool: Pool, arguments: dict[str, Any], error: str) -> None:
    async with two_agents(pool) as (ant, _):
        await made(ant, "Tent")
        assert (await refused(ant.client, "undo_changes", **arguments)).startswith(error)


async def test_too_many_rows_at_once_are_refused(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(undo, "MOST_ROWS", 3)
    async with two_agents(pool) as (ant, _):
        await call(ant.client, "create_items", items=[{"name": name} for name in "ABCD"])
        text = await refused(ant.client, "undo_changes", last=1)
        assert text.startswith("[invalid_input] These changes wrote 4 rows, and one call undoes up to 3.")
        monkeypatch.setattr(undo, "MOST_ROWS", 4)
        assert (await call(ant.client, "undo_changes", last=1))["rows"] == 4


async def test_too_many_changes_at_once_are_refused(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(undo, "MOST_UNDONE", 2)
    async with two_agents(pool) as (ant, _):
        await made(ant, "A", "B", "C")
        text = await refused(ant.client, "undo_changes", program="ant")
        assert text.startswith("[invalid_input] More than 2 changes match.")
        monkeypatch.setattr(undo, "MOST_UNDONE", 3)
        assert len((await call(ant.client, "undo_changes", program="ant"))["undone"]) == 3


async def test_a_period_is_undone_and_nothing_older(pool: Pool) -> None:
    async with two_agents(pool) as (ant, _):
        old, new = await made(ant, "Old", "New")
        async with transaction(pool, ant.user_id) as conn:
            await conn.execute(
                "UPDATE changes SET at = now() - interval '5 hours' WHERE id = %(id)s",
                {"id": old["change_id"]},
            )
        tried = await call(ant.client, "undo_changes", until="4h", dry_run=True)
        assert [change["id"] for change in tried["undone"]] == [old["change_id"]]
        done = await call(ant.client, "undo_changes", since="4h")
        assert [change["id"] for change in done["undone"]] == [new["change_id"]]
        assert json.dumps(await names(ant)) == '["Old"]'
