"""Preview: the effect of a candidate on setups."""

from collections.abc import Mapping
from typing import Any

from psycopg import AsyncConnection
from psycopg.sql import SQL

from db.query import fetch_all, fetch_one
from mcp_server.errors import quoted
from mcp_server.models.answer import MOST_ROWS
from mcp_server.models.candidate import Considered, Preview, SetupPreview
from mcp_server.models.fields import Row
from mcp_server.models.setup import SetupTotals
from mcp_server.services import line, page, reference, setup, thread
from mcp_server.services.candidate import no_such_candidate
from mcp_server.services.settings import UNITS
from mcp_server.services.setup import LINES, TOTALS


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
            candidates.name, candidates.weight_grams, candidates.weight_margin_grams,
            {own_price} AS price_cents,
            candidates.price_cents IS NOT NULL AND ({own_price}) IS NULL AS is_foreign,
            {pieces} AS pieces, ({own_price}) * {pieces} AS outlay_cents,
            items.id AS replaces_item_id, items.name AS replaces,
            items.weight_grams AS replaces_weight_grams, items.price_cents AS replaces_price_cents, {units}
        FROM candidates
        JOIN threads ON threads.id = candidates.thread_id
        LEFT JOIN items ON items.id = threads.replaces_item_id
        WHERE candidates.id = %(candidate_id)s
    """).format(units=UNITS, pieces=thread.PIECES, own_price=thread.OWN_PRICE)
    purchase = await fetch_one(conn, Purchase, query, {"candidate_id": candidate_id, "setup_id": setup_id})
    if purchase is None:
        raise no_such_candidate(candidate_id)
    in_all = await line.setups_with(conn, purchase.replaces_item_id)
    setup_ids = in_all if setup_id is None else [setup_id]
    cursors = page.Cursors("preview_candidate", candidate_id, setup_id, keys=("name", "id"))
    chosen = await choose(conn, setup_ids, limit, cursors.read(cursor))
    previewed = Preview(
        **{name: value for name, value in purchase if name in Considered.model_fields},
        hint=with_currency(purchase, await what_next(conn, purchase, shown=bool(setup_ids))),
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
    """A candidate to preview, and whether its thread is a record and its price in another currency."""

    is_resolved: bool
    is_foreign: bool


def with_currency(purchase: Purchase, hint: str | None) -> str | None:
    if not purchase.is_foreign:
        return hint
    return f"Its price is in another currency, and counts as unknown. {hint or ''}".strip()


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
                CASE WHEN after AND lines.item_id = %(replaces_item_id)s THEN %(weight_margin_grams)s::float8
                    ELSE lines.weight_margin_grams END AS weight_margin_grams,
                CASE WHEN after AND lines.item_id = %(replaces_item_id)s THEN %(price_cents)s::bigint
                    ELSE lines.price_cents END AS price_cents
            FROM ({lines}) AS lines
            CROSS JOIN states
            UNION ALL
            SELECT
                true, setups.id, 0, 1, 'base', 0, %(weight_grams)s, %(weight_margin_grams)s, %(price_cents)s
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
        **new.model_dump(include={"replaces_item_id", "weight_grams", "weight_margin_grams", "price_cents"}),
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
