"""The lines of a list beside the collection: which items they are, what differs, and what is new.

Lines wait in temporary tables, so that a list of any size is one statement per step.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, LiteralString

import anyio.to_thread
from psycopg import AsyncConnection
from psycopg.sql import SQL, Composed, Identifier

from db.query import fetch_all, fetch_only, fetch_value
from mcp_server.formats.line import Line, Refused
from mcp_server.formats.reader import Reader
from mcp_server.formats.text import shown
from mcp_server.models.csv import Verdict
from mcp_server.models.fields import Row

# Lines that are read at once, in a thread, while others are being sent.
BATCH = 2000
# Verdicts of a kind that are told, so that many remarks hide no refusal.
MOST_VERDICTS = 50


@dataclass
class Verdicts:
    """The first verdicts of each kind, and how many lines there are of it."""

    shown: list[Verdict] = field(default_factory=list[Verdict])
    kinds: Counter[str] = field(default_factory=Counter[str])
    left_out: int = 0
    taken: int = 0
    refused: int = 0
    skipped: int = 0

    def add(self, verdict: Verdict) -> None:
        self.kinds[verdict.verdict] += 1
        if self.kinds[verdict.verdict] <= MOST_VERDICTS:
            self.shown.append(verdict)
        else:
            self.left_out += 1

    def refuse(self, refused: Refused) -> None:
        self.skipped += refused.skipped
        self.refused += not refused.skipped
        for column, value, reason in refused.problems:
            self.add(
                Verdict(
                    line=refused.number,
                    verdict="skipped" if refused.skipped else "refused",
                    column=column or None,
                    value=value or None,
                    note=reason,
                )
            )


class Different(Row):
    """A line and the item that it is: what each says, where that is not the same."""

    number: int
    before: dict[str, Any]
    after: dict[str, Any]


class Counts(Row):
    new: int
    different: int
    unchanged: int


async def stage(conn: AsyncConnection, reader: Reader) -> Verdicts:
    """Send every line to the database, and return the verdicts on those that are not taken as they are."""
    # What PostgreSQL knows of the items may be older than the import before: it would look for each line
    # among all items, one by one.
    await conn.execute("SET LOCAL enable_nestloop = off")
    await conn.execute("DROP TABLE IF EXISTS pg_temp.listed, pg_temp.matched")
    await conn.execute("""
        CREATE TEMPORARY TABLE listed (
            number bigint, name text, category text, category_icon text, weight_grams double precision,
            price_cents bigint, pieces integer, notes text, product_url text, external_id text,
            quantity numeric, classification text, worn_quantity numeric
        ) ON COMMIT DROP
    """)
    verdicts, lines = Verdicts(), iter(reader)
    async with (
        conn.cursor() as cursor,
        cursor.copy("""
            COPY listed (
                number, name, category, category_icon, weight_grams, price_cents, pieces, notes, product_url,
                external_id, quantity, classification, worn_quantity
            )
            FROM STDIN
        """) as copy,
    ):
        while batch := await anyio.to_thread.run_sync(take, lines):
            for line in batch:
                if isinstance(line, Refused):
                    verdicts.refuse(line)
                    continue
                verdicts.taken += 1
                await copy.write_row(line[:-1])
                for column, note in line.remarks:
                    verdicts.add(Verdict(line=line.number, verdict="remark", column=column, note=note))
    for column, note in reader.remarks:
        verdicts.add(Verdict(line=reader.header_line, verdict="remark", column=column or None, note=note))
    await conn.execute("ANALYZE listed")
    return verdicts


def take(lines: Iterator[Line | Refused]) -> list[Line | Refused]:
    return list(islice(lines, BATCH))


async def refuse_repeated_ids(conn: AsyncConnection, verdicts: Verdicts) -> None:
    """Refuse lines whose external id an earlier line has, because they are about the same thing."""
    cursor = await conn.execute("""
        DELETE FROM listed
        USING (
            SELECT external_id, min(number) AS first
            FROM listed
            WHERE external_id IS NOT NULL
            GROUP BY external_id
            HAVING count(*) > 1
        ) AS repeated
        WHERE listed.external_id = repeated.external_id AND listed.number > repeated.first
        RETURNING listed.number, listed.external_id, repeated.first
    """)
    async for number, external_id, first in cursor:
        verdicts.taken -= 1
        verdicts.refused += 1
        verdicts.add(
            Verdict(
                line=number,
                verdict="refused",
                column="external_id",
                value=shown(external_id),
                note=f"line {first} has it too",
            )
        )


async def recognize(conn: AsyncConnection, setup_id: int | None, *, at_least: bool) -> None:
    """Find the item of each line, by its external id, else by name, category and weight; and what differs.

    Weights are the same if they are to the milligram, as LighterPack stores them. Of several lines that are
    alike, the second is the second item that is like them. What a list does not
    say stays; when it says *at_least*, so does a larger number of pieces. With a setup, its lines count too.
    """
    await conn.execute("""
        CREATE TEMPORARY TABLE matched (
            number bigint, item_id bigint, is_new boolean, differs boolean, name text, category_id bigint,
            weight_grams double precision, price_cents bigint, quantity integer, notes text,
            product_url text, external_id text, setup_quantity numeric, classification text,
            worn_quantity numeric
        ) ON COMMIT DROP
    """)
    await conn.execute(
        """
        WITH lines AS MATERIALIZED (
            SELECT
                listed.number, listed.name, listed.weight_grams, listed.price_cents, listed.pieces,
                listed.notes, listed.product_url, listed.external_id, listed.quantity,
                listed.classification, listed.worn_quantity, categories.id AS category_id,
                lower(listed.name) AS sort_name, by_id.id AS item_id
            FROM listed
            LEFT JOIN categories ON lower(categories.name) = lower(listed.category)
            LEFT JOIN items AS by_id ON by_id.external_id = listed.external_id
            WHERE listed.name IS NOT NULL
        ), alike AS MATERIALIZED (
            SELECT
                id, external_id, sort_name, coalesce(category_id, 0) AS category_id,
                coalesce(round(weight_grams * 1000), -1) AS milligrams,
                row_number() OVER (
                    PARTITION BY sort_name, category_id, round(weight_grams * 1000)
                    ORDER BY external_id IS NOT NULL, id
                ) AS nth
            FROM items
            WHERE sort_name IN (SELECT sort_name FROM lines WHERE item_id IS NULL)
                AND NOT EXISTS (SELECT FROM lines WHERE lines.item_id = items.id)
        ), numbered AS (
            SELECT
                number, external_id, sort_name, coalesce(category_id, 0) AS category_id,
                coalesce(round(weight_grams * 1000), -1) AS milligrams,
                row_number() OVER (
                    PARTITION BY sort_name, category_id, round(weight_grams * 1000)
                    ORDER BY external_id IS NULL, number
                ) AS nth
            FROM lines
            WHERE item_id IS NULL AND sort_name IN (SELECT sort_name FROM alike)
        ), pairs AS (
            SELECT numbered.number, alike.id
            FROM numbered
            JOIN alike USING (sort_name, category_id, milligrams, nth)
            WHERE alike.external_id IS NULL OR numbered.external_id IS NULL
        ), found AS (
            SELECT
                lines.number, lines.name, lines.weight_grams, lines.price_cents, lines.pieces, lines.notes,
                lines.product_url, lines.external_id, lines.category_id, lines.quantity,
                lines.classification, lines.worn_quantity, coalesce(lines.item_id, pairs.id) AS item_id
            FROM lines
            LEFT JOIN pairs USING (number)
        ), wanted AS (
            SELECT
                found.number, found.item_id, found.name,
                coalesce(found.category_id, items.category_id) AS category_id,
                coalesce(found.weight_grams, items.weight_grams) AS weight_grams,
                coalesce(found.price_cents, items.price_cents) AS price_cents,
                CASE
                    WHEN %(at_least)s THEN greatest(found.pieces, items.quantity)
                    ELSE coalesce(found.pieces, items.quantity, 1)
                END AS quantity,
                coalesce(found.notes, items.notes) AS notes,
                coalesce(found.product_url, items.product_url) AS product_url,
                coalesce(found.external_id, items.external_id) AS external_id,
                coalesce(found.quantity, 1) AS setup_quantity, found.classification, found.worn_quantity
            FROM found
            LEFT JOIN items ON items.id = found.item_id
        )
        INSERT INTO matched (
            number, item_id, is_new, differs, name, category_id, weight_grams, price_cents, quantity, notes,
            product_url, external_id, setup_quantity, classification, worn_quantity
        )
        SELECT
            wanted.number, coalesce(wanted.item_id, nextval('items_id_seq')), items.id IS NULL,
            items.id IS NOT NULL AND (
                wanted.name, wanted.category_id, wanted.weight_grams, wanted.price_cents, wanted.quantity,
                wanted.notes, wanted.product_url, wanted.external_id
            ) IS DISTINCT FROM (
                items.name, items.category_id, items.weight_grams, items.price_cents, items.quantity,
                items.notes, items.product_url, items.external_id
            ) OR line.id IS NOT NULL AND (
                wanted.setup_quantity, wanted.classification, wanted.worn_quantity
            ) IS DISTINCT FROM (line.quantity, line.classification, line.worn_quantity),
            wanted.name, wanted.category_id, wanted.weight_grams, wanted.price_cents, wanted.quantity,
            wanted.notes, wanted.product_url, wanted.external_id, wanted.setup_quantity,
            wanted.classification, wanted.worn_quantity
        FROM wanted
        LEFT JOIN items ON items.id = wanted.item_id
        LEFT JOIN setup_items AS line ON line.setup_id = %(setup_id)s AND line.item_id = wanted.item_id
        ORDER BY wanted.number
        """,
        {"at_least": at_least, "setup_id": setup_id},
    )
    await conn.execute("ANALYZE matched")


async def differences(conn: AsyncConnection, setup_id: int | None) -> list[Different]:
    """Return the first items that the list says something else about, with both."""
    query = SQL("""
        SELECT matched.number, {before} AS before, {after} AS after
        FROM matched
        JOIN items ON items.id = matched.item_id
        LEFT JOIN setup_items AS line ON line.setup_id = %(setup_id)s AND line.item_id = matched.item_id
        WHERE matched.differs
        ORDER BY matched.number
        LIMIT %(most)s
    """).format(
        before=fields("items", SQL("line.quantity, line.classification, line.worn_quantity")),
        after=fields("matched", SQL("matched.setup_quantity, matched.classification, matched.worn_quantity")),
    )
    return await fetch_all(conn, Different, query, {"setup_id": setup_id, "most": MOST_VERDICTS})


def fields(table: LiteralString, of_setup: SQL) -> Composed:
    """What a person knows of an item and, if it has one, of its line in the setup."""
    return SQL("""
        json_build_object(
            'name', {of}.name,
            'category', (SELECT categories.name FROM categories WHERE categories.id = {of}.category_id),
            'weight_grams', {of}.weight_grams, 'price_cents', {of}.price_cents, 'quantity', {of}.quantity,
            'notes', {of}.notes, 'product_url', {of}.product_url, 'external_id', {of}.external_id,
            'in_setup', CASE WHEN line.id IS NOT NULL THEN concat_ws(' ', {of_setup}) END
        )
    """).format(of=Identifier(table), of_setup=of_setup)


async def count(conn: AsyncConnection) -> Counts:
    """Return how many of the lines are new, how many differ, and how many are what is there already."""
    query = """
        SELECT
            count(*) FILTER (WHERE is_new) AS new,
            count(*) FILTER (WHERE differs) AS different,
            count(*) FILTER (WHERE NOT is_new AND NOT differs) AS unchanged
        FROM matched
    """
    return await fetch_only(conn, Counts, query)


async def insert(conn: AsyncConnection) -> None:
    """Create the items that are new; their ids are in the order of the list already."""
    await conn.execute("""
        INSERT INTO items (
            id, name, category_id, weight_grams, price_cents, quantity, notes, product_url, external_id
        )
        SELECT
            item_id, name, category_id, weight_grams, price_cents, quantity, notes, product_url, external_id
        FROM matched
        WHERE is_new
    """)


async def update(conn: AsyncConnection) -> None:
    """Make the items that differ as the list says."""
    await conn.execute("""
        UPDATE items
        SET
            name = matched.name, category_id = matched.category_id, weight_grams = matched.weight_grams,
            price_cents = matched.price_cents, quantity = matched.quantity, notes = matched.notes,
            product_url = matched.product_url, external_id = matched.external_id, updated_at = now()
        FROM matched
        WHERE matched.differs AND items.id = matched.item_id
    """)


async def put_in_setup(conn: AsyncConnection, setup_id: int, *, update_existing: bool) -> int:
    """Give the setup a line for each of the list's, and return how many were written."""
    cursor = await conn.execute(
        """
        INSERT INTO setup_items AS old (setup_id, item_id, quantity, classification, worn_quantity)
        SELECT %(setup_id)s, item_id, setup_quantity, classification, worn_quantity
        FROM matched
        ORDER BY number
        ON CONFLICT (user_id, setup_id, item_id) DO UPDATE
        SET
            quantity = excluded.quantity,
            classification = excluded.classification,
            worn_quantity = excluded.worn_quantity
        WHERE %(update_existing)s AND (old.quantity, old.classification, old.worn_quantity)
            IS DISTINCT FROM (excluded.quantity, excluded.classification, excluded.worn_quantity)
        """,
        {"setup_id": setup_id, "update_existing": update_existing},
    )
    return cursor.rowcount


