"""Which item each line of a list is, and what the two say of it.

The lines wait in the temporary table `listed`; what is found here goes into `matched`, a row for each line.
"""

from collections.abc import Iterable
from typing import LiteralString

from psycopg import AsyncConnection
from psycopg.sql import SQL, Composable, Composed, Identifier

from db.sql import names
from mcp_server.formats.line import ITEM_COLUMNS
from mcp_server.models.weight import OF_WEIGHT

# The columns of our own CSV that are columns of `items`. The others name the item's category.
STORED = tuple(name for name in ITEM_COLUMNS if not name.startswith("category"))


def of(table: LiteralString, columns: Iterable[str]) -> Composed:
    """`table.name, table.notes, …`."""
    return SQL(", ").join(Identifier(table, name) for name in columns)


def filling(table: LiteralString, name: str) -> Composable:
    """Return what a line fills in. Nothing is filled in beside another weight, or one from another source."""
    value = Identifier(table, name)
    if name not in OF_WEIGHT:
        return value
    return SQL("""
        CASE WHEN items.weight_grams IS NULL OR (
            items.weight_grams = {weight} AND coalesce(items.weight_source = {source}, true)
        ) THEN {value} END
    """).format(
        value=value, weight=Identifier(table, "weight_grams"), source=Identifier(table, "weight_source")
    )


# The items of lines that have been recognized.
CREATE_PAIRS = """
    CREATE TEMPORARY TABLE pairs ON COMMIT DROP AS
    SELECT listed.number, items.id AS item_id
    FROM listed
    JOIN items ON items.external_id = listed.external_id
    WHERE listed.name IS NOT NULL
"""
# The other lines, and the items that they may be. Weights are compared to the milligram, the precision of
# LighterPack; 0 and -1 stand for no category and no weight.
CREATE_LINES = """
    CREATE TEMPORARY TABLE unpaired_lines ON COMMIT DROP AS
    SELECT
        listed.number, listed.external_id, lower(listed.name) AS sort_name,
        coalesce(categories.id, 0) AS category_id,
        coalesce(round(listed.weight_grams * 1000), -1) AS milligrams
    FROM listed
    LEFT JOIN categories ON lower(categories.name) = lower(listed.category)
    WHERE listed.name IS NOT NULL AND NOT EXISTS (SELECT FROM pairs WHERE pairs.number = listed.number)
"""
CREATE_ITEMS = """
    CREATE TEMPORARY TABLE unpaired_items ON COMMIT DROP AS
    SELECT
        id, external_id, sort_name, coalesce(category_id, 0) AS category_id,
        coalesce(round(weight_grams * 1000), -1) AS milligrams, false AS in_setup
    FROM items
    WHERE sort_name IN (SELECT sort_name FROM unpaired_lines)
        AND NOT EXISTS (SELECT FROM pairs WHERE pairs.item_id = items.id)
"""
MARK_ITEMS = """
    UPDATE unpaired_items
    SET in_setup = true
    FROM setup_items
    WHERE setup_items.setup_id = %(setup_id)s AND setup_items.item_id = unpaired_items.id
"""
# What makes a line an item, the strongest evidence first.
NAME_CATEGORY_WEIGHT = ("sort_name", "category_id", "milligrams")
NAME_CATEGORY = ("sort_name", "category_id")
# Two external ids are two items. Lines with an id come first, because fewer items are left for them.
LINES_WITH_ID, ITEMS_WITHOUT_ID = SQL("external_id IS NOT NULL"), SQL("external_id IS NULL")
OTHER_LINES, ALL_ITEMS = SQL("external_id IS NULL"), SQL("true")
# Of several lines and items that are alike, the first line is the first item. Items of the setup come first.
PAIR_IN_ORDER = SQL("""
    INSERT INTO pairs (number, item_id)
    SELECT lines.number, items.id
    FROM (
        SELECT number, {keys}, row_number() OVER (PARTITION BY {keys} ORDER BY number) AS nth
        FROM unpaired_lines
        WHERE {line} AND NOT EXISTS (SELECT FROM pairs WHERE pairs.number = unpaired_lines.number)
    ) AS lines
    JOIN (
        SELECT id, {keys}, row_number() OVER (PARTITION BY {keys} ORDER BY in_setup DESC, id) AS nth
        FROM unpaired_items
        WHERE {item} AND NOT EXISTS (SELECT FROM pairs WHERE pairs.item_id = unpaired_items.id)
    ) AS items USING ({keys}, nth)
""")
# A name that one line and one item have, whatever their categories.
PAIR_SOLE_NAMES = """
    INSERT INTO pairs (number, item_id)
    SELECT lines.number, unpaired_items.id
    FROM unpaired_lines AS lines
    JOIN unpaired_items USING (sort_name)
    WHERE NOT EXISTS (SELECT FROM pairs WHERE pairs.number = lines.number)
        AND NOT EXISTS (SELECT FROM pairs WHERE pairs.item_id = unpaired_items.id)
        AND (lines.external_id IS NULL OR unpaired_items.external_id IS NULL)
        AND sort_name IN (
            SELECT lower(name) FROM listed WHERE name IS NOT NULL GROUP BY lower(name) HAVING count(*) = 1
        )
        AND sort_name IN (
            SELECT sort_name
            FROM items
            WHERE sort_name IN (SELECT sort_name FROM unpaired_lines)
            GROUP BY sort_name
            HAVING count(*) = 1
        )
"""

