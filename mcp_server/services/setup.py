"""Setups: packing lists, and what they weigh in all, worn and on the back."""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from psycopg import AsyncConnection
from psycopg.sql import SQL

from db.query import fetch_all, fetch_one, fetch_value
from mcp_server.errors import InvalidInput, NotFound, no_such
from mcp_server.models.setup import CategoryShare, NewLine, SetupLine, SetupList, SetupShown, SetupSummary

# Sums over the lines of a setup. The cast makes decimals of grams, so that the parts add up to the whole.
TOTALS = SQL("""
    count(setup_items.id) AS items,
    coalesce(sum(items.weight_grams::numeric * setup_items.quantity), 0) AS total_grams,
    coalesce(sum(items.weight_grams::numeric * (setup_items.quantity - setup_items.worn_quantity))
        FILTER (WHERE setup_items.classification <> 'consumable'), 0) AS base_grams,
    coalesce(sum(items.weight_grams::numeric * setup_items.worn_quantity), 0) AS worn_grams,
    coalesce(sum(items.weight_grams::numeric * setup_items.quantity)
        FILTER (WHERE setup_items.classification = 'consumable'), 0) AS consumable_grams,
    coalesce(sum(items.weight_grams::numeric * (setup_items.quantity - setup_items.worn_quantity)), 0)
        AS pack_grams,
    round(sum(items.price_cents * setup_items.quantity)) AS price_cents,
    count(*) FILTER (WHERE setup_items.id IS NOT NULL AND items.weight_grams IS NULL) AS unweighed,
    count(*) FILTER (WHERE setup_items.id IS NOT NULL AND items.price_cents IS NULL) AS unpriced
""")


async def list_all(conn: AsyncConnection) -> SetupList:
    """Return every setup by name, with its totals."""
    query = SQL("""
        SELECT setups.id, setups.name, {totals}
        FROM setups
        LEFT JOIN setup_items ON setup_items.setup_id = setups.id
        LEFT JOIN items ON items.id = setup_items.item_id
        GROUP BY setups.id
        ORDER BY lower(setups.name), setups.id
    """).format(totals=TOTALS)
    found = await fetch_all(conn, SetupSummary, query)
    return SetupList(total=len(found), setups=found)


async def get(conn: AsyncConnection, setup_id: int) -> SetupShown:
    """Return a setup: its totals, its weight by category, and its lines in the order they were added."""
    summary = await summarize(conn, setup_id)
    lines = await fetch_all(
        conn,
        SetupLine,
        """
        SELECT
            setup_items.item_id, items.name, categories.name AS category, setup_items.classification,
            setup_items.quantity,
            CASE
                WHEN setup_items.classification = 'worn' AND setup_items.worn_quantity < setup_items.quantity
                THEN setup_items.worn_quantity
            END AS worn_quantity,
            items.weight_grams, items.price_cents
        FROM setup_items
        JOIN items ON items.id = setup_items.item_id
        LEFT JOIN categories ON categories.id = items.category_id
        WHERE setup_items.setup_id = %(setup_id)s
        ORDER BY setup_items.id
        """,
        {"setup_id": setup_id},
    )
    return SetupShown(
        **summary.model_dump(),
        unweighed_items=tuple(line.name for line in lines if line.weight_grams is None),
        by_category=await share(conn, setup_id),
        lines=lines,
    )


async def summarize(conn: AsyncConnection, setup_id: int) -> SetupSummary:
    """Return a setup's totals."""
    query = SQL("""
        SELECT setups.id, setups.name, {totals}
        FROM setups
        LEFT JOIN setup_items ON setup_items.setup_id = setups.id
        LEFT JOIN items ON items.id = setup_items.item_id
        WHERE setups.id = %(setup_id)s
        GROUP BY setups.id
    """).format(totals=TOTALS)
    found = await fetch_one(conn, SetupSummary, query, {"setup_id": setup_id})
    if found is None:
        raise no_such("setup", setup_id)
    return found


