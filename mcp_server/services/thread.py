"""Threads: purchase research, until one of the candidates becomes an item."""

from collections.abc import Mapping
from typing import Any

from psycopg import AsyncConnection
from psycopg.sql import SQL

from db.query import fetch_one, fetch_only, fetch_value
from db.sql import assignments, excerpts, names, values
from mcp_server.errors import Conflict, NotFound, no_such
from mcp_server.models.answer import EXCERPT, TEXTS, WHOLE
from mcp_server.models.candidate import CandidateCompared
from mcp_server.models.fields import Row
from mcp_server.models.thread import (
    NewThread,
    ThreadChanges,
    ThreadDeleted,
    ThreadHead,
    ThreadList,
    ThreadRow,
    ThreadShown,
    ThreadStatus,
    ThreadSummary,
)
from mcp_server.services import criterion, image, page, reference, search, settings
from mcp_server.services.item import MORE_USES, USED_IN, to_columns
from mcp_server.services.settings import UNITS

# Fields that are a record once a thread is resolved.
DECIDED = {"status", "replaces_item_id", "criteria"}

SUMMARIES = SQL("""
    SELECT
        threads.id, threads.name, threads.status, categories.name AS category, items.name AS replaces,
        (SELECT count(*) FROM candidates WHERE candidates.thread_id = threads.id) AS candidates {place}
    FROM threads
    LEFT JOIN categories ON categories.id = threads.category_id
    LEFT JOIN items ON items.id = threads.replaces_item_id
""")
# Whether a thread is one of those that a list asks for.
MATCHING = SQL("""
    (%(status)s::text IS NULL OR threads.status = %(status)s)
    AND (NOT %(below_target)s OR EXISTS (
        SELECT FROM candidates WHERE candidates.thread_id = threads.id AND price_cents <= target_cents
    ))
""")
# Whether a thread comes after the active ones.
INACTIVE = SQL("(threads.status <> 'active')::int")
# The price of a candidate in the user's own currency. Prices in others are not compared with it.
OWN_PRICE = SQL("""
    CASE WHEN candidates.price_currency IS NULL OR candidates.price_currency = (
        SELECT settings.value FROM settings WHERE settings.key = 'currency'
    ) THEN candidates.price_cents END
""")
# How many pieces of an item a purchase replaces: as many as are needed at once, in one setup or in any.
PIECES = SQL("""
    coalesce(
        (
            SELECT nullif(ceil(max(setup_items.quantity)), 0)::bigint
            FROM setup_items
            WHERE setup_items.item_id = items.id
            AND (%(setup_id)s::bigint IS NULL OR setup_items.setup_id = %(setup_id)s)
        ),
        CASE WHEN %(setup_id)s::bigint IS NULL THEN nullif(items.quantity, 0) END,
        1
    )
""")


class Locked(Row):
    """A thread that is locked until the transaction ends."""

    id: int
    status: ThreadStatus
    category_id: int | None
    replaces_item_id: int | None
    resolved_candidate_id: int | None
    resolved_item_id: int | None


async def list_all(
    conn: AsyncConnection,
    status: ThreadStatus | None = None,
    *,
    query: str = "",
    below_target: bool = False,
    limit: int = page.DEFAULT_LIMIT,
    cursor: str = "",
) -> ThreadList:
    """Return a page of threads: of all, or of those with a status or words. Active ones come first.

    With *below_target*, only those with a candidate whose price is at most its target.
    """
    wanted = search.read_query(query)
    matching = SQL("{} AND {}").format(MATCHING, search.in_name(wanted, SQL("threads.name")))
    cursors = page.Cursors("list_threads", status, query, below_target, keys=("inactive", "name", "id"))
    statement = SQL("""
        {summaries}
        WHERE {matching} AND (
            %(after_id)s::bigint IS NULL
            OR ({inactive}, lower(threads.name), threads.id)
                > (%(after_inactive)s::int, %(after_name)s::text, %(after_id)s::bigint)
        )
        ORDER BY {inactive}, lower(threads.name), threads.id
        LIMIT %(limit)s
    """).format(
        summaries=SUMMARIES.format(
            place=SQL("""
                , {pieces} AS pieces,
                (
                    SELECT min({own_price}) FROM candidates WHERE candidates.thread_id = threads.id
                ) * {pieces} AS least_outlay_cents,
                (items.weight_grams::numeric - (
                    SELECT min(weight_grams::numeric) FROM candidates WHERE candidates.thread_id = threads.id
                )) * {pieces} AS most_saved_grams,
                json_build_array({inactive}, lower(threads.name), threads.id) AS place
            """).format(inactive=INACTIVE, pieces=PIECES, own_price=OWN_PRICE)
        ),
        inactive=INACTIVE,
        matching=matching,
    )
    params = {
        **wanted.params(),
        **cursors.read(cursor),
        "status": status,
        "below_target": below_target,
        "setup_id": None,
        "limit": limit + 1,
    }
    found = await page.fetch_page(conn, ThreadRow, statement, params)
    count = SQL("SELECT count(*) FROM threads WHERE {matching}").format(matching=matching)
    threads = ThreadList(
        total=await fetch_value(conn, count, params),
        threads=found.rows[:limit],
        units=await settings.get(conn),
    )
    return page.fit(threads, "threads", lambda shown: {"next_cursor": cursors.next(found.places, shown)})


