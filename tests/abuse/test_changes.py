"""What a change costs: in the log, in the words of items, and to undo."""

from collections.abc import Callable
from typing import Any

import anyio
import pytest
from psycopg import AsyncCursor

from db.pool import Pool, transaction
from mcp_server.models.change import Author
from mcp_server.services import change
from tests.calls import call, refused
from tests.test_undo import new_collection

Count = Callable[[], int]


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> Count:
    """Return how many statements were executed since the last time it was asked."""
    executed: list[Any] = []
    execute = AsyncCursor.execute

    async def counted(cursor: AsyncCursor[Any], query: Any, *args: Any, **kwargs: Any) -> Any:
        executed.append(query)
        return await execute(cursor, query, *args, **kwargs)

    monkeypatch.setattr(AsyncCursor, "execute", counted)

    def count() -> int:
        number = len(executed)
        executed.clear()
        return number

    return count


def listed(lines: int) -> str:
    rows = (f"Thing {number},{number},gram,Kind {number % 3}" for number in range(lines))
    return "\n".join(["item name,weight,unit,category", *rows, ""])


async def test_an_undo_takes_as_many_statements_for_many_rows_as_for_few(
    pool: Pool, statements: Count
) -> None:
    counts: list[tuple[int, int]] = []
    # The first call of each tool prepares its statements.
    for lines in (3, 3, 300):
        async with new_collection(pool) as collection:
            text = listed(lines)
            made = await call(collection.client, "import_csv", csv_text=text, setup_name="Trip")
            before = await collection.hash()
            statements()
            undone = await call(collection.client, "undo_change", change_id=made["change_id"])
            first = statements()
            assert undone["rows"] == 2 * lines + 4
            await call(collection.client, "undo_change", change_id=undone["change_id"])
            counts.append((first, statements()))
            assert await collection.hash() == before
    assert counts[1] == counts[2]


async def test_an_update_logs_only_what_it_changed(pool: Pool) -> None:
    async with new_collection(pool) as collection:
        client = collection.client
        rows = [{"name": f"Thing {number}", "notes": f"{number} " * 9000} for number in range(50)]
        made = await call(client, "create_items", items=rows)
        ids = [row["id"] for row in made["items"]]
        start = await collection.hash()
        updates = [
            await call(client, "update_items", item_ids=ids, changes={"weight": weight})
            for weight in range(1, 11)
        ]
        query = """
            SELECT count(*), sum(octet_length(before::text) + octet_length(after::text))
            FROM row_changes
            WHERE before IS NOT NULL AND after IS NOT NULL
        """
        async with transaction(pool, collection.user_id) as conn:
            count, size = await (await conn.execute(query)).fetchone() or (0, 0)
        assert count == 500
        assert size < 200_000
        shown = await call(client, "get_change", change_id=updates[1]["change_id"])
        assert shown["rows"][0] == {
            "kind": "item",
            "id": ids[0],
            "name": "Thing 0",
            "action": "changed",
            "before": {"weight_grams": 1},
            "after": {"weight_grams": 2},
        }
        for update in reversed(updates):
            await call(client, "undo_change", change_id=update["change_id"])
        assert await collection.hash() == start


async def test_an_item_has_up_to_2000_words_those_of_its_name_among_them(pool: Pool) -> None:
    async with new_collection(pool) as collection:
        client = collection.client
        notes = " ".join(f"word{number}" for number in range(6000))
        made = await call(client, "create_item", name="Tent zz", notes=notes)

        async def words() -> int:
            async with transaction(pool, collection.user_id) as conn:
                cursor = await conn.execute("SELECT count(*) FROM item_words")
                return (await cursor.fetchone() or (0,))[0]

        async def found(query: str) -> int:
            return (await call(client, "list_items", query=query))["total"]

        assert await words() == 2000
        assert [await found(word) for word in ("zz", "word0", "word1997", "word1998")] == [1, 1, 1, 0]
        backwards = " ".join(reversed(notes.split()))
        await call(client, "update_item", item_id=made["id"], changes={"notes": backwards})
        assert await words() == 2000
        assert [await found(word) for word in ("zz", "word0", "word5999")] == [1, 0, 1]
        await call(client, "delete_item", item_id=made["id"])
        assert await words() == 0


