"""Decisions are exact: their order, intervals and crossovers equal a grid of brute force."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import product
from math import floor
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from mcp import Client
from psycopg import AsyncConnection

from mcp_server.errors import Conflict, InvalidInput, NotFound
from mcp_server.services import candidate, decision, resolution, scoring, setup, thread
from mcp_server.services.scoring import Contender, Criterion, Judged
from tests.calls import call, refused
from tests.factories import make_candidate, make_item, make_setup, make_thread

FIGURES = st.integers(0, 4).map(Fraction)
CRITERIA = st.builds(
    Criterion,
    name=st.just("quality"),
    importance=st.sampled_from([Fraction(1), Fraction(2), Fraction(1, 3), Fraction(5, 2)]),
    worst=st.just(Fraction(0)),
    best=st.just(Fraction(3)),
    at_least=st.none() | st.just(Fraction(1)),
) | st.builds(
    Criterion,
    name=st.just("weight"),
    importance=st.sampled_from([Fraction(1), Fraction(3)]),
    worst=st.just(Fraction(4)),
    best=st.just(Fraction(1)),
    at_most=st.none() | st.just(Fraction(3)),
)


@st.composite
def threads(draw: st.DrawFn, *, unknown: bool = True) -> tuple[list[Criterion], list[Contender]]:
    criteria = draw(st.lists(CRITERIA, min_size=1, max_size=3))
    criteria = [replace(each, name=f"{each.name} {at}") for at, each in enumerate(criteria)]
    value = st.none() | FIGURES if unknown else FIGURES
    rows = draw(st.lists(st.tuples(*[value for _ in criteria]), min_size=1, max_size=4))
    return criteria, [Contender(at, at, values) for at, values in enumerate(rows, start=1)]


def score(criteria: Sequence[Criterion], values: Sequence[Fraction | None], unknown: Fraction) -> Fraction:
    shares = [
        unknown
        if value is None
        else min(max((value - each.worst) / (each.best - each.worst), Fraction(0)), Fraction(1))
        for each, value in zip(criteria, values, strict=True)
    ]
    weights = [each.importance for each in criteria]
    return sum((w * s for w, s in zip(weights, shares, strict=True)), Fraction(0)) / sum(weights, Fraction(0))


def winner(criteria: Sequence[Criterion], contenders: Sequence[Contender]) -> int | None:
    """The candidate that comes first, computed from nothing but the definition."""
    passing = [
        each
        for each in contenders
        if not any(
            value is not None
            and (
                (by.at_least is not None and value < by.at_least)
                or (by.at_most is not None and value > by.at_most)
            )
            for by, value in zip(criteria, each.values, strict=True)
        )
    ]
    order = sorted(
        (
            -score(criteria, each.values, Fraction(0)),
            -score(criteria, each.values, Fraction(1)),
            each.rank,
            each.id,
        )
        for each in passing
    )
    return order[0][-1] if order else None


def first(judged: Sequence[Judged]) -> int | None:
    return None if judged[0].fails else judged[0].contender.id


@given(threads())
@settings(max_examples=150, deadline=None)
def test_the_order_and_the_intervals_equal_brute_force(
    found: tuple[list[Criterion], list[Contender]],
) -> None:
    criteria, contenders = found
    judged = scoring.judge(criteria, contenders)
    assert first(judged) == winner(criteria, contenders)
    for each in judged:
        assert sum(each.parts, Fraction(0)) == each.low
        ends = [
            score(
                criteria, [share(by, at) if value is None else value for by, value, at in rows], Fraction(0)
            )
            for rows in possible(criteria, each.contender)
        ]
        assert (min(ends), max(ends)) == (each.low, each.high)
        assert sum(scoring.shown(each.parts), Fraction(0)) == floor(
            each.low * 10_000 + Fraction(1, 2)
        ) / Fraction(10_000)
    assert [bool(each.fails) for each in judged] == sorted(bool(each.fails) for each in judged)


def possible(criteria: Sequence[Criterion], contender: Contender) -> list[Any]:
    """Unknown values at both of their anchors."""
    ends = [[0, 1] if value is None else [0] for value in contender.values]
    return [list(zip(criteria, contender.values, chosen, strict=True)) for chosen in product(*ends)]


def share(criterion: Criterion, at: int) -> Fraction:
    return criterion.best if at else criterion.worst


@given(threads())
@settings(max_examples=150, deadline=None)
def test_the_winner_stays_exactly_within_its_range_of_importance(
    found: tuple[list[Criterion], list[Contender]],
) -> None:
    criteria, contenders = found
    judged = scoring.judge(criteria, contenders)
    now = first(judged)
    ranges = scoring.ranges(criteria, judged)
    assert bool(ranges) == (now is not None)
    tiny = Fraction(1, 10**9)
    for at, stays in enumerate(ranges):

        def wins(importance: Fraction, at: int = at) -> int | None:
            varied = [
                replace(each, importance=importance) if at == n else each for n, each in enumerate(criteria)
            ]
            return winner(varied, contenders)

        assert stays.low <= criteria[at].importance
        assert stays.high is None or criteria[at].importance <= stays.high
        grid = {Fraction(n, 6) for n in range(1, 60)} | {Fraction(10**6), tiny}
        inside = {each for each in grid if stays.low < each and (stays.high is None or each < stays.high)}
        assert {wins(each) for each in inside} <= {now}
        if stays.high is not None:
            assert stays.beyond == wins(stays.high + tiny) != now
        if stays.below is not None:
            assert stays.below == wins(stays.low - tiny) != now
        else:
            assert stays.low == 0


def test_a_tie_at_todays_importance_ends_the_range_there() -> None:
    one = Criterion("comfort", Fraction(1), Fraction(0), Fraction(10))
    two = Criterion("weight", Fraction(1), Fraction(10), Fraction(0))
    contenders = [
        Contender(1, 1, (Fraction(8), Fraction(6))),
        Contender(2, 2, (Fraction(4), Fraction(2))),
    ]
    judged = scoring.judge([one, two], contenders)
    assert judged[0].low == judged[1].low == Fraction(6, 10)
    assert scoring.ranges([one, two], judged) == [(1, None, 2, None), (0, 1, None, 2)]
    assert scoring.is_certain(judged)


@given(threads(), st.data())
@settings(max_examples=100, deadline=None)
def test_a_certain_winner_stays_first_whatever_unknown_values_are(
    found: tuple[list[Criterion], list[Contender]], data: st.DataObject
) -> None:
    criteria, contenders = found
    judged = scoring.judge(criteria, contenders)
    question = scoring.question(criteria, judged)
    unknown = [each for each in contenders if None in each.values]
    if first(judged) is None or not scoring.is_certain(judged):
        if question is not None:
            assert question.candidate_id in {each.id for each in unknown}
        return
    assert question is None
    filled = [
        replace(each, values=tuple(data.draw(FIGURES) if value is None else value for value in each.values))
        for each in contenders
    ]
    assert winner(criteria, filled) == first(judged)


@given(threads(unknown=False))
@settings(max_examples=100, deadline=None)
def test_a_dominated_candidate_never_scores_more(found: tuple[list[Criterion], list[Contender]]) -> None:
    criteria, contenders = found
    judged = {each.contender.id: each for each in scoring.judge(criteria, contenders)}
    for each in judged.values():
        for other in each.dominated_by:
            assert judged[other].low >= each.low
            assert not judged[other].fails


def test_an_irrelevant_candidate_does_not_turn_the_order() -> None:
    comfort = Criterion("comfort", Fraction(1), Fraction(0), Fraction(10))
    few = [Contender(1, 1, (Fraction(7),)), Contender(2, 2, (Fraction(6),))]
    many = [*few, Contender(3, 3, (Fraction(-50),))]
    scores = {each.contender.id: each.low for each in scoring.judge([comfort], many)}
    assert {each.contender.id: each.low for each in scoring.judge([comfort], few)}.items() <= scores.items()


async def research(conn: AsyncConnection) -> tuple[int, int, dict[str, int]]:
    """A thread about a tent that is packed twice, with a criterion and three candidates."""
    tent = await make_item(conn, "Tent", weight=1000.0, price_cents=40000)
    await setup.create(conn, "Alps", [{"item_id": tent, "quantity": Decimal(2)}])
    await setup.create(conn, "Walk", [{"item_id": tent, "classification": "worn"}])
    thread_id = await make_thread(conn, "Tent", replaces_item_id=tent)
    await thread.update(
        conn,
        thread_id,
        {
            "criteria": [
                {
                    "name": "Comfort",
                    "importance": Decimal(2),
                    "worst": Decimal(0),
                    "best": Decimal(10),
                    "at_least": Decimal(3),
                }
            ]
        },
    )

    async def add(name: str, weight: float | None, cents: int, comfort: int | None) -> int:
        values = [] if comfort is None else [{"name": "comfort", "value": Decimal(comfort)}]
        return await make_candidate(conn, thread_id, name, weight=weight, price_cents=cents, values=values)

    ids = {
        "Dome": await add("Dome", 900.0, 20000, 8),
        "Tarp": await add("Tarp", 300.0, 10000, 2),
        "Rumour": await add("Rumour", None, 30000, None),
        "Old": await add("Old", 950.0, 21000, 7),
    }
    return tent, thread_id, ids


async def test_a_thread_is_decided_with_reasons(conn: AsyncConnection) -> None:
    _, thread_id, ids = await research(conn)
    shown = await decision.decide(conn, thread_id)
    rows = {each.name: each for each in shown.candidates}
    assert [each.name for each in shown.candidates] == ["Dome", "Old", "Rumour", "Tarp"]
    # Weight: 1000 g scores 0, 0 g scores 1. Price: the same with the price of the tent.
    assert rows["Dome"].parts == {
        "Comfort": Decimal("0.4"),
        "weight": Decimal("0.025"),
        "price": Decimal("0.125"),
    }
    assert rows["Dome"].score == Decimal("0.55")
    assert (rows["Rumour"].score, rows["Rumour"].score_to) == (Decimal("0.0625"), Decimal("0.8125"))
    assert (rows["Rumour"].unknown, rows["Rumour"].may_fail) == (("Comfort", "weight"), ("Comfort",))
    assert rows["Tarp"].fails == ("Comfort",)
    assert rows["Old"].dominated_by == (ids["Dome"],)
    assert (shown.winner_id, shown.certain) == (ids["Dome"], False)
    assert shown.find_out is not None
    assert (shown.find_out.candidate_id, shown.find_out.criterion) == (ids["Rumour"], "Comfort")
    alps, walk = shown.setups
    assert (alps.name, alps.pieces, alps.saves_grams, alps.saves_base_grams) == ("Alps", 2, 200, 200)
    assert (alps.outlay_cents, alps.cents_per_gram) == (40000, 200)
    assert (walk.name, walk.pieces, walk.saves_grams, walk.saves_base_grams) == ("Walk", 1, 100, 0)


async def test_importances_can_be_tried(conn: AsyncConnection) -> None:
    _, thread_id, ids = await research(conn)
    await candidate.update(conn, ids["Tarp"], {"values": [{"name": "Comfort", "value": Decimal(3)}]})
    assert (await decision.decide(conn, thread_id)).winner_id == ids["Dome"]
    shown = await decision.decide(conn, thread_id, [{"name": "weight", "importance": Decimal(9)}])
    assert shown.winner_id == ids["Tarp"]
    only = await decision.decide(
        conn, thread_id, [{"name": name, "importance": Decimal(0)} for name in ("weight", "price")]
    )
    assert [each.name for each in only.criteria] == ["Comfort"]
    with pytest.raises(InvalidInput, match='no criterion "Comfrt"\\. Did you mean "comfort"'):
        await decision.decide(conn, thread_id, [{"name": "Comfrt", "importance": Decimal(1)}])


async def test_a_thread_without_anything_to_judge_by_is_refused(conn: AsyncConnection) -> None:
    with pytest.raises(InvalidInput, match="nothing to judge by"):
        await decision.decide(conn, await make_thread(conn))
    with pytest.raises(NotFound, match="No thread 99"):
        await decision.decide(conn, 99)


async def test_a_decision_is_recorded_with_its_reason_and_the_prices_of_that_time(
    conn: AsyncConnection,
) -> None:
    _, thread_id, ids = await research(conn)
    await resolution.resolve(conn, thread_id, ids["Old"], [], why="It was in the shop.")
    record = (await thread.get(conn, thread_id)).decision
    assert record is not None
    assert record.why == "It was in the shop."
    assert [(each.name, each.rank, each.price_cents) for each in record.candidates] == [
        ("Old", 4, 21000),
        ("Dome", 1, 20000),
        ("Tarp", 2, 10000),
        ("Rumour", 3, 30000),
    ]
    assert [each.score for each in record.candidates][:2] == [Decimal("0.4813"), Decimal("0.55")]
    with pytest.raises(Conflict, match="is resolved"):
        await thread.update(conn, thread_id, {"criteria": None})
    with pytest.raises(Conflict, match="is resolved"):
        await candidate.update(conn, ids["Dome"], {"values": [{"name": "Comfort", "value": Decimal(1)}]})


async def test_the_record_is_shown_by_a_dry_run_and_undone_with_the_decision(client: Client) -> None:
    made = await call(client, "create_thread", name="Tent")
    dome = await call(client, "add_candidate", thread_id=made["id"], name="Dome", price_cents=300)
    arguments = {"thread_id": made["id"], "candidate_id": dome["id"], "why": "Roomy."}
    tried = await call(client, "resolve_thread", **arguments, dry_run=True)
    (changed,) = (each for each in tried["changes"] if each["kind"] == "thread")
    assert changed["after"]["decision"]["why"] == "Roomy."
    assert "decision" not in await call(client, "get_thread", thread_id=made["id"])
    resolved = await call(client, "resolve_thread", **arguments)
    shown = await call(client, "get_thread", thread_id=made["id"])
    dome_then = {"id": dome["id"], "name": "Dome", "rank": 1, "price_cents": 300}
    assert shown["decision"] == {"why": "Roomy.", "candidates": [dome_then]}
    await call(client, "undo_change", change_id=resolved["change_id"])
    assert "decision" not in await call(client, "get_thread", thread_id=made["id"])


async def test_criteria_that_keep_their_name_keep_their_values(conn: AsyncConnection) -> None:
    _, thread_id, ids = await research(conn)
    new = {"name": "comfort", "importance": Decimal(1), "worst": Decimal(0), "best": Decimal(16)}
    await thread.update(conn, thread_id, {"criteria": [new]})  # pyright: ignore[reportArgumentType]
    shown = await decision.decide(conn, thread_id)
    assert next(each for each in shown.candidates if each.id == ids["Dome"]).parts["comfort"] == Decimal(
        "0.1667"
    )
    await thread.update(conn, thread_id, {"criteria": None})
    assert [each.name for each in (await decision.decide(conn, thread_id)).criteria] == ["weight", "price"]


async def test_a_price_in_another_currency_is_compared_with_none(conn: AsyncConnection) -> None:
    from mcp_server.services import preview, purchase
    from mcp_server.services import settings as own

    await own.update(conn, {"currency": "EUR"})
    tent = await make_item(conn, "Tent", weight=1000.0, price_cents=40000)
    await make_setup(conn, "Walk", tent)
    thread_id = await make_thread(conn, "Tent", replaces_item_id=tent)
    dear = await make_candidate(
        conn, thread_id, "Dome", weight=900.0, price_cents=30000, price_currency="USD", target_cents=30000
    )
    cheap = await make_candidate(
        conn, thread_id, "Tarp", weight=300.0, price_cents=10000, price_currency="EUR", target_cents=9000
    )
    shown = await thread.get(conn, thread_id)
    assert [(each.outlay_cents, each.over_cheapest_cents) for each in shown.candidates] == [
        (None, None),
        (10000, 0),
    ]
    judged = await decision.decide(conn, thread_id)
    assert (judged.other_currency, judged.winner_id) == ((dear,), cheap)
    previewed = await preview.preview(conn, dear, None)
    assert (previewed.outlay_cents, previewed.setups[0].price_cents_change) == (None, None)
    assert (previewed.hint or "").startswith("Its price is in another currency")
    plan = await purchase.plan(await purchase.gather(conn, 10**6))
    assert [each.why for each in plan.left_out] == ["price in another currency"]
    with pytest.raises(Conflict, match=rf"The price of candidate {dear} is in USD"):
        await resolution.resolve(conn, thread_id, dear, [])
    assert (await resolution.resolve(conn, thread_id, cheap, [])).status == "resolved"


async def test_threads_below_a_target_price_are_listed(client: Client) -> None:
    for name, target in (("Tent", 20000), ("Stove", 19999), ("Mat", None)):
        made = await call(client, "create_thread", name=name)
        await call(
            client, "add_candidate", thread_id=made["id"], name="New", price_cents=20000, target_cents=target
        )
    found = await call(client, "list_threads", below_target=True)
    assert (found["total"], [each["name"] for each in found["threads"]]) == (1, ["Tent"])
    assert (await call(client, "list_threads"))["total"] == 3


async def test_criteria_and_values_are_logged_and_undone(client: Client) -> None:
    tent = await call(client, "create_item", name="Tent", weight="1 kg", price_cents=40000)
    made = await call(client, "create_thread", name="Tent", replaces_item_id=tent["id"])
    quality = {"name": "Quality", "importance": 2, "worst": -5, "best": "10.5"}
    changed = await call(client, "update_thread", thread_id=made["id"], changes={"criteria": [quality]})
    dome = await call(
        client,
        "add_candidate",
        thread_id=made["id"],
        name="Dome",
        weight="900 g",
        values=[{"name": "quality", "value": 8}],
    )
    valued = await call(
        client,
        "update_candidate",
        candidate_id=dome["id"],
        changes={"values": [{"name": "Quality", "value": 9}]},
    )
    changes = (await call(client, "list_changes", thread_id=made["id"]))["changes"]
    assert [each["summary"] for each in changes] == [
        'Changed a score of thread "Tent"',
        'Created candidate "Dome" of thread "Tent", created a score of thread "Tent"',
        'Created criterion "Quality" of thread "Tent"',
        'Created thread "Tent"',
    ]

    async def part() -> Any:
        return (await call(client, "decide_thread", thread_id=made["id"]))["candidates"][0]["parts"][
            "Quality"
        ]

    nine = await part()
    await call(client, "undo_change", change_id=valued["change_id"])
    assert await part() < nine
    text = await refused(client, "undo_change", change_id=changed["change_id"])
    assert text.startswith("[conflict] ")
    await call(client, "delete_thread", thread_id=made["id"])
    await call(client, "undo_changes", last=1)
    assert (await call(client, "decide_thread", thread_id=made["id"]))["winner_id"] == dome["id"]
    for criteria, message in (
        ([{**quality, "importance": 0}], "changes.criteria.0.importance: must be above 0"),
        ([{**quality, "best": -5}], "changes.criteria.0: worst and best must differ"),
        ([quality, {**quality, "name": "quality"}], "criteria: "),
        ([], "changes.criteria: must have at least 1 item"),
    ):
        text = await refused(client, "update_thread", thread_id=made["id"], changes={"criteria": criteria})
        assert text.startswith(f"[invalid_input] {message}")
    values = [{"name": "Qualty", "value": 1}]
    text = await refused(client, "update_candidate", candidate_id=dome["id"], changes={"values": values})
    assert 'has no criterion "Qualty". Did you mean "quality"?' in text


async def test_lists_of_candidates_have_values(client: Client) -> None:
    comfort = {"name": "Comfort", "importance": 1, "worst": 0, "best": 10}
    made = await call(
        client,
        "create_thread",
        name="Chair",
        criteria=[comfort],
        candidates=[
            {"name": "Stool", "values": [{"name": "comfort", "value": 3}]},
            {"name": "Throne", "values": [{"name": "Comfort", "value": 9}]},
            {"name": "Rumour"},
        ],
    )
    more = [
        {"name": "Log", "values": [{"name": "comfort", "value": "1.5"}]},
        {"name": "Bed", "values": [{"name": "comfort", "value": None}]},
    ]
    await call(client, "add_candidate", thread_id=made["id"], candidates=more)
    shown = await call(client, "decide_thread", thread_id=made["id"])
    scores = {each["name"]: each["score"] for each in shown["candidates"]}
    assert scores == {"Throne": 0.9, "Stool": 0.3, "Log": 0.15, "Rumour": 0, "Bed": 0}
    bad = [{"name": "Sofa"}, {"name": "Bench", "values": [{"name": "comfrot", "value": 1}]}]
    text = await refused(client, "add_candidate", thread_id=made["id"], candidates=bad)
    assert text.startswith(f"[invalid_input] candidates.1.values: thread {made['id']} has no criterion")
    assert "Comfort" in text or "comfort" in text
    assert len((await call(client, "get_thread", thread_id=made["id"]))["candidates"]) == 5


def by_weight(**limits: Fraction) -> Criterion:
    return Criterion("weight", Fraction(1), worst=Fraction(1000), best=Fraction(0), **limits)


def of_weights(*weights: int | None) -> list[Contender]:
    """Candidates of these weights, ranked in this order."""
    return [
        Contender(at, at, (None if weight is None else Fraction(weight),))
        for at, weight in enumerate(weights, start=1)
    ]


def test_a_value_at_a_limit_meets_it() -> None:
    judged = scoring.judge([by_weight(at_most=Fraction(500))], of_weights(500, 501))
    assert {each.contender.id: each.fails for each in judged} == {1: (), 2: ("weight",)}
    judged = scoring.judge([by_weight(at_least=Fraction(500))], of_weights(500, 499))
    assert {each.contender.id: each.fails for each in judged} == {1: (), 2: ("weight",)}


def test_a_candidate_is_not_dominated_by_its_equal() -> None:
    judged = scoring.judge([by_weight()], of_weights(500, 500, 600))
    assert {each.contender.id: each.dominated_by for each in judged} == {1: (), 2: (), 3: (1, 2)}


def test_a_tie_is_certain_only_for_the_better_rank() -> None:
    criteria = [by_weight()]
    # The unknown weight may be 0, which would be as good as that of the winner.
    assert scoring.is_certain(scoring.judge(criteria, of_weights(0, None)))
    assert not scoring.is_certain(scoring.judge(criteria, of_weights(None, 0)))


@given(parts=st.lists(st.fractions(0, 1), min_size=1, max_size=5))
def test_shown_parts_add_up_to_the_rounded_score(parts: list[Fraction]) -> None:
    shown = scoring.shown(parts)
    assert sum(shown) == Fraction(scoring.nearest(sum(parts, Fraction(0)) * 10_000), 10_000)
    assert all(abs(one - exact) < Fraction(1, 10_000) for one, exact in zip(shown, parts, strict=True))


async def test_no_candidate_wins_if_all_fail_a_limit(conn: AsyncConnection) -> None:
    thread_id = await make_thread(conn)
    limit = {"name": "weight", "importance": 1, "worst": 1000, "best": 0, "at_most": 100}
    await thread.update(conn, thread_id, {"criteria": [limit]})  # pyright: ignore[reportArgumentType]
    await make_candidate(conn, thread_id, "Dome", weight=200.0)
    shown = await decision.decide(conn, thread_id)
    assert (shown.winner_id, shown.certain) == (None, False)


async def test_a_criterion_called_weight_replaces_the_built_in_one(conn: AsyncConnection) -> None:
    old = await make_item(conn, "Old", weight=1000.0)
    thread_id = await make_thread(conn, replaces_item_id=old)
    own = {"name": "Weight", "importance": Decimal(3), "worst": Decimal(800), "best": Decimal(300)}
    await thread.update(conn, thread_id, {"criteria": [own]})  # pyright: ignore[reportArgumentType]
    await make_candidate(conn, thread_id, "Dome", weight=550.0)
    shown = await decision.decide(conn, thread_id)
    assert [(each.name, each.importance, each.worst) for each in shown.criteria] == [("Weight", 3, 800)]
    assert shown.candidates[0].score == Decimal("0.5")
