"""Every write of every tool can be undone: random sequences of calls, and their undo."""

import hashlib
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from itertools import count
from random import Random
from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from mcp import Client
from mcp.types import CallToolResult
from psycopg.errors import LockNotAvailable
from psycopg.sql import SQL, Identifier

from db.collection import COLLECTION
from db.pool import Pool, transaction
from mcp_server.accounts.auth import ensure_user
from mcp_server.process import forget_old_changes
from mcp_server.protocol.edge import App
from mcp_server.server import TOOLS, build_server
from mcp_server.services import change
from mcp_server.services.history import DEFAULTS
from tests import sums
from tests.calls import call, refused, text_of
from tests.conftest import SITE
from tests.pictures import in_base64, photo

NUMBERS = count()
PICTURES = [in_base64(photo(colour=colour)) for colour in ("red", "green")]
CSV = "item name,weight,unit,category,worn\nHat,50,gram,Clothes,Worn\nCup,2,ounce,Kitchen,\n"


class Collection:
    """A user's collection, and the ids that a random call can use."""

    def __init__(self, client: Client, pool: Pool, user_id: int) -> None:
        self.client, self.pool, self.user_id = client, pool, user_id
        self.ids: dict[str, list[int]] = {table: [] for table in COLLECTION}
        self.setups_of: dict[int, list[int]] = {}

    async def hash(self) -> str:
        """A hash of every row of every table, and of the words for searches. Check the sums of items."""
        rows: list[Any] = []
        async with transaction(self.pool, self.user_id, read_only=True) as conn:
            for table in (*COLLECTION, "item_words", "category_words"):
                query = SQL("SELECT to_jsonb(one) FROM {table} AS one ORDER BY to_jsonb(one)::text")
                cursor = await conn.execute(query.format(table=Identifier(table)))
                rows.append((table, await cursor.fetchall()))
                if not table.endswith("_words"):
                    self.ids[table] = [row["id"] for (row,) in rows[-1][1]]
            assert await sums.kept(conn) == await sums.plain(conn)
        return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()

    def one(self, random: Random, table: str) -> int:
        return random.choice([*self.ids[table], 999_999])


def fields(random: Random, *names: str) -> dict[str, Any]:
    values: dict[str, Any] = {
        "weight": random.choice(["", "0", "12.5", "1 lb 3 oz"]),
        "price_cents": random.choice([0, 12_345]),
        "notes": random.choice(["", "light", "green tent"]),
        "name": random.choice(["Tent", "Hat", "Öl"]),
        "quantity": random.randint(0, 3),
    }
    return {name: values[name] for name in names if random.random() < 0.6}


def lines(random: Random, collection: Collection) -> list[dict[str, Any]]:
    chosen = random.sample(collection.ids["items"], min(len(collection.ids["items"]), random.randint(0, 3)))
    return [
        {
            "item_id": item_id,
            "quantity": random.choice([0, 1, 2.5]),
            "classification": random.choice(["base", "worn", "consumable"]),
        }
        for item_id in chosen
    ]


