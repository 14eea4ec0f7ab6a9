"""The log of changes, and the undo of one change: which rows it has, which it locks, and what it restores."""

from typing import Any

import anyio
from psycopg import AsyncConnection

from db.pool import Pool, transaction
from db.query import fetch_value
from mcp_server.process import forget_old_changes
from mcp_server.services import change, history
from tests.calls import call, refused
from tests.factories import make_item
from tests.test_undo import new_collection


async def rows_of(conn: AsyncConnection) -> list[tuple[str, Any, Any]]:
    """Return the rows of the change of this transaction: what was done, and the states before and after."""
    found = await history.rows_of(conn, await change.current(conn))
    return [(row.action, row.before, row.after) for row in found.rows]


async def test_a_change_that_wrote_back_what_it_wrote_has_no_rows(pool: Pool, user_id: int) -> None:
    async with transaction(pool, user_id) as conn:
        await make_item(conn)
    async with transaction(pool, user_id, logged=True) as conn:
        await conn.execute("UPDATE items SET quantity = 5")
        assert await rows_of(conn) == [("changed", {"quantity": 1}, {"quantity": 5})]
        await conn.execute("UPDATE items SET quantity = 1")
        assert await rows_of(conn) == []
        await conn.rollback()


async def test_a_row_that_was_written_twice_has_its_first_and_its_last_state(
    pool: Pool, user_id: int
) -> None:
    async with transaction(pool, user_id) as conn:
        await make_item(conn)
    async with transaction(pool, user_id, logged=True) as conn:
        for quantity in (2, 3, 4):
            await conn.execute("UPDATE items SET quantity = %(quantity)s", {"quantity": quantity})
        assert await rows_of(conn) == [("changed", {"quantity": 1}, {"quantity": 4})]
        await conn.rollback()


async def test_an_undo_writes_each_row_once(pool: Pool) -> None:
    async with new_collection(pool) as collection:
        client = collection.client
        text = "item name,category,weight,unit\nTent,Shelter,900,gram\n"
        made = await call(client, "import_csv", csv_text=text)
        undone = await call(client, "undo_change", change_id=made["change_id"])
        async with transaction(pool, collection.user_id) as conn:
            cursor = await conn.execute(
                "SELECT table_name FROM row_changes WHERE change_id = %(id)s ORDER BY seq",
                {"id": undone["change_id"]},
            )
            assert await cursor.fetchall() == [("items",), ("categories",)]


async def test_a_resolved_thread_that_was_deleted_comes_back_with_its_winner(pool: Pool) -> None:
    async with new_collection(pool) as collection:
        client = collection.client
        made = await call(client, "create_thread", name="Tent", candidates=[{"name": "Dome"}])
        winner = made["added"][0]["id"]
        await call(client, "resolve_thread", thread_id=made["id"], candidate_id=winner)
        before = await collection.hash()
        deleted = await call(client, "delete_thread", thread_id=made["id"])
        await call(client, "undo_change", change_id=deleted["change_id"])
        assert await collection.hash() == before


async def test_an_undo_keeps_the_time_of_a_later_change_of_other_fields(pool: Pool) -> None:
    async with new_collection(pool) as collection:
        client = collection.client
        tent = await call(client, "create_item", name="Tent")
        weighed = await call(client, "update_item", item_id=tent["id"], changes={"weight": 900})
        # Results have whole seconds.
        await anyio.sleep(1)
        later = await call(client, "update_item", item_id=tent["id"], changes={"quantity": 2})
        assert later["updated_at"] > weighed["updated_at"]
        await call(client, "undo_change", change_id=weighed["change_id"])
        shown = await call(client, "get_item", item_id=tent["id"])
        assert ("weight_grams" in shown, shown["quantity"], shown["updated_at"]) == (
            False,
            2,
            later["updated_at"],
        )


