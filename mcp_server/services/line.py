"""Lines: the items of a setup, their quantity and their classification."""

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, cast

from psycopg import AsyncConnection

from mcp_server.errors import InvalidInput, NotFound, in_list
from mcp_server.models.setup import Line, NewLine
from mcp_server.services import reference


async def replace(conn: AsyncConnection, setup_id: int, lines: Sequence[NewLine]) -> None:
    """Replace all lines of a setup with *lines*. Lines of the same item keep their position."""
    new = await with_ids(conn, lines)
    ids = [line["item_id"] for line in new]
    await check_items(conn, ids)
    await conn.execute(
        "DELETE FROM setup_items WHERE setup_id = %(setup_id)s AND item_id <> ALL(%(ids)s::bigint[])",
        {"setup_id": setup_id, "ids": ids},
    )
    await put(conn, setup_id, [complete(line) for line in new])


async def change(
    conn: AsyncConnection, setup_id: int, lines: Sequence[NewLine], remove: Sequence[str | int]
) -> None:
    """Add *lines*, or change the given fields of existing ones. Remove the lines of the items *remove*.

    A name in *remove* is one of the setup's own items.
    """
    new = await with_ids(conn, lines)
    gone = await reference.resolve_all(conn, "item", remove, within=setup_id)
    ids = [line["item_id"] for line in new]
    await check_items(conn, [*ids, *gone])
    old = await get(conn, setup_id, [*ids, *gone])
    absent = [item_id for item_id in gone if item_id not in old]
    if absent:
        raise NotFound(
            f"Setup {setup_id} does not contain item {in_list(absent)}. Call get_setup to see its lines."
        )
    await conn.execute(
        "DELETE FROM setup_items WHERE setup_id = %(setup_id)s AND item_id = ANY(%(ids)s::bigint[])",
        {"setup_id": setup_id, "ids": gone},
    )
    await put(
        conn,
        setup_id,
        [changed(old[line["item_id"]], line) if line["item_id"] in old else complete(line) for line in new],
    )


async def get(conn: AsyncConnection, setup_id: int, item_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Return a setup's lines of these items: columns by item id."""
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


async def setups_with(conn: AsyncConnection, item_id: int | None) -> list[int]:
    """Return the setups that contain an item, by name."""
    cursor = await conn.execute(
        """
        SELECT setups.id
        FROM setup_items
        JOIN setups ON setups.id = setup_items.setup_id
        WHERE setup_items.item_id = %(item_id)s
        ORDER BY lower(setups.name), setups.id
        """,
        {"item_id": item_id},
    )
    return [setup_id for (setup_id,) in await cursor.fetchall()]


async def with_ids(conn: AsyncConnection, lines: Sequence[NewLine]) -> list[Line]:
    """Return the lines with the ids of their items, which may be given by name."""
    ids = await reference.resolve_all(conn, "item", [line["item_id"] for line in lines])
    return [cast(Line, {**line, "item_id": item_id}) for line, item_id in zip(lines, ids, strict=True)]


async def put(conn: AsyncConnection, setup_id: int, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add or update lines. An unchanged line is not written."""
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
    """Refuse duplicate and missing items."""
    twice = [item_id for item_id, count in Counter(ids).items() if count > 1]
    if twice:
        raise InvalidInput(f"Item {in_list(twice)} occurs more than once. Use one line with the quantity.")
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


def complete(line: Line) -> dict[str, Any]:
    """Fill in the defaults of a new line: quantity 1, base; all pieces of a worn line are worn."""
    new = {
        "item_id": line["item_id"],
        "quantity": Decimal(1),
        "classification": "base",
        "worn_quantity": None,
    }
    return with_worn({**new, **given(line)})


def changed(old: Mapping[str, Any], line: Line) -> dict[str, Any]:
    """Apply the given fields of a line to an old one. If all pieces were worn, all still are."""
    new = {**old, **given(line)}
    partly_worn = old["classification"] == "worn" and old["worn_quantity"] < old["quantity"]
    if "worn_quantity" not in given(line):
        stays = partly_worn and new["classification"] == "worn"
        new["worn_quantity"] = min(old["worn_quantity"], new["quantity"]) if stays else None
    return with_worn(new)


def given(line: Line) -> dict[str, Any]:
    return {name: value for name, value in line.items() if value is not None}


def with_worn(row: dict[str, Any]) -> dict[str, Any]:
    """Fill in `worn_quantity` if it is not given: all pieces of a worn line, else 0."""
    worn, is_worn = row["worn_quantity"], row["classification"] == "worn"
    if worn is None:
        return {**row, "worn_quantity": row["quantity"] if is_worn else Decimal(0)}
    if not is_worn or worn > row["quantity"]:
        raise InvalidInput(
            f"item {row['item_id']}: worn_quantity: is only valid for worn lines, up to their quantity."
        )
    return row
