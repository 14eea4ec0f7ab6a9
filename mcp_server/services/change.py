"""Changes: the log of every write.

In a transaction that writes, the setting `gearshed.change_id` is the id that its change will have. Triggers
insert row_changes with it. The change itself is inserted last, once it is known that there are some.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from psycopg import AsyncConnection
from psycopg.sql import SQL
from psycopg.types.json import Jsonb

from db.collection import COLLECTION
from db.query import fetch_all, fetch_one, fetch_value
from mcp_server.errors import Conflict, InvalidInput, no_such, plural
from mcp_server.models.change import Action, Change, ChangePage, ChangeShown, RowChange
from mcp_server.models.fields import Row

# Fields that mean nothing to a person.
INTERNAL = {"id", "user_id", "created_at", "updated_at", "sort_order", "data", "sha256"}
# A change shows at most this many rows.
MOST_ROWS = 100
# How many changes one transaction prunes.
BATCH = 1000

# The net effect of a change on each row, which it may have written several times.
NET = SQL("""
    SELECT
        table_name, row_id, min(seq) AS seq,
        (array_agg(before ORDER BY seq))[1] AS before, (array_agg(after ORDER BY seq DESC))[1] AS after
    FROM row_changes
    WHERE change_id = %(change_id)s
    GROUP BY table_name, row_id
    HAVING (array_agg(before ORDER BY seq))[1] IS DISTINCT FROM (array_agg(after ORDER BY seq DESC))[1]
""")


class NetRow(Row):
    table_name: str
    row_id: int
    before: dict[str, Any] | None
    after: dict[str, Any] | None

    @property
    def action(self) -> Action:
        if self.before is None:
            return "created"
        return "deleted" if self.after is None else "changed"


class Effect(Row):
    """How many rows of one table a change created, changed or deleted, and the name of the first."""

    table_name: str
    action: Action
    rows: int
    name: str | None


async def current(conn: AsyncConnection) -> int:
    """Return the id that the change of this transaction will have."""
    return int(await fetch_value(conn, "SELECT current_setting('gearshed.change_id')"))


async def effects(conn: AsyncConnection, change_id: int) -> list[Effect]:
    """Return the effects of a change, by table and action."""
    query = SQL("""
        SELECT
            table_name, action, count(*) AS rows,
            (array_agg(coalesce(after, before) ->> 'name' ORDER BY seq))[1] AS name
        FROM (
            SELECT
                table_name, before, after, seq,
                CASE WHEN before IS NULL THEN 'created' WHEN after IS NULL THEN 'deleted' ELSE 'changed' END
                    AS action
            FROM ({net}) AS net
        ) AS rows
        GROUP BY table_name, action
        ORDER BY min(seq)
    """).format(net=NET)
    return await fetch_all(conn, Effect, query, {"change_id": change_id})


def summarize(effects: Iterable[Effect]) -> str:
    """`Deleted category "Food", changed 12 items`: a change in one sentence."""
    summary = ", ".join(map(summarize_one, effects))
    return f"{summary[:1].upper()}{summary[1:]}"


def summarize_one(effect: Effect) -> str:
    kind = COLLECTION[effect.table_name]
    if effect.rows > 1:
        return f"{effect.action} {effect.rows} {plural(kind)}"
    return f'{effect.action} {kind} "{effect.name}"' if effect.name else f"{effect.action} a {kind}"


async def record(
    conn: AsyncConnection,
    change_id: int,
    *,
    tool: str,
    client: str | None,
    summary: str,
    key: str | None,
    digest: bytes,
    result: Any,
) -> None:
    """Insert the change of this transaction. A retry with the same *key* gets the stored *result*."""
    await conn.execute(
        """
        INSERT INTO changes (id, tool, client, summary, idempotency_key, arguments_hash, result, undoes)
        VALUES (
            %(id)s, %(tool)s, %(client)s, %(summary)s, %(key)s, %(digest)s, %(result)s,
            nullif(current_setting('gearshed.undoes', true), '')::bigint
        )
        """,
        {
            "id": change_id,
            "tool": tool,
            "client": client,
            "summary": summary,
            "key": key,
            "digest": digest,
            "result": None if key is None else Jsonb(result),
        },
    )


async def is_empty(conn: AsyncConnection, change_id: int) -> bool:
    """Whether the change of this transaction has no rows."""
    query = "SELECT NOT EXISTS (SELECT FROM row_changes WHERE change_id = %(id)s)"
    return await fetch_value(conn, query, {"id": change_id})


async def forget(conn: AsyncConnection, change_id: int) -> None:
    """Delete the logged rows of a change without a net effect."""
    await conn.execute("DELETE FROM row_changes WHERE change_id = %(id)s", {"id": change_id})


async def earlier(conn: AsyncConnection, key: str, digest: bytes) -> Any:
    """Return the result that was stored with *key*, or None. The key is locked until the transaction ends."""
    await conn.execute(
        # The user is the seed of the hash. In one text, user 1 with key 0trip would be user 10 with key trip.
        """
        SELECT pg_advisory_xact_lock(hashtextextended(%(key)s, current_setting('gearshed.user_id')::bigint))
        """,
        {"key": key},
    )
    cursor = await conn.execute(
        "SELECT arguments_hash, result FROM changes WHERE idempotency_key = %(key)s", {"key": key}
    )
    found = await cursor.fetchone()
    if found is None:
        return None
    if found[0] != digest:
        raise Conflict("idempotency_key: was used for another call. Use a new key for each call.")
    return found[1]


async def rows_of(conn: AsyncConnection, change_id: int) -> list[NetRow]:
    """Return the net effect of a change on each row, in the order in which it wrote them."""
    query = SQL("SELECT table_name, row_id, before, after FROM ({net}) AS net ORDER BY seq").format(net=NET)
    return await fetch_all(conn, NetRow, query, {"change_id": change_id})


def readable(rows: Sequence[NetRow], *, created_ids: bool = True) -> tuple[RowChange, ...]:
    """Return the first rows as a caller reads them. A dry run leaves out *created_ids*: it rolls back."""
    return tuple(
        RowChange(
            kind=COLLECTION[row.table_name],
            id=row.row_id if created_ids or row.before is not None else None,
            name=(row.after or row.before or {}).get("name"),
            action=row.action,
            before=differing(row.before, row.after),
            after=differing(row.after, row.before),
        )
        for row in rows[:MOST_ROWS]
    )


def differing(row: dict[str, Any] | None, other: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return the fields that differ from the row's other state or, without one, those that are not null."""
    if row is None:
        return None
    return {
        name: value
        for name, value in row.items()
        if name not in INTERNAL and (value is not None if other is None else value != other.get(name))
    }


