"""Setups: packing lists, and their total, worn and pack weight."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, get_args

from psycopg import AsyncConnection
from psycopg.sql import SQL, Composable

from db.query import fetch_one, fetch_only, fetch_value
from db.sql import rendered
from mcp_server.errors import InvalidInput, no_such
from mcp_server.models.answer import MOST_ROWS
from mcp_server.models.fields import Row
from mcp_server.models.setup import (
    CategoryShare,
    Difference,
    LineSort,
    NewLine,
    Part,
    SetupChanges,
    SetupCreated,
    SetupDeleted,
    SetupItemsSet,
    SetupLine,
    SetupList,
    SetupShown,
    SetupSummary,
    SetupTotals,
)
from mcp_server.services import line, page, reference, search, settings, similar
from mcp_server.services.settings import UNITS

MOST_NAMES = 10
UNCHANGED = "Nothing was changed: lines, change and remove are empty."

# How many lines of a kind have an unknown weight, and how many have a margin.
UNKNOWN = SQL("count(lines.item_id) FILTER (WHERE lines.weight_grams IS NULL AND {kind})")
INEXACT = SQL("count(lines.item_id) FILTER (WHERE lines.weight_margin_grams IS NOT NULL AND {kind})")
IN_BASE = SQL("lines.classification <> 'consumable' AND lines.quantity > lines.worn_quantity")
# Sums over `lines` of setups. With numeric instead of floating point, the parts add up exactly.
TOTALS = rendered(
    SQL("""
    count(lines.item_id) AS items,
    coalesce(sum(lines.weight_grams::numeric * lines.quantity), 0) AS total_grams,
    coalesce(sum(lines.weight_grams::numeric * (lines.quantity - lines.worn_quantity))
        FILTER (WHERE lines.classification <> 'consumable'), 0) AS base_grams,
    coalesce(sum(lines.weight_grams::numeric * lines.worn_quantity), 0) AS worn_grams,
    coalesce(sum(lines.weight_grams::numeric * lines.quantity)
        FILTER (WHERE lines.classification = 'consumable'), 0) AS consumable_grams,
    coalesce(sum(lines.weight_grams::numeric * (lines.quantity - lines.worn_quantity)), 0) AS pack_grams,
    CASE WHEN {inexact} > 0 THEN coalesce(
        sum((lines.weight_grams::numeric - {margin}) * lines.quantity), 0
    ) END AS at_least_grams,
    CASE WHEN {inexact} > 0 AND {unknown} = 0 THEN
        sum((lines.weight_grams::numeric + {margin}) * lines.quantity)
    END AS at_most_grams,
    CASE WHEN {inexact_base} > 0 THEN coalesce(
        sum((lines.weight_grams::numeric - {margin}) * (lines.quantity - lines.worn_quantity))
            FILTER (WHERE lines.classification <> 'consumable'), 0
    ) END AS base_at_least_grams,
    CASE WHEN {inexact_base} > 0 AND {unknown_base} = 0 THEN
        sum((lines.weight_grams::numeric + {margin}) * (lines.quantity - lines.worn_quantity))
            FILTER (WHERE lines.classification <> 'consumable')
    END AS base_at_most_grams,
    sum(lines.price_cents * lines.quantity) AS price_cents,
    count(lines.item_id) FILTER (WHERE lines.weight_grams IS NULL) AS unweighed,
    count(lines.item_id) FILTER (WHERE lines.price_cents IS NULL) AS unpriced
""").format(
        margin=SQL("coalesce(lines.weight_margin_grams::numeric, 0)"),
        inexact=INEXACT.format(kind=SQL("true")),
        inexact_base=INEXACT.format(kind=IN_BASE),
        unknown=UNKNOWN.format(kind=SQL("true")),
        unknown_base=UNKNOWN.format(kind=IN_BASE),
    )
)

# All lines of all setups, with their items.
LINES = SQL("""
    SELECT
        setup_items.id, setup_items.setup_id, setup_items.item_id, setup_items.quantity,
        setup_items.classification, setup_items.worn_quantity,
        items.name, items.category_id, items.weight_grams, items.weight_margin_grams, items.price_cents
    FROM setup_items
    JOIN items ON items.id = setup_items.item_id
