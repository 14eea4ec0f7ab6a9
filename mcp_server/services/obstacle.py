"""What keeps changes from being undone: the rows that are in the way, and the changes that wrote them."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from psycopg import AsyncConnection, errors
from psycopg.sql import SQL, Identifier

from db.collection import COLLECTION
from db.query import fetch_all, fetch_only
from mcp_server.errors import Conflict, in_list, quoted
from mcp_server.models.fields import Row
from mcp_server.services.restore import Blocked

# Rows that an error names.
MOST_NAMED = 10
# The columns, other than ids, that only one row of a user may have in common.
UNIQUE: Mapping[str, tuple[str, ...]] = {
    "images": ("sha256",),
    "categories": ("name",),
    "items": ("external_id",),
    "criteria": ("thread_id", "name"),
    "scores": ("candidate_id", "criterion_id"),
    "setup_items": ("setup_id", "item_id"),
    "settings": ("key",),
}


class Later(Row):
    """What a later change did to a row that is in the way."""

    table_name: str
    row_id: int
    id: int
    undoes: tuple[int, ...]
    undone_by: int | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class Reference(Row):
    """A foreign key: the table and column that refer to rows, and the table of those."""

    child: str
    field: str
    parent: str


async def later_changes(
    conn: AsyncConnection, change_ids: Sequence[int], blocked: Sequence[Blocked]
) -> Conflict:
    """Name the blocked rows, and for each the later changes that block it."""
    named = blocked[:MOST_NAMED]
    later = await blockers(conn, change_ids, named)
    many = len(change_ids) > 1
    groups = groupby(named, key=lambda row: (row.change_id if many else 0, later.get(row.place, ())))
    parts = [
        f"{', '.join(map(label, rows))}{f' of change {change_id}' if change_id else ''} changed later"
        f"{f', in change {in_list(changes)}' if changes else ''}"
        for (change_id, changes), rows in groups
    ]
    more = f"; and {len(blocked) - MOST_NAMED} more rows" if len(blocked) > MOST_NAMED else ""
    return Conflict(
        f"{refusal(change_ids)} {'; '.join(parts)}{more}. "
        "Undo the later changes first, newest first. Nothing was undone."
    )


async def same_key(
    conn: AsyncConnection, change_ids: Sequence[int], violation: errors.UniqueViolation
) -> Conflict:
    """Name the row that now has the name, or another key, of a row to be restored."""
    table = violation.diag.table_name or ""
    query = SQL("""
        SELECT
            %(table)s AS table_name, others.id AS row_id, others.state ->> 'name' AS name,
            plan.change_id, 0 AS seq, %(fields)s::text[] AS fields
        FROM plan
        JOIN (SELECT id, to_jsonb({table}) AS state FROM {table}) AS others ON others.id <> plan.row_id
        WHERE plan.table_name = %(table)s AND NOT EXISTS (
            SELECT
            FROM unnest(%(fields)s::text[]) AS field
            WHERE (lower("then" ->> field) = lower(others.state ->> field)) IS NOT TRUE
        )
        ORDER BY others.id
        LIMIT %(most)s
    """).format(table=Identifier(table))
    params = {"table": table, "fields": list(UNIQUE[table]), "most": MOST_NAMED}
    rivals = await fetch_all(conn, Blocked, query, params)
    later = await blockers(conn, change_ids, rivals)
    return Conflict(
        f"{refusal(change_ids)} another row has the same {' and '.join(UNIQUE[table])} now: "
        f"{'; '.join(with_changes(row, later.get(row.place, ())[-1:]) for row in rivals)}. "
        "Rename or delete that one first, or undo its change."
    )


async def deleted_parents(
    conn: AsyncConnection, change_ids: Sequence[int], violation: errors.ForeignKeyViolation
) -> Conflict:
    """Name the rows that rows to be restored belong to, and the changes that deleted them."""
    key = await reference(conn, violation.diag.constraint_name or "")
    query = SQL("""
        SELECT DISTINCT ON (row_id)
            table_name, row_id, before ->> 'name' AS name, change_id, seq, NULL AS fields
        FROM row_changes
        WHERE table_name = %(parent)s AND after IS NULL AND row_id IN (
            SELECT ("then" ->> %(field)s)::bigint FROM plan WHERE table_name = %(child)s
        ) AND NOT EXISTS (SELECT FROM {parent} WHERE id = row_id)
        ORDER BY row_id, seq DESC
        LIMIT %(most)s
    """).format(parent=Identifier(key.parent))
    gone = await fetch_all(conn, Blocked, query, {**dict(key), "most": MOST_NAMED})
    named = "; ".join(with_changes(row, (row.change_id,)) for row in gone)
    return Conflict(
        f"{refusal(change_ids)} rows that its rows belong to have been deleted since"
        f"{f': {named}' if named else ''}. Undo that deletion first."
    )


async def reference(conn: AsyncConnection, constraint: str) -> Reference:
    return await fetch_only(
        conn,
        Reference,
        """
        SELECT conrelid::regclass::text AS child, attname AS field, confrelid::regclass::text AS parent
        FROM pg_constraint
        JOIN pg_attribute ON attrelid = conrelid AND attnum = ANY (conkey) AND attname <> 'user_id'
        WHERE conname = %(name)s AND contype = 'f' AND connamespace = current_schema()::regnamespace
        """,
        {"name": constraint},
    )


async def unfitting_values(
    conn: AsyncConnection, change_ids: Sequence[int], violation: errors.CheckViolation
) -> Conflict:
    """Name the later changes of the rows that would no longer be valid."""
    changed = await fetch_all(
        conn,
        Blocked,
        """
        SELECT table_name, row_id, name, change_id, seq, NULL AS fields
        FROM plan
        WHERE table_name = %(table)s AND now <> "then"
        ORDER BY seq DESC
        """,
        {"table": violation.diag.table_name},
    )
    later = await blockers(conn, change_ids, changed)
    named = [with_changes(row, later[row.place]) for row in changed if later[row.place]]
    return Conflict(
        f"{refusal(change_ids)} the restored values do not fit later changes of the same row: "
        f"{'; '.join(named[:MOST_NAMED])}. Undo the later changes first."
    )


def refusal(change_ids: Sequence[int]) -> str:
    return f"{'Change' if len(change_ids) == 1 else 'Changes'} {in_list(change_ids)} cannot be undone:"


def label(row: Blocked) -> str:
    """`item 12 "Tent"`."""
    return f"{COLLECTION[row.table_name]} {row.row_id}" + (f" {quoted(row.name)}" if row.name else "")


def with_changes(row: Blocked, changes: Sequence[int]) -> str:
    """`item 12 "Tent", in change 40`."""
    return f"{label(row)}{f', in change {in_list(changes)}' if changes else ''}"


async def blockers(
    conn: AsyncConnection, change_ids: Sequence[int], blocked: Sequence[Blocked]
) -> Mapping[tuple[str, int], tuple[int, ...]]:
    """Return for each row the later changes, still in effect, of the fields that block it."""
    query = """
        SELECT
            table_name, row_id, changes.id, coalesce(changes.undoes, '{}') AS undoes, changes.undone_by,
            row_changes.before, row_changes.after
        FROM unnest(%(tables)s::text[], %(row_ids)s::bigint[], %(seqs)s::bigint[])
            AS blocked (table_name, row_id, seq)
        JOIN row_changes USING (table_name, row_id)
        JOIN changes ON changes.id = row_changes.change_id
        WHERE row_changes.seq > blocked.seq AND NOT changes.id = ANY(%(change_ids)s)
        ORDER BY changes.id
    """
    params = {
        "tables": [row.table_name for row in blocked],
        "row_ids": [row.row_id for row in blocked],
        "seqs": [row.seq for row in blocked],
        "change_ids": list(change_ids),
    }
    found = await fetch_all(conn, Later, query, params)
    return {
        row.place: still_in_effect(each for each in found if blocks(each, row.place, row.fields))
        for row in blocked
    }


def blocks(later: Later, place: tuple[str, int], fields: Iterable[str] | None) -> bool:
    if (later.table_name, later.row_id) != place:
        return False
    if fields is None or later.before is None or later.after is None:
        return True
    return any(later.before.get(field) != later.after.get(field) for field in fields)


def still_in_effect(later: Iterable[Later]) -> tuple[int, ...]:
    """Leave out what was undone meanwhile, and its undos."""
    found = {each.id: each for each in later}
    return tuple(
        each.id
        for each in found.values()
        if each.undone_by is None and not (each.undoes and found.keys() >= set(each.undoes))
    )
