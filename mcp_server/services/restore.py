"""Restoring rows: what must be written is planned first, then written, then compared with the plan.

Only fields that a change set are restored, so later changes of other fields do not keep it from being undone.
`updated_at` is restored with them unless a later change has set it; it never blocks.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from psycopg import AsyncConnection
from psycopg.sql import SQL, Composed, Identifier
from psycopg.types.json import Jsonb

from db.collection import COLLECTION
from db.query import fetch_value
from db.sql import names
from mcp_server.services.change import NetRow, current, rows_of

# The order in which rows can be written: each table after those that its rows belong to.
ORDER = list(COLLECTION)
TIME = "updated_at"

# A row's table and id, and its fields; None if there is no such row.
Place = tuple[str, int]
State = Mapping[str, Any] | None
States = dict[Place, State]


class Blocked(NamedTuple):
    """A row that is no longer as a change left it, and the fields that differ; None for the whole row."""

    place: Place
    name: str | None
    change_id: int
    seq: int
    fields: frozenset[str] | None


def place_of(row: NetRow) -> Place:
    return row.table_name, row.row_id


async def lock_rows(conn: AsyncConnection, places: Iterable[Place]) -> States:
    """Return the present state of rows, and keep others from changing them until the transaction ends."""
    states: States = dict.fromkeys(places)
    for table, ids in by_table(states):
        query = SQL("""
            SELECT id, to_jsonb({table}) - 'sort_name' FROM {table} WHERE id = ANY(%(ids)s) FOR UPDATE
        """).format(table=Identifier(table))
        cursor = await conn.execute(query, {"ids": ids})
        states |= {(table, row_id): state for row_id, state in await cursor.fetchall()}
    return states


def plan(rows: Sequence[NetRow], now: Mapping[Place, State]) -> tuple[States, list[Blocked]]:
    """Return the state that each row gets when *rows* are undone, newest first, and what blocks that."""
    then = dict(now)
    blocked: dict[Place, Blocked] = {}
    for row in reversed(rows):
        place = place_of(row)
        if place in blocked:
            continue
        fields = differing(row, then[place])
        if fields is None or fields:
            name = (row.after or row.before or {}).get("name")
            blocked[place] = Blocked(place, name, row.change_id, row.seq, fields)
        else:
            then[place] = without(row, then[place])
    return then, list(blocked.values())


def differing(row: NetRow, state: State) -> frozenset[str] | None:
    """Return the fields that a change set and that differ now; None if the row is there or gone again."""
    if row.after is None or state is None:
        return frozenset() if row.after is state is None else None
    # Undoing its creation deletes the row, so every field counts, except columns that are newer than the log.
    fields = row.after.keys() if row.before is None else set_by(row)
    return frozenset(
        field for field in fields if field in state and field != TIME and state[field] != row.after[field]
    )


def set_by(row: NetRow) -> set[str]:
    """Return the fields of an updated row that the change set."""
    before, after = row.before or {}, row.after or {}
    return {field for field in before if before[field] != after.get(field)}


def without(row: NetRow, state: State) -> State:
    """Return the state of a row without the effect of a change."""
    if row.before is None or row.after is None or state is None:
        return row.before
    fields = {field for field in set_by(row) if field in state}
    if state.get(TIME) != row.after.get(TIME):
        fields.discard(TIME)
    return {**state, **{field: row.before[field] for field in fields}}


async def write(conn: AsyncConnection, now: States, then: States) -> None:
    """Write the rows that are missing, then those that differ, then delete those that should not be there.

    In this order, no row still refers to a deleted one, so no foreign key cascades. A restored row may
    refer to one that is not there yet, so the foreign keys are checked at the end.
    """
    keys = await foreign_keys(conn)
    await conn.execute(SQL("SET CONSTRAINTS {keys} DEFERRED").format(keys=keys))
    missing = {place: state for place, state in then.items() if state and now[place] is None}
    for table, ids in by_table(missing):
        await insert(conn, table, [missing[table, row_id] or {} for row_id in ids])
    changed = {place: patch for place, state in then.items() if (patch := changes(now[place], state))}
    for table, ids in by_table(changed):
        await update(conn, table, {row_id: changed[table, row_id] for row_id in ids})
    for table, ids in reversed(by_table(place for place, state in then.items() if now[place] and not state)):
        query = SQL("DELETE FROM {table} WHERE id = ANY(%(ids)s)").format(table=Identifier(table))
        await conn.execute(query, {"ids": ids})
    await conn.execute(SQL("SET CONSTRAINTS {keys} IMMEDIATE").format(keys=keys))


def changes(now: State, then: State) -> dict[str, Any]:
    """Return the fields of a row that get another value."""
    return {field: value for field, value in then.items() if now[field] != value} if now and then else {}


async def insert(conn: AsyncConnection, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert rows. Those that were logged before a column was added leave it to its default."""
    by_columns: dict[tuple[str, ...], list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        by_columns[tuple(row)].append(row)
    for columns, alike in by_columns.items():
        query = SQL("""
            INSERT INTO {table} ({columns})
            SELECT {columns} FROM jsonb_populate_recordset(NULL::{table}, %(rows)s)
        """).format(table=Identifier(table), columns=names(columns))
        await conn.execute(query, {"rows": Jsonb(alike)})


async def update(conn: AsyncConnection, table: str, patches: Mapping[int, Mapping[str, Any]]) -> None:
    """Set some fields of each row. A field that only other rows get is set to the value that it has."""
    columns = sorted({field for patch in patches.values() for field in patch})
    query = SQL("""
        UPDATE {table}
        SET ({columns}) = (SELECT {columns} FROM jsonb_populate_record({table}, patches.fields))
        FROM jsonb_to_recordset(%(patches)s) AS patches (id bigint, fields jsonb)
        WHERE {table}.id = patches.id
    """).format(table=Identifier(table), columns=names(columns))
    rows = [{"id": row_id, "fields": patch} for row_id, patch in patches.items()]
    await conn.execute(query, {"patches": Jsonb(rows)})


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


async def unplanned(
    conn: AsyncConnection, rows: Sequence[NetRow], then: Mapping[Place, State]
) -> list[Blocked]:
    """Return the rows that are not as planned: foreign keys deleted or changed them with others."""
    oldest = rows[0]
    return [
        Blocked(place_of(row), (row.before or {}).get("name"), oldest.change_id, oldest.seq, None)
        for row in await rows_of(conn, await current(conn))
        if place_of(row) not in then or not is_as(row.after, then[place_of(row)])
    ]


def is_as(state: State, planned: State) -> bool:
    if state is None or planned is None:
        return state is planned is None
    return all(state.get(field) == value for field, value in planned.items())


def by_table(places: Iterable[Place]) -> list[tuple[str, list[int]]]:
    """Return the ids of the rows of each table, in the order in which they can be written."""
    ids: dict[str, list[int]] = defaultdict(list)
    for table, row_id in places:
        ids[table].append(row_id)
    return sorted(ids.items(), key=lambda each: ORDER.index(each[0]))
