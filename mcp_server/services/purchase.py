"""Purchases: the candidates of several threads that together save most for a budget."""

import asyncio
from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from math import lcm
from typing import NamedTuple

from psycopg import AsyncConnection
from psycopg.sql import SQL

from db.query import fetch_all
from mcp_server.errors import Conflict, InvalidInput, in_list
from mcp_server.models.answer import MOST_ROWS
from mcp_server.models.fields import Row
from mcp_server.models.purchase import LeftOut, Point, Purchase, PurchasePlan
from mcp_server.models.settings import Units
from mcp_server.services import page, reference, settings
from mcp_server.services.knapsack import Option, Plan, Solver
from mcp_server.services.thread import OWN_PRICE, PIECES
from mcp_server.turns import Turns

# Threads and candidates that a plan considers. More would take longer than a call may.
MOST_THREADS, MOST_CANDIDATES = 100, 1000
# A plan keeps a processor busy. Users take turns, so that the plans of one do not delay those of another.
PLANS = Turns(1, 1, "plans")
# How many pieces of an item count in base weight: the most in one setup, or all if no setup contains it.
BASE_PIECES = SQL("""
    coalesce(
        (
            SELECT ceil(max(
                CASE WHEN classification = 'consumable' THEN 0 ELSE quantity - worn_quantity END
            ))::bigint
            FROM setup_items
            WHERE setup_items.item_id = items.id
            AND (%(setup_id)s::bigint IS NULL OR setup_items.setup_id = %(setup_id)s)
        ),
        {pieces}
    )
""").format(pieces=PIECES)


class Offer(Row):
    """A candidate of a thread, or a thread without candidates, with the figures of all pieces."""

    thread_id: int
    thread: str
    candidate_id: int | None
    name: str | None
    rank: int
    replaces_item_id: int | None
    is_packed: bool
    replaced_grams: Decimal | None
    grams: Decimal | None
    replaced_margin: Decimal = Decimal(0)
    margin: Decimal = Decimal(0)
    price_cents: int | None
    is_priced: bool
    pieces: int
    counted: int

    @property
    def outlay(self) -> int:
        return (self.price_cents or 0) * self.pieces

    @property
    def saved(self) -> Fraction:
        return (Fraction(self.replaced_grams or 0) - Fraction(self.grams or 0)) * self.counted

    def at_ends(self, replaced: int, own: int) -> "Offer":
        """Return the offer with both weights at the lower (-1) or upper (1) ends of their margins."""
        return self.model_copy(
            update={
                "replaced_grams": (self.replaced_grams or 0) + replaced * self.replaced_margin,
                "grams": (self.grams or 0) + own * self.margin,
            }
        )


class Offers(NamedTuple):
    """What a plan is made from."""

    budget_cents: int
    cents_per_gram: Decimal | None
    offers: list[Offer]
    units: Units


async def gather(
    conn: AsyncConnection,
    budget_cents: int,
    *,
    threads: Sequence[str | int] = (),
    setup: str | int | None = None,
    base_only: bool = False,
    weight_vs_price: Decimal | None = None,
) -> Offers:
    """Return the candidates of active threads: of these, or of all."""
    setup_id = None if setup is None else await reference.existing(conn, "setup", setup)
    thread_ids = [await reference.existing(conn, "thread", each) for each in threads]
    await check_active(conn, thread_ids)
    query = SQL("""
        SELECT
            threads.id AS thread_id, threads.name AS thread, candidates.id AS candidate_id, candidates.name,
            row_number() OVER (
                PARTITION BY threads.id ORDER BY candidates.sort_order, candidates.id
            ) AS rank,
            items.id AS replaces_item_id, items.weight_grams::numeric AS replaced_grams,
            %(setup_id)s::bigint IS NULL OR EXISTS (
                SELECT FROM setup_items
                WHERE setup_items.item_id = items.id AND setup_items.setup_id = %(setup_id)s
            ) AS is_packed,
            candidates.weight_grams::numeric AS grams,
            coalesce(items.weight_margin_grams::numeric, 0) AS replaced_margin,
            coalesce(candidates.weight_margin_grams::numeric, 0) AS margin,
            {own_price} AS price_cents, candidates.price_cents IS NOT NULL AS is_priced,
            {pieces} AS pieces, CASE WHEN %(base_only)s THEN {base_pieces} ELSE {pieces} END AS counted
        FROM threads
        LEFT JOIN candidates ON candidates.thread_id = threads.id
        LEFT JOIN items ON items.id = threads.replaces_item_id
        WHERE threads.status = 'active' AND (
            cardinality(%(thread_ids)s::bigint[]) = 0 OR threads.id = ANY(%(thread_ids)s::bigint[])
        )
        ORDER BY lower(threads.name), threads.id, rank
        LIMIT %(limit)s
    """).format(pieces=PIECES, base_pieces=BASE_PIECES, own_price=OWN_PRICE)
    params = {"setup_id": setup_id, "base_only": base_only, "thread_ids": thread_ids}
    found = await fetch_all(conn, Offer, query, {**params, "limit": MOST_CANDIDATES + 1})
    if len(found) > MOST_CANDIDATES or len({each.thread_id for each in found}) > MOST_THREADS:
        raise InvalidInput(
            f"A plan considers at most {MOST_THREADS} active threads with {MOST_CANDIDATES} candidates. "
            "Name some in threads."
        )
    return Offers(budget_cents, weight_vs_price, found, await settings.get(conn))


