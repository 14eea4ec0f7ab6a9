"""The lines of a list beside the collection: which items they are, what differs, and what is new.

Lines wait in temporary tables, so that each step is one statement for a list of any size.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, LiteralString

import anyio.to_thread
from psycopg import AsyncConnection
from psycopg.sql import SQL, Composable, Composed, Identifier, Literal

from db.query import fetch_all, fetch_only, fetch_value
from db.sql import names
from mcp_server.formats.line import ITEM_COLUMNS, SETUP_COLUMNS, Line, RefusedLine
from mcp_server.formats.reader import Reader
from mcp_server.formats.text import truncated
from mcp_server.models.csv import Verdict
from mcp_server.models.fields import Row
from mcp_server.services.verdicts import MOST_VERDICTS, Verdicts

# Lines that are read at once, in a thread, while others are being sent.
BATCH = 2000
# The columns of our own CSV that are columns of `items`. The others name the item's category.
STORED = tuple(name for name in ITEM_COLUMNS if not name.startswith("category"))


class Different(Row):
    """A line and the item that it is: what each says, where that is not the same."""

    number: int
    before: dict[str, Any]
    after: dict[str, Any]


class Counts(Row):
    new: int
    different: int
    unchanged: int


def of(table: LiteralString, columns: Iterable[str]) -> Composed:
    """`table.name, table.notes, …`."""
    return SQL(", ").join(Identifier(table, name) for name in columns)


# The types of a column in a list are those of the column in which it will be stored.
CREATE_LISTED = SQL("""
    CREATE TEMPORARY TABLE listed ON COMMIT DROP AS
    SELECT
        0::bigint AS number, {stored}, categories.name AS category, categories.icon AS category_icon,
        line.quantity AS setup_quantity, line.classification, line.worn_quantity
    FROM items, categories, setup_items AS line
    WITH NO DATA
""").format(stored=of("items", STORED))
CREATE_MATCHED = SQL("""
    CREATE TEMPORARY TABLE matched ON COMMIT DROP AS
    SELECT
        0::bigint AS number, items.id AS item_id, false AS is_new, false AS differs, {stored},
        items.category_id, line.quantity AS setup_quantity, line.classification, line.worn_quantity
    FROM items, setup_items AS line
    WITH NO DATA
""").format(stored=of("items", STORED))

# Every line with the category that its name means and, if an item has its external id, that item.
LINES = SQL("""
    SELECT
        listed.number, {stored}, listed.setup_quantity, listed.classification, listed.worn_quantity,
        categories.id AS category_id, lower(listed.name) AS sort_name, by_id.id AS item_id
    FROM listed
    LEFT JOIN categories ON lower(categories.name) = lower(listed.category)
    LEFT JOIN items AS by_id ON by_id.external_id = listed.external_id
    WHERE listed.name IS NOT NULL
""").format(stored=of("listed", STORED))
# The items that another line may be. Those that are alike are numbered.
ALIKE = SQL("""
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
""")
# The lines that may be one of those items, numbered in the same way.
NUMBERED = SQL("""
    SELECT
        number, external_id, sort_name, coalesce(category_id, 0) AS category_id,
        coalesce(round(weight_grams * 1000), -1) AS milligrams,
        row_number() OVER (
            PARTITION BY sort_name, category_id, round(weight_grams * 1000)
            ORDER BY external_id IS NULL, number
        ) AS nth
    FROM lines
    WHERE item_id IS NULL AND sort_name IN (SELECT sort_name FROM alike)
""")
# The second of several lines that are alike is the second item. Two external ids are two items.
PAIRS = SQL("""
    SELECT numbered.number, alike.id
    FROM numbered
    JOIN alike USING (sort_name, category_id, milligrams, nth)
    WHERE alike.external_id IS NULL OR numbered.external_id IS NULL
""")
FOUND = SQL("""
    SELECT
        {lines}, lines.number, lines.category_id, lines.setup_quantity, lines.classification,
        lines.worn_quantity, coalesce(lines.item_id, pairs.id) AS item_id
    FROM lines
    LEFT JOIN pairs USING (number)
""").format(lines=of("lines", STORED))
# The item as the list describes it. What the list does not say stays.
WANTED = SQL("""
    SELECT
        found.number, found.item_id, coalesce(found.category_id, items.category_id) AS category_id, {said},
        CASE
            WHEN %(at_least)s THEN greatest(found.quantity, items.quantity)
            ELSE coalesce(found.quantity, items.quantity, 1)
        END AS quantity,
        coalesce(found.setup_quantity, 1) AS setup_quantity, found.classification, found.worn_quantity
    FROM found
    LEFT JOIN items ON items.id = found.item_id
