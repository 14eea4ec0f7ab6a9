"""Merging: duplicates of an item become one item, in its setups and threads as well."""

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import dict_row
from psycopg.sql import SQL

from db.query import fetch_all, fetch_only
from db.sql import assignments, rendered
from mcp_server.errors import MOST_PLACES, Conflict, InvalidInput, no_such, quoted
from mcp_server.models.fields import Row
from mcp_server.models.item import ItemsMerged, Merged, Pieces
from mcp_server.models.setup import Classification
from mcp_server.models.weight import OF_WEIGHT
from mcp_server.services import bulk, image, page
from mcp_server.services.item import MOST_NAMES, WRITTEN

# What the kept item takes from the others where it has nothing. It does not take their identifiers in other
# programs: those are unique, so an undo could not restore them.
BLANKS = (
    *(name for name in bulk.EDITABLE if name not in ("name", "quantity", *OF_WEIGHT)),
    "image_id",
)
STATE = rendered(SQL("{state}, items.image_id, items.external_id").format(state=bulk.STATE))


class Packed(Row):
    """A line of one of the items, in a setup whose lines of them differ in class."""

    setup_id: int
    setup: str
    item_id: int
    classification: Classification


class Used(Row):
    """The names of setups and threads that have one of the items."""

    setups: list[str]
    threads: list[str]


async def merge(
    conn: AsyncConnection, keep: str | int, items: Sequence[str | int], pieces: Pieces
) -> ItemsMerged:
    """Merge *items* into the item to *keep*, and return that. Its own values win; blanks are filled in order.

    Threads are locked before setups, and those before items, as by all other writes.
    """
    (keep_id,) = await bulk.find_items(conn, [keep], "keep")
    ids = list(dict.fromkeys(await bulk.find_items(conn, items, "items.{}")))
    if keep_id in ids:
        raise InvalidInput(f"items: contains item {keep_id}, which is the one to keep. Leave it out.")
    moved = await used_in(conn, ids)
    await move_threads(conn, keep_id, ids)
    await touch_setups(conn, ids)
    states = await lock(conn, [keep_id, *ids])
    if gone := [item_id for item_id in (keep_id, *ids) if item_id not in states]:
        raise no_such("item", gone[0])
    await check_classes(conn, [keep_id, *ids])
    await move_lines(conn, keep_id, ids)
    await conn.execute("DELETE FROM items WHERE id = ANY(%(ids)s::bigint[])", {"ids": ids})
    kept, others = states[keep_id], [states[item_id] for item_id in ids]
    await fill(conn, keep_id, filled(kept, others, pieces))
    await image.delete_unused(conn, [other["image_id"] for other in others])
    query = SQL("SELECT {written} FROM items WHERE id = %(item_id)s").format(written=WRITTEN)
    stored = await fetch_only(conn, ItemsMerged, query, {"item_id": keep_id})
    after = (await lock(conn, [keep_id]))[keep_id]
    lost = [lost_of(other, after) for other in others]
    merged = stored.model_copy(
        update={
            "before": bulk.difference(kept, after).before or None,
            "setups": tuple(moved.setups[:MOST_NAMES]),
            "setups_left_out": max(len(moved.setups) - MOST_NAMES, 0),
            "threads": tuple(moved.threads[:MOST_NAMES]),
            "threads_left_out": max(len(moved.threads) - MOST_NAMES, 0),
            "merged": tuple(lost),
        }
    )
    return page.fit(page.whole(merged), "merged", lambda count: {"merged_left_out": len(lost) - count})


async def used_in(conn: AsyncConnection, ids: Sequence[int]) -> Used:
    """Return the names of the setups and threads that have one of these items."""
    return await fetch_only(
        conn,
        Used,
        """
        SELECT
            array(
                SELECT setups.name
                FROM setups
                WHERE EXISTS (
                    SELECT
                    FROM setup_items
                    WHERE setup_items.setup_id = setups.id AND setup_items.item_id = ANY(%(ids)s::bigint[])
                )
                ORDER BY lower(setups.name), setups.id
            ) AS setups,
            array(
                SELECT threads.name
                FROM threads
                WHERE threads.replaces_item_id = ANY(%(ids)s::bigint[])
                    OR threads.resolved_item_id = ANY(%(ids)s::bigint[])
                ORDER BY lower(threads.name), threads.id
            ) AS threads
        """,
        {"ids": ids},
    )


async def touch_setups(conn: AsyncConnection, ids: Sequence[int]) -> None:
    """Update `updated_at` of the setups that have one of these items. This also locks them."""
    await conn.execute(
        """
        UPDATE setups
        SET updated_at = now()
        WHERE id IN (
            SELECT setups.id
            FROM setups
            WHERE EXISTS (
                SELECT
                FROM setup_items
                WHERE setup_items.setup_id = setups.id AND setup_items.item_id = ANY(%(ids)s::bigint[])
            )
            ORDER BY setups.id
            FOR UPDATE
        )
        """,
        {"ids": ids},
    )


