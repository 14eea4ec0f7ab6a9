"""The sums of items: those that triggers keep, and those that are computed from the items."""

from typing import Any

from psycopg import AsyncConnection


async def kept(conn: AsyncConnection) -> list[Any]:
    cursor = await conn.execute("""
        SELECT
            category_id, sum(items), sum(pieces), sum(weight_grams), sum(price_cents), sum(unweighed),
            sum(unpriced), sum(margin_grams)
        FROM item_sums
        GROUP BY category_id
        HAVING sum(items) <> 0
        ORDER BY category_id
    """)
    return await cursor.fetchall()


async def plain(conn: AsyncConnection) -> list[Any]:
    cursor = await conn.execute("""
        SELECT
            category_id, count(*), sum(quantity), coalesce(sum(weight_grams::numeric * quantity), 0),
            coalesce(sum(price_cents::numeric * quantity), 0), count(*) - count(weight_grams),
            count(*) - count(price_cents), coalesce(sum(weight_margin_grams::numeric * quantity), 0)
        FROM items
        GROUP BY category_id
        ORDER BY category_id
    """)
    return await cursor.fetchall()
