"""Resolution: a candidate becomes an item and replaces the old one in setups; its thread becomes a record."""

from collections.abc import Sequence

from psycopg import AsyncConnection
from psycopg.sql import SQL
from psycopg.types.json import Jsonb

from db.query import fetch_one, fetch_value
from mcp_server.errors import Conflict, InvalidInput, in_list
from mcp_server.models.answer import MOST_ROWS
from mcp_server.models.fields import Row
from mcp_server.models.thread import ThreadResolved
from mcp_server.services import decision, line, page, reference, settings, setup
from mcp_server.services.thread import OWN_PRICE, Locked, lock, not_in_thread, summarize

# In place of the names of setups.
ALL = "all"


async def resolve(
    conn: AsyncConnection,
    thread_id: str | int,
    candidate_id: str | int,
    swap_in_setups: Sequence[str | int],
    quantity: int | None = None,
    why: str | None = None,
) -> ThreadResolved:
    """Create an item from a candidate and put it in setups in place of the old item. Resolve the thread."""
    thread_id = await reference.resolve(conn, "thread", thread_id)
    candidate_id = await reference.resolve(conn, "candidate", candidate_id, within=thread_id)
    its_thread = await lock(conn, thread_id)
    if its_thread.status != "active":
        raise Conflict(f"Thread {thread_id} is {its_thread.status}. {what_next(its_thread)}")
    decided = await decision.record(conn, thread_id, candidate_id, why)
    new = await become_item(conn, its_thread, candidate_id, quantity)
    await check_currency(conn, candidate_id)
    setup_ids = await setups_to_swap(conn, its_thread, swap_in_setups)
    for setup_id in sorted(setup_ids):
        await setup.touch(conn, setup_id)
    await swap(conn, its_thread, new.item_id, setup_ids)
    await conn.execute(
        """
        UPDATE threads
        SET
            status = 'resolved', updated_at = now(),
            resolved_candidate_id = %(candidate_id)s, resolved_item_id = %(item_id)s,
            decision = %(decision)s
        WHERE id = %(thread_id)s
        """,
        {
            "candidate_id": candidate_id,
            "item_id": new.item_id,
            "thread_id": thread_id,
            "decision": Jsonb(decided.model_dump(mode="json", exclude_none=True, exclude_defaults=True)),
        },
    )
    swapped = [await setup.summarize(conn, setup_id) for setup_id in setup_ids[:MOST_ROWS]]
    resolved = ThreadResolved(
        **dict(await summarize(conn, thread_id)),
        **dict(new),
        candidate_id=candidate_id,
        swapped_in_setups=tuple(each.totals() for each in swapped),
        units=await settings.get(conn),
    )
    return page.fit(resolved, "swapped_in_setups", lambda shown: {"setups_left_out": len(setup_ids) - shown})


class Bought(Row):
    """The new item, and how many pieces of it are owned."""

    item_id: int
    quantity: int


async def become_item(
    conn: AsyncConnection, its_thread: Locked, candidate_id: int, quantity: int | None
) -> Bought:
    """Create an item from a candidate, in the candidate's or the thread's category.

    By default, as many pieces are owned as of the item that it replaces.
    """
    new = await fetch_one(
        conn,
        Bought,
        """
        INSERT INTO items (
            name, weight_grams, weight_margin_grams, weight_source, price_cents, quantity, category_id, notes,
            product_url, image_id
        )
        SELECT
            candidates.name, candidates.weight_grams, candidates.weight_margin_grams,
            candidates.weight_source, candidates.price_cents,
            coalesce(%(quantity)s::int, nullif(replaced.quantity, 0), 1),
            coalesce(candidates.category_id, %(category_id)s),
            candidates.notes, candidates.product_url, candidates.image_id
        FROM candidates
        LEFT JOIN items AS replaced ON replaced.id = %(replaces_item_id)s
        WHERE candidates.id = %(candidate_id)s AND candidates.thread_id = %(id)s
        RETURNING id AS item_id, quantity
        """,
        {
            **its_thread.model_dump(include={"id", "category_id", "replaces_item_id"}),
            "candidate_id": candidate_id,
            "quantity": quantity,
        },
    )
    if new is None:
        raise not_in_thread(candidate_id, its_thread.id)
    return new


async def check_currency(conn: AsyncConnection, candidate_id: int) -> None:
    """Refuse a price in another currency: it would be added to prices in the user's own."""
    query = SQL("""
        SELECT price_currency
        FROM candidates
        WHERE id = %(candidate_id)s AND price_cents IS NOT NULL AND ({own_price}) IS NULL
    """).format(own_price=OWN_PRICE)
    currency = await fetch_value(conn, query, {"candidate_id": candidate_id})
    if currency is not None:
        raise Conflict(
            f"The price of candidate {candidate_id} is in {currency}. Set price_cents in your own currency, "
            "and price_currency to null, with update_candidate first."
        )


async def setups_to_swap(
    conn: AsyncConnection, its_thread: Locked, references: Sequence[str | int]
) -> list[int]:
    """Return the ids of setups. "all" stands for those that contain the replaced item."""
    found: list[int] = []
    for each in references:
        if str(each).strip().casefold() != ALL:
            found.append(await setup.resolve(conn, each))
            continue
        check_replaces(its_thread)
        named = await fetch_value(conn, "SELECT min(id) FROM setups WHERE lower(btrim(name)) = 'all'")
        if named is not None:
            raise Conflict(
                f'swap_in_setups: "all" means every setup, but setup {named} has this name. '
                "Give the ids of the setups."
            )
        found += await line.setups_with(conn, its_thread.replaces_item_id)
    return list(dict.fromkeys(found))


def check_replaces(its_thread: Locked) -> None:
    if its_thread.replaces_item_id is None:
        raise InvalidInput(
            f"swap_in_setups: thread {its_thread.id} does not replace an item. "
            "Set its replaces_item_id with update_thread first."
        )


async def swap(conn: AsyncConnection, its_thread: Locked, item_id: int, setup_ids: Sequence[int]) -> None:
    """Replace the old item with the new one in every line of these setups."""
    if setup_ids:
        check_replaces(its_thread)
    cursor = await conn.execute(
        """
        UPDATE setup_items
        SET item_id = %(item_id)s
        WHERE item_id = %(replaces_item_id)s AND setup_id = ANY(%(setup_ids)s::bigint[])
        RETURNING setup_id
        """,
        {
            "item_id": item_id,
            "replaces_item_id": its_thread.replaces_item_id,
            "setup_ids": list(setup_ids),
        },
    )
    swapped = {setup_id for (setup_id,) in await cursor.fetchall()}
    without = [setup_id for setup_id in setup_ids if setup_id not in swapped]
    if without:
        raise InvalidInput(
            f"swap_in_setups: item {its_thread.replaces_item_id} is not in setup {in_list(without)}. "
            "Omit the setups that do not contain it; set_setup_items adds the new item there."
        )


def what_next(its_thread: Locked) -> str:
    if its_thread.status == "archived":
        return "Set its status to active with update_thread first."
    if its_thread.resolved_item_id is None:
        return "The item created from it was deleted. Create a new thread to continue."
    return (
        f"Candidate {its_thread.resolved_candidate_id} became item {its_thread.resolved_item_id}. "
        "Create a new thread to continue."
    )
