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
        **whole.model_dump(include={"items", "pieces", "unweighed", "unpriced", "price_cents"}),
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
            (SELECT categories.name FROM categories WHERE categories.id = items.category_id) AS category,
            count(*) OVER () - 1 AS categories,
            count(*) AS items,
            coalesce(sum(items.quantity), 0) AS pieces,
            sum(items.weight_grams::numeric * items.quantity) AS weight_grams,
            sum(items.price_cents::numeric * items.quantity) AS price_cents,
            count(*) FILTER (WHERE items.weight_grams IS NULL) AS unweighed,
            count(*) FILTER (WHERE items.price_cents IS NULL) AS unpriced
        FROM items
        GROUP BY GROUPING SETS ((), (items.category_id))
        ORDER BY grouping(items.category_id) DESC, weight_grams DESC NULLS LAST, category
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
