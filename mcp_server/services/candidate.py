"""Candidates: the products that a thread compares, their rank, and their effect on setups."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, cast

from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier
from psycopg.types.json import Jsonb

from db.query import fetch_all, fetch_one, fetch_value
from db.sql import assignments, names, values
from mcp_server.errors import InUse, InvalidInput, NotFound, in_list, quoted
from mcp_server.models.answer import MOST_ROWS
from mcp_server.models.candidate import (
    CandidateAdded,
    CandidateChanges,
    CandidateRemoved,
    CandidatesAdded,
    CandidateShown,
    Considered,
    NewCandidate,
    Preview,
    Ranked,
    Ranking,
    SetupPreview,
)
from mcp_server.models.fields import Row
from mcp_server.models.setup import SetupTotals
from mcp_server.models.thread import NewThread, ThreadCreated
from mcp_server.services import image, line, page, reference, settings, setup, similar, thread
from mcp_server.services.item import find_categories, to_columns
from mcp_server.services.settings import UNITS
from mcp_server.services.setup import LINES, TOTALS


async def get(conn: AsyncConnection, candidate_id: int) -> CandidateShown:
    """Return a candidate."""
    query = SQL("""
        SELECT
            candidates.id, candidates.thread_id, candidates.name, candidates.status, candidates.weight_grams,
            candidates.price_cents, categories.name AS category, candidates.pros, candidates.cons,
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


async def add(conn: AsyncConnection, thread_id: str | int, new: NewCandidate) -> CandidateShown:
    """Add a candidate to a thread, in last place, and return it."""
    thread_id = await reference.resolve(conn, "thread", thread_id)
    await thread.lock_unresolved(conn, thread_id)
    row = await to_columns(conn, {name: value for name, value in new.items() if value is not None})
    row = {"thread_id": thread_id, **row}
    query = SQL("""
        INSERT INTO candidates ({names}, sort_order)
        SELECT {values}, coalesce(max(sort_order), 0) + 1 FROM candidates WHERE thread_id = %(thread_id)s
        RETURNING id
    """).format(names=names(row), values=values(row))
    return await get(conn, await fetch_value(conn, query, row))


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
        return CandidatesAdded(**dict(await add(conn, thread_id, cast(NewCandidate, one))))
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
            **{name: each.get(name) for name in NewCandidate.__annotations__},
            "weight_grams": each.get("weight"),
            "category_id": category_ids[each.get("category")],
            "status": each.get("status") or "researching",
        }
        for each in several
    ]
    columns = [name for name in rows[0] if name not in ("weight", "category")]
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
        RETURNING id, name, weight_grams, price_cents,
            (SELECT count(*) FROM candidates AS older WHERE older.thread_id = %(thread_id)s) AS rank
    """).format(columns=names(columns), values=SQL(", ").join(Identifier("new", name) for name in columns))
    added = await fetch_all(conn, CandidateAdded, query, {"thread_id": thread_id, "rows": Jsonb(rows)})
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
    await thread.lock_unresolved(conn, (await get(conn, candidate_id)).thread_id)
    row = await to_columns(conn, changes)
    query = SQL("UPDATE candidates SET {assignments} updated_at = now() WHERE id = %(candidate_id)s").format(
        assignments=assignments(row)
    )
    await conn.execute(query, {**row, "candidate_id": candidate_id})
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


async def preview(
    conn: AsyncConnection,
    candidate_id: str | int,
    in_setup: str | int | None,
    limit: int = MOST_ROWS,
    cursor: str = "",
) -> Preview:
    """Return the effect of a candidate on the setups that contain the item it would replace, or on one setup.

    In a setup without that item, the candidate is added as one more piece.
    """
    candidate_id = await reference.resolve(conn, "candidate", candidate_id)
    setup_id = None if in_setup is None else await setup.resolve(conn, in_setup)
    query = SQL("""
        SELECT
            candidates.id AS candidate_id, candidates.thread_id, threads.status = 'resolved' AS is_resolved,
            candidates.name, candidates.weight_grams, candidates.price_cents,
            {pieces} AS pieces, candidates.price_cents * {pieces} AS outlay_cents,
            items.id AS replaces_item_id, items.name AS replaces,
            items.weight_grams AS replaces_weight_grams, items.price_cents AS replaces_price_cents, {units}
        FROM candidates
        JOIN threads ON threads.id = candidates.thread_id
        LEFT JOIN items ON items.id = threads.replaces_item_id
        WHERE candidates.id = %(candidate_id)s
    """).format(units=UNITS, pieces=thread.PIECES)
    purchase = await fetch_one(conn, Purchase, query, {"candidate_id": candidate_id, "setup_id": setup_id})
    if purchase is None:
        raise no_such_candidate(candidate_id)
    in_all = await line.setups_with(conn, purchase.replaces_item_id)
    setup_ids = in_all if setup_id is None else [setup_id]
    cursors = page.Cursors("preview_candidate", candidate_id, setup_id, keys=("name", "id"))
    chosen = await choose(conn, setup_ids, limit, cursors.read(cursor))
    previewed = Preview(
        **{name: value for name, value in purchase if name != "is_resolved"},
        hint=await what_next(conn, purchase, shown=bool(setup_ids)),
        setups=await weigh(conn, purchase, chosen.rows[:limit]),
    )
    return page.fit(
        previewed,
        "setups",
        lambda shown: {
            "setups_left_out": chosen.remaining - shown,
            "next_cursor": cursors.next(chosen.places, shown),
        },
    )


async def choose(
    conn: AsyncConnection, setup_ids: list[int], limit: int, after: Mapping[str, Any]
) -> page.Found[int]:
    """Return the ids of a page of these setups, by name."""
    query = """
        SELECT id, json_build_array(lower(name), id) AS place, count(*) OVER () AS remaining
        FROM setups
        WHERE id = ANY(%(setup_ids)s::bigint[]) AND (
            %(after_id)s::bigint IS NULL
            OR (lower(name), id) > (%(after_name)s::text, %(after_id)s::bigint)
        )
        ORDER BY lower(name), id
        LIMIT %(limit)s
    """
    params = {**after, "setup_ids": setup_ids, "limit": limit + 1}
    return await page.fetch_page(conn, only_id, query, params)


def only_id(id: int) -> int:
    return id


class Purchase(Considered):
    """A candidate to preview, and whether its thread is a record."""

    is_resolved: bool


class Similar(Row):
    id: int
    name: str
    weight_grams: float | None


async def what_next(conn: AsyncConnection, purchase: Purchase, *, shown: bool) -> str | None:
    """Return how to get a better preview: what the thread may be meant to replace, or to name a setup."""
    name_setup = "" if shown else "Name a setup to preview adding the candidate to it."
    if purchase.replaces is not None:
        return None if shown else f"No setup contains the replaced item. {name_setup}"
    if purchase.is_resolved:
        return name_setup or None
    similar = await same_category(conn, purchase.candidate_id)
    if not similar:
        return None if shown else f"The thread replaces nothing: {how_to_replace(purchase)}, or name a setup."
    items = [
        f"{each.id} {quoted(each.name)}"
        + ("" if each.weight_grams is None else f" ({purchase.units.weight(each.weight_grams)})")
        for each in similar
    ]
    return (
        f"The thread replaces nothing. If it should replace one of these items: {', '.join(items)}: "
        f"{how_to_replace(purchase)}. {name_setup}"
    ).strip()


def how_to_replace(purchase: Purchase) -> str:
    return f"set replaces_item_id of thread {purchase.thread_id} with update_thread"


async def same_category(conn: AsyncConnection, candidate_id: int) -> list[Similar]:
    """Return items of the candidate's or the thread's category, those with the nearest weights first."""
    return await fetch_all(
        conn,
        Similar,
        """
        SELECT items.id, items.name, items.weight_grams
        FROM candidates
        JOIN threads ON threads.id = candidates.thread_id
        JOIN items ON items.category_id = coalesce(candidates.category_id, threads.category_id)
        WHERE candidates.id = %(candidate_id)s
        ORDER BY abs(items.weight_grams - candidates.weight_grams), lower(items.name), items.id
        LIMIT 5
        """,
        {"candidate_id": candidate_id},
    )


class State(SetupTotals):
    """A setup's totals before or after the purchase."""

    after: bool