async def lock(conn: AsyncConnection, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Lock items until the transaction ends, in the order of their ids. Return their columns by id."""
    query = SQL("SELECT {state} FROM items WHERE id = ANY(%(ids)s::bigint[]) ORDER BY id FOR UPDATE")
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(query.format(state=STATE), {"ids": list(ids)})
        return {row["id"]: row for row in await cursor.fetchall()}


async def check_classes(conn: AsyncConnection, ids: Sequence[int]) -> None:
    """Refuse to add up lines of different classes, and list them."""
    lines = await fetch_all(
        conn,
        Packed,
        """
        SELECT setup_items.setup_id, setups.name AS setup, setup_items.item_id, setup_items.classification
        FROM setup_items
        JOIN setups ON setups.id = setup_items.setup_id
        WHERE setup_items.item_id = ANY(%(ids)s::bigint[]) AND EXISTS (
            SELECT
            FROM setup_items AS other
            WHERE other.setup_id = setup_items.setup_id AND other.item_id = ANY(%(ids)s::bigint[])
                AND other.classification <> setup_items.classification
        )
        ORDER BY lower(setups.name), setups.id, setup_items.id
        """,
        {"ids": ids},
    )
    if not lines:
        return
    setups: dict[int, list[Packed]] = {}
    for line in lines:
        setups.setdefault(line.setup_id, []).append(line)
    listed = [
        f"setup {setup_id} {quoted(differing[0].setup)}: "
        + ", ".join(f"item {line.item_id} {line.classification}" for line in differing[:MOST_PLACES])
        for setup_id, differing in setups.items()
    ]
    more = f"; and {len(listed) - MOST_PLACES} more setups" if len(listed) > MOST_PLACES else ""
    raise Conflict(
        f"Lines of these items differ in class: {'; '.join(listed[:MOST_PLACES])}{more}. "
        "Nothing was changed. Give them the same class with set_setup_items, then retry."
    )


async def move_lines(conn: AsyncConnection, keep_id: int, ids: Sequence[int]) -> None:
    """Give the kept item one line in each setup of the others, with the pieces of all.

    That is its own line or the first of theirs. The other lines are deleted with their items.
    """
    await conn.execute(
        """
        UPDATE setup_items
        SET item_id = %(keep_id)s, quantity = merged.quantity, worn_quantity = merged.worn_quantity
        FROM (
            SELECT
                (array_agg(id ORDER BY item_id <> %(keep_id)s, id))[1] AS id,
                sum(quantity) AS quantity, sum(worn_quantity) AS worn_quantity
            FROM setup_items
            WHERE item_id = %(keep_id)s OR item_id = ANY(%(ids)s::bigint[])
            GROUP BY setup_id
            HAVING bool_or(item_id <> %(keep_id)s)
        ) AS merged
        WHERE setup_items.id = merged.id
        """,
        {"keep_id": keep_id, "ids": ids},
    )


async def move_threads(conn: AsyncConnection, keep_id: int, ids: Sequence[int]) -> None:
    """Make threads that would replace one of these items, or created it, refer to the kept one."""
    await conn.execute(
        """
        UPDATE threads
        SET
            replaces_item_id = CASE WHEN replaces_item_id = ANY(%(ids)s::bigint[]) THEN %(keep_id)s
                ELSE replaces_item_id END,
            resolved_item_id = CASE WHEN resolved_item_id = ANY(%(ids)s::bigint[]) THEN %(keep_id)s
                ELSE resolved_item_id END,
            updated_at = now()
        WHERE replaces_item_id = ANY(%(ids)s::bigint[]) OR resolved_item_id = ANY(%(ids)s::bigint[])
        """,
        {"keep_id": keep_id, "ids": ids},
    )


def filled(kept: dict[str, Any], others: Sequence[dict[str, Any]], pieces: Pieces) -> dict[str, Any]:
    """Return the columns of the kept item that change: its blanks, and the sum of all pieces."""
    row = {
        name: next((other[name] for other in others if other[name] is not None), None)
        for name in BLANKS
        if kept[name] is None
    }
    row = {name: value for name, value in row.items() if value is not None}
    row |= of_weight(kept, others)
    if pieces == "sum":
        row["quantity"] = sum(other["quantity"] for other in (kept, *others))
    return row


def of_weight(kept: Mapping[str, Any], others: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the margin and source of the weight that is filled in. They belong to no other weight."""
    if kept["weight_grams"] is not None:
        return {}
    source = next((other for other in others if other["weight_grams"] is not None), kept)
    return {name: source[name] for name in OF_WEIGHT}


async def fill(conn: AsyncConnection, keep_id: int, row: dict[str, Any]) -> None:
    query = SQL("UPDATE items SET {assignments} updated_at = now() WHERE id = %(item_id)s")
    await conn.execute(query.format(assignments=assignments(row)), {**row, "item_id": keep_id})


def lost_of(other: dict[str, Any], after: dict[str, Any]) -> Merged:
    """Return what a merged item had that the kept one does not have."""
    known = {name: value for name, value in other.items() if value is not None and name != "quantity"}
    ours = {name: after[name] for name in known} | {"id": other["id"]}
    differing = bulk.difference(known, ours)
    return Merged(
        id=other["id"],
        name=other["name"],
        lost={name: value for name, value in differing.before.items() if name != "name"},
        cut=differing.cut,
    )