# Arguments for a call of every tool that writes.
CALLS: dict[str, Callable[[Random, Collection], dict[str, Any]]] = {
    "create_item": lambda r, c: {"name": "Tent", **fields(r, "weight", "price_cents", "notes")},
    "create_items": lambda r, c: {"items": [{"name": name} for name in r.sample("ABC", r.randint(1, 3))]},
    "update_item": lambda r, c: {
        "item_id": c.one(r, "items"),
        "changes": {
            **fields(r, "weight", "price_cents", "notes", "name", "quantity"),
            **({"category": str(c.one(r, "categories"))} if r.random() < 0.5 else {}),
        },
    },
    "update_items": lambda r, c: r.choice(
        [
            {"item_ids": c.ids["items"][:3] or [1], "changes": fields(r, "weight", "notes")},
            {
                "updates": [
                    {"item": item_id, "changes": {**fields(r, "weight", "name"), "notes_append": "seen"}}
                    for item_id in c.ids["items"][:3] or [1]
                ]
            },
        ]
    ),
    "merge_items": lambda r, c: {
        "keep": c.one(r, "items"),
        "items": r.sample(c.ids["items"], min(2, len(c.ids["items"]))) or [1],
        "pieces": r.choice(["sum", "keep"]),
    },
    "delete_item": lambda r, c: {"item_id": c.one(r, "items")},
    "create_category": lambda r, c: {"name": r.choice(["Shelter", "Food", "Clothes"])},
    "update_category": lambda r, c: {
        "category_id": c.one(r, "categories"),
        "changes": {"name": r.choice(["Shelter", "Food", "Cook"])},
    },
    "delete_category": lambda r, c: {
        "category_id": c.one(r, "categories"),
        **({"move_to": str(c.one(r, "categories"))} if r.random() < 0.3 else {}),
    },
    "create_setup": lambda r, c: {"name": "Trip", "lines": lines(r, c)},
    "update_setup": lambda r, c: {"setup_id": c.one(r, "setups"), "changes": fields(r, "name")},
    "delete_setup": lambda r, c: {"setup_id": c.one(r, "setups")},
    "copy_setup": lambda r, c: {"setup_id": c.one(r, "setups"), "name": "Copy"},
    "set_setup_items": lambda r, c: {
        "setup_id": c.one(r, "setups"),
        r.choice(["lines", "change"]): lines(r, c),
    },
    "create_thread": lambda r, c: {
        "name": "Research",
        "replaces_item_id": r.choice([*c.ids["items"], ""]),
        "candidates": [{"name": name} for name in r.sample("ABC", r.randint(0, 3))],
    },
    "update_thread": lambda r, c: {
        "thread_id": c.one(r, "threads"),
        "changes": r.choice([{"name": "Looking"}, {"status": "archived"}, {"status": "active"}]),
    },
    "delete_thread": lambda r, c: {"thread_id": c.one(r, "threads")},
    "add_candidate": lambda r, c: {
        "thread_id": c.one(r, "threads"),
        **r.choice(
            [
                {"name": "Tarp", **fields(r, "weight", "price_cents")},
                {"candidates": [{"name": "Tarp"}, {"name": "Bivy", **fields(r, "weight")}]},
            ]
        ),
    },
    "update_candidate": lambda r, c: {
        "candidate_id": c.one(r, "candidates"),
        "changes": fields(r, "weight", "name"),
    },
    "remove_candidate": lambda r, c: {"candidate_id": c.one(r, "candidates")},
    "rank_candidates": lambda r, c: {
        "thread_id": c.one(r, "threads"),
        "candidate_ids": r.sample(c.ids["candidates"], min(2, len(c.ids["candidates"]))),
    },
    "resolve_thread": lambda r, c: {
        "thread_id": c.one(r, "threads"),
        "candidate_id": c.one(r, "candidates"),
        "swap_in_setups": [str(id_) for id_ in c.ids["setups"][:1]] if r.random() < 0.5 else [],
    },
    "upload_image": lambda r, c: {
        "data": r.choice(PICTURES),
        **r.choice([{"item_id": c.one(r, "items")}, {"candidate_id": c.one(r, "candidates")}]),
    },
    "remove_image": lambda r, c: r.choice(
        [{"item_id": c.one(r, "items")}, {"candidate_id": c.one(r, "candidates")}]
    ),
    "import_csv": lambda r, c: {"csv_text": CSV, "setup_name": f"List {r.randint(1, 3)}"},
    "share_setup": lambda r, c: {"setup": c.one(r, "setups"), "days": r.randint(1, 365)},
    "end_share": lambda r, c: {"share_id": c.one(r, "shares")},
    "update_settings": lambda r, c: {
        "changes": r.choice(
            [{"weight_unit": "oz"}, {"weight_unit": "g"}, {"currency": "EUR"}, {"currency": ""}]
        )
    },
}
# The first needs a network, and writes the same as upload_image.
NOT_CALLED = {"upload_image_from_url", "create_upload_link", "undo_change", "undo_changes"}
# Creating calls are more frequent, because an empty collection leaves nothing to change.
MORE = (
    "create_item",
    "merge_items",
    "create_setup",
    "create_thread",
    "add_candidate",
    "set_setup_items",
    "upload_image",
)


@asynccontextmanager
async def new_collection(pool: Pool) -> AsyncGenerator[Collection]:
    """The collection of a new user."""
    async with pool.connection() as conn:
        user_id = await ensure_user(conn, f"user {next(NUMBERS)}")
    async with Client(build_server(App(pool, user_id, url=SITE))) as client:
        yield Collection(client, pool, user_id)


