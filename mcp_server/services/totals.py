"""Totals: the weight and value of the whole collection."""

from decimal import Decimal

from psycopg import AsyncConnection

from db.query import fetch_all, fetch_value
from mcp_server.models.answer import MOST_ROWS
from mcp_server.models.totals import CategoryTotals, Dear, Heavy, Totals
from mcp_server.services import page, settings


async def summarize(conn: AsyncConnection) -> Totals:
    """Return the collection's totals, its categories by weight, and its heaviest and most expensive items."""
    whole, *by_category = await categories(conn)
    totals = Totals(
        **whole.model_dump(exclude={"category", "categories", "weight_grams", "weight"}),
        weight_grams=whole.weight_grams or Decimal(0),
        setups=await fetch_value(conn, "SELECT count(*) FROM setups"),
        active_threads=await fetch_value(conn, "SELECT count(*) FROM threads WHERE status = 'active'"),
        by_category=[
            CategoryTotals(**part.model_dump(exclude={"categories"}, round_trip=True)) for part in by_category
        ],
        heaviest=tuple(await heaviest(conn)),
        dearest=tuple(await dearest(conn)),
        units=await settings.get(conn),
    )
    return page.fit(totals, "by_category", lambda shown: {"categories_left_out": whole.categories - shown})


class Part(CategoryTotals):
    """The totals of a category or, in the first row, of the whole collection and its number of categories."""

    categories: int


async def categories(conn: AsyncConnection) -> list[Part]:
    """Return the totals of the collection, then the weight and value of each category, the heaviest first."""
    return await fetch_all(
        conn,
        Part,
        """
        SELECT
            (SELECT categories.name FROM categories WHERE categories.id = item_sums.category_id) AS category,
            count(*) OVER () - 1 AS categories,
            coalesce(sum(items), 0)::bigint AS items,
            coalesce(sum(pieces), 0)::bigint AS pieces,
            CASE WHEN sum(items) > sum(unweighed) THEN trim_scale(sum(weight_grams)) END AS weight_grams,
            CASE WHEN sum(margin_grams) > 0
                THEN trim_scale(sum(weight_grams) - sum(margin_grams)) END AS at_least_grams,
            CASE WHEN sum(margin_grams) > 0 AND sum(unweighed) = 0
                THEN trim_scale(sum(weight_grams) + sum(margin_grams)) END AS at_most_grams,
            CASE WHEN sum(items) > sum(unpriced) THEN sum(price_cents) END AS price_cents,
            coalesce(sum(unweighed), 0)::bigint AS unweighed,
            coalesce(sum(unpriced), 0)::bigint AS unpriced
        FROM item_sums
        GROUP BY GROUPING SETS ((), (category_id))
        HAVING grouping(category_id) = 1 OR sum(items) > 0
        ORDER BY grouping(category_id) DESC, weight_grams DESC NULLS LAST, category
        LIMIT %(most)s
        """,
        {"most": MOST_ROWS + 1},
    )


async def heaviest(conn: AsyncConnection) -> list[Heavy]:
    """Return the heaviest items. As in a list, an unknown weight is infinite in the index."""
    return await fetch_all(
        conn,
        Heavy,
        """
        SELECT id, name, weight_grams
        FROM items
        WHERE least(weight_grams, 'Infinity') < 'Infinity'
        ORDER BY least(weight_grams, 'Infinity') DESC, id DESC
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
        WHERE least(price_cents, 9223372036854775807) < 9223372036854775807
        ORDER BY least(price_cents, 9223372036854775807) DESC, id DESC
        LIMIT 5
        """,
    )