CREATE_MATCHED = SQL("""
    CREATE TEMPORARY TABLE matched ON COMMIT DROP AS
    SELECT
        0::bigint AS number, items.id AS item_id, false AS is_new, false AS fills, false AS differs, {stored},
        items.category_id, line.quantity AS setup_quantity, line.classification, line.worn_quantity
    FROM items, setup_items AS line
    WITH NO DATA
""").format(stored=of("items", STORED))
LISTED = SQL("coalesce({listed}, {stored}) AS {name}")
LISTED_OF_WEIGHT = SQL("""
    CASE
        WHEN listed.weight_grams IS NULL OR listed.weight_grams = items.weight_grams
        THEN coalesce({listed}, {stored})
        ELSE {listed}
    END AS {name}
""")
# Each line with its item, if it has one, as the list describes it. What the list does not say stays.
WANTED = SQL("""
    SELECT
        listed.number, items.id AS item_id, {listed},
        coalesce(categories.id, items.category_id) AS category_id,
        CASE
            WHEN %(at_least)s THEN greatest(listed.quantity, items.quantity)
            ELSE coalesce(listed.quantity, items.quantity, 1)
        END AS quantity,
        coalesce(listed.setup_quantity, %(unpacked)s::numeric) AS setup_quantity,
        listed.classification, listed.worn_quantity
    FROM listed
    LEFT JOIN categories ON lower(categories.name) = lower(listed.category)
    LEFT JOIN pairs ON pairs.number = listed.number
    LEFT JOIN items ON items.id = pairs.item_id
    WHERE listed.name IS NOT NULL
""").format(
    listed=SQL(", ").join(
        (LISTED_OF_WEIGHT if name in OF_WEIGHT else LISTED).format(
            listed=Identifier("listed", name), stored=Identifier("items", name), name=Identifier(name)
        )
        for name in STORED
        if name != "quantity"
    )
)
COMPARED = (*STORED, "category_id")
# Whether the list says what the collection does not know, and whether the two say different things.
FILLS = SQL(" OR ").join(
    SQL("{} IS NULL AND {} IS NOT NULL").format(Identifier("items", name), filling("wanted", name))
    for name in COMPARED
)
DIFFERS = SQL(" OR ").join(
    SQL("{} <> {}").format(Identifier("items", name), Identifier("wanted", name)) for name in COMPARED
)
COMPARE = SQL("""
    INSERT INTO matched (
        number, item_id, is_new, fills, differs, {stored}, category_id, setup_quantity, classification,
        worn_quantity
    )
    SELECT
        wanted.number, coalesce(wanted.item_id, nextval('items_id_seq')), items.id IS NULL,
        items.id IS NOT NULL AND ({fills}),
        items.id IS NOT NULL AND coalesce({differs}, false)
            OR line.id IS NOT NULL AND wanted.setup_quantity IS NOT NULL
                AND (wanted.setup_quantity, wanted.classification, wanted.worn_quantity)
                IS DISTINCT FROM (line.quantity, line.classification, line.worn_quantity),
        {wanted_stored}, wanted.category_id, wanted.setup_quantity, wanted.classification,
        wanted.worn_quantity
    FROM ({wanted}) AS wanted
    LEFT JOIN items ON items.id = wanted.item_id
    LEFT JOIN setup_items AS line ON line.setup_id = %(setup_id)s AND line.item_id = wanted.item_id
    ORDER BY wanted.number
""").format(
    stored=names(STORED), fills=FILLS, differs=DIFFERS, wanted_stored=of("wanted", STORED), wanted=WANTED
)


async def recognize(
    conn: AsyncConnection, setup_id: int | None, *, at_least: bool, has_trip: bool = False
) -> None:
    """Find the item of each line, and what differs; with a setup, between their lines in it as well.

    An item is known by its external id, else by name and category, else by a name that is unique. Of several
    alike, those of equal weight are paired first, and the rest in order. Other lines are new items. With
    *at_least*, the quantity of the list is a lower limit. With *has_trip*, lines without a quantity in the
    setup are not in it.
    """
    await conn.execute("DROP TABLE IF EXISTS pg_temp.pairs, pg_temp.unpaired_lines, pg_temp.unpaired_items")
    await conn.execute("DROP TABLE IF EXISTS pg_temp.matched")
    await conn.execute(CREATE_PAIRS)
    lines = (await conn.execute(CREATE_LINES)).rowcount
    items = (await conn.execute(CREATE_ITEMS)).rowcount
    await pair(conn, setup_id, min(lines, items))
    await conn.execute("ANALYZE pairs")
    await conn.execute(CREATE_MATCHED)
    unpacked = None if has_trip else 1
    await conn.execute(COMPARE, {"at_least": at_least, "setup_id": setup_id, "unpacked": unpacked})
    await conn.execute("ANALYZE matched")


async def pair(conn: AsyncConnection, setup_id: int | None, left: int) -> None:
    """Pair lines with items by what they are called and weigh, while there may be pairs *left*."""
    if left:
        await conn.execute(MARK_ITEMS, {"setup_id": setup_id})
        await conn.execute("ANALYZE unpaired_lines, unpaired_items")
    for keys in (NAME_CATEGORY_WEIGHT, NAME_CATEGORY):
        for line, item in ((LINES_WITH_ID, ITEMS_WITHOUT_ID), (OTHER_LINES, ALL_ITEMS)):
            if left:
                await conn.execute("ANALYZE pairs")
                paired = await conn.execute(PAIR_IN_ORDER.format(keys=names(keys), line=line, item=item))
                left -= paired.rowcount
    if left:
        await conn.execute("ANALYZE pairs")
        await conn.execute(PAIR_SOLE_NAMES)
