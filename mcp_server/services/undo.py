"""Undo: every row of a change, or of many, is restored, or none is and the error gives the reason."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from psycopg import AsyncConnection, errors
from psycopg.sql import SQL

from db.collection import COLLECTION
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
from mcp_server.models.fields import Row
from mcp_server.services import page, restore
from mcp_server.services.change import NetRow, reached, rows_of, undone_after
from mcp_server.services.history import MATCHING, parameters
from mcp_server.services.restore import Blocked, Place

# Logged rows of many changes that one call undoes. More may take longer than a call may.
MOST_ROWS = 10_000
# Blocked rows that an error names.
MOST_NAMED = 10


class Candidate(Undoing):
    """A change that may be undone."""

    summary: str


class Later(Row):
    """What a later change did to a blocked row."""

    table_name: str
    row_id: int
    id: int
    undoes: tuple[int, ...]
    undone_by: int | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None


async def undo(conn: AsyncConnection, change_id: int) -> ChangeUndone:
    """Restore every row to its state before a change, ids and times included. An undo can be undone too."""
    found = await by_id(conn, [change_id])
    if not found:
        raise no_such("change", change_id)
    change = found[0]
    if change.undone_by is not None:
        raise Conflict(
            f"Change {change_id} was already undone by change {change.undone_by}. "
            f"To redo it, call undo_change(change_id={change.undone_by})."
        )
    rows = await rows_of(conn, change_id)
    if not rows:
        raise InvalidInput(f"change_id: change {change_id} has nothing to undo.")
    await take_back(conn, [change_id], rows)
    return ChangeUndone(undone=change_id, summary=change.summary, rows=len(rows))


async def undo_many(
    conn: AsyncConnection, which: ChangeFilter, *, last: int | None = None, change_ids: Sequence[int] = ()
) -> ChangesUndone:
    """Undo changes as one change: the *last* that match, those with *change_ids*, or all that match."""
    found = await select(conn, which, last, change_ids)
    undone = in_effect(found, await reached(conn, [change.id for change in found]))
    ids = [change.id for change in undone]
    skipped = tuple(change.id for change in found if change.id not in ids)
    if not undone:
        raise Conflict(f"Nothing to undo: {in_list(skipped)} were undone already, or are their undos.")
    await check_size(conn, ids)
    rows = await rows_of(conn, *ids)
    if not rows:
        raise InvalidInput(f"Nothing to undo: changes {in_list(ids)} have no rows.")
    restored = await take_back(conn, ids, rows)
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
        raise InvalidInput(
            f"These changes wrote {rows:,} rows, and one call undoes up to {MOST_ROWS:,}. "
            "Undo fewer at once, newest first, or each alone with undo_change."
        )


async def take_back(conn: AsyncConnection, change_ids: Sequence[int], rows: Sequence[NetRow]) -> int:
    """Restore the rows of changes, and return how many that were. Raise Conflict if it is not possible."""
    what = f"{'Change' if len(change_ids) == 1 else 'Changes'} {in_list(change_ids)} cannot be undone:"
    now = await restore.lock_rows(conn, map(restore.place_of, rows))
    then, blocked = restore.plan(rows, now)
    if blocked:
        raise await conflict(conn, what, change_ids, blocked)
    undoes = f"{{{','.join(map(str, change_ids))}}}"
    await conn.execute("SELECT set_config('gearshed.undoes', %(undoes)s, true)", {"undoes": undoes})
    try:
        await restore.write(conn, now, then)
    except errors.UniqueViolation as exc:
        raise Conflict(f"{what} another row has the same name now. Rename that one first.") from exc
    except errors.ForeignKeyViolation as exc:
        raise Conflict(
            f"{what} rows that its rows belong to have been deleted since. "
            "Call list_changes and undo that deletion first."
        ) from exc
    except errors.CheckViolation as exc:
        raise Conflict(
            f"{what} the restored values do not fit later changes of the same row. "
            "Call list_changes and undo the later changes first."
        ) from exc
    if others := await restore.unplanned(conn, rows, then):
        raise await conflict(conn, what, change_ids, others)
    return len(then)


async def conflict(
    conn: AsyncConnection, what: str, change_ids: Sequence[int], blocked: Sequence[Blocked]
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
        f"{what} {'; '.join(parts)}{more}. Undo the later changes first, newest first. Nothing was undone."
    )


def label(row: Blocked) -> str:
    """`item 12 "Tent"`."""
    table, row_id = row.place
    return f"{COLLECTION[table]} {row_id}" + (f' "{row.name}"' if row.name else "")


async def blockers(
    conn: AsyncConnection, change_ids: Sequence[int], blocked: Sequence[Blocked]
) -> Mapping[Place, tuple[int, ...]]:
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
        "tables": [row.place[0] for row in blocked],
        "row_ids": [row.place[1] for row in blocked],
        "seqs": [row.seq for row in blocked],
        "change_ids": list(change_ids),
    }
    found = await fetch_all(conn, Later, query, params)
    return {
        row.place: still_in_effect(each for each in found if blocks(each, row.place, row.fields))
        for row in blocked
    }


def blocks(later: Later, place: Place, fields: Iterable[str] | None) -> bool:
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
