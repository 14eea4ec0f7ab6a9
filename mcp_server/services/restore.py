"""Restoring rows: what must be written is planned first, then written, then compared with the plan.

Each step is one statement for each table, however many rows there are. The plan is a temporary table.

Only fields that a change set are restored, so later changes of other fields do not keep it from being undone.
`updated_at` is restored with them unless a later change has set it; it never blocks.
"""

from collections.abc import Sequence

from psycopg import AsyncConnection
from psycopg.sql import SQL, Composed, Identifier

from db.collection import COLLECTION
from db.query import fetch_all, fetch_value
from db.sql import names
from mcp_server.models.fields import Row
from mcp_server.services.change import NET, current

# The order in which rows can be written: each table after those that its rows belong to.
ORDER = list(COLLECTION)


class Blocked(Row):
    """A row that is no longer as a change left it, and the fields that differ; None for the whole row."""

    table_name: str
    row_id: int
    name: str | None
    change_id: int
    seq: int
    fields: frozenset[str] | None

    @property
    def place(self) -> tuple[str, int]:
        return self.table_name, self.row_id


# What undoing the changes does: the present state of each row, and the one that it gets. NULL stands for a
# row that does not exist.
CREATE_PLAN = """
    CREATE TEMPORARY TABLE plan (
        table_name text, row_id bigint, name text, change_id bigint, seq bigint,
        now jsonb, "then" jsonb, blocked boolean, fields text[],
        PRIMARY KEY (table_name, row_id)
    ) ON COMMIT DROP
"""
# The effects of changes on each row of one table, newest first.
EFFECTS = SQL("""
    SELECT
        row_id,
        array_agg(change_id ORDER BY seq DESC) AS change_ids, array_agg(seq ORDER BY seq DESC) AS seqs,
        array_agg(before ORDER BY seq DESC) AS befores, array_agg(after ORDER BY seq DESC) AS afters
    FROM ({net}) AS net
    WHERE table_name = %(table)s
    GROUP BY row_id
""").format(net=NET)
# The state of a row without one effect. If the effect left the row there, it must still be there, and vice
# versa. Undoing a creation deletes the row, so each logged field must be the same; otherwise only those that
# the change set. A column that is newer than the log is in neither state.
UNDONE = SQL("""
    SELECT
        (after IS NULL) <> (state IS NULL) OR differing.fields <> '{}' AS blocked,
        CASE WHEN after IS NOT NULL AND state IS NOT NULL THEN differing.fields END AS fields,
        CASE
            WHEN before IS NULL OR after IS NULL OR state IS NULL THEN before
            ELSE state || (
                SELECT coalesce(jsonb_object_agg(key, value), '{}')
                FROM jsonb_each(before)
                WHERE value <> after -> key AND state ? key
                    AND (key <> 'updated_at' OR state -> key = after -> key)
            )
        END AS state
    FROM (
        SELECT befores[turn + 1] AS before, afters[turn + 1] AS after
    ) AS effect,
    LATERAL (
        -- Most rows are as they were left. To compare all of their fields at once is faster.
        SELECT CASE WHEN state || (after - 'updated_at') = state THEN '{}' ELSE ARRAY(
            SELECT key
            FROM jsonb_each(after)
            WHERE value <> state -> key AND key <> 'updated_at'
                AND (before IS NULL OR value <> before -> key)
        ) END AS fields
    ) AS differing
""")


async def plan(conn: AsyncConnection, change_ids: Sequence[int]) -> int:
    """Plan to undo changes, newest first, and lock their rows. Return the number of rows."""
    await conn.execute(CREATE_PLAN)
    rows = 0
    for table in await touched(conn, change_ids):
        params = {"table": table, "change_ids": list(change_ids)}
        await lock_rows(conn, table, change_ids)
        query = SQL("""
            INSERT INTO plan (table_name, row_id, name, change_id, seq, now, "then", blocked, fields)
            SELECT
                %(table)s, effects.row_id, coalesce(afters[turn], befores[turn]) ->> 'name',
                change_ids[turn], seqs[turn], present.state, fold.state, fold.blocked, fold.fields
            FROM ({effects}) AS effects
            LEFT JOIN (
                SELECT id, to_jsonb({table}) - 'sort_name' AS state FROM {table}
            ) AS present ON present.id = effects.row_id,
            LATERAL (
                WITH RECURSIVE fold AS (
                    SELECT 0 AS turn, present.state, false AS blocked, NULL::text[] AS fields
                    UNION ALL
                    SELECT turn + 1, undone.state, undone.blocked, undone.fields
                    FROM fold, LATERAL ({undone}) AS undone
                    WHERE turn < cardinality(seqs) AND NOT fold.blocked
                )
                SELECT turn, state, blocked, fields FROM fold ORDER BY turn DESC LIMIT 1
            ) AS fold
        """).format(effects=EFFECTS, table=Identifier(table), undone=UNDONE)
        rows += (await conn.execute(query, params)).rowcount
    return rows


async def touched(conn: AsyncConnection, change_ids: Sequence[int]) -> list[str]:
    """Return the tables whose rows changes wrote, in the order in which they can be written."""
    query = """
        SELECT array_agg(DISTINCT table_name) FROM row_changes WHERE change_id = ANY(%(change_ids)s)
    """
    tables = await fetch_value(conn, query, {"change_ids": list(change_ids)})
    return sorted(tables or (), key=ORDER.index)