async def weigh(conn: AsyncConnection, new: Considered, setup_ids: list[int]) -> list[SetupPreview]:
    """Return the totals of the setups without and with the candidate, by name."""
    query = SQL("""
        WITH states (after) AS (VALUES (false), (true)),
        lines AS (
            SELECT
                states.after, lines.setup_id, lines.item_id,
                lines.quantity, lines.classification, lines.worn_quantity,
                CASE WHEN after AND lines.item_id = %(replaces_item_id)s THEN %(weight_grams)s::float8
                    ELSE lines.weight_grams END AS weight_grams,
                CASE WHEN after AND lines.item_id = %(replaces_item_id)s THEN %(price_cents)s::bigint
                    ELSE lines.price_cents END AS price_cents
            FROM ({lines}) AS lines
            CROSS JOIN states
            UNION ALL
            SELECT true, setups.id, 0, 1, 'base', 0, %(weight_grams)s, %(price_cents)s
            FROM setups
            WHERE NOT EXISTS (
                SELECT
                FROM setup_items
                WHERE setup_items.setup_id = setups.id AND setup_items.item_id = %(replaces_item_id)s
            )
        )
        SELECT states.after, setups.id, setups.name, {totals}
        FROM setups
        CROSS JOIN states
        LEFT JOIN lines ON lines.setup_id = setups.id AND lines.after = states.after
        WHERE setups.id = ANY(%(setup_ids)s::bigint[])
        GROUP BY setups.id, states.after
        ORDER BY lower(setups.name), setups.id, states.after
    """).format(lines=LINES, totals=TOTALS)
    params = {
        **new.model_dump(include={"replaces_item_id", "weight_grams", "price_cents"}),
        "setup_ids": setup_ids,
    }
    states = await fetch_all(conn, State, query, params)
    return [
        before_and_after(new, before, after) for before, after in zip(states[::2], states[1::2], strict=True)
    ]


def before_and_after(new: Considered, before: State, after: State) -> SetupPreview:
    """Put both states side by side. A change is only given if all figures that it depends on are known."""
    is_added = after.items > before.items
    weighed = new.weight_grams is not None and (is_added or new.replaces_weight_grams is not None)
    priced = new.price_cents is not None and (is_added or new.replaces_price_cents is not None)
    figures: dict[str, Any] = {}
    for name, known in (
        ("total_grams", weighed),
        ("base_grams", weighed),
        ("price_cents", priced),
        ("unweighed", False),
        ("unpriced", False),
    ):
        old, then = getattr(before, name), getattr(after, name)
        figures |= {f"{name}_before": old, f"{name}_after": then}
        figures |= {f"{name}_change": then - (old or 0)} if known else {}
    return SetupPreview(setup_id=before.id, name=before.name, **figures)


def no_such_candidate(*candidate_ids: int, thread_id: int | None = None) -> NotFound:
    where = "" if thread_id is None else f" in thread {thread_id}"
    return NotFound(f"No candidate {in_list(candidate_ids)}{where}. Call get_thread to find its id.")