async def check_active(conn: AsyncConnection, thread_ids: Sequence[int]) -> None:
    """Refuse threads that are not active."""
    cursor = await conn.execute(
        "SELECT id FROM threads WHERE id = ANY(%(ids)s::bigint[]) AND status <> 'active' ORDER BY id",
        {"ids": list(thread_ids)},
    )
    closed = [thread_id for (thread_id,) in await cursor.fetchall()]
    if closed:
        raise Conflict(f"threads: {in_list(closed)} are not active. Omit them.")


async def plan(offers: Offers, user_id: int | None = None) -> PurchasePlan:
    """Return the best purchases. It is computed in another thread, because it may take a second."""
    async with PLANS.take(user_id) as turn:
        solving = asyncio.ensure_future(asyncio.to_thread(solve, offers))
        turn.extend(solving)
        return await asyncio.shield(solving)


def solve(offers: Offers) -> PurchasePlan:
    known, left_out = considered(offers.offers)
    groups = grouped(known)
    per_gram = offers.cents_per_gram
    by_weight, scale = by_grams(groups)
    lightest = by_weight.best(offers.budget_cents)
    best = lightest if per_gram is None else by_worth(groups, per_gram).best(offers.budget_cents)
    front, is_all = by_weight.front(lightest)
    bought = selected(best, groups)
    is_exact = not any(each.margin or each.replaced_margin for each in known)
    result = PurchasePlan(
        budget_cents=offers.budget_cents,
        outlay_cents=best.outlay,
        saves_grams=saved(bought),
        saves_at_least_grams=None if is_exact else saved(each.at_ends(-1, 1) for each in bought),
        holds_at_worst=None if is_exact else holds(best, groups, offers),
        unproven=not best.exact,
        saves_at_most_grams=None
        if best.exact or per_gram is not None
        else in_grams(Fraction(best.at_most, scale)),
        front_is_sample=not is_all,
        buy=[to_purchase(each) for each in bought],
        front=tuple(to_point(each, groups) for each in front),
        left_out=left_out[:MOST_ROWS],
        units=offers.units,
    )
    return page.fit(result, "left_out", lambda shown: {"left_out_more": len(left_out) - shown}, least=0)


def holds(plan: Plan, groups: Sequence[Sequence[Offer]], offers: Offers) -> bool:
    """Whether no plan is known to be better in the worst case for this one, within all margins.

    There, what it buys is heavy, and all else is light. The replaced items are light if it replaces them, and
    heavy if it does not. This is the worst case against every other plan at once.
    """
    worst = [
        [
            each.at_ends(1 if number is None else -1, 1 if at == number else -1)
            for at, each in enumerate(group)
        ]
        for group, number in zip(groups, plan.chosen, strict=True)
    ]
    per_gram = offers.cents_per_gram
    solver = by_grams(worst)[0] if per_gram is None else by_worth(worst, per_gram)
    best = solver.best(offers.budget_cents)
    value = sum((value_of(each, per_gram) for each in selected(plan, worst)), Fraction(0))
    reached = sum((value_of(each, per_gram) for each in selected(best, worst)), Fraction(0))
    return best.exact and value >= reached