async def share(conn: AsyncConnection, setup_id: int) -> list[CategoryShare]:
    """Return what each category weighs in a setup, in the order in which their first lines were added."""
    return await fetch_all(
        conn,
        CategoryShare,
        """
        SELECT
            categories.name AS category,
            count(*) AS items,
            sum(items.weight_grams::numeric * setup_items.quantity) AS weight_grams,
            count(*) FILTER (WHERE items.weight_grams IS NULL) AS unweighed,
            round(
                100 * sum(items.weight_grams::numeric * setup_items.quantity)
                / nullif(sum(sum(items.weight_grams::numeric * setup_items.quantity)) OVER (), 0), 1
            ) AS share
        FROM setup_items
        JOIN items ON items.id = setup_items.item_id
        LEFT JOIN categories ON categories.id = items.category_id
        WHERE setup_items.setup_id = %(setup_id)s
        GROUP BY categories.id
        ORDER BY min(setup_items.id)
        """,
        {"setup_id": setup_id},
    )


async def create(conn: AsyncConnection, name: str, lines: Sequence[NewLine]) -> SetupSummary:
    """Create a setup with *lines* and return its totals."""
    setup_id = await fetch_value(
        conn, "INSERT INTO setups (name) VALUES (%(name)s) RETURNING id", {"name": name}
    )
    return await set_lines(conn, setup_id, lines)


async def set_lines(conn: AsyncConnection, setup_id: int, lines: Sequence[NewLine]) -> SetupSummary:
    """Make *lines* the whole list of a setup, and return its totals.

    A line that stays keeps its place; one that is the same is not written again.
    """
    touched = await conn.execute(
        "UPDATE setups SET updated_at = now() WHERE id = %(setup_id)s", {"setup_id": setup_id}
    )
    if touched.rowcount == 0:
        raise no_such("setup", setup_id)
    rows = [{"setup_id": setup_id, **complete(line)} for line in lines]
    ids = [row["item_id"] for row in rows]
    await check_items(conn, ids)
    await conn.execute(
        "DELETE FROM setup_items WHERE setup_id = %(setup_id)s AND item_id <> ALL(%(ids)s::bigint[])",
        {"setup_id": setup_id, "ids": ids},
    )
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
            rows,
        )
    return await summarize(conn, setup_id)


async def check_items(conn: AsyncConnection, ids: Sequence[int]) -> None:
    """Refuse items that are named twice, or that do not exist."""
    twice = [str(item_id) for item_id, count in Counter(ids).items() if count > 1]
    if twice:
        raise InvalidInput(f"lines: item {', '.join(twice)} more than once. Give one line with the quantity.")
    cursor = await conn.execute(
        """
        SELECT wanted.id
        FROM unnest(%(ids)s::bigint[]) AS wanted (id)
        WHERE NOT EXISTS (SELECT FROM items WHERE items.id = wanted.id)
        """,
        {"ids": list(ids)},
    )
    missing = [str(row[0]) for row in await cursor.fetchall()]
    if missing:
        more = f" and {len(missing) - 20} more" if len(missing) > 20 else ""
        raise NotFound(f"No item {', '.join(missing[:20])}{more}. Call list_items to find its id.")


def complete(line: NewLine) -> dict[str, Any]:
    """Fill in what a line left out: one piece, in the pack; all pieces of a worn line are worn."""
    quantity = line.get("quantity")
    quantity = Decimal(1) if quantity is None else quantity
    classification = line.get("classification", "base")
    worn = line.get("worn_quantity")
    if worn is not None and (classification != "worn" or worn > quantity):
        raise InvalidInput("worn_quantity: only for worn lines, and at most their quantity.")
    if worn is None:
        worn = quantity if classification == "worn" else Decimal(0)
    return {
        "item_id": line["item_id"],
        "quantity": quantity,
        "classification": classification,
        "worn_quantity": worn,
    }