SELECTED = SQL("""
    SELECT
        changes.id, changes.at, changes.tool, changes.client, changes.summary, changes.undoes,
        (SELECT max(undoing.id) FROM changes AS undoing WHERE undoing.undoes = changes.id) AS undone_by
    FROM changes
""")


async def find(
    conn: AsyncConnection,
    *,
    tool: str = "",
    item_id: int | None = None,
    setup_id: int | None = None,
    thread_id: int | None = None,
    limit: int = 50,
    cursor: str = "",
) -> ChangePage:
    """Return the newest changes: all, or those by one tool or of one item, setup or thread."""
    query = SQL("""
        {selected}
        WHERE (%(tool)s = '' OR changes.tool = %(tool)s)
        AND (%(before)s::bigint IS NULL OR changes.id < %(before)s)
        AND (%(item_id)s::bigint IS NULL OR EXISTS ({touching} AND (
            (table_name = 'items' AND row_id = %(item_id)s)
            OR (table_name = 'setup_items' AND {row} -> 'item_id' = to_jsonb(%(item_id)s::bigint))
        )))
        AND (%(setup_id)s::bigint IS NULL OR EXISTS ({touching} AND (
            (table_name = 'setups' AND row_id = %(setup_id)s)
            OR (table_name = 'setup_items' AND {row} -> 'setup_id' = to_jsonb(%(setup_id)s::bigint))
        )))
        AND (%(thread_id)s::bigint IS NULL OR EXISTS ({touching} AND (
            (table_name = 'threads' AND row_id = %(thread_id)s)
            OR (table_name = 'candidates' AND {row} -> 'thread_id' = to_jsonb(%(thread_id)s::bigint))
        )))
        ORDER BY changes.id DESC
        LIMIT %(limit)s
    """).format(
        selected=SELECTED,
        touching=SQL("SELECT FROM row_changes WHERE row_changes.change_id = changes.id"),
        row=SQL("coalesce(after, before)"),
    )
    params = {
        "tool": tool,
        "item_id": item_id,
        "setup_id": setup_id,
        "thread_id": thread_id,
        "before": read_cursor(cursor),
        "limit": limit + 1,
    }
    found = await fetch_all(conn, Change, query, params)
    return ChangePage(
        next_cursor=str(found[limit - 1].id) if len(found) > limit else None, changes=found[:limit]
    )


def read_cursor(cursor: str) -> int | None:
    """Return the id of the last change of the previous page, which is what a cursor holds."""
    if cursor and not re.fullmatch(r"\d{1,18}", cursor, re.ASCII):
        raise InvalidInput("cursor: not a next_cursor. Leave it out to start again.")
    return int(cursor) if cursor else None


async def get(conn: AsyncConnection, change_id: int) -> ChangeShown:
    """Return one change with the state of its rows before and after."""
    query = SQL("{selected} WHERE changes.id = %(change_id)s").format(selected=SELECTED)
    found = await fetch_one(conn, Change, query, {"change_id": change_id})
    if found is None:
        raise no_such("change", change_id)
    rows = await rows_of(conn, change_id)
    return ChangeShown(**dict(found), rows=list(readable(rows)), rows_left_out=max(0, len(rows) - MOST_ROWS))


async def prune(conn: AsyncConnection, days: int) -> int:
    """Delete a batch of changes that are older than *days*, and return how many."""
    cursor = await conn.execute(
        """
        DELETE FROM changes
        WHERE id IN (
            SELECT id
            FROM changes
            WHERE at < now() - make_interval(days => %(days)s)
            ORDER BY id
            LIMIT %(batch)s
        )
        """,
        {"days": days, "batch": BATCH},
    )
    return cursor.rowcount
