"""Undo: every row of a change, or of many, is restored, or none is and the error gives the reason."""

from collections.abc import Sequence

from psycopg import AsyncConnection, errors
from psycopg.sql import SQL

from db.query import fetch_all, fetch_value
from mcp_server.errors import Conflict, InvalidInput, NotFound, in_list, no_such
from mcp_server.models.change import (
    MOST_UNDONE,
    ChangeFilter,
    ChangesUndone,
    ChangeUndone,
    Undoing,
    Undone,
)
from mcp_server.services import obstacle, page, restore
from mcp_server.services.change import reached, undone_after
from mcp_server.services.history import MATCHING, parameters

# Logged rows that one call undoes. More take longer than a call may.
MOST_ROWS = 100_000


class Candidate(Undoing):
    """A change that may be undone."""

    summary: str


async def undo(conn: AsyncConnection, change_id: int, *, limited: bool = True) -> ChangeUndone:
    """Restore every row to its state before a change, ids and times included. An undo can be undone too.

    A *limited* undo is refused if it would take longer than a call may.
    """
    found = await by_id(conn, [change_id])
    if not found:
        raise no_such("change", change_id)
    change = found[0]
    if change.undone_by is not None:
        raise Conflict(
            f"Change {change_id} was already undone by change {change.undone_by}. "
            f"To redo it, call undo_change(change_id={change.undone_by})."
        )
    if limited:
        await check_size(conn, [change_id])
    rows = await take_back(conn, [change_id])
    return ChangeUndone(undone=change_id, summary=change.summary, rows=rows)


async def undo_many(
    conn: AsyncConnection,
    which: ChangeFilter,
    *,
    last: int | None = None,
    change_ids: Sequence[int] = (),
    limited: bool = True,
) -> ChangesUndone:
    """Undo changes as one change: the *last* that match, those with *change_ids*, or all that match."""
    found = await select(conn, which, last, change_ids)
    undone = in_effect(found, await reached(conn, [change.id for change in found]))
    ids = [change.id for change in undone]
    skipped = tuple(change.id for change in found if change.id not in ids)
    if not undone:
        raise Conflict(f"Nothing to undo: {in_list(skipped)} were undone already, or are their undos.")
    if limited:
        await check_size(conn, ids)
    restored = await take_back(conn, ids)
    result = ChangesUndone(
        undone=[Undone(id=change.id, summary=change.summary) for change in undone],
        skipped=skipped,
        rows=restored,
    )
    return page.fit(result, "undone", lambda shown: {"undone_left_out": len(undone) - shown})


async def select(
    conn: AsyncConnection, which: ChangeFilter, last: int | None, change_ids: Sequence[int]
) -> list[Candidate]:
    """Return the changes that are meant, newest first, and keep others from undoing them meanwhile."""
    filters = which != ChangeFilter()
    if change_ids and (filters or last is not None):
        raise InvalidInput("change_ids: give either these, or last, since, until, client and program.")
    if change_ids:
        found = await by_id(conn, change_ids)
        missing = sorted(set(change_ids) - {change.id for change in found})
        if missing:
            raise no_such("change", missing[0])
        return found
    if not filters and last is None:
        raise InvalidInput("Name the changes to undo: last, change_ids, since, until, client or program.")
    found = await matching(conn, which, last)
    if not found:
        raise NotFound("No change matches. Call list_changes to see them with their clients and programs.")
    if len(found) > MOST_UNDONE:
        raise InvalidInput(
            f"More than {MOST_UNDONE} changes match. Undo fewer at once: narrow since and until, or use last."
        )
    return found


CANDIDATES = SQL("SELECT id, coalesce(undoes, '{}') AS undoes, undone_by, summary FROM changes")


async def by_id(conn: AsyncConnection, change_ids: Sequence[int]) -> list[Candidate]:
    query = SQL("""
        {candidates} WHERE id = ANY(%(change_ids)s) ORDER BY id DESC FOR UPDATE
    """).format(candidates=CANDIDATES)
    return await fetch_all(conn, Candidate, query, {"change_ids": list(change_ids)})


async def matching(conn: AsyncConnection, which: ChangeFilter, last: int | None) -> list[Candidate]:
    """Return the changes that match. Only the *last* ones are neither undone nor undos."""
    query = SQL("""
        {candidates}
        WHERE {matching} AND (%(last)s::integer IS NULL OR undone_by IS NULL AND undoes IS NULL)
        ORDER BY id DESC
        LIMIT coalesce(%(last)s, %(most)s)
        FOR UPDATE
    """).format(candidates=CANDIDATES, matching=MATCHING)
    params = {**parameters(which), "last": last, "most": MOST_UNDONE + 1}
    return await fetch_all(conn, Candidate, query, params)


def in_effect(found: Sequence[Candidate], changes: Sequence[Undoing]) -> list[Candidate]:
    """Return which of the changes *found* to undo, newest first, given also those that they have undone.

    Skipped are undos of changes that were found too, and changes that are undone when their turn comes.
    Undoing another undo redoes what it undid.
    """
    ids = {change.id for change in found}
    kept: dict[int, Candidate] = {}
    undone_by = {change.id: change.undone_by for change in changes}
    for change in found:
        own_undo = change.undoes and ids.issuperset(change.undoes)
        if not own_undo and undone_by[change.id] is None:
            kept[change.id] = change
            if change.undoes:
                undone_by = undone_after(changes, dict.fromkeys(kept, 0))
    return list(kept.values())


async def check_size(conn: AsyncConnection, change_ids: Sequence[int]) -> None:
    rows: int = await fetch_value(
        conn,
        "SELECT count(*) FROM row_changes WHERE change_id = ANY(%(change_ids)s)",
        {"change_ids": change_ids},
    )
    if rows > MOST_ROWS:
        fewer = "Undo fewer at once, newest first, or" if len(change_ids) > 1 else "To undo it,"
        raise InvalidInput(
            f"These changes wrote {rows:,} rows, and one call undoes up to {MOST_ROWS:,}. "
            f"{fewer} ask the user to run `gearshed undo {' '.join(map(str, change_ids))}`."
        )


async def take_back(conn: AsyncConnection, change_ids: Sequence[int]) -> int:
    """Restore the rows of changes, and return how many that were. Raise Conflict if it is not possible."""
    rows = await restore.plan(conn, change_ids)
    if not rows:
        raise InvalidInput(f"Nothing to undo: {in_list(change_ids)} changed no rows.")
    if blocked := await restore.blocked(conn):
        raise await obstacle.later_changes(conn, change_ids, blocked)
    undoes = f"{{{','.join(map(str, change_ids))}}}"
    await conn.execute("SELECT set_config('gearshed.undoes', %(undoes)s, true)", {"undoes": undoes})
    try:
        # After an error, the savepoint allows the queries that find its cause.
        async with conn.transaction():
            await restore.write(conn)
    except errors.UniqueViolation as exc:
        raise await obstacle.same_key(conn, change_ids, exc) from exc
    except errors.ForeignKeyViolation as exc:
        raise await obstacle.deleted_parents(conn, change_ids, exc) from exc
    except errors.CheckViolation as exc:
        raise await obstacle.unfitting_values(conn, change_ids, exc) from exc
    if others := await restore.unplanned(conn):
        raise await obstacle.later_changes(conn, change_ids, others)
    return rows
