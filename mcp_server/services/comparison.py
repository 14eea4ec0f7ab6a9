"""Comparison: what two setups differ in, and by how much."""

from collections.abc import Mapping
from typing import Any

from psycopg import AsyncConnection
from psycopg.sql import SQL

from db.query import fetch_only
from mcp_server.models.setup import Difference, LineDifference, SetupsCompared
from mcp_server.services import page, reference, setup
from mcp_server.services.setup import LINES

# Each item on two sides, and the part of their difference that is due to it. `sided` are the lines of both.
BY_ITEM = SQL("""
    SELECT
        item_id, name, weight_grams,
        max(line) FILTER (WHERE sign < 0) AS first,
        max(line) FILTER (WHERE sign > 0) AS second,
        sum(sign * grams * quantity) AS total_grams,
        coalesce(sum(sign * grams * (quantity - worn_quantity))
            FILTER (WHERE classification <> 'consumable'), 0) AS base_grams,
        sum(sign * grams * worn_quantity) AS worn_grams,
        coalesce(sum(sign * grams * quantity) FILTER (WHERE classification = 'consumable'), 0)
            AS consumable_grams,
        coalesce(sum(sign * price_cents * quantity), 0) AS price_cents
    FROM (
        SELECT
            lines.item_id, lines.name, lines.weight_grams, lines.price_cents,
            lines.quantity, lines.classification, lines.worn_quantity,
            lines.sign,
            concat_ws(
                ' ', trim_scale(lines.quantity), lines.classification,
                CASE
                    WHEN lines.classification = 'worn' AND lines.worn_quantity < lines.quantity
                    THEN '(' || trim_scale(lines.worn_quantity) || ' on the body)'
                END
            ) AS line,
            coalesce(lines.weight_grams::numeric, 0) AS grams
        FROM ({sided}) AS lines
    ) AS lines
    GROUP BY item_id, name, weight_grams
""")
# Each item of two setups.
COMPARED = BY_ITEM.format(
    sided=SQL("""
        SELECT
            sides.sign, lines.item_id, lines.name, lines.weight_grams, lines.price_cents,
            lines.quantity, lines.classification, lines.worn_quantity
        FROM (VALUES (%(first_id)s::bigint, -1), (%(second_id)s, 1)) AS sides (setup_id, sign)
        JOIN ({lines}) AS lines ON lines.setup_id = sides.setup_id
    """).format(lines=LINES)
)


async def compare(
    conn: AsyncConnection,
    first_id: str | int,
    second_id: str | int,
    limit: int = page.DEFAULT_LIMIT,
    cursor: str = "",
) -> SetupsCompared:
    """Return the totals of two setups and a page of the lines that differ, the largest difference first."""
    first_id, second_id = await reference.resolve_all(conn, "setup", (first_id, second_id))
    setups = [await setup.summarize(conn, setup_id) for setup_id in (first_id, second_id)]
    cursors = page.Cursors("compare_setups", first_id, second_id, keys=("grams", "name", "id"))
    query = SQL("""
        WITH compared AS ({compared})
        SELECT
            json_build_array(order_grams::text, order_name, item_id) AS place,
            count(*) OVER () AS remaining,
            item_id, name, weight_grams, first, second,
            total_grams, base_grams, worn_grams, consumable_grams, price_cents
        FROM compared
        CROSS JOIN LATERAL (SELECT -abs(total_grams), lower(name)) AS sorted (order_grams, order_name)
        WHERE first IS DISTINCT FROM second AND (
            %(after_id)s::bigint IS NULL
            OR (order_grams, order_name, item_id)
                > (%(after_grams)s::numeric, %(after_name)s::text, %(after_id)s::bigint)
        )
        ORDER BY order_grams, order_name, item_id
        LIMIT %(limit)s
    """).format(compared=COMPARED)
    params = {"first_id": first_id, "second_id": second_id, **cursors.read(cursor), "limit": limit + 1}
    found = await page.fetch_page(conn, LineDifference, query, params)
    sums = await add_up(conn, params)
    compared = SetupsCompared(
        setups=[each.totals() for each in setups],
        difference=Difference(**sums.model_dump(include=set(Difference.model_fields), round_trip=True)),
        same_lines=sums.same_lines,
        lines=found.rows[:limit],
        units=setups[0].units,
    )
    return page.fit(
        compared,
        "lines",
        lambda count: {
            "lines_left_out": found.remaining - count,
            "next_cursor": cursors.next(found.places, count),
        },
    )


class Sums(Difference):
    """The difference of two setups over all lines, and the number of those that do not differ."""

    same_lines: int


async def add_up(conn: AsyncConnection, params: Mapping[str, Any]) -> Sums:
    query = SQL("""
        SELECT
            coalesce(sum(total_grams), 0) AS total_grams, coalesce(sum(base_grams), 0) AS base_grams,
            coalesce(sum(worn_grams), 0) AS worn_grams,
            coalesce(sum(consumable_grams), 0) AS consumable_grams,
            coalesce(sum(price_cents), 0) AS price_cents,
            count(*) FILTER (WHERE first IS NOT DISTINCT FROM second) AS same_lines
        FROM ({compared}) AS compared
    """).format(compared=COMPARED)
    return await fetch_only(conn, Sums, query, params)
