"""Undoing a change: every row as it was before, or none and the reason why."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from psycopg import AsyncConnection, errors
from psycopg.sql import SQL, Identifier
from psycopg.types.json import Jsonb

from db.query import fetch_value
from db.sql import names
from mcp_server.errors import Conflict, InvalidInput, in_list
from mcp_server.models.change import ChangeUndone
from mcp_server.services.change import KINDS, NetRow, current, get, rows_of

# The keys between rows of a collection. While rows come back they point at what is not there yet.
KEYS = SQL("""
    fk_items_user_id_category_id, fk_items_user_id_image_id,
    fk_threads_user_id_category_id, fk_threads_user_id_replaces_item_id,
    fk_threads_user_id_resolved_candidate_id, fk_threads_user_id_resolved_item_id,
    fk_candidates_user_id_thread_id, fk_candidates_user_id_category_id, fk_candidates_user_id_image_id,
    fk_setup_items_user_id_setup_id, fk_setup_items_user_id_item_id
""")
ORDER = list(KINDS)


async def undo(conn: AsyncConnection, change_id: int) -> ChangeUndone:
    """Make every row as it was before a change, ids and times included; undoing that undoes the undo."""
    await get(conn, change_id)
    rows = await rows_of(conn, change_id)
    if not rows:
        raise InvalidInput(f"change_id: change {change_id} left nothing that could be undone.")
    await check_unchanged(conn, change_id, rows)
    await conn.execute(
        "SELECT set_config('gearshed.undoes', %(change_id)s, true)", {"change_id": str(change_id)}
    )
    try:
        await restore(conn, rows)
    except errors.UniqueViolation as exc:
        raise Conflict(
            f"Change {change_id} cannot be undone: there is another row with the same name by now. "
            "Rename that one first."
        ) from exc
    except errors.ForeignKeyViolation as exc:
        raise Conflict(
            f"Change {change_id} cannot be undone: what some of its rows belonged to was deleted since. "
            "Call list_changes, and undo that first."
        ) from exc
    await check_nothing_else(conn, change_id, rows)
    return ChangeUndone(undone=change_id, rows=len(rows))


async def check_unchanged(conn: AsyncConnection, change_id: int, rows: Sequence[NetRow]) -> None:
    """Refuse if a row is no longer as the change left it, and name the later changes."""
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
    """Refuse if other rows had to go with those of the change: they were added to them later."""
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
    named = [f"{KINDS[table]} {row_id}" for table, row_id in rows]
    more = f" and {len(named) - 10} more" if len(named) > 10 else ""
    by = f" by change {in_list(later)}" if later else ""
    return Conflict(
        f"Change {change_id} cannot be undone: changed since{by}: {', '.join(named[:10])}{more}. "
        "Undo the later changes first, newest first. Nothing was undone."
    )


async def restore(conn: AsyncConnection, rows: Sequence[NetRow]) -> None:
    """Write what the change deleted or changed as it was, then delete what it created.

    In this order nothing refers any more to what goes, so that no key clears or deletes anything by itself.
    """
    await conn.execute(SQL("SET CONSTRAINTS {keys} DEFERRED").format(keys=KEYS))
    for table, group in by_table([row for row in rows if row.after is None]):
        await write(conn, INSERT, table, group)
    for table, group in by_table([row for row in rows if row.before and row.after]):
        await write(conn, UPDATE, table, group)
    for table, group in reversed(by_table([row for row in rows if row.before is None])):
        query = SQL("DELETE FROM {table} WHERE id = ANY(%(ids)s)").format(table=Identifier(table))
        await conn.execute(query, {"ids": [row.row_id for row in group]})
    await conn.execute(SQL("SET CONSTRAINTS {keys} IMMEDIATE").format(keys=KEYS))


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
    """Write the rows as they were before; rows of one change have the same columns."""
    before = [row.before for row in rows if row.before]
    query = statement.format(table=Identifier(table), columns=names(before[0]))
    await conn.execute(query, {"rows": Jsonb(before)})


def by_table(rows: Iterable[NetRow]) -> list[tuple[str, list[NetRow]]]:
    """Return the rows of each table, tables in the order in which their rows can be written."""

    def order(row: NetRow) -> int:
        return ORDER.index(row.table_name)

    return [(ORDER[at], list(group)) for at, group in groupby(sorted(rows, key=order), key=order)]