async def get(
    conn: AsyncConnection,
    thread_id: str | int,
    candidate_id: str | int | None = None,
    *,
    limit: int = page.DEFAULT_LIMIT,
    cursor: str = "",
) -> ThreadShown:
    """Return a thread with a page of its candidates side by side, by rank, or one with whole texts."""
    thread_id = await reference.resolve(conn, "thread", thread_id)
    if candidate_id is not None:
        candidate_id = await reference.resolve(conn, "candidate", candidate_id, within=thread_id)
    query = SQL("""
        SELECT
            threads.id, threads.name, threads.status, categories.name AS category,
            CASE WHEN items.id IS NOT NULL THEN jsonb_build_object(
                'item_id', items.id, 'name', items.name,
                'weight_grams', items.weight_grams,
                'weight_margin_grams', items.weight_margin_grams, 'price_cents', items.price_cents,
                'in_setups', {used_in}, 'setups_left_out', {more_uses},
                'kinds', array(
                    SELECT DISTINCT CASE
                        WHEN worn_quantity < quantity AND classification = 'worn' THEN 'base'
                        ELSE classification
                    END
                    FROM setup_items
                    WHERE setup_items.item_id = items.id
                )
            ) END AS replaces,
            {pieces} AS pieces, threads.resolved_candidate_id, threads.resolved_item_id,
            threads.decision, {units}
        FROM threads
        LEFT JOIN categories ON categories.id = threads.category_id
        LEFT JOIN items ON items.id = threads.replaces_item_id
        WHERE threads.id = %(thread_id)s
    """).format(units=UNITS, pieces=PIECES, used_in=USED_IN, more_uses=MORE_USES)
    found = await fetch_one(conn, ThreadHead, query, {"thread_id": thread_id, "setup_id": None})
    if found is None:
        raise no_such("thread", thread_id)
    cursors = page.Cursors("get_thread", thread_id, candidate_id, keys=("order", "id"))
    compared = await compare(conn, thread_id, candidate_id, limit, cursors.read(cursor))
    if candidate_id is not None and not compared.rows:
        raise not_in_thread(candidate_id, thread_id)
    shown = page.fit(
        ThreadShown(**dict(found), candidates=compared.rows[:limit]),
        "candidates",
        lambda count: {
            "candidates_left_out": compared.remaining - count,
            "next_cursor": cursors.next(compared.places, count),
        },
    )
    if candidate_id is None:
        return shown
    return shown.model_copy(update={"candidates": [page.whole(each) for each in shown.candidates]})


async def compare(
    conn: AsyncConnection, thread_id: int, candidate_id: int | None, limit: int, after: Mapping[str, Any]
) -> page.Found[CandidateCompared]:
    """Return candidates of a thread compared with all of its others and with the item they would replace."""
    query = SQL("""
        WITH all_candidates AS (
            SELECT
                id, sort_order,
                row_number() OVER (ORDER BY sort_order, id) AS rank,
                min(weight_grams::numeric) OVER () AS lightest, min({own_price}) OVER () AS cheapest
            FROM candidates
            WHERE thread_id = %(thread_id)s
        ), page AS (
            SELECT id, rank, lightest, cheapest, count(*) OVER () AS remaining
            FROM all_candidates
            WHERE (%(candidate_id)s::bigint IS NULL OR id = %(candidate_id)s) AND (
                %(after_id)s::bigint IS NULL
                OR (sort_order, id) > (%(after_order)s::float8, %(after_id)s::bigint)
            )
            ORDER BY rank
            LIMIT %(limit)s
        )
        SELECT
            json_build_array(candidates.sort_order, candidates.id) AS place, page.remaining,
            page.rank, candidates.id, candidates.name, candidates.status, categories.name AS category,
            candidates.weight_grams, candidates.weight_margin_grams, candidates.weight_source,
            candidates.price_cents, candidates.price_currency,
            candidates.target_cents, candidates.image_id, {texts},
            candidates.weight_grams::numeric - page.lightest AS over_lightest_grams,
            ({own_price}) - page.cheapest AS over_cheapest_cents,
            ({own_price}) * {pieces} AS outlay_cents,
            (items.weight_grams::numeric - candidates.weight_grams::numeric) * {pieces} AS saves_grams,
            CASE WHEN candidates.weight_grams < items.weight_grams THEN round(
                ({own_price}) / (items.weight_grams::numeric - candidates.weight_grams::numeric), 2
            ) END AS cents_per_gram_saved
        FROM page
        JOIN candidates ON candidates.id = page.id
        JOIN threads ON threads.id = candidates.thread_id
        LEFT JOIN items ON items.id = threads.replaces_item_id
        LEFT JOIN categories ON categories.id = candidates.category_id
        ORDER BY page.rank
    """).format(pieces=PIECES, own_price=OWN_PRICE, texts=excerpts("candidates", TEXTS))
    params = {
        **after,
        "thread_id": thread_id,
        "candidate_id": candidate_id,
        "setup_id": None,
        "limit": limit + 1,
        "longest": EXCERPT if candidate_id is None else WHOLE,
    }
    return await page.fetch_page(conn, CandidateCompared, query, params)


