"""What is read to be changed is locked first, and locks are taken in one order."""

from collections.abc import Callable, Coroutine
from decimal import Decimal
from typing import Any, LiteralString

import anyio
import pytest
from psycopg import AsyncConnection
from psycopg.errors import LockNotAvailable

from db.pool import Pool, transaction
from mcp_server.services import setup, thread
from tests.calls import call
from tests.factories import make_item, make_setup, make_thread
from tests.services.test_change import waiting
from tests.test_undo import new_collection

# Statements that lock all rows of a table.
LOCK: dict[str, LiteralString] = {
    "items": "SELECT FROM items FOR UPDATE",
    "setups": "SELECT FROM setups FOR UPDATE",
    "threads": "SELECT FROM threads FOR UPDATE",
}


async def waits_for(pool: Pool, user_id: int, held: str, work: Callable[[AsyncConnection], Any]) -> None:
    """Check that *work* waits for rows of the table *held* that another transaction has locked."""
    async with transaction(pool, user_id) as holder, transaction(pool, user_id) as conn:
        await holder.execute(LOCK[held])
        await conn.execute("SET LOCAL lock_timeout = '50ms'")
        with pytest.raises(LockNotAvailable):
            await work(conn)
        await conn.rollback()
        await holder.rollback()


async def test_a_thread_is_locked_before_it_is_read(pool: Pool, user_id: int) -> None:
    async with transaction(pool, user_id) as conn:
        thread_id = await make_thread(conn)
    await waits_for(pool, user_id, "threads", lambda conn: thread.lock(conn, thread_id))


async def test_a_setup_is_locked_before_its_lines_are_changed(pool: Pool, user_id: int) -> None:
    async with transaction(pool, user_id) as conn:
        item_id = await make_item(conn)
        setup_id = await make_setup(conn, "Weekend", item_id)
    await waits_for(
        pool,
        user_id,
        "setups",
        lambda conn: setup.set_items(conn, setup_id, change=[{"item_id": item_id, "quantity": Decimal(2)}]),
    )


async def test_two_lines_that_are_added_to_notes_at_once_are_both_kept(pool: Pool) -> None:
    async with new_collection(pool) as collection:
        tent = await call(collection.client, "create_item", name="Tent", notes="green")

        async def note(line: str) -> None:
            updates = [{"item": tent["id"], "changes": {"notes_append": line}}]
            await call(collection.client, "update_items", updates=updates)

        await at_once(pool, collection.user_id, "items", lambda: note("light"), lambda: note("old"))
        shown = await call(collection.client, "get_item", item_id=tent["id"])
        assert sorted(shown["notes"].splitlines()) == ["green", "light", "old"]


async def at_once(
    pool: Pool, user_id: int, held: str, *calls: Callable[[], Coroutine[Any, Any, None]]
) -> None:
    """Let calls go on together once all of them wait for rows of the table *held*."""
    async with transaction(pool, user_id) as conn:
        await conn.execute(LOCK[held])
        async with anyio.create_task_group() as tasks:
            for each in calls:
                tasks.start_soon(each)
            await waiting(pool, len(calls))
            await conn.rollback()


async def test_a_resolve_locks_setups_in_the_order_of_their_ids(pool: Pool) -> None:
    """In any other order, two resolves at once could wait for each other."""
    async with new_collection(pool) as collection:
        client = collection.client
        tent = (await call(client, "create_item", name="Tent"))["id"]
        new = {"name": "Lighter", "replaces_item_id": tent, "candidates": [{"name": "Tarp"}]}
        made = await call(client, "create_thread", **new)
        lines = [{"item_id": tent}]
        first, last = [(await call(client, "create_setup", name=name, lines=lines))["id"] for name in "AB"]

        async def resolve() -> None:
            arguments = {"candidate_id": made["added"][0]["id"], "swap_in_setups": [str(last), str(first)]}
            await call(client, "resolve_thread", thread_id=made["id"], **arguments)

        async with anyio.create_task_group() as tasks, transaction(pool, collection.user_id) as conn:
            await conn.execute("SELECT FROM setups WHERE id = %(id)s FOR UPDATE", {"id": first})
            tasks.start_soon(resolve)
            await waiting(pool, 1)
            # Raises LockNotAvailable if the call has locked the last one already.
            await conn.execute("SELECT FROM setups WHERE id = %(id)s FOR UPDATE NOWAIT", {"id": last})
        shown = await call(client, "get_thread", thread_id=made["id"])
        assert shown["status"] == "resolved"