def value_of(offer: Offer, per_gram: Decimal | None) -> Fraction:
    """Return the grams that an offer saves or, if a gram is worth cents, the cents that it is worth."""
    return offer.saved if per_gram is None else Fraction(per_gram) * offer.saved - offer.outlay


def by_grams(groups: Iterable[Iterable[Offer]]) -> tuple[Solver, int]:
    """Return plans that save most grams, and how many units of worth a gram is.

    Whole numbers in place of fractions of a gram and of a cent make all sums exact.
    """
    scale = lcm(*(each.saved.denominator for group in groups for each in group))
    return Solver(
        [[Option(each.outlay, int(each.saved * scale), each.rank) for each in group] for group in groups]
    ), scale


def considered(offers: Iterable[Offer]) -> tuple[list[Offer], tuple[LeftOut, ...]]:
    """Return the offers whose figures are all known, and why the others are left out."""
    known: list[Offer] = []
    left_out: dict[tuple[int, int | None], LeftOut] = {}
    for offer in offers:
        if why := missing_of_thread(offer):
            left_out[offer.thread_id, None] = LeftOut(thread_id=offer.thread_id, name=offer.thread, why=why)
        elif why := missing(offer):
            left_out[offer.thread_id, offer.candidate_id] = LeftOut(
                thread_id=offer.thread_id,
                candidate_id=offer.candidate_id,
                name=offer.name or offer.thread,
                why=why,
            )
        else:
            known.append(offer)
    return known, tuple(left_out.values())


def missing_of_thread(offer: Offer) -> str | None:
    if offer.replaces_item_id is None:
        return "replaces nothing"
    if not offer.is_packed:
        return "the setup does not contain the replaced item"
    if offer.replaced_grams is None:
        return "weight of the replaced item unknown"
    return "no candidates" if offer.candidate_id is None else None


def missing(offer: Offer) -> str | None:
    if offer.is_priced and offer.price_cents is None:
        return "price in another currency"
    unknown = [
        name for name, value in (("weight", offer.grams), ("price", offer.price_cents)) if value is None
    ]
    return f"{' and '.join(unknown)} unknown" if unknown else None


def grouped(offers: Iterable[Offer]) -> list[list[Offer]]:
    """Return the offers by the item that they replace, which only one of them can."""
    groups: dict[int | None, list[Offer]] = {}
    for offer in offers:
        groups.setdefault(offer.replaces_item_id, []).append(offer)
    return list(groups.values())


def by_worth(groups: Iterable[Iterable[Offer]], per_gram: Decimal) -> Solver:
    """Return plans that are worth most if a saved gram is worth this many cents."""
    worth = [[value_of(each, per_gram) for each in group] for group in groups]
    scale = lcm(*(each.denominator for group in worth for each in group))
    return Solver(
        [
            [
                Option(offer.outlay, int(value * scale), offer.rank)
                for offer, value in zip(group, values, strict=True)
            ]
            for group, values in zip(groups, worth, strict=True)
        ],
        by_worth=True,
    )


def selected(plan: Plan, groups: Sequence[Sequence[Offer]]) -> list[Offer]:
    return [group[number] for group, number in zip(groups, plan.chosen, strict=True) if number is not None]


def saved(offers: Iterable[Offer]) -> Decimal:
    return in_grams(sum((each.saved for each in offers), Fraction(0)))


def in_grams(exact: Fraction) -> Decimal:
    return Decimal(exact.numerator) / exact.denominator


def to_purchase(offer: Offer) -> Purchase:
    return Purchase(
        thread_id=offer.thread_id,
        candidate_id=offer.candidate_id or 0,
        name=offer.name or "",
        pieces=offer.pieces,
        outlay_cents=offer.outlay,
        saves_grams=in_grams(offer.saved),
    )


def to_point(plan: Plan, groups: Sequence[Sequence[Offer]]) -> Point:
    bought = selected(plan, groups)
    return Point(
        outlay_cents=plan.outlay,
        saves_grams=saved(bought),
        candidate_ids=tuple(each.candidate_id or 0 for each in bought),
    )
