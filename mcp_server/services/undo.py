"""Undo: every row of a change is restored, or none is and the error gives the reason."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from psycopg import AsyncConnection, errors
from psycopg.sql import SQL, Composed, Identifier
from psycopg.types.json import Jsonb

from db.collection import COLLECTION
from db.query import fetch_value
from db.sql import names
from mcp_server.errors import Conflict, InvalidInput, in_list
from mcp_server.models.change import ChangeUndone
from mcp_server.services.change import NetRow, current, get, rows_of

# The order in which rows can be written: each table after those that its rows belong to.
ORDER = list(COLLECTION)


async def undo(conn: AsyncConnection, change_id: int) -> ChangeUndone:
    """Restore every row to its state before a change, ids and times included. An undo can be undone too."""
    await get(conn, change_id)
    rows = await rows_of(conn, change_id)
    if not rows:
        raise InvalidInput(f"change_id: change {change_id} has nothing to undo.")
    await check_unchanged(conn, change_id, rows)
    await conn.execute(
        "SELECT set_config('gearshed.undoes', %(change_id)s, true)", {"change_id": str(change_id)}
    )
    try:
        await restore(conn, rows)
    except errors.UniqueViolation as exc:
        raise Conflict(
            f"Change {change_id} cannot be undone: another row has the same name now. Rename that one first."
        ) from exc
    except errors.ForeignKeyViolation as exc:
        raise Conflict(
            f"Change {change_id} cannot be undone: rows that its rows belong to have been deleted since. "
            "Call list_changes and undo that deletion first."
        ) from exc
    await check_nothing_else(conn, change_id, rows)
    return ChangeUndone(undone=change_id, rows=len(rows))


async def check_unchanged(conn: AsyncConnection, change_id: int, rows: Sequence[NetRow]) -> None:
    """Raise Conflict, which names the later changes, if a row is no longer as the change left it."""
    changed: list[NetRow] = []
    for table, group in by_table(rows):
        ids = [row.row_id for row in group]
        query = SQL("""
            SELECT id, to_jsonb({table}) - 'sort_name' FROM {table} WHERE id = ANY(%(ids)s) FOR UPDATE
        """).format(table=Identifier(table))
        cursor = await conn.execute(query, {"ids": ids})
        now: dict[int, Any] = dict(await cursor.fetchall())
        changed += [row for row in group if now.get(row.row_id) != row.after]
    if changed:
        raise await conflict(conn, change_id, [(row.table_name, row.row_id) for row in changed])


async def check_nothing_else(conn: AsyncConnection, change_id: int, rows: Sequence[NetRow]) -> None:
    """Raise Conflict if restoring the rows also deleted others, which were added to them later."""
    touched = {(row.table_name, row.row_id) for row in await rows_of(conn, await current(conn))}
    others = sorted(touched - {(row.table_name, row.row_id) for row in rows})
    if others:
        raise await conflict(conn, change_id, others)


async def conflict(conn: AsyncConnection, change_id: int, rows: Sequence[tuple[str, int]]) -> Conflict:
    later: list[int] = await fetch_value(
        conn,
        """
        SELECT coalesce(array_agg(DISTINCT change_id), '{}')
        FROM row_changes
        JOIN unnest(%(tables)s::text[], %(ids)s::bigint[]) AS touched (table_name, row_id)
            USING (table_name, row_id)
        WHERE change_id > %(change_id)s AND change_id < current_setting('gearshed.change_id')::bigint
        """,
        {
            "tables": [table for table, _ in rows],
            "ids": [row_id for _, row_id in rows],
            "change_id": change_id,
        },
    )
    named = [f"{COLLECTION[table]} {row_id}" for table, row_id in rows]
    more = f" and {len(named) - 10} more" if len(named) > 10 else ""
    where = f", in change {in_list(later)}" if later else ""
    return Conflict(
        f"Change {change_id} cannot be undone: {', '.join(named[:10])}{more} changed later{where}. "
        "Undo the later changes first, newest first. Nothing was undone."
    )


async def restore(conn: AsyncConnection, rows: Sequence[NetRow]) -> None:
    """Restore the rows that the change deleted or changed, then delete those that it created.

    In this order, no row still refers to a deleted one, so no foreign key cascades. A restored row may
    refer to one that is not there yet, so the foreign keys are checked at the end.
    """
    keys = await foreign_keys(conn)
    await conn.execute(SQL("SET CONSTRAINTS {keys} DEFERRED").format(keys=keys))
    for table, group in by_table([row for row in rows if row.after is None]):
        await write(conn, INSERT, table, group)
    for table, group in by_table([row for row in rows if row.before and row.after]):
        await write(conn, UPDATE, table, group)
    for table, group in reversed(by_table([row for row in rows if row.before is None])):
        query = SQL("DELETE FROM {table} WHERE id = ANY(%(ids)s)").format(table=Identifier(table))
        await conn.execute(query, {"ids": [row.row_id for row in group]})
    await conn.execute(SQL("SET CONSTRAINTS {keys} IMMEDIATE").format(keys=keys))


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


INSERT = SQL("""
    INSERT INTO {table} ({columns})
    SELECT {columns} FROM jsonb_populate_recordset(NULL::{table}, %(rows)s)
""")
UPDATE = SQL("""
    UPDATE {table}
    SET ({columns}) = (SELECT {columns} FROM jsonb_populate_record(NULL::{table}, old.row))
    FROM jsonb_array_elements(%(rows)s) AS old (row)
    WHERE {table}.id = (old.row ->> 'id')::bigint
""")


async def write(conn: AsyncConnection, statement: SQL, table: str, rows: Sequence[NetRow]) -> None:
    """Write the rows in their state before the change. All rows of a table have the same columns."""
    before = [row.before for row in rows if row.before]
    query = statement.format(table=Identifier(table), columns=names(before[0]))
    await conn.execute(query, {"rows": Jsonb(before)})


def by_table(rows: Iterable[NetRow]) -> list[tuple[str, list[NetRow]]]:
    """Return the rows of each table, in the order in which they can be written."""

    def order(row: NetRow) -> int:
        return ORDER.index(row.table_name)

    return [(ORDER[at], list(group)) for at, group in groupby(sorted(rows, key=order), key=order)]