""").format(
    said=SQL(", ").join(
        SQL("coalesce({}, {}) AS {}").format(
            Identifier("found", name), Identifier("items", name), Identifier(name)
        )
        for name in STORED
        if name != "quantity"
    )
)
RECOGNIZE = SQL("""
    WITH lines AS MATERIALIZED ({lines}),
        alike AS MATERIALIZED ({alike}),
        numbered AS ({numbered}),
        pairs AS ({pairs}),
        found AS ({found}),
        wanted AS ({wanted})
    INSERT INTO matched (
        number, item_id, is_new, differs, {stored}, category_id, setup_quantity, classification, worn_quantity
    )
    SELECT
        wanted.number, coalesce(wanted.item_id, nextval('items_id_seq')), items.id IS NULL,
        items.id IS NOT NULL AND (wanted.category_id, {of_wanted})
            IS DISTINCT FROM (items.category_id, {of_items})
        OR line.id IS NOT NULL AND (wanted.setup_quantity, wanted.classification, wanted.worn_quantity)
            IS DISTINCT FROM (line.quantity, line.classification, line.worn_quantity),
        {of_wanted}, wanted.category_id, wanted.setup_quantity, wanted.classification, wanted.worn_quantity
    FROM wanted
    LEFT JOIN items ON items.id = wanted.item_id
    LEFT JOIN setup_items AS line ON line.setup_id = %(setup_id)s AND line.item_id = wanted.item_id
    ORDER BY wanted.number
