"""Decisions: the candidates of a thread in order, with the reasons."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any

from psycopg import AsyncConnection
from psycopg.sql import SQL

from db.query import fetch_all, fetch_one
from mcp_server.errors import InvalidInput, did_you_mean, no_such, quoted
from mcp_server.models.answer import MOST_ROWS
from mcp_server.models.decision import (
    Ask,
    Considered,
    Decision,
    Importance,
    JudgedBy,
    JudgedCandidate,
    Judgement,
    SetupEffect,
)
from mcp_server.models.fields import Row
from mcp_server.services import page, reference, scoring, settings
from mcp_server.services.criterion import BUILT_IN, values_of
from mcp_server.services.scoring import Contender, Criterion, Judged
from mcp_server.services.thread import OWN_PRICE

# Candidates that are judged: each one is compared with all others.
MOST_CANDIDATES = 200
# Candidates that the record of a decision holds.
MOST_RECORDED = 50


class Subject(Row):
    """A thread, and the item that its candidates would replace."""

    name: str
    replaces_item_id: int | None
    weight: Decimal | None
    margin: Decimal
    price: Decimal | None


class StoredCriterion(Row):
    id: int
    name: str
    importance: Decimal
    worst: Decimal
    best: Decimal
    at_least: Decimal | None
    at_most: Decimal | None


class Entrant(Considered):
    """A candidate with its figures. `price` is the one in the user's own currency."""

    exact_weight: Decimal | None
    margin: Decimal
    price: Decimal | None


class Basis(Row):
    """Everything that a thread is decided by."""

    thread_id: int
    subject: Subject
    stored: list[StoredCriterion]
    entrants: list[Entrant]
    values: dict[tuple[int, int], Decimal]


async def decide(
    conn: AsyncConnection, thread_id: str | int, importances: Sequence[Importance] = ()
) -> Judgement:
    """Return a thread's candidates in order, what their order depends on, and what the winner changes."""
    thread_id = await reference.resolve(conn, "thread", thread_id)
    basis = await fetch(conn, thread_id)
    criteria = weighted(basis, importances)
    check(basis, criteria)
    judged = scoring.judge(criteria, contenders(basis, criteria))
    winner = judged[0].contender.id if judged and not judged[0].fails else None
    worst = [] if winner is None else worst_cases(basis, criteria, judged[0].contender)
    setups = [] if winner is None else await effects(conn, winner)
    question = scoring.question(criteria, judged)
    names = {each.id: each.name for each in basis.entrants}
    result = Judgement(
        thread_id=thread_id,
        name=basis.subject.name,
        winner_id=winner,
        certain=winner is not None
        and all(holds(each, winner) and scoring.is_certain(each) for each in (judged, *worst)),
        holds_at_worst=all(holds(each, winner) for each in worst) if worst else None,
        find_out=None if question is None else Ask(**question._asdict()),
        not_judged=tuple(name for name in BUILT_IN if name not in {each.name.lower() for each in criteria}),
        other_currency=tuple(
            each.id for each in basis.entrants if each.price_cents is not None and each.price is None
        ),
        setups=tuple(setups[:MOST_ROWS]),
        setups_left_out=max(len(setups) - MOST_ROWS, 0),
        criteria=described(criteria, judged),
        candidates=[to_row(criteria, each, names[each.contender.id]) for each in judged],
        units=await settings.get(conn),
    )
    return page.fit(result, "candidates", lambda shown: {"candidates_left_out": len(judged) - shown})


async def record(conn: AsyncConnection, thread_id: int, candidate_id: int, why: str | None) -> Decision:
    """Return the record of a decision for a candidate: all candidates as they are now, the winner first."""
    basis = await fetch(conn, thread_id, candidate_id)
    criteria = weighted(basis, ())
    is_judged = criteria and len(basis.entrants) <= MOST_CANDIDATES
    judged = scoring.judge(criteria, contenders(basis, criteria)) if is_judged else []
    scores = {each.contender.id: each for each in judged}
    names = set(Considered.model_fields) - {"score", "fails"}
    rows = [
        Considered(**each.model_dump(include=names), **outcome(scores.get(each.id)))
        for each in sorted(basis.entrants, key=lambda each: (each.id != candidate_id, each.rank))
    ]
    return Decision(
        why=why,
        candidates=tuple(rows[:MOST_RECORDED]),
        candidates_left_out=max(len(rows) - MOST_RECORDED, 0),
    )


def outcome(judged: Judged | None) -> dict[str, Any]:
    return {} if judged is None else {"score": to_decimal(judged.low), "fails": judged.fails}