async def test_a_row_that_was_deleted_later_blocks_the_undo_of_its_change(pool: Pool) -> None:
    async with new_collection(pool) as collection:
        client = collection.client
        tent = await call(client, "create_item", name="Tent")
        weighed = await call(client, "update_item", item_id=tent["id"], changes={"weight": 900})
        deleted = await call(client, "delete_item", item_id=tent["id"])
        for made in (tent, weighed):
            text = await refused(client, "undo_change", change_id=made["change_id"])
            assert f'item {tent["id"]} "Tent"' in text
            assert text.partition(". Undo")[0].endswith(f" {deleted['change_id']}")


async def test_two_changes_of_one_field_are_undone_together(pool: Pool) -> None:
    async with new_collection(pool) as collection:
        client = collection.client
        tent = await call(client, "create_item", name="Tent", weight=1)
        before = await collection.hash()
        for weight in (2, 3):
            await call(client, "update_item", item_id=tent["id"], changes={"weight": weight})
        await call(client, "undo_changes", last=2)
        assert await collection.hash() == before


async def test_of_two_undos_of_a_change_at_once_the_second_names_the_first(pool: Pool) -> None:
    async with new_collection(pool) as collection:
        client = collection.client
        tent = await call(client, "create_item", name="Tent", weight=1)
        update = await call(client, "update_item", item_id=tent["id"], changes={"weight": 2})
        results: list[Any] = []

        async def undo() -> None:
            results.append(await client.call_tool("undo_change", {"change_id": update["change_id"]}))

        async with transaction(pool, collection.user_id) as conn:
            # Both undos have started before either of them can go on.
            await conn.execute("SELECT FROM changes FOR UPDATE")
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(undo)
                tasks.start_soon(undo)
                await waiting(pool, 2)
                await conn.rollback()
        (done,) = [result for result in results if not result.is_error]
        (failed,) = [result for result in results if result.is_error]
        undo_id = done.structured_content["change_id"]
        assert f"already undone by change {undo_id}." in failed.content[0].text


async def waiting(pool: Pool, count: int) -> None:
    """Wait until so many sessions wait for locks."""
    query = """
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'
    """
    with anyio.fail_after(10):
        async with pool.connection() as conn:
            while await fetch_value(conn, query, {}) < count:  # noqa: ASYNC110
                await anyio.sleep(0.01)


async def test_a_change_is_kept_for_as_many_days_as_are_set(pool: Pool) -> None:
    async with new_collection(pool) as collection:
        ages = (29, 31)
        made = [await call(collection.client, "create_item", name=f"{days} days") for days in ages]
        async with transaction(pool, collection.user_id) as conn:
            for each, days in zip(made, ages, strict=True):
                await conn.execute(
                    "UPDATE changes SET at = now() - make_interval(days => %(days)s) WHERE id = %(id)s",
                    {"id": each["change_id"], "days": days},
                )
        await forget_old_changes(pool, collection.user_id, 30)
        listed = (await call(collection.client, "list_changes"))["changes"]
        assert [row["id"] for row in listed] == [made[0]["change_id"]]


async def test_the_last_page_of_changes_has_no_cursor(pool: Pool) -> None:
    async with new_collection(pool) as collection:
        client = collection.client
        for name in ("Tent", "Tarp", "Mug"):
            await call(client, "create_item", name=name)
        first = await call(client, "list_changes", limit=2)
        last = await call(client, "list_changes", limit=2, cursor=first["next_cursor"])
        assert (len(first["changes"]), len(last["changes"]), last.get("next_cursor")) == (2, 1, None)
        assert "next_cursor" not in await call(client, "list_changes", limit=3)


async def test_a_change_at_the_end_of_a_period_is_not_in_it(pool: Pool) -> None:
    async with new_collection(pool) as collection:
        client = collection.client
        made = await call(client, "create_item", name="Tent")
        async with transaction(pool, collection.user_id) as conn:
            await conn.execute("UPDATE changes SET at = '2026-07-02T00:00:00Z'")
        day_before = await client.call_tool("list_changes", {"since": "2026-07-01", "until": "2026-07-01"})
        assert (day_before.structured_content or {})["changes"] == []
        that_day = await call(client, "list_changes", since="2026-07-02", until="2026-07-02")
        assert [row["id"] for row in that_day["changes"]] == [made["change_id"]]