""").format(
    lines=LINES,
    alike=ALIKE,
    numbered=NUMBERED,
    pairs=PAIRS,
    found=FOUND,
    wanted=WANTED,
    stored=names(STORED),
    of_wanted=of("wanted", STORED),
    of_items=of("items", STORED),
)


class Staging:
    """One list on its way into the collection. An import calls the methods from top to bottom."""

    def __init__(self, conn: AsyncConnection, reader: Reader) -> None:
        self._conn = conn
        self._reader = reader
        self.verdicts = Verdicts()

    async def load(self) -> None:
        """Send every line to the database, and collect the verdicts on those that need one."""
        # Statistics on items may be older than the previous import: with them, PostgreSQL would search all
        # items once for each line.
        await self._conn.execute("SET LOCAL enable_nestloop = off")
        await self._conn.execute("DROP TABLE IF EXISTS pg_temp.listed, pg_temp.matched")
        await self._conn.execute(CREATE_LISTED)
        copying = SQL("COPY listed (number, {}) FROM STDIN").format(names((*ITEM_COLUMNS, *SETUP_COLUMNS)))
        lines = iter(self._reader)
        async with self._conn.cursor() as cursor, cursor.copy(copying) as copy:
            while batch := await anyio.to_thread.run_sync(take, lines):
                for line in batch:
                    if isinstance(line, RefusedLine):
                        self.verdicts.refuse(line)
                        continue
                    self.verdicts.taken += 1
                    await copy.write_row(line[:-1])
                    for column, note in line.remarks:
                        self._remark(line.number, column, note)
        for column, note in self._reader.remarks:
            self._remark(self._reader.header_line, column, note)
        await self._conn.execute("ANALYZE listed")

    def _remark(self, line: int, column: str, note: str, value: str | None = None) -> None:
        self.verdicts.add(Verdict(line=line, verdict="remark", column=column or None, value=value, note=note))

    async def refuse_repeated_ids(self) -> None:
        """Refuse lines that have the external id of an earlier line: both are about the same thing."""
        cursor = await self._conn.execute("""
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
            self.verdicts.taken -= 1
            self.verdicts.refused += 1
            self.verdicts.add(
                Verdict(
                    line=number,
                    verdict="refused",
                    column="external_id",
                    value=truncated(external_id),
                    note=f"line {first} has it too",
                )
            )

    async def categories(self) -> list[tuple[str, str | None]]:
        """Return the categories of the list in its order, each with its icon if the list gives one."""
        cursor = await self._conn.execute("""
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

    async def note_kept_icons(self) -> None:
        """Add a remark for each category whose icon differs from that of the list: an import changes none."""
        cursor = await self._conn.execute("""
            SELECT min(listed.number), listed.category_icon, categories.name, categories.icon
            FROM listed
            JOIN categories ON lower(categories.name) = lower(listed.category)
            WHERE listed.category_icon <> categories.icon
            GROUP BY listed.category_icon, categories.name, categories.icon
        """)
        async for number, listed, name, icon in cursor:
            note = f"the category {truncated(name)} keeps its icon {icon}"
            self._remark(number, "category_icon", note, value=listed)

    async def note_lost_marks(self) -> None:
        """Add a remark if lines hold what only a setup can: worn, consumable, or a part of a piece."""
        query = "SELECT count(*) FROM listed WHERE classification <> 'base' OR setup_quantity <> quantity"
        if marked := await fetch_value(self._conn, query):
            self._remark(
                self._reader.header_line,
                "",
                f"what {marked} lines say of worn, consumable or parts is kept in a setup only: "
                "give setup_name",
            )

    async def recognize(self, setup_id: int | None) -> None:
        """Find the item of each line, by external id, else by name, category and weight; and what differs.

        Weights are equal if they are to the milligram, the precision of LighterPack. With a setup, the
        differences include those of its lines.
        """
        await self._conn.execute(CREATE_MATCHED)
        # Lists of other programs count what is packed, not what is owned.
        at_least = self._reader.is_list and self._reader.format != "gearshed"
        await self._conn.execute(RECOGNIZE, {"at_least": at_least, "setup_id": setup_id})
        await self._conn.execute("ANALYZE matched")

    async def differences(self, setup_id: int | None) -> list[Different]:
        """Return the first items of which the list says something else, with both."""
        query = SQL("""
            SELECT matched.number, {before} AS before, {after} AS after
            FROM matched
            JOIN items ON items.id = matched.item_id
            LEFT JOIN setup_items AS line ON line.setup_id = %(setup_id)s AND line.item_id = matched.item_id
            WHERE matched.differs
            ORDER BY matched.number
            LIMIT %(most)s
        """).format(
            before=described("items", SQL("line.quantity, line.classification, line.worn_quantity")),
            after=described(
                "matched", SQL("matched.setup_quantity, matched.classification, matched.worn_quantity")
            ),
        )
        params = {"setup_id": setup_id, "most": MOST_VERDICTS}
        return await fetch_all(self._conn, Different, query, params)

    async def count(self) -> Counts:
        """Return how many lines are new, how many differ, and how many are as their items."""
        query = """
            SELECT
                count(*) FILTER (WHERE is_new) AS new,
                count(*) FILTER (WHERE differs) AS different,
                count(*) FILTER (WHERE NOT is_new AND NOT differs) AS unchanged
            FROM matched
        """
        return await fetch_only(self._conn, Counts, query)

    async def insert(self) -> None:
        """Create the new items. Their ids are in the order of the list already."""
        query = SQL("""
            INSERT INTO items (id, category_id, {stored})
            SELECT item_id, category_id, {stored}
            FROM matched
            WHERE is_new
        """).format(stored=names(STORED))
        await self._conn.execute(query)

    async def update(self) -> None:
        """Change the items that differ as the list says."""
        query = SQL("""
            UPDATE items
            SET (category_id, {stored}) = ROW (matched.category_id, {matched}), updated_at = now()
            FROM matched
            WHERE matched.differs AND items.id = matched.item_id
        """).format(stored=names(STORED), matched=of("matched", STORED))
        await self._conn.execute(query)

    async def not_in_list(self, setup_id: int) -> list[str]:
        """Return the names of items that the setup has and the list does not."""
        cursor = await self._conn.execute(
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

    async def put_in_setup(self, setup_id: int, *, update_existing: bool) -> int:
        """Give the setup a line for each of the list's, and return how many were written."""
        cursor = await self._conn.execute(
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


def take(lines: Iterator[Line | RefusedLine]) -> list[Line | RefusedLine]:
    return list(islice(lines, BATCH))


def described(table: LiteralString, of_setup: SQL) -> Composed:
    """Return what a person knows of an item and, if it has one, of its line in the setup, as JSON."""
    values: dict[str, Composable] = {name: Identifier(table, name) for name in STORED}
    values["category"] = SQL(
        "(SELECT categories.name FROM categories WHERE categories.id = {}.category_id)"
    ).format(Identifier(table))
    values["in_setup"] = SQL("CASE WHEN line.id IS NOT NULL THEN concat_ws(' ', {}) END").format(of_setup)
    ordered = (*(name for name in ITEM_COLUMNS if name in values), "in_setup")
    pairs = (SQL("{}, {}").format(Literal(name), values[name]) for name in ordered)
    return SQL("json_build_object({})").format(SQL(", ").join(pairs))