async def act(collection: Collection, random: Random, tool: str) -> int | None:
    """Make a random call. Return its change, or None if the call was refused or changed nothing."""
    before = await collection.hash()
    result = await collection.client.call_tool(tool, CALLS[tool](random, collection))
    assert not text_of(result).startswith("[internal]"), text_of(result)
    change_id: int | None = structure_of(result).get("change_id")
    assert (await collection.hash() != before) == (change_id is not None), text_of(result)
    return change_id


def structure_of(result: CallToolResult) -> dict[str, Any]:
    return result.structured_content or {}


def test_every_tool_that_writes_is_among_the_calls() -> None:
    writes = {entry.name for entry in TOOLS if not entry.hints.read_only_hint}
    assert CALLS.keys() | NOT_CALLED == writes


SEQUENCES = st.lists(st.sampled_from([*CALLS, *MORE]), min_size=3, max_size=25)
FEW = settings(
    max_examples=15,
    deadline=None,
    # An example takes about a second, so shrinking one would take minutes.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@FEW
@given(tools=SEQUENCES, seed=st.integers(0, 2**32))
async def test_undoing_all_changes_in_reverse_restores_the_start(
    pool: Pool, tools: list[str], seed: int
) -> None:
    random = Random(seed)
    async with new_collection(pool) as collection:
        start = await collection.hash()
        made = [change_id for tool in tools if (change_id := await act(collection, random, tool))]
        for change_id in reversed(made):
            await call(collection.client, "undo_change", change_id=change_id)
        assert await collection.hash() == start


@FEW
@given(tools=SEQUENCES, seed=st.integers(0, 2**32))
async def test_undoing_any_change_restores_or_refuses_and_can_itself_be_undone(
    pool: Pool, tools: list[str], seed: int
) -> None:
    random = Random(seed)
    async with new_collection(pool) as collection:
        made = [change_id for tool in tools if (change_id := await act(collection, random, tool))]
        before = await collection.hash()
        for change_id in random.sample(made, min(3, len(made))):
            result = await collection.client.call_tool("undo_change", {"change_id": change_id})
            if result.is_error:
                assert text_of(result).startswith("[conflict] "), text_of(result)
            else:
                assert result.structured_content
                await call(collection.client, "undo_change", change_id=result.structured_content["change_id"])
            assert await collection.hash() == before


@FEW
@given(tools=SEQUENCES, seed=st.integers(0, 2**32))
async def test_a_dry_run_shows_what_the_call_then_does_and_does_nothing(
    pool: Pool, tools: list[str], seed: int
) -> None:
    dry = {entry.name for entry in TOOLS if "dry_run" in str(entry.function.__annotations__)}
    assert len(dry) >= 10
    random = Random(seed)
    async with new_collection(pool) as collection:
        for tool in tools:
            before = await collection.hash()
            arguments = CALLS[tool](random, collection)
            if tool not in dry:
                await collection.client.call_tool(tool, arguments)
                continue
            tried = await collection.client.call_tool(tool, {**arguments, "dry_run": True})
            assert await collection.hash() == before
            done = await collection.client.call_tool(tool, arguments)
            assert tried.is_error == done.is_error
            if done.is_error:
                assert text_of(tried) == text_of(done)
            elif change_id := structure_of(done).get("change_id"):
                shown = await call(collection.client, "get_change", change_id=change_id)
                assert without_new_ids((tried.structured_content or {})["changes"]) == without_new_ids(
                    shown["rows"]
                )


def without_new_ids(rows: Any) -> list[dict[str, Any]]:
    """A row that a dry run creates has no id, and what refers to it has its name. Lines lack defaults."""
    shown: list[dict[str, Any]] = []
    for row in rows:
        states = {name: without_references(row.get(name) or {}) for name in ("before", "after")}
        if row["kind"] == "setup line" and row["action"] != "changed":
            defaults = DEFAULTS["setup_items"]
            states = {
                state: {name: value for name, value in fields.items() if defaults.get(name) != value}
                for state, fields in states.items()
            }
        shown.append({**row, **states, "id": None})
    return shown


def without_references(row: dict[str, Any]) -> dict[str, Any]:
    kinds = COLLECTION.values()
    return {
        name: value
        for name, value in row.items()
        if not name.endswith("_id") and name.rpartition("_")[2] not in kinds
    }


async def test_a_category_of_a_thousand_items_in_twenty_setups_comes_back(pool: Pool) -> None:
    async with new_collection(pool) as collection:
        category = await call(collection.client, "create_category", name="Shelter")
        ids: list[int] = []
        for _ in range(2):
            rows = [{"name": "Peg", "category": "Shelter", "weight": 9}] * 500
            ids += [row["id"] for row in (await call(collection.client, "create_items", items=rows))["items"]]
        for number in range(20):
            some = [{"item_id": item_id} for item_id in ids[number * 50 : number * 50 + 50]]
            await call(collection.client, "create_setup", name="Trip", lines=some)
        start = await collection.hash()
        deleted = await call(collection.client, "delete_category", category_id=category["id"])
        assert await collection.hash() != start
        await call(collection.client, "undo_change", change_id=deleted["change_id"])
        assert await collection.hash() == start


async def test_a_conflict_names_the_rows_and_the_later_changes(pool: Pool) -> None:
    async with new_collection(pool) as collection:
        made = await call(collection.client, "create_item", name="Tent")
        later = await call(collection.client, "update_item", item_id=made["id"], changes={"quantity": 2})
        text = await refused(collection.client, "undo_change", change_id=made["change_id"])
        assert text == (
            f'[conflict] Change {made["change_id"]} cannot be undone: item {made["id"]} "Tent" changed '
            f"later, in change {later['change_id']}. Undo the later changes first, newest first. "
            "Nothing was undone."
        )


async def test_a_conflict_names_rows_that_were_added_later(pool: Pool) -> None:
    async with new_collection(pool) as collection:
        made = await call(collection.client, "create_item", name="Tent")
        setup = await call(collection.client, "create_setup", name="Trip", lines=[{"item_id": made["id"]}])
        before = await collection.hash()
        text = await refused(collection.client, "undo_change", change_id=made["change_id"])
        assert ": setup line" in text
        assert f"changed later, in change {setup['change_id']}." in text
        assert await collection.hash() == before


async def test_concurrent_calls_with_one_key_take_effect_once(pool: Pool) -> None:
    async with new_collection(pool) as collection:
        results: list[dict[str, Any]] = []

        async def create() -> None:
            results.append(await call(collection.client, "create_item", name="Tent", idempotency_key="k"))

        async with anyio.create_task_group() as tasks:
            for _ in range(100):
                tasks.start_soon(create)
        assert len({json.dumps({**result, "repeated": True}, sort_keys=True) for result in results}) == 1
        assert sum("repeated" not in result for result in results) == 1
        assert (await call(collection.client, "list_items"))["total"] == 1


async def test_a_key_is_for_one_call_of_one_user(pool: Pool) -> None:
    async with new_collection(pool) as ada, new_collection(pool) as eve:
        await call(ada.client, "create_item", name="Tent", idempotency_key="k")
        text = await refused(ada.client, "create_item", name="Tarp", idempotency_key="k")
        assert text.startswith("[conflict] idempotency_key: was used for another call.")
        made = await call(eve.client, "create_item", name="Tarp", idempotency_key="k")
        assert "repeated" not in made


async def test_the_lock_of_a_key_is_not_that_of_a_user_and_key_that_read_alike(pool: Pool) -> None:
    async with pool.connection() as conn:
        query = "SELECT hashtextextended('1' || '0trip', 0) = hashtextextended('10' || 'trip', 0)"
        assert await (await conn.execute(query)).fetchone() == (True,), "joined, they are one text"
    async with transaction(pool, 1) as first, transaction(pool, 10) as second:
        assert await change.earlier(first, "0trip", b"") is None
        # Would wait for the first transaction, until the lock times out.
        assert await change.earlier(second, "trip", b"") is None
        async with transaction(pool, 10) as third:
            with pytest.raises(LockNotAvailable):
                await change.earlier(third, "trip", b"")


async def test_a_call_that_failed_leaves_its_key_free(pool: Pool) -> None:
    async with new_collection(pool) as collection:
        await refused(collection.client, "create_item", name="Tent", category="Food", idempotency_key="k")
        await call(collection.client, "create_category", name="Food")
        made = await call(collection.client, "create_item", name="Tent", category="Food", idempotency_key="k")
        assert "repeated" not in made


async def test_changes_are_listed_newest_first_by_tool_and_by_what_they_touched(pool: Pool) -> None:
    async with new_collection(pool) as collection:
        tent = await call(collection.client, "create_item", name="Tent")
        tarp = await call(collection.client, "create_item", name="Tarp")
        setup = await call(collection.client, "create_setup", name="Trip", lines=[{"item_id": tent["id"]}])
        undone = await call(collection.client, "undo_change", change_id=setup["change_id"])

        async def listed(**arguments: Any) -> list[int]:
            found = await collection.client.call_tool("list_changes", arguments)
            return [change["id"] for change in structure_of(found)["changes"]]

        made = [tent["change_id"], tarp["change_id"], setup["change_id"], undone["change_id"]]
        assert await listed() == made[::-1]
        assert await listed(tool="create_item") == [made[1], made[0]]
        assert await listed(item_id=tent["id"]) == [made[3], made[2], made[0]]
        assert await listed(setup_id=setup["id"]) == [made[3], made[2]]
        first = await call(collection.client, "list_changes", limit=3)
        assert await listed(limit=3, cursor=first["next_cursor"]) == [made[0]]
        by_id = {
            change["id"]: change for change in (await call(collection.client, "list_changes"))["changes"]
        }
        assert by_id[made[2]]["undone_by"] == made[3]
        assert by_id[made[3]]["undoes"] == [made[2]]
        assert by_id[made[2]]["summary"] == 'Created setup "Trip" with 1 line'
        assert by_id[made[0]]["program"] == "mcp"
        assert "client" not in by_id[made[0]]


async def test_a_write_that_changes_nothing_is_not_logged(pool: Pool) -> None:
    async with new_collection(pool) as collection:
        made = await call(collection.client, "create_item", name="Tent", weight=5)
        same = await call(collection.client, "update_item", item_id=made["id"], changes={"weight": "5 g"})
        assert "change_id" not in same
        assert same["updated_at"] == made["updated_at"]


@pytest.mark.parametrize("cursor", ["x", "-1", "1.5", "9" * 30])
async def test_an_invalid_cursor_is_refused(pool: Pool, cursor: str) -> None:
    async with new_collection(pool) as collection:
        text = await refused(collection.client, "list_changes", cursor=cursor)
        assert text.startswith("[invalid_input] cursor: ")


async def test_changes_that_are_too_old_are_deleted_at_the_start_with_their_rows(pool: Pool) -> None:
    async with new_collection(pool) as collection:
        old = await call(collection.client, "create_item", name="Old")
        new = await call(collection.client, "create_item", name="New", idempotency_key="k")
        async with transaction(pool, collection.user_id) as conn:
            await conn.execute(
                "UPDATE changes SET at = now() - interval '366 days' WHERE id = %(id)s",
                {"id": old["change_id"]},
            )
        await forget_old_changes(pool, collection.user_id, 365)
        async with transaction(pool, collection.user_id) as conn:
            cursor = await conn.execute("SELECT DISTINCT change_id FROM row_changes")
            assert await cursor.fetchall() == [(new["change_id"],)]
        assert (await refused(collection.client, "get_change", change_id=old["change_id"])).startswith(
            "[not_found] "
        )
        assert (await call(collection.client, "list_items"))["total"] == 2


async def test_every_table_of_a_collection_is_logged(pool: Pool) -> None:
    async with pool.connection() as conn:
        cursor = await conn.execute("""
            SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'log_row_change' ORDER BY 1
        """)
        logged = [table for (table,) in await cursor.fetchall()]
        cursor = await conn.execute("""
            SELECT relname FROM pg_class WHERE relrowsecurity ORDER BY 1
        """)
        protected = {table for (table,) in await cursor.fetchall()}
    assert logged == sorted(COLLECTION)
    # The log, and the words and sums that triggers derive from items.
    assert protected - set(logged) == {"changes", "row_changes", "item_words", "category_words", "item_sums"}