""")

# Keys by which lines are sorted, ascending, and their types: unknown weights and prices are last.
LINE_WEIGHT = SQL("lines.weight_grams::numeric * lines.quantity")
LINE_PRICE = SQL("lines.price_cents * lines.quantity")
LINE_ORDERS: dict[LineSort, tuple[Composable, SQL]] = {
    "added": (SQL("0::bigint"), SQL("bigint")),
    "name": (SQL("lower(lines.name)"), SQL("text")),
    "weight": (SQL("coalesce({}, 'Infinity')").format(LINE_WEIGHT), SQL("numeric")),
    "-weight": (SQL("coalesce(-({}), 'Infinity')").format(LINE_WEIGHT), SQL("numeric")),
    "price": (SQL("coalesce({}, 'Infinity')").format(LINE_PRICE), SQL("numeric")),
    "-price": (SQL("coalesce(-({}), 'Infinity')").format(LINE_PRICE), SQL("numeric")),
}

# Whether a setup contains an item, if one is given.
WITH_ITEM = SQL("""
    (%(item_id)s::bigint IS NULL OR EXISTS (
        SELECT FROM setup_items WHERE setup_items.setup_id = setups.id AND setup_items.item_id = %(item_id)s
    ))
""")


async def list_all(
    conn: AsyncConnection,
    item_id: str | int | None = None,
    *,
    query: str = "",
    limit: int = page.DEFAULT_LIMIT,
    cursor: str = "",
) -> SetupList:
    """Return a page of setups by name, with their totals: of all, or of those with an item or these words."""
    if item_id is not None:
        item_id = await reference.resolve(conn, "item", item_id)
    wanted = search.read_query(query)
    matches = SQL("{} AND {}").format(WITH_ITEM, search.in_name(wanted, SQL("setups.name")))
    cursors = page.Cursors("list_setups", item_id, query, keys=("name", "id"))
    statement = SQL("""
        SELECT
            setups.id, setups.name, {totals}, json_build_array(lower(setups.name), setups.id) AS place
        FROM (
            SELECT setups.id, setups.name
            FROM setups
            WHERE {matches} AND (
                %(after_id)s::bigint IS NULL
                OR (lower(setups.name), setups.id) > (%(after_name)s::text, %(after_id)s::bigint)
            )
            ORDER BY lower(setups.name), setups.id
            LIMIT %(limit)s
        ) AS setups
        LEFT JOIN ({lines}) AS lines ON lines.setup_id = setups.id
        GROUP BY setups.id, setups.name
        ORDER BY lower(setups.name), setups.id
    """).format(matches=matches, totals=TOTALS, lines=LINES)
    params = {**wanted.params(), **cursors.read(cursor), "item_id": item_id, "limit": limit + 1}
    found = await page.fetch_page(conn, SetupTotals, statement, params)
    count = SQL("SELECT count(*) FROM setups WHERE {matches}").format(matches=matches)
    setups = SetupList(
        total=await fetch_value(conn, count, params),
        setups=found.rows[:limit],
        units=await settings.get(conn),
    )
    return page.fit(setups, "setups", lambda shown: {"next_cursor": cursors.next(found.places, shown)})


async def resolve(conn: AsyncConnection, setup: str | int) -> int:
    """Return the id of a setup, given its id or name. Raise NotFound if it does not exist."""
    return await reference.existing(conn, "setup", setup)


async def get(
    conn: AsyncConnection,
    setup_id: str | int,
    parts: Collection[Part] = (),
    *,
    sort: LineSort = "added",
    limit: int = page.DEFAULT_LIMIT,
    cursor: str = "",
) -> SetupShown:
    """Return a setup: its totals, its weight by category, and a page of its lines; or only some *parts*.

    The whole setup also names the first items of unknown weight and price.
    """
    setup_id = await reference.resolve(conn, "setup", setup_id)
    summary = await summarize(conn, setup_id)
    fields: dict[str, Any] = {"id": summary.id, "name": summary.name, "units": summary.units}
    if not parts:
        parts = get_args(Part)
        missing = await name_unknown(conn, setup_id)
        fields |= {
            "unweighed_items": named(missing.unweighed_items, summary.unweighed),
            "unpriced_items": named(missing.unpriced_items, summary.unpriced),
        }
    if "totals" in parts:
        fields |= dict(summary)
    if "categories" in parts:
        shares = await share(conn, setup_id)
        left_out = shares.remaining - len(shares.rows)
        fields |= {"categories_left_out": left_out, "by_category": shares.rows}
    if "lines" not in parts:
        return SetupShown(**fields)
    cursors = page.Cursors("get_setup", setup_id, sort, keys=("key", "id"))
    found = await find_lines(conn, setup_id, sort, limit, cursors.read(cursor))
    return page.fit(
        SetupShown(**fields, lines=found.rows[:limit]),
        "lines",
        lambda count: {
            "lines_left_out": found.remaining - count,
            "next_cursor": cursors.next(found.places, count),
        },
    )


async def find_lines(
    conn: AsyncConnection, setup_id: int, sort: LineSort, limit: int, after: Mapping[str, Any]
) -> page.Found[SetupLine]:
    """Return a page of a setup's lines. Lines of equal key are in the order of their creation."""
    key, type_ = LINE_ORDERS[sort]
    query = SQL("""
        SELECT
            json_build_array({key}::text, lines.id) AS place, count(*) OVER () AS remaining,
            lines.item_id, lines.name, categories.name AS category, lines.classification, lines.quantity,
            CASE
                WHEN lines.classification = 'worn' AND lines.worn_quantity < lines.quantity
                THEN lines.worn_quantity
            END AS worn_quantity,
            lines.weight_grams, lines.weight_margin_grams, lines.price_cents,
            CASE WHEN lines.quantity <> 1 THEN lines.weight_grams::numeric * lines.quantity END AS line_grams
        FROM ({lines}) AS lines
        LEFT JOIN categories ON categories.id = lines.category_id
        WHERE lines.setup_id = %(setup_id)s AND (
            %(after_id)s::bigint IS NULL OR ({key}, lines.id) > (%(after_key)s::{type}, %(after_id)s::bigint)
        )
        ORDER BY {key}, lines.id
        LIMIT %(limit)s
    """).format(lines=LINES, key=key, type=type_)
    return await page.fetch_page(conn, SetupLine, query, {"setup_id": setup_id, **after, "limit": limit + 1})


