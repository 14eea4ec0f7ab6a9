"""Changes: the log of every write.

In a transaction that writes, the setting `gearshed.change_id` is the id that its change will have. Triggers
insert row_changes with it. The change itself is inserted last, once it is known that there are some.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import AsyncConnection
from psycopg.sql import SQL
from psycopg.types.json import Jsonb

from db.messages import Connection
from db.query import fetch_all, fetch_value
from mcp_server.errors import Conflict
from mcp_server.models.change import (
    Author,
    Undoing,
)

# How many changes one transaction prunes.
BATCH = 1000

# The net effect of changes on each row, which each of them may have written several times: the first value
# before and the last value after, of each column. Of an update, the log has only the columns that differ.
NET = SQL("""
    SELECT change_id, table_name, row_id, seq, before, after
    FROM (
        SELECT
            change_id, table_name, row_id, min(seq) AS seq,
            array_agg(before ORDER BY seq DESC) AS befores, array_agg(after ORDER BY seq) AS afters
        FROM row_changes
        WHERE change_id = ANY(%(change_ids)s)
        GROUP BY change_id, table_name, row_id
    ) AS written,
    LATERAL (
        SELECT
            CASE
                WHEN cardinality(befores) = 1 THEN befores[1]
                WHEN befores[cardinality(befores)] IS NOT NULL THEN (
                    SELECT jsonb_object_agg(key, value ORDER BY nth)
                    FROM unnest(befores) WITH ORDINALITY AS state (fields, nth), jsonb_each(fields)
                )
            END AS before,
            CASE
                WHEN cardinality(afters) = 1 THEN afters[1]
                WHEN afters[cardinality(afters)] IS NOT NULL THEN (
                    SELECT jsonb_object_agg(key, value ORDER BY nth)
                    FROM unnest(afters) WITH ORDINALITY AS state (fields, nth), jsonb_each(fields)
                )
            END AS after
    ) AS net
    WHERE before IS DISTINCT FROM after
""")


# An undo lists what it undoes in `gearshed.undoes`.
INSERT = SQL("""
    INSERT INTO changes (id, tool, client, program, summary, idempotency_key, arguments_hash, result, undoes)
    VALUES (
        %(id)s, %(tool)s, %(client)s, %(program)s, %(summary)s, %(key)s, %(digest)s, %(result)s,
        nullif(current_setting('gearshed.undoes', true), '')::bigint[]
    )
    RETURNING undoes
""")


async def current(conn: AsyncConnection) -> int:
    """Return the id that the change of this transaction will have."""
    if isinstance(conn, Connection) and conn.change_id is not None:
        return conn.change_id
    return int(await fetch_value(conn, "SELECT current_setting('gearshed.change_id')"))


async def record(
    conn: AsyncConnection,
    change_id: int,
    *,
    tool: str,
    author: Author,
    summary: str,
    key: str | None,
    digest: bytes,
    result: Any,
    commit: bool = False,
) -> None:
    """Insert the change of this transaction. A retry with the same *key* gets the stored *result*.

    With *commit*, the transaction is committed too, in the same message. This is not for an undo.
    """
    params = {
        "id": change_id,
        "tool": tool,
        "client": author.client,
        "program": author.program,
        "summary": summary,
        "key": key,
        "digest": digest,
        "result": None if key is None else Jsonb(result),
    }
    if commit and isinstance(conn, Connection):
        await conn.commit_after(INSERT, params)
        return
    undone: list[int] | None = await fetch_value(conn, INSERT, params)
    if undone:
        await mark_undone(conn, change_id, undone)


async def mark_undone(conn: AsyncConnection, undo_id: int, change_ids: Sequence[int]) -> None:
    """Note that a change undid others. If those are undos, what they undid is in effect again, and so on."""
    undone_by = undone_after(await reached(conn, change_ids), dict.fromkeys(change_ids, undo_id))
    await conn.execute(
        """
        UPDATE changes
        SET undone_by = state.undone_by
        FROM unnest(%(ids)s::bigint[], %(undone_by)s::bigint[]) AS state (id, undone_by)
        WHERE changes.id = state.id AND changes.undone_by IS DISTINCT FROM state.undone_by
        """,
        {"ids": list(undone_by), "undone_by": list(undone_by.values())},
    )


async def reached(conn: AsyncConnection, change_ids: Sequence[int]) -> list[Undoing]:
    """Return changes, those that they undid, those that these undid, and so on, newest first."""
    return await fetch_all(
        conn,
        Undoing,
        """
        WITH RECURSIVE reached AS (
            SELECT id, undoes, undone_by FROM changes WHERE id = ANY(%(change_ids)s)
            UNION
            SELECT changes.id, changes.undoes, changes.undone_by
            FROM reached
            JOIN changes ON changes.id = ANY(reached.undoes)
        )
        SELECT id, coalesce(undoes, '{}') AS undoes, undone_by FROM reached ORDER BY id DESC
        """,
        {"change_ids": list(change_ids)},
    )


def undone_after(changes: Sequence[Undoing], undone: Mapping[int, int]) -> dict[int, int | None]:
    """Return by which change each of the *changes* is undone, newest first, once those in *undone* are."""
    ids = {change.id for change in changes}
    by = {change.id: None if change.undone_by in ids else change.undone_by for change in changes}
    by |= undone
    # An undo is newer than what it undid, so whether it is in effect is known when its turn comes.
    for change in changes:
        if by[change.id] is None:
            by |= {id_: change.id for id_ in change.undoes if id_ in ids and by[id_] is None}
    return by


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
        "SELECT id, arguments_hash, result, undone_by FROM changes WHERE idempotency_key = %(key)s",
        {"key": key},
    )
    found = await cursor.fetchone()
    if found is None:
        return None
    change_id, used_for, result, undone_by = found
    if used_for != digest:
        raise Conflict("idempotency_key: was used for another call. Use a new key for each call.")
    if undone_by is not None:
        raise Conflict(
            f"idempotency_key: change {change_id}, made with this key, was undone by change {undone_by}. "
            f"Use another key, or call undo_change(change_id={undone_by}) to redo it."
        )
    return result


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
