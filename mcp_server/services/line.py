"""Lines: how many of an item are in a setup, and whether they are carried, worn or used up."""

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from psycopg import AsyncConnection

from mcp_server.errors import InvalidInput, NotFound, in_list
from mcp_server.models.setup import NewLine


async def replace(conn: AsyncConnection, setup_id: int, lines: Sequence[NewLine]) -> None:
    """Make *lines* the whole list of a setup. A line that stays keeps its place."""
    ids = [line["item_id"] for line in lines]
    await check_items(conn, ids)
    await conn.execute(
        "DELETE FROM setup_items WHERE setup_id = %(setup_id)s AND item_id <> ALL(%(ids)s::bigint[])",
        {"setup_id": setup_id, "ids": ids},
    )
    await put(conn, setup_id, [complete(line) for line in lines])


async def change(
    conn: AsyncConnection, setup_id: int, lines: Sequence[NewLine], remove: Sequence[int]
) -> None:
    """Add *lines*, or change what they give of those that are there; remove the lines of other items."""
    ids = [line["item_id"] for line in lines]
    await check_items(conn, [*ids, *remove])
    old = await get(conn, setup_id, [*ids, *remove])
    absent = [item_id for item_id in remove if item_id not in old]
    if absent:
        raise NotFound(
            f"Setup {setup_id} has no line with item {in_list(absent)}. Call get_setup to see its lines."
        )
    await conn.execute(
        "DELETE FROM setup_items WHERE setup_id = %(setup_id)s AND item_id = ANY(%(ids)s::bigint[])",
        {"setup_id": setup_id, "ids": list(remove)},
    )
    await put(
        conn,
        setup_id,
        [changed(old[line["item_id"]], line) if line["item_id"] in old else complete(line) for line in lines],
    )


async def get(conn: AsyncConnection, setup_id: int, item_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Return those of a setup's lines that are of these items, as columns by item."""
    names = ("item_id", "quantity", "classification", "worn_quantity")
    cursor = await conn.execute(
        """
        SELECT item_id, quantity, classification, worn_quantity
        FROM setup_items
        WHERE setup_id = %(setup_id)s AND item_id = ANY(%(item_ids)s::bigint[])
        """,
        {"setup_id": setup_id, "item_ids": list(item_ids)},
    )
    return {row[0]: dict(zip(names, row, strict=True)) async for row in cursor}


async def put(conn: AsyncConnection, setup_id: int, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add lines, or change those that their items have already; one that is the same is not written again."""
    async with conn.cursor() as cursor:
        await cursor.executemany(
            """
            INSERT INTO setup_items AS old (setup_id, item_id, quantity, classification, worn_quantity)
            VALUES (%(setup_id)s, %(item_id)s, %(quantity)s, %(classification)s, %(worn_quantity)s)
            ON CONFLICT (user_id, setup_id, item_id) DO UPDATE
            SET
                quantity = excluded.quantity,
                classification = excluded.classification,
                worn_quantity = excluded.worn_quantity
            WHERE (old.quantity, old.classification, old.worn_quantity)
                IS DISTINCT FROM (excluded.quantity, excluded.classification, excluded.worn_quantity)
            """,
            [{"setup_id": setup_id, **row} for row in rows],
        )


async def check_items(conn: AsyncConnection, ids: Sequence[int]) -> None:
    """Refuse items that are named twice, or that do not exist."""
    twice = [item_id for item_id, count in Counter(ids).items() if count > 1]
    if twice:
        raise InvalidInput(f"Given more than once: item {in_list(twice)}. Give one line with the quantity.")
    cursor = await conn.execute(
        """
        SELECT wanted.id
        FROM unnest(%(ids)s::bigint[]) AS wanted (id)
        WHERE NOT EXISTS (SELECT FROM items WHERE items.id = wanted.id)
        """,
        {"ids": list(ids)},
    )
    missing = [row[0] for row in await cursor.fetchall()]
    if missing:
        raise NotFound(f"No item {in_list(missing)}. Call list_items to find its id.")


def complete(line: NewLine) -> dict[str, Any]:
    """Fill in what a new line left out: one piece, in the pack; all pieces of a worn line are worn."""
    new = {
        "item_id": line["item_id"],
        "quantity": Decimal(1),
        "classification": "base",
        "worn_quantity": None,
    }
    return with_worn({**new, **given(line)})


def changed(old: Mapping[str, Any], line: NewLine) -> dict[str, Any]:
    """Change what a line gives of an old one. If all pieces were worn, all are afterwards too."""
    new = {**old, **given(line)}
    partly_worn = old["classification"] == "worn" and old["worn_quantity"] < old["quantity"]
    if "worn_quantity" not in given(line):
        stays = partly_worn and new["classification"] == "worn"
        new["worn_quantity"] = min(old["worn_quantity"], new["quantity"]) if stays else None
    return with_worn(new)


def given(line: NewLine) -> dict[str, Any]:
    return {name: value for name, value in line.items() if value is not None}


def with_worn(row: dict[str, Any]) -> dict[str, Any]:
    """Work out how many pieces are worn where nobody said it: all of a worn line."""
    worn, is_worn = row["worn_quantity"], row["classification"] == "worn"
    if worn is None:
        return {**row, "worn_quantity": row["quantity"] if is_worn else Decimal(0)}
    if not is_worn or worn > row["quantity"]:
        raise InvalidInput(
            f"item {row['item_id']}: worn_quantity: only for worn lines, and at most their quantity."
        )
    return row