class Unknown(Row):
    """The first items of a setup whose weight, and those whose price, is unknown."""

    unweighed_items: tuple[str, ...]
    unpriced_items: tuple[str, ...]


async def name_unknown(conn: AsyncConnection, setup_id: int) -> Unknown:
    query = SQL("""
        WITH lines AS (SELECT id, name, weight_grams, price_cents FROM ({lines}) AS lines WHERE {in_setup})
        SELECT
            array(
                SELECT name FROM lines WHERE weight_grams IS NULL ORDER BY id LIMIT %(most)s
            ) AS unweighed_items,
            array(
                SELECT name FROM lines WHERE price_cents IS NULL ORDER BY id LIMIT %(most)s
            ) AS unpriced_items
    """).format(lines=LINES, in_setup=SQL("setup_id = %(setup_id)s"))
    return await fetch_only(conn, Unknown, query, {"setup_id": setup_id, "most": MOST_NAMES})


def named(first: Sequence[str], count: int) -> tuple[str, ...]:
    """Return the first names, and how many more there are."""
    more = (f"and {count - MOST_NAMES} more",) if count > MOST_NAMES else ()
    return (*first, *more)


async def summarize(conn: AsyncConnection, setup_id: int) -> SetupSummary:
    """Return the totals of a setup."""
    query = SQL("""
        SELECT setups.id, setups.name, {totals}, {units}
        FROM setups
        LEFT JOIN ({lines}) AS lines ON lines.setup_id = setups.id
        WHERE setups.id = %(setup_id)s
        GROUP BY setups.id
    """).format(totals=TOTALS, units=UNITS, lines=LINES)
    found = await fetch_one(conn, SetupSummary, query, {"setup_id": setup_id})
    if found is None:
        raise no_such("setup", setup_id)
    return found


async def share(conn: AsyncConnection, setup_id: int) -> page.Found[CategoryShare]:
    """Return the weight of the first categories in a setup, in the order of their first lines."""
    query = SQL("""
        SELECT
            json_build_array(min(lines.id)) AS place, count(*) OVER () AS remaining,
            categories.name AS category,
            count(*) AS items,
            sum(lines.weight_grams::numeric * lines.quantity) AS weight_grams,
            count(*) FILTER (WHERE lines.weight_grams IS NULL) AS unweighed,
            round(
                100 * sum(lines.weight_grams::numeric * lines.quantity)
                / nullif(sum(sum(lines.weight_grams::numeric * lines.quantity)) OVER (), 0), 1
            ) AS share
        FROM ({lines}) AS lines
        LEFT JOIN categories ON categories.id = lines.category_id
        WHERE lines.setup_id = %(setup_id)s
        GROUP BY categories.id
        ORDER BY min(lines.id)
        LIMIT %(most)s
    """).format(lines=LINES)
    params = {"setup_id": setup_id, "most": MOST_ROWS}
    return await page.fetch_page(conn, CategoryShare, query, params)


