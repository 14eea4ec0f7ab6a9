"""Candidates: the products that a thread compares, their rank, and their effect on setups."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier
from psycopg.types.json import Jsonb

from db.query import fetch_all, fetch_one, fetch_value
from db.sql import assignments, names, values
from mcp_server.errors import InUse, InvalidInput, NotFound, in_list
from mcp_server.models.answer import MOST_ROWS
from mcp_server.models.candidate import (
    CandidateAdded,
    CandidateChanges,
    CandidateRemoved,
    CandidatesAdded,
    CandidateShown,
    NewCandidate,
    Ranked,
    Ranking,
)
from mcp_server.models.thread import NewThread, ThreadCreated
from mcp_server.services import criterion, image, page, reference, settings, similar, thread
from mcp_server.services.item import find_categories, to_columns, with_weight
from mcp_server.services.settings import UNITS


async def get(conn: AsyncConnection, candidate_id: int) -> CandidateShown:
    """Return a candidate."""
    query = SQL("""
        SELECT
            candidates.id, candidates.thread_id, candidates.name, candidates.status, candidates.weight_grams,
            candidates.weight_margin_grams, candidates.weight_source, candidates.price_cents,
            candidates.price_currency, candidates.target_cents,
            categories.name AS category, candidates.pros, candidates.cons,
            candidates.notes, candidates.product_url, candidates.image_id,
            (
                SELECT count(*)
                FROM candidates AS others
                WHERE others.thread_id = candidates.thread_id
                AND (others.sort_order, others.id) <= (candidates.sort_order, candidates.id)
            ) AS rank,
            {units}
        FROM candidates
        LEFT JOIN categories ON categories.id = candidates.category_id
        WHERE candidates.id = %(candidate_id)s
    """).format(units=UNITS)
    found = await fetch_one(conn, CandidateShown, query, {"candidate_id": candidate_id})
    if found is None:
        raise no_such_candidate(candidate_id)
    return page.whole(found)


async def add(conn: AsyncConnection, thread_id: str | int, new: CandidateChanges) -> CandidateShown:
    """Add a candidate to a thread, in last place, and return it."""
    thread_id = await reference.resolve(conn, "thread", thread_id)
    await thread.lock_unresolved(conn, thread_id)
    row = await to_columns(conn, {name: value for name, value in columns_of(new) if value is not None})
    row = {"thread_id": thread_id, **row}
    query = SQL("""
        INSERT INTO candidates ({names}, sort_order)
        SELECT {values}, coalesce(max(sort_order), 0) + 1 FROM candidates WHERE thread_id = %(thread_id)s
        RETURNING id
    """).format(names=names(row), values=values(row))
    candidate_id = await fetch_value(conn, query, row)
    await criterion.put_values(conn, thread_id, {candidate_id: new.get("values") or ()})
    return await get(conn, candidate_id)


def columns_of(fields: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return the fields that are columns. Values by criterion are rows of their own."""
    return [(name, value) for name, value in fields.items() if name != "values"]


def check_new(one: CandidateChanges, several: Sequence[NewCandidate]) -> None:
    """Refuse arguments of add_candidate that are neither one candidate nor several."""
    fields = [name for name, value in one.items() if value is not None]
    if several and fields:
        raise InvalidInput(f"{fields[0]}: give either one candidate, or several in candidates.")
    if not several and "name" not in fields:
        raise InvalidInput("name: is required. To add several, give candidates.")


async def add_any(
    conn: AsyncConnection, thread_id: str | int, one: CandidateChanges, several: Sequence[NewCandidate]
) -> CandidatesAdded:
    """Add *several* candidates to a thread or, without any, *one*, in last place."""
    if not several:
        return CandidatesAdded(**dict(await add(conn, thread_id, one)))
    thread_id = await reference.resolve(conn, "thread", thread_id)
    await thread.lock_unresolved(conn, thread_id)
    added = await add_several(conn, thread_id, several)
    return CandidatesAdded(thread_id=thread_id, candidates=added, units=await settings.get(conn))


async def add_several(
    conn: AsyncConnection, thread_id: int, several: Sequence[NewCandidate]
) -> tuple[CandidateAdded, ...]:
    """Add candidates to a thread, all or none, in last place, and return them."""
    category_ids = await find_categories(
        conn, [each.get("category") for each in several], "candidates.{}.category"
    )
    rows = [
        {
            **with_weight(
                {name: each.get(name) for name in NewCandidate.__annotations__ if name != "values"}
            ),
            "category_id": category_ids[each.get("category")],
            "status": each.get("status") or "researching",
        }
        for each in several
    ]
    columns = [name for name in rows[0] if name != "category"]
    query = SQL("""
        INSERT INTO candidates (thread_id, sort_order, {columns})
        SELECT %(thread_id)s, last.sort_order + new.ordinality, {values}
        FROM
            ROWS FROM (jsonb_populate_recordset(NULL::candidates, %(rows)s)) WITH ORDINALITY AS new,
            (
                SELECT coalesce(max(sort_order), 0) AS sort_order
                FROM candidates
                WHERE thread_id = %(thread_id)s
            ) AS last
        ORDER BY new.ordinality
        RETURNING id, name, weight_grams, weight_margin_grams, price_cents,
            (SELECT count(*) FROM candidates AS older WHERE older.thread_id = %(thread_id)s) AS rank
    """).format(columns=names(columns), values=SQL(", ").join(Identifier("new", name) for name in columns))
    added = await fetch_all(conn, CandidateAdded, query, {"thread_id": thread_id, "rows": Jsonb(rows)})
    its_values = {row.id: each.get("values") or () for row, each in zip(added, several, strict=True)}
    await criterion.put_values(conn, thread_id, its_values, "candidates.{}.values")
    return tuple(each.model_copy(update={"rank": each.rank + at}) for at, each in enumerate(added, start=1))