async def fetch(conn: AsyncConnection, thread_id: int, first_id: int | None = None) -> Basis:
    """Return the basis of a decision. If there are too many candidates, *first_id* is among them."""
    params = {"thread_id": thread_id, "first_id": first_id, "limit": MOST_CANDIDATES + 1}
    subject = await fetch_one(
        conn,
        Subject,
        """
        SELECT
            threads.name, threads.replaces_item_id,
            items.weight_grams::numeric AS weight,
            coalesce(items.weight_margin_grams::numeric, 0) AS margin,
            items.price_cents::numeric AS price
        FROM threads
        LEFT JOIN items ON items.id = threads.replaces_item_id
        WHERE threads.id = %(thread_id)s
        """,
        params,
    )
    if subject is None:
        raise no_such("thread", thread_id)
    stored = await fetch_all(
        conn,
        StoredCriterion,
        """
        SELECT id, name, importance, worst, best, at_least, at_most
        FROM criteria
        WHERE thread_id = %(thread_id)s
        ORDER BY id
        """,
        params,
    )
    query = SQL("""
        SELECT
            id, name, row_number() OVER (ORDER BY sort_order, id) AS rank,
            weight_grams, weight_margin_grams, price_cents, price_currency,
            weight_grams::numeric AS exact_weight,
            coalesce(weight_margin_grams::numeric, 0) AS margin, ({own_price})::numeric AS price
        FROM candidates
        WHERE thread_id = %(thread_id)s
        ORDER BY (id = %(first_id)s::bigint) IS TRUE DESC, rank
        LIMIT %(limit)s
    """).format(own_price=OWN_PRICE)
    entrants = await fetch_all(conn, Entrant, query, params)
    return Basis(
        thread_id=thread_id,
        subject=subject,
        stored=stored,
        entrants=entrants,
        values=await values_of(conn, thread_id),
    )


def weighted(basis: Basis, importances: Sequence[Importance]) -> list[Criterion]:
    """Return the criteria, with these importances if given. Weight and price are built in."""
    found = {each.name.lower(): to_criterion(each) for each in basis.stored}
    for name, worst in (("weight", basis.subject.weight), ("price", basis.subject.price)):
        if name not in found and worst:
            found[name] = Criterion(name, Fraction(1), Fraction(worst), Fraction(0))
    for each in importances:
        name = each["name"].lower()
        if name not in found:
            raise InvalidInput(
                f"importance: thread {basis.thread_id} has no criterion {quoted(each['name'])}."
                f"{did_you_mean(name, found)} Set its criteria with update_thread first."
            )
        found[name] = replace(found[name], importance=Fraction(each["importance"]))
    return [each for each in found.values() if each.importance]


def check(basis: Basis, criteria: Sequence[Criterion]) -> None:
    """Refuse a thread that cannot be judged."""
    if not criteria:
        raise InvalidInput(
            "The thread has nothing to judge by. Set its criteria with update_thread, "
            "or the weight or price of the item that it replaces."
        )
    if len(basis.entrants) > MOST_CANDIDATES:
        raise InvalidInput(f"At most {MOST_CANDIDATES} candidates can be judged. Remove some.")


def to_criterion(stored: StoredCriterion) -> Criterion:
    limits = [None if each is None else Fraction(each) for each in (stored.at_least, stored.at_most)]
    return Criterion(
        stored.name, Fraction(stored.importance), Fraction(stored.worst), Fraction(stored.best), *limits
    )


def contenders(basis: Basis, criteria: Sequence[Criterion]) -> list[Contender]:
    ids = {each.name: each.id for each in basis.stored}
    return [
        Contender(
            each.id,
            each.rank,
            tuple(value_of(criterion.name, each, ids, basis.values) for criterion in criteria),
            tuple(
                Fraction(each.margin if criterion.name.lower() == "weight" else 0) for criterion in criteria
            ),
        )
        for each in basis.entrants
    ]


def worst_cases(basis: Basis, criteria: Sequence[Criterion], winner: Contender) -> list[list[Judged]]:
    """Return the orders in the worst cases for the winner, if weights that count have margins."""
    at = next((at for at, each in enumerate(criteria) if each.name.lower() == "weight"), None)
    if at is None:
        return []
    # Stored anchors are exact.
    margin = Fraction(0 if is_stored(basis, "weight") else basis.subject.margin)
    if not margin and not any(each.margin for each in basis.entrants):
        return []
    return worst_orders(criteria, at, margin, contenders(basis, criteria), winner)