async def create(conn: AsyncConnection, name: str, lines: Sequence[NewLine]) -> SetupCreated:
    """Create a setup with *lines*. Return its totals."""
    same_name = await similar.named(conn, "setup", name)
    setup_id = await fetch_value(
        conn, "INSERT INTO setups (name) VALUES (%(name)s) RETURNING id", {"name": name}
    )
    await line.replace(conn, setup_id, lines)
    return SetupCreated(**dict(await summarize(conn, setup_id)), same_name=same_name)


async def copy(conn: AsyncConnection, setup_id: str | int, name: str) -> SetupCreated:
    """Create a setup with the same lines as another one. Return its totals."""
    setup_id = await reference.resolve(conn, "setup", setup_id)
    same_name = await similar.named(conn, "setup", name)
    copy_id = await fetch_value(
        conn,
        """
        INSERT INTO setups (name)
        SELECT %(name)s FROM setups WHERE id = %(setup_id)s
        RETURNING id
        """,
        {"name": name, "setup_id": setup_id},
    )
    if copy_id is None:
        raise no_such("setup", setup_id)
    await conn.execute(
        """
        INSERT INTO setup_items (setup_id, item_id, quantity, classification, worn_quantity)
        SELECT %(copy_id)s, item_id, quantity, classification, worn_quantity
        FROM setup_items
        WHERE setup_id = %(setup_id)s
        ORDER BY id
        """,
        {"copy_id": copy_id, "setup_id": setup_id},
    )
    return SetupCreated(**dict(await summarize(conn, copy_id)), same_name=same_name)


async def update(conn: AsyncConnection, setup_id: str | int, changes: SetupChanges) -> SetupSummary:
    """Apply *changes*. Return the setup's totals."""
    setup_id = await reference.resolve(conn, "setup", setup_id)
    await touch(conn, setup_id)
    if "name" in changes:
        await conn.execute(
            "UPDATE setups SET name = %(name)s WHERE id = %(setup_id)s", {**changes, "setup_id": setup_id}
        )
    return await summarize(conn, setup_id)


async def delete(conn: AsyncConnection, setup_id: str | int) -> SetupDeleted:
    """Delete a setup and its lines."""
    setup_id = await reference.resolve(conn, "setup", setup_id)
    deleted = await fetch_one(
        conn,
        SetupDeleted,
        """
        DELETE FROM setups
        WHERE id = %(setup_id)s
        RETURNING
            name AS deleted,
            (SELECT count(*) FROM setup_items WHERE setup_items.setup_id = setups.id) AS lines
        """,
        {"setup_id": setup_id},
    )
    if deleted is None:
        raise no_such("setup", setup_id)
    return deleted


async def set_items(
    conn: AsyncConnection,
    setup_id: str | int,
    lines: Sequence[NewLine] | None = None,
    *,
    change: Sequence[NewLine] | None = None,
    remove: Sequence[str | int] | None = None,
) -> SetupItemsSet:
    """Replace all lines of a setup with *lines*, or change and remove some. Return its totals.

    Some clients send an empty list for each omitted argument, so an empty list never removes lines.
    """
    setup_id = await reference.resolve(conn, "setup", setup_id)
    given = [each for each in (lines, change, remove) if each is not None]
    if not given or (lines and (change or remove)):
        raise InvalidInput("Give either lines (the whole list) or change and remove.")
    if not any(given):
        if len(given) == 1 and lines is not None:
            raise InvalidInput(
                "lines: is empty. To empty the setup, call get_setup and give all its item_ids in remove."
            )
        return SetupItemsSet(**dict(await summarize(conn, setup_id)), hint=UNCHANGED)
    before = await summarize(conn, setup_id)
    await touch(conn, setup_id)
    if lines:
        await line.replace(conn, setup_id, lines)
    else:
        await line.change(conn, setup_id, change or (), remove or ())
    after = await summarize(conn, setup_id)
    return SetupItemsSet(**dict(after), difference=difference(before, after))


def difference(before: SetupTotals, after: SetupTotals) -> Difference | None:
    """Return how the totals of a setup changed, or None if they did not."""
    changes: dict[str, Any] = {
        name: (getattr(after, name) or 0) - (getattr(before, name) or 0) for name in Difference.model_fields
    }
    found = Difference(**changes)
    return None if found == Difference() else found


async def touch(conn: AsyncConnection, setup_id: int) -> None:
    """Update a setup's `updated_at`. This also locks the setup."""
    touched = await conn.execute(
        "UPDATE setups SET updated_at = now() WHERE id = %(setup_id)s", {"setup_id": setup_id}
    )
    if touched.rowcount == 0:
        raise no_such("setup", setup_id)
