"""Totals: the weight and value of the whole collection."""

from typing import Any

from psycopg import AsyncConnection

from db.query import fetch_all, fetch_value
from mcp_server.models.totals import CategoryTotals, Dear, Heavy, Totals
from mcp_server.services import settings


async def summarize(conn: AsyncConnection) -> Totals:
    """Return the collection's totals, its categories by weight, and its heaviest and most expensive items."""
    by_category = await categories(conn)
    return Totals(
        **{name: added_up(by_category, name) for name in ("items", "pieces", "unweighed", "unpriced")},
        weight_grams=added_up(by_category, "weight_grams"),
        price_cents=added_up(by_category, "price_cents") if any_priced(by_category) else None,
        setups=await fetch_value(conn, "SELECT count(*) FROM setups"),
        active_threads=await fetch_value(conn, "SELECT count(*) FROM threads WHERE status = 'active'"),
        by_category=by_category,
        heaviest=tuple(await heaviest(conn)),
        dearest=tuple(await dearest(conn)),
        units=await settings.get(conn),
    )


def added_up(by_category: list[CategoryTotals], figure: str) -> Any:
    return sum(getattr(part, figure) or 0 for part in by_category)


def any_priced(by_category: list[CategoryTotals]) -> bool:
    return any(part.price_cents is not None for part in by_category)


async def categories(conn: AsyncConnection) -> list[CategoryTotals]:
    """Return the weight and value of each category, the heaviest first."""
    return await fetch_all(
        conn,
        CategoryTotals,
        """
        SELECT
            (SELECT categories.name FROM categories WHERE categories.id = items.category_id) AS category,
            count(*) AS items,
            sum(items.quantity) AS pieces,
            sum(items.weight_grams::numeric * items.quantity) AS weight_grams,
            sum(items.price_cents::numeric * items.quantity) AS price_cents,
            count(*) FILTER (WHERE items.weight_grams IS NULL) AS unweighed,
            count(*) FILTER (WHERE items.price_cents IS NULL) AS unpriced
        FROM items
        GROUP BY items.category_id
        ORDER BY weight_grams DESC NULLS LAST, category
        """,
    )


async def heaviest(conn: AsyncConnection) -> list[Heavy]:
    return await fetch_all(
        conn,
        Heavy,
        """
        SELECT id, name, weight_grams
        FROM items
        WHERE weight_grams IS NOT NULL
        ORDER BY greatest(weight_grams, -1) DESC, id DESC
        LIMIT 5
        """,
    )


async def dearest(conn: AsyncConnection) -> list[Dear]:
    return await fetch_all(
        conn,
        Dear,
        """
        SELECT id, name, price_cents
        FROM items
        WHERE price_cents IS NOT NULL
        ORDER BY greatest(price_cents, -1) DESC, id DESC
        LIMIT 5
        """,
    )