def worst_orders(
    criteria: Sequence[Criterion],
    at: int,
    margin: Fraction,
    entrants: Sequence[Contender],
    winner: Contender,
) -> list[list[Judged]]:
    """Return the orders in the worst cases. The worst value of the criterion *at* this place has a *margin*.

    The winner's lead is smallest at one end of that, or where the worst value is the winner's own.
    """
    by = criteria[at]
    own = Fraction(winner.values[at] or 0) + winner.margins[at]
    anchors = {by.worst - margin, by.worst + margin}
    if abs(own - by.worst) < margin:
        anchors.add(own)
    cases = [
        [*criteria[:at], replace(by, worst=worst), *criteria[at + 1 :]]
        for worst in anchors
        if worst != by.best
    ]
    return [scoring.at_worst(case, entrants, winner.id) for case in cases]


def is_stored(basis: Basis, name: str) -> bool:
    return any(each.name.lower() == name for each in basis.stored)


def holds(judged: Sequence[Judged], winner: int | None) -> bool:
    return judged[0].contender.id == winner and not judged[0].fails


def value_of(
    name: str, entrant: Entrant, ids: Mapping[str, int], values: Mapping[tuple[int, int], Decimal]
) -> Fraction | None:
    built_in = {"weight": entrant.exact_weight, "price": entrant.price}
    is_built_in = name.lower() in built_in
    value = built_in[name.lower()] if is_built_in else values.get((entrant.id, ids[name]))
    return None if value is None else Fraction(value)


def described(criteria: Sequence[Criterion], judged: Sequence[Judged]) -> tuple[JudgedBy, ...]:
    found = scoring.ranges(criteria, judged)
    stored = ("importance", "worst", "best", "at_least", "at_most")
    return tuple(
        JudgedBy(
            name=each.name,
            **{name: in_full(value) for name in stored if (value := getattr(each, name)) is not None},
            **(described_range(found[at]) if found else {}),
        )
        for at, each in enumerate(criteria)
    )


def described_range(found: scoring.Range) -> dict[str, Any]:
    return {
        "stays_from": None if found.below is None else in_short(found.low),
        "below": found.below,
        "stays_to": None if found.high is None else in_short(found.high),
        "beyond": found.beyond,
    }


def to_row(criteria: Sequence[Criterion], judged: Judged, name: str) -> JudgedCandidate:
    parts = scoring.shown(judged.parts)
    unknown = [
        each.name for each, value in zip(criteria, judged.contender.values, strict=True) if value is None
    ]
    return JudgedCandidate(
        id=judged.contender.id,
        name=name,
        score=to_decimal(sum(parts, Fraction(0))),
        score_to=to_decimal(judged.high) if unknown else None,
        parts={each.name: to_decimal(part) for each, part in zip(criteria, parts, strict=True) if part},
        fails=judged.fails,
        may_fail=judged.may_fail,
        unknown=tuple(unknown),
        dominated_by=judged.dominated_by[:10],
    )


def to_decimal(exact: Fraction) -> Decimal:
    """Round to four decimals."""
    return Decimal(scoring.nearest(exact * 10_000)) / 10_000


def in_full(exact: Fraction) -> Decimal:
    """Return a number that was stored as a decimal."""
    return Decimal(exact.numerator) / exact.denominator


def in_short(exact: Fraction) -> Decimal:
    """Round to six significant digits."""
    return Context(prec=6).divide(Decimal(exact.numerator), Decimal(exact.denominator))


async def effects(conn: AsyncConnection, candidate_id: int) -> list[SetupEffect]:
    """Return what a candidate changes in each setup with the item that it would replace, by name."""
    query = SQL("""
        SELECT
            setups.id AS setup_id, setups.name, pieces, saved * setup_items.quantity AS saves_grams,
            saved * CASE
                WHEN setup_items.classification = 'consumable' THEN 0
                ELSE setup_items.quantity - setup_items.worn_quantity
            END AS saves_base_grams,
            price * pieces AS outlay_cents,
            CASE WHEN saved * setup_items.quantity > 0
                THEN round(price * pieces / (saved * setup_items.quantity), 2) END AS cents_per_gram
        FROM candidates
        JOIN threads ON threads.id = candidates.thread_id
        JOIN items ON items.id = threads.replaces_item_id
        JOIN setup_items ON setup_items.item_id = items.id
        JOIN setups ON setups.id = setup_items.setup_id
        CROSS JOIN LATERAL (SELECT
            ceil(setup_items.quantity)::bigint,
            items.weight_grams::numeric - candidates.weight_grams::numeric,
            {own_price}
        ) AS figures (pieces, saved, price)
        WHERE candidates.id = %(candidate_id)s
        ORDER BY lower(setups.name), setups.id
    """).format(own_price=OWN_PRICE)
    return await fetch_all(conn, SetupEffect, query, {"candidate_id": candidate_id})