def not_in_thread(candidate_id: int, thread_id: int) -> NotFound:
    return NotFound(f"No candidate {candidate_id} in thread {thread_id}. Call get_thread to find its id.")


async def create(conn: AsyncConnection, new: NewThread) -> ThreadSummary:
    """Create a thread and return it."""
    fields = {name: value for name, value in new.items() if value is not None and name != "criteria"}
    row = await to_columns(conn, fields)
    query = SQL("INSERT INTO threads ({names}) VALUES ({values}) RETURNING id").format(
        names=names(row), values=values(row)
    )
    await check_replaced(conn, row)
    thread_id = await fetch_value(conn, query, row)
    await criterion.replace(conn, thread_id, new.get("criteria") or ())
    return await summarize(conn, thread_id)


async def check_replaced(conn: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Raise NotFound if the item to replace does not exist."""
    item_id = row.get("replaces_item_id")
    if item_id is not None and not await fetch_value(
        conn, "SELECT true FROM items WHERE id = %(item_id)s", {"item_id": item_id}
    ):
        raise no_such("item", item_id)


async def update(conn: AsyncConnection, thread_id: str | int, changes: ThreadChanges) -> ThreadSummary:
    """Apply *changes* and return the updated thread. None clears a field."""
    thread_id = await reference.resolve(conn, "thread", thread_id)
    await (lock_unresolved if DECIDED & changes.keys() else lock)(conn, thread_id)
    row = await to_columns(conn, {name: value for name, value in changes.items() if name != "criteria"})
    query = SQL("UPDATE threads SET {assignments} updated_at = now() WHERE id = %(thread_id)s").format(
        assignments=assignments(row)
    )
    await check_replaced(conn, row)
    await conn.execute(query, {**row, "thread_id": thread_id})
    if "criteria" in changes:
        await criterion.replace(conn, thread_id, changes["criteria"] or ())
    return await summarize(conn, thread_id)


async def delete(conn: AsyncConnection, thread_id: str | int) -> ThreadDeleted:
    """Delete a thread, its candidates, and their images if nothing else uses them."""
    thread_id = await reference.resolve(conn, "thread", thread_id)
    await lock(conn, thread_id)
    cursor = await conn.execute(
        "SELECT image_id FROM candidates WHERE thread_id = %(thread_id)s ORDER BY id FOR UPDATE",
        {"thread_id": thread_id},
    )
    image_ids = [image_id for (image_id,) in await cursor.fetchall()]
    deleted = await fetch_only(
        conn,
        ThreadDeleted,
        """
        DELETE FROM threads
        WHERE id = %(thread_id)s
        RETURNING
            name AS deleted,
            (SELECT count(*) FROM candidates WHERE candidates.thread_id = threads.id) AS candidates
        """,
        {"thread_id": thread_id},
    )
    await image.delete_unused(conn, image_ids)
    return deleted


async def lock(conn: AsyncConnection, thread_id: int) -> Locked:
    """Lock a thread and return the fields that its changes depend on."""
    found = await fetch_one(
        conn,
        Locked,
        """
        SELECT id, status, category_id, replaces_item_id, resolved_candidate_id, resolved_item_id
        FROM threads
        WHERE id = %(thread_id)s
        FOR UPDATE
        """,
        {"thread_id": thread_id},
    )
    if found is None:
        raise no_such("thread", thread_id)
    return found


async def lock_unresolved(conn: AsyncConnection, thread_id: int) -> Locked:
    """Lock a thread to change the basis of its decision. Raise Conflict if it is resolved."""
    its_thread = await lock(conn, thread_id)
    if its_thread.status == "resolved":
        raise await is_record(conn, its_thread)
    return its_thread


async def is_record(conn: AsyncConnection, its_thread: Locked) -> Conflict:
    change_id = await fetch_value(
        conn,
        """
        SELECT max(change_id)
        FROM row_changes
        WHERE table_name = 'threads' AND row_id = %(id)s
        AND before ->> 'status' <> 'resolved' AND after ->> 'status' = 'resolved'
        """,
        {"id": its_thread.id},
    )
    undo = "" if change_id is None else f", or undo the decision with undo_change(change_id={change_id})"
    return Conflict(
        f"Thread {its_thread.id} is resolved: its status, candidates, ranks and replaced item are a record. "
        f"Create a new thread with create_thread{undo}."
    )


async def summarize(conn: AsyncConnection, thread_id: int) -> ThreadSummary:
    query = SQL("{summaries} WHERE threads.id = %(thread_id)s").format(
        summaries=SUMMARIES.format(place=SQL(""))
    )
    found = await fetch_one(conn, ThreadSummary, query, {"thread_id": thread_id})
    if found is None:
        raise no_such("thread", thread_id)
    return found