async def lock_rows(conn: AsyncConnection, table: str, change_ids: Sequence[int]) -> None:
    """Keep others from changing the rows of changes until the transaction ends."""
    query = SQL("""
        SELECT count(*)
        FROM (
            SELECT
            FROM {table}
            WHERE id IN (
                SELECT row_id
                FROM row_changes
                WHERE change_id = ANY(%(change_ids)s) AND table_name = %(table)s
            )
            ORDER BY id
            FOR UPDATE
        ) AS locked
    """).format(table=Identifier(table))
    await conn.execute(query, {"table": table, "change_ids": list(change_ids)})


async def blocked(conn: AsyncConnection) -> list[Blocked]:
    """Return the rows that block the plan, those that were written last first."""
    return await fetch_all(
        conn,
        Blocked,
        """
        SELECT table_name, row_id, name, change_id, seq, fields
        FROM plan
        WHERE blocked
        ORDER BY seq DESC
        """,
    )


async def write(conn: AsyncConnection) -> None:
    """Write the rows that are missing, then those that differ, then delete those that should not be there.

    In this order, no row still refers to a deleted one, so no foreign key cascades. A restored row may
    refer to one that is not there yet, so the foreign keys are checked at the end.
    """
    keys = await foreign_keys(conn)
    tables: list[str] = await fetch_value(conn, "SELECT array_agg(DISTINCT table_name) FROM plan")
    tables.sort(key=ORDER.index)
    await conn.execute(SQL("SET CONSTRAINTS {keys} DEFERRED").format(keys=keys))
    for table in tables:
        await insert(conn, table)
    for table in tables:
        await update(conn, table)
    for table in reversed(tables):
        query = SQL("""
            DELETE FROM {table}
            WHERE id IN (
                SELECT row_id FROM plan
                WHERE table_name = %(table)s AND now IS NOT NULL AND "then" IS NULL
            )
        """).format(table=Identifier(table))
        await conn.execute(query, {"table": table})
    await conn.execute(SQL("SET CONSTRAINTS {keys} IMMEDIATE").format(keys=keys))


async def insert(conn: AsyncConnection, table: str) -> None:
    """Insert the missing rows. Those that were logged before a column was added leave it to its default."""
    cursor = await conn.execute(
        """
        SELECT DISTINCT ARRAY(SELECT key FROM jsonb_object_keys("then") AS key ORDER BY key)
        FROM plan
        WHERE table_name = %(table)s AND now IS NULL AND "then" IS NOT NULL
        """,
        {"table": table},
    )
    for (columns,) in await cursor.fetchall():
        query = SQL("""
            INSERT INTO {table} ({columns})
            SELECT {columns}
            FROM (
                SELECT "then"
                FROM plan
                WHERE table_name = %(table)s AND now IS NULL
                    AND ARRAY(SELECT key FROM jsonb_object_keys("then") AS key ORDER BY key) = %(columns)s
                ORDER BY row_id
            ) AS missing, jsonb_populate_record(NULL::{table}, "then")
        """).format(table=Identifier(table), columns=names(columns))
        await conn.execute(query, {"table": table, "columns": columns})


async def update(conn: AsyncConnection, table: str) -> None:
    """Update the rows that differ. A field that only other rows get is set to the value that it has."""
    columns: list[str] | None = await fetch_value(
        conn,
        """
        SELECT array_agg(DISTINCT key)
        FROM plan, jsonb_each("then")
        WHERE table_name = %(table)s AND now -> key <> value
        """,
        {"table": table},
    )
    if not columns:
        return
    query = SQL("""
        UPDATE {table}
        SET ({columns}) = (SELECT {columns} FROM jsonb_populate_record({table}, "then"))
        FROM plan
        WHERE {table}.id = row_id AND table_name = %(table)s AND now <> "then"
    """).format(table=Identifier(table), columns=names(columns))
    await conn.execute(query, {"table": table})


async def foreign_keys(conn: AsyncConnection) -> Composed:
    """Return the names of the foreign keys between the tables of a collection.

    ALL would include the key from row_changes to the change, which is written last.
    """
    keys: list[str] = await fetch_value(
        conn,
        """
        SELECT array_agg(conname::text)
        FROM pg_constraint
        WHERE contype = 'f' AND condeferrable
            AND conrelid = ANY (%(tables)s::regclass[]) AND confrelid = ANY (%(tables)s::regclass[])
        """,
        {"tables": ORDER},
    )
    return names(keys)


async def unplanned(conn: AsyncConnection) -> list[Blocked]:
    """Return the rows that are not as planned: foreign keys deleted or changed them with others."""
    change_id = await current(conn)
    found: list[Blocked] = []
    for table in await touched(conn, [change_id]):
        query = SQL("""
            WITH oldest AS (SELECT change_id, seq FROM plan ORDER BY seq LIMIT 1)
            SELECT
                %(table)s AS table_name, row_id, name, oldest.change_id, oldest.seq, NULL AS fields
            FROM (
                SELECT DISTINCT ON (row_id) row_id, before ->> 'name' AS name
                FROM row_changes
                WHERE change_id = %(change_id)s AND table_name = %(table)s AND NOT EXISTS (
                    SELECT FROM plan
                    WHERE plan.table_name = %(table)s AND plan.row_id = row_changes.row_id
                )
                UNION ALL
                SELECT row_id, coalesce(now, "then") ->> 'name'
                FROM plan
                LEFT JOIN (SELECT id, to_jsonb({table}) AS state FROM {table}) AS present ON id = row_id
                WHERE table_name = %(table)s
                    AND ((state IS NULL) <> ("then" IS NULL) OR state || "then" <> state)
            ) AS others, oldest
        """).format(table=Identifier(table))
        found += await fetch_all(conn, Blocked, query, {"table": table, "change_id": change_id})
    return found
