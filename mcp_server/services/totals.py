"""Totals: what the whole collection weighs and is worth."""

from psycopg import AsyncConnection

from db.query import fetch_all, fetch_only
from mcp_server.models.totals import CategoryTotals, Sums, Totals


async def summarize(conn: AsyncConnection) -> Totals:
    """Return the collection's totals, and its categories by weight."""
    by_category = await fetch_all(
        conn,
        CategoryTotals,
        """
        SELECT
            categories.name AS category,
            count(*) AS items,
            sum(items.weight_grams::numeric * items.quantity) AS weight_grams,
            sum(items.price_cents * items.quantity) AS price_cents,
            count(*) FILTER (WHERE items.weight_grams IS NULL) AS unweighed
        FROM items
        LEFT JOIN categories ON categories.id = items.category_id
        GROUP BY categories.id
        ORDER BY weight_grams DESC NULLS LAST, lower(categories.name)
        """,
    )
    sums = await fetch_only(
        conn,
        Sums,
        """
        SELECT
            count(*) AS items,
            coalesce(sum(quantity), 0) AS pieces,
            coalesce(sum(weight_grams::numeric * quantity), 0) AS weight_grams,
            sum(price_cents * quantity) AS price_cents,
            count(*) FILTER (WHERE weight_grams IS NULL) AS unweighed,
            count(*) FILTER (WHERE price_cents IS NULL) AS unpriced
        FROM items
        """,
    )
    return Totals(**sums.model_dump(), by_category=by_category)