async def not_in_list(conn: AsyncConnection, setup_id: int) -> list[str]:
    """Return the names of items that the setup has and the list has not."""
    cursor = await conn.execute(
        """
        SELECT items.name
        FROM setup_items
        JOIN items ON items.id = setup_items.item_id
        WHERE setup_items.setup_id = %(setup_id)s
            AND NOT EXISTS (SELECT FROM matched WHERE matched.item_id = setup_items.item_id)
        ORDER BY setup_items.id
        LIMIT %(most)s
        """,
        {"setup_id": setup_id, "most": MOST_VERDICTS},
    )
    return [name async for (name,) in cursor]


async def tell_other_icons(conn: AsyncConnection, verdicts: Verdicts) -> None:
    """Say of which categories the list has another icon than they have: an import makes them, and no more."""
    cursor = await conn.execute("""
        SELECT min(listed.number), listed.category_icon, categories.name, categories.icon
        FROM listed
        JOIN categories ON lower(categories.name) = lower(listed.category)
        WHERE listed.category_icon <> categories.icon
        GROUP BY listed.category_icon, categories.name, categories.icon
    """)
    async for number, listed, name, icon in cursor:
        note = f"the category {shown(name)} keeps its icon {icon}"
        verdicts.add(Verdict(line=number, verdict="remark", column="category_icon", value=listed, note=note))


async def count_marks(conn: AsyncConnection) -> int:
    """Return how many lines say what only a setup can hold: worn, used up, or a part of a piece."""
    query = """
        SELECT count(*)
        FROM listed
        WHERE classification <> 'base' OR quantity <> pieces
    """
    return await fetch_value(conn, query)


async def wanted_categories(conn: AsyncConnection) -> list[tuple[str, str | None]]:
    """Return the categories of the list in its order, each with its icon if the list gives one."""
    cursor = await conn.execute("""
        SELECT listed.category, wanted.icon
        FROM (
            SELECT min(number) AS number, max(category_icon) AS icon
            FROM listed
            WHERE category IS NOT NULL
            GROUP BY lower(category)
        ) AS wanted
        JOIN listed ON listed.number = wanted.number
        ORDER BY wanted.number
    """)
    return await cursor.fetchall()