async def start_thread(
    conn: AsyncConnection, new: NewThread, candidates: Sequence[NewCandidate]
) -> ThreadCreated:
    """Create a thread with its first candidates."""
    same_name = await similar.named(conn, "thread", new["name"])
    created = await thread.create(conn, new)
    added = await add_several(conn, created.id, candidates) if candidates else ()
    summary: dict[str, Any] = {**dict(created), "candidates": len(added)}
    return ThreadCreated(**summary, same_name=same_name, added=added, units=await settings.get(conn))


async def update(conn: AsyncConnection, candidate_id: str | int, changes: CandidateChanges) -> CandidateShown:
    """Apply *changes* and return the updated candidate. None clears a field."""
    candidate_id = await reference.resolve(conn, "candidate", candidate_id)
    its_thread = await thread.lock_unresolved(conn, (await get(conn, candidate_id)).thread_id)
    row = await to_columns(conn, dict(columns_of(changes)))
    query = SQL("UPDATE candidates SET {assignments} updated_at = now() WHERE id = %(candidate_id)s").format(
        assignments=assignments(row)
    )
    await conn.execute(query, {**row, "candidate_id": candidate_id})
    await criterion.put_values(conn, its_thread.id, {candidate_id: changes.get("values") or ()})
    return await get(conn, candidate_id)


class RemovedRow(CandidateRemoved):
    """A removed candidate, and its image."""

    image_id: int | None


async def remove(conn: AsyncConnection, candidate_id: str | int) -> CandidateRemoved:
    """Remove a candidate from its thread, and its image if nothing else uses it. A winner is not removed."""
    candidate_id = await reference.resolve(conn, "candidate", candidate_id)
    found = await get(conn, candidate_id)
    its_thread = await thread.lock_unresolved(conn, found.thread_id)
    if its_thread.resolved_candidate_id == candidate_id:
        raise InUse(
            f"Candidate {candidate_id} won thread {its_thread.id}. Keep it, or delete the whole thread."
        )
    removed = await fetch_one(
        conn,
        RemovedRow,
        "DELETE FROM candidates WHERE id = %(candidate_id)s RETURNING name AS removed, thread_id, image_id",
        {"candidate_id": candidate_id},
    )
    if removed is None:
        raise no_such_candidate(candidate_id)
    await image.delete_unused(conn, [removed.image_id])
    return CandidateRemoved(**removed.model_dump(exclude={"image_id"}))


async def rank(conn: AsyncConnection, thread_id: str | int, candidate_ids: Sequence[str | int]) -> Ranking:
    """Rank a thread's candidates in this order. Omitted ones follow in their previous order."""
    thread_id = await reference.resolve(conn, "thread", thread_id)
    candidate_ids = await reference.resolve_all(conn, "candidate", candidate_ids, within=thread_id)
    await thread.lock_unresolved(conn, thread_id)
    twice = [candidate_id for candidate_id, count in Counter(candidate_ids).items() if count > 1]
    if twice:
        raise InvalidInput(f"candidate_ids: {in_list(twice)} occurs more than once.")
    old = await ranked(conn, thread_id)
    absent = [candidate_id for candidate_id in candidate_ids if candidate_id not in {each.id for each in old}]
    if absent:
        raise no_such_candidate(*absent, thread_id=thread_id)
    order = [*candidate_ids, *(each.id for each in old if each.id not in candidate_ids)]
    await conn.execute(
        """
        UPDATE candidates
        SET sort_order = wanted.at, updated_at = now()
        FROM unnest(%(order)s::bigint[]) WITH ORDINALITY AS wanted (id, at)
        WHERE candidates.id = wanted.id AND candidates.sort_order <> wanted.at
        """,
        {"order": order},
    )
    first = await ranked(conn, thread_id, MOST_ROWS)
    return page.fit(
        Ranking(thread_id=thread_id, candidates=first),
        "candidates",
        lambda shown: {"candidates_left_out": len(order) - shown},
    )


async def ranked(conn: AsyncConnection, thread_id: int, limit: int | None = None) -> list[Ranked]:
    """Return a thread's candidates by rank: all, or the first ones."""
    return await fetch_all(
        conn,
        Ranked,
        """
        SELECT row_number() OVER (ORDER BY sort_order, id) AS rank, id, name
        FROM candidates
        WHERE thread_id = %(thread_id)s
        ORDER BY rank
        LIMIT %(limit)s
        """,
        {"thread_id": thread_id, "limit": limit},
    )


def no_such_candidate(*candidate_ids: int, thread_id: int | None = None) -> NotFound:
    where = "" if thread_id is None else f" in thread {thread_id}"
    return NotFound(f"No candidate {in_list(candidate_ids)}{where}. Call get_thread to find its id.")