async def test_a_change_that_committed_later_with_a_lower_id_is_named(pool: Pool) -> None:
    async with new_collection(pool) as collection:
        client = collection.client
        tent = await call(client, "create_item", name="Tent", weight=1)
        async with transaction(pool, collection.user_id, logged=True) as conn:
            early = await change.current(conn)
            late = (await call(client, "update_item", item_id=tent["id"], changes={"weight": 2}))["change_id"]
            await conn.execute("UPDATE items SET weight_grams = 3")
            await change.record(
                conn, early, tool="x", author=Author(), summary="", key=None, digest=b"", result=None
            )
        assert early < late
        text = await refused(client, "undo_change", change_id=late)
        assert f'item {tent["id"]} "Tent" changed later, in change {early}.' in text


async def test_a_refusal_names_the_change_that_took_the_name(pool: Pool) -> None:
    async with new_collection(pool) as collection:
        client = collection.client
        category = await call(client, "create_category", name="Food")
        renamed = await call(client, "update_category", category_id=category["id"], changes={"name": "Meals"})
        rival = await call(client, "create_category", name="FOOD")
        before = await collection.hash()
        text = await refused(client, "undo_change", change_id=renamed["change_id"])
        assert text == (
            f"[conflict] Change {renamed['change_id']} cannot be undone: another row has the same name now: "
            f'category {rival["id"]} "FOOD", in change {rival["change_id"]}. '
            "Rename or delete that one first, or undo its change."
        )
        assert await collection.hash() == before


async def test_a_refusal_names_the_change_that_deleted_what_rows_belong_to(pool: Pool) -> None:
    async with new_collection(pool) as collection:
        client = collection.client
        setup = await call(client, "create_setup", name="Trip")
        tent = await call(client, "create_item", name="Tent")
        lines = [{"item_id": tent["id"]}]
        await call(client, "set_setup_items", setup_id=setup["id"], change=lines)
        out = await call(client, "set_setup_items", setup_id=setup["id"], remove=[tent["id"]])
        deleted = await call(client, "delete_item", item_id=tent["id"])
        text = await refused(client, "undo_change", change_id=out["change_id"])
        assert f': item {tent["id"]} "Tent", in change {deleted["change_id"]}. Undo that deletion' in text


async def test_a_refusal_names_the_change_that_the_values_no_longer_fit(pool: Pool) -> None:
    async with new_collection(pool) as collection:
        client = collection.client
        item_id = (await call(client, "create_item", name="Sock"))["id"]
        setup_id = (await call(client, "create_setup", name="Trip", lines=[{"item_id": item_id}]))["id"]

        async def line(**fields: Any) -> int:
            lines = [{"item_id": item_id, **fields}]
            return (await call(client, "set_setup_items", setup_id=setup_id, change=lines))["change_id"]

        more = await line(quantity=5)
        worn = await line(quantity=5, classification="worn", worn_quantity=4)
        text = await refused(client, "undo_change", change_id=more)
        assert f", in change {worn}. Undo the later changes first." in text


async def test_an_undo_waits_for_a_write_of_its_rows_and_then_sees_it(pool: Pool) -> None:
    async with new_collection(pool) as collection:
        client = collection.client
        tent = await call(client, "create_item", name="Tent", weight=1)
        update = await call(client, "update_item", item_id=tent["id"], changes={"weight": 2})
        texts: list[str] = []
        later = 0

        async def undo() -> None:
            texts.append(await refused(client, "undo_change", change_id=update["change_id"]))

        async with (
            anyio.create_task_group() as tasks,
            transaction(pool, collection.user_id, logged=True) as conn,
        ):
            later = await change.current(conn)
            await conn.execute("UPDATE items SET weight_grams = 3")
            tasks.start_soon(undo)
            with anyio.fail_after(10):
                while not await is_waiting(pool):  # noqa: ASYNC110
                    await anyio.sleep(0.01)
            await change.record(
                conn, later, tool="x", author=Author(), summary="", key=None, digest=b"", result=None
            )
        assert f'item {tent["id"]} "Tent" changed later, in change {later}.' in texts[0]


async def is_waiting(pool: Pool) -> bool:
    """Whether another session waits for a row of items."""
    async with pool.connection() as conn:
        cursor = await conn.execute("""
            SELECT count(*)
            FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%FOR UPDATE%'
        """)
        return await cursor.fetchone() != (0,)
