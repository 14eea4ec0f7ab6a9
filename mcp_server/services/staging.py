"""The lines of a list beside the collection: which items they are, what differs, and what is new.

Lines wait in temporary tables, so that each step is one statement for a list of any size.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any, Literal, LiteralString, NamedTuple

import anyio.to_thread
from psycopg import AsyncConnection
from psycopg.sql import SQL, Composable, Composed, Identifier
from psycopg.sql import Literal as Quoted

from db.query import fetch_all, fetch_only, fetch_value
from db.sql import names
from mcp_server.errors import quoted
from mcp_server.formats.line import ITEM_COLUMNS, SETUP_COLUMNS, Line, RefusedLine
from mcp_server.formats.reader import Reader
from mcp_server.formats.text import truncated
from mcp_server.models.csv import Verdict
from mcp_server.models.fields import Row
from mcp_server.services.recognition import STORED, filling, of, recognize
from mcp_server.services.similar import ALIKE
from mcp_server.services.verdicts import MOST_VERDICTS, Verdicts

# Lines that are read at once, in a thread, while others are being sent.
BATCH = 2000
# New items whose names are compared with those of other items.
MOST_COMPARED = 10_000
# New categories, and items that are not in the list, that a result names.
MOST_NAMES = 50


class Difference(Row):
    """A line and the item that it is: the name of the item, and what each of the two says."""

    number: int
    item: str
    before: dict[str, Any]
    after: dict[str, Any]


class Counts(Row):
    """How many lines are new items, fill in what was unknown, differ, and are as their items.

    A line can both fill in and differ.
    """

    new: int
    filled: int
    differs: int
    unchanged: int


class Missing(NamedTuple):
    """The first items of a setup that are not in a list, and how many more there are."""

    names: tuple[str, ...] = ()
    left_out: int = 0


# A column in a list has the type of the column in which it will be stored.
CREATE_LISTED = SQL("""
    CREATE TEMPORARY TABLE listed ON COMMIT DROP AS
    SELECT
        0::bigint AS number, {stored}, categories.name AS category, categories.icon AS category_icon,
        line.quantity AS setup_quantity, line.classification, line.worn_quantity
    FROM items, categories, setup_items AS line
    WITH NO DATA
""").format(stored=of("items", STORED))
CHANGES = {"filled": SQL("matched.fills"), "differs": SQL("matched.differs")}


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
        await self._conn.execute("DROP TABLE IF EXISTS pg_temp.listed")
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
                        self._remark(line.number, column, note, item=line.name)
        for column, note in self._reader.remarks:
            self._remark(self._reader.header_line, column, note)
        await self._conn.execute("ANALYZE listed")

    def _remark(
        self, line: int, column: str, note: str, *, item: str | None = None, value: str | None = None
    ) -> None:
        item = item and truncated(item)
        self.verdicts.add(
            Verdict(line=line, item=item, verdict="remark", column=column or None, value=value, note=note)
        )

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
            RETURNING listed.number, listed.name, listed.external_id, repeated.first
        """)
        async for number, name, external_id, first in cursor:
            self.verdicts.taken -= 1
            self.verdicts.refused += 1
            self.verdicts.add(
                Verdict(
                    line=number,
                    item=truncated(name),
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
            note = f"the category {quoted(name)} keeps its icon {icon}"
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
        """Find the item of each line, and what differs between the two, in the setup as well."""
        # Lists of other programs count what is packed, not what is owned.
        at_least = self._reader.is_list and self._reader.format != "gearshed"
        await recognize(self._conn, setup_id, at_least=at_least, has_trip=self._reader.has_trip)

    async def count(self) -> Counts:
        """Return how many lines are of each kind."""
        query = """
            SELECT
                count(*) FILTER (WHERE is_new) AS new,
                count(*) FILTER (WHERE fills) AS filled,
                count(*) FILTER (WHERE differs) AS differs,
                count(*) FILTER (WHERE NOT is_new AND NOT fills AND NOT differs) AS unchanged
            FROM matched
        """
        return await fetch_only(self._conn, Counts, query)

    async def differences(self, setup_id: int | None, kind: Literal["filled", "differs"]) -> list[Difference]:
        """Return the first lines that fill in or differ, each with what the item and the list say."""
        query = SQL("""
            SELECT matched.number, items.name AS item, {before} AS before, {after} AS after
            FROM matched
            JOIN items ON items.id = matched.item_id
            LEFT JOIN setup_items AS line ON line.setup_id = %(setup_id)s AND line.item_id = matched.item_id
            WHERE {kind}
            ORDER BY matched.number
            LIMIT %(most)s
        """).format(
            kind=CHANGES[kind],
            before=described("items", SQL("line.quantity, line.classification, line.worn_quantity")),
            after=described(
                "matched", SQL("matched.setup_quantity, matched.classification, matched.worn_quantity")
            ),
        )
        params = {"setup_id": setup_id, "most": MOST_VERDICTS}
        return await fetch_all(self._conn, Difference, query, params)

    async def note_similar(self) -> None:
        """Add a verdict on each new item that has almost the name of an item in the collection."""
        query = SQL("""
            WITH new AS (
                SELECT number, name, {new_key} AS key
                FROM matched
                WHERE is_new
                ORDER BY number
                LIMIT %(compared)s
            )
            SELECT DISTINCT ON (new.number) new.number, new.name, items.id, items.name
            FROM new
            JOIN items ON {item_key} = new.key
            WHERE new.key <> ''
            ORDER BY new.number, items.id
        """).format(
            new_key=ALIKE.format(name=SQL("lower(name)")), item_key=ALIKE.format(name=SQL("sort_name"))
        )
        cursor = await self._conn.execute(query, {"compared": MOST_COMPARED})
        async for number, name, item_id, similar in cursor:
            note = f"like item {item_id}, {quoted(similar)}"
            self.verdicts.add(Verdict(line=number, item=truncated(name), verdict="similar", note=note))

    async def insert(self) -> None:
        """Create the new items. Their ids are in the order of the list already."""
        query = SQL("""
            INSERT INTO items (id, category_id, {stored})
            SELECT item_id, category_id, {stored}
            FROM matched
            WHERE is_new
        """).format(stored=names(STORED))
        await self._conn.execute(query)

    async def fill(self) -> None:
        """Fill in what the collection does not know. Nothing is overwritten."""
        columns = ("category_id", *STORED)
        query = SQL("""
            UPDATE items
            SET ({columns}) = ROW ({values}), updated_at = now()
            FROM matched
            WHERE matched.fills AND items.id = matched.item_id
        """).format(
            columns=names(columns),
            values=SQL(", ").join(
                SQL("coalesce({}, {})").format(Identifier("items", name), filling("matched", name))
                for name in columns
            ),
        )
        await self._conn.execute(query)

    async def update(self) -> None:
        """Change the items that differ as the list says."""
        columns = ("category_id", *STORED)
        query = SQL("""
            UPDATE items
            SET ({columns}) = ROW ({values}), updated_at = now()
            FROM matched
            WHERE (matched.fills OR matched.differs) AND items.id = matched.item_id
        """).format(columns=names(columns), values=of("matched", columns))
        await self._conn.execute(query)

    async def not_in_list(self, setup_id: int) -> Missing:
        """Return the items that the setup has and the list does not."""
        cursor = await self._conn.execute(
            """
            SELECT items.name, count(*) OVER ()
            FROM setup_items
            JOIN items ON items.id = setup_items.item_id
            WHERE setup_items.setup_id = %(setup_id)s
                AND NOT EXISTS (
                    SELECT
                    FROM matched
                    WHERE matched.item_id = setup_items.item_id AND matched.setup_quantity IS NOT NULL
                )
            ORDER BY setup_items.id
            LIMIT %(most)s
            """,
            {"setup_id": setup_id, "most": MOST_NAMES},
        )
        found = await cursor.fetchall()
        return Missing(tuple(name for name, _ in found), found[0][1] - len(found) if found else 0)

    async def put_in_setup(self, setup_id: int, *, update_existing: bool) -> int:
        """Give the setup a line for each of the list's, and return how many were written."""
        cursor = await self._conn.execute(
            """
            INSERT INTO setup_items AS old (setup_id, item_id, quantity, classification, worn_quantity)
            SELECT %(setup_id)s, item_id, setup_quantity, classification, worn_quantity
            FROM matched
            WHERE setup_quantity IS NOT NULL
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
    pairs = (SQL("{}, {}").format(Quoted(name), values[name]) for name in ordered)
    return SQL("json_build_object({})").format(SQL(", ").join(pairs))
