"""The plan of purchases is the best one: it equals brute force."""

import asyncio
import time
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import product
from typing import Any, cast

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from mcp import Client
from psycopg import AsyncConnection

from mcp_server.errors import Conflict, InvalidInput, NotFound
from mcp_server.models.purchase import PurchasePlan
from mcp_server.models.settings import Units
from mcp_server.models.setup import NewLine
from mcp_server.services import purchase, setup, thread
from mcp_server.services.knapsack import MOST_POINTS, Option, Plan, Solver
from mcp_server.services.purchase import Offer, Offers
from tests.calls import call
from tests.factories import make_candidate, make_item, make_thread

OPTIONS = st.builds(
    Option, outlay=st.integers(0, 12), worth=st.integers(-3, 12), rank=st.integers(1, 3)
) | st.builds(Option, outlay=st.integers(0, 10**15), worth=st.integers(0, 10**12), rank=st.just(1))
GROUPS = st.lists(st.lists(OPTIONS, max_size=4), max_size=6)
BUDGETS = st.integers(0, 60) | st.integers(0, 10**16)


def brute_force(groups: Sequence[Sequence[Option]], budget: int, *, by_worth: bool = False) -> list[Plan]:
    """All plans within a budget, the best one first."""
    found: list[tuple[Any, Plan]] = []
    for chosen in product(*([None, *range(len(group))] for group in groups)):
        bought = [group[at] for group, at in zip(groups, chosen, strict=True) if at is not None]
        outlay, worth = sum(each.outlay for each in bought), sum(each.worth for each in bought)
        if outlay <= budget:
            order = [-worth] if by_worth else [-worth, outlay]
            ranks = sum(each.rank for each in bought)
            first = [len(groups) * 9 if at is None else at for at in chosen]
            found.append(((*order, len(bought), ranks, first), Plan(chosen, outlay, worth, worth)))
    return [plan for _, plan in sorted(found, key=lambda each: each[0])]


@given(groups=GROUPS, budget=BUDGETS, by_worth=st.booleans())
@settings(max_examples=60, deadline=None)
def test_the_best_plan_equals_brute_force(groups: list[list[Option]], budget: int, by_worth: bool) -> None:
    assert Solver(groups, by_worth=by_worth).best(budget) == brute_force(groups, budget, by_worth=by_worth)[0]


@given(groups=GROUPS, budget=BUDGETS)
@settings(max_examples=50, deadline=None)
def test_the_front_holds_every_plan_that_no_cheaper_one_equals(
    groups: list[list[Option]], budget: int
) -> None:
    every: dict[int, int] = {}
    for plan in reversed(brute_force(groups, budget)):
        every[plan.outlay] = max(every.get(plan.outlay, 0), plan.worth)
    rising: list[tuple[int, int]] = []
    for outlay, worth in sorted(every.items()):
        if worth > (rising[-1][1] if rising else 0):
            rising.append((outlay, worth))
    solver = Solver(groups)
    found, is_all = solver.front(solver.best(budget))
    points = [(plan.outlay, plan.worth) for plan in found]
    assert len(points) <= MOST_POINTS
    assert set(points) <= set(rising)
    assert is_all == (points == rising)
    assert points[-1:] == rising[-1:]


def hard(kind: str, threads: int, candidates: int) -> list[list[Option]]:
    """Groups with prices as in a shop, or with sums that no bound tells apart."""
    # The same in each run: a linear congruential generator.
    state = 42
    groups: list[list[Option]] = []
    for _ in range(threads):
        group: list[Option] = []
        for rank in range(candidates):
            state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
            price = state // 2**20 % 80_000 + 1000
            worth = state // 2**40 % 1500
            huge = (state // 2**4 % 10**12) * 2
            group.append(Option(huge, huge, rank) if kind == "sums" else Option(price, worth, rank))
        groups.append(group)
    return groups


@pytest.mark.parametrize("budget", [40_000, 300_000, 10**15])
def test_forty_threads_of_eight_candidates_are_solved_exactly(budget: int) -> None:
    solver = Solver(hard("shop", 40, 8))
    best = solver.best(budget)
    assert best.exact
    front, _ = solver.front(best)
    assert all(plan.exact for plan in front)
    assert front[-1] == best


def test_sums_that_no_bound_tells_apart_end_with_a_limit_of_what_is_possible() -> None:
    """Without a bound of the work, this would take hours."""
    solver = Solver(hard("sums", 40, 8))
    budget = 10**13 + 1
    best = solver.best(budget)
    solver.front(best)
    assert (best.exact, best.worth <= budget, best.at_most >= best.worth) == (False, True, True)


def offer(thread_id: int, **fields: Any) -> Offer:
    defaults: dict[str, Any] = {
        "thread": f"Thread {thread_id}",
        "candidate_id": thread_id * 10,
        "name": "New",
        "rank": 1,
        "replaces_item_id": thread_id,
        "is_packed": True,
        "replaced_grams": Decimal(1000),
        "grams": Decimal(400),
        "price_cents": 100,
        "is_priced": fields.get("price_cents", 100) is not None,
        "pieces": 1,
        "counted": 1,
    }
    return Offer(thread_id=thread_id, **{**defaults, **fields})


def planned(*offers: Offer, budget: int = 10**6, per_gram: Decimal | None = None) -> PurchasePlan:
    return purchase.solve(Offers(budget, per_gram, list(offers), Units(weight_unit="g")))


def test_what_is_unknown_is_left_out_with_the_reason() -> None:
    shown = planned(
        offer(1),
        offer(2, grams=None),
        offer(3, price_cents=None, grams=None),
        offer(4, replaces_item_id=None),
        offer(5, replaced_grams=None),
        offer(6, candidate_id=None, name=None),
        offer(7, is_packed=False),
    )
    assert [each.thread_id for each in shown.buy] == [1]
    assert [(each.thread_id, each.candidate_id, each.why) for each in shown.left_out] == [
        (2, 20, "weight unknown"),
        (3, 30, "weight and price unknown"),
        (4, None, "replaces nothing"),
        (5, None, "weight of the replaced item unknown"),
        (6, None, "no candidates"),
        (7, None, "the setup does not contain the replaced item"),
    ]


def test_an_item_is_replaced_once_even_if_two_threads_would() -> None:
    shown = planned(offer(1, replaces_item_id=9), offer(2, replaces_item_id=9, grams=Decimal(300)))
    assert [each.thread_id for each in shown.buy] == [2]


def test_a_gram_may_be_worth_less_than_it_costs() -> None:
    offers = (offer(1, price_cents=600), offer(2, price_cents=1300))
    assert len(planned(*offers).buy) == 2
    assert [each.thread_id for each in planned(*offers, per_gram=Decimal(2)).buy] == [1]
    # At exactly one cent, the purchase is worth nothing: fewer purchases are better.
    assert planned(*offers, per_gram=Decimal(1)).buy == []


@given(
    rows=st.lists(
        st.tuples(
            st.integers(1, 6),
            st.none() | st.decimals(0, 900, places=3),
            st.none() | st.integers(0, 900),
            st.integers(1, 4),
        ),
        max_size=12,
    ),
    budget=st.integers(0, 3000),
    per_gram=st.none() | st.decimals(0, 5, places=2),
)
@settings(max_examples=50, deadline=None)
def test_a_plan_with_pieces_and_unknown_figures_equals_brute_force(
    rows: list[tuple[int, Decimal | None, int | None, int]], budget: int, per_gram: Decimal | None
) -> None:
    offers = [
        offer(number, candidate_id=at, rank=at, grams=grams, price_cents=cents, pieces=pieces, counted=pieces)
        for at, (number, grams, cents, pieces) in enumerate(rows, start=1)
    ]
    shown = planned(*offers, budget=budget, per_gram=per_gram)
    known = [each for each in offers if each.grams is not None and each.price_cents is not None]
    threads = sorted({each.thread_id for each in known})
    best: tuple[Any, ...] = (Fraction(0), 0, 0)
    for chosen in product(
        *([None, *(each for each in known if each.thread_id == number)] for number in threads)
    ):
        bought = [each for each in chosen if each is not None]
        outlay = sum(each.outlay for each in bought)
        grams = sum((each.saved for each in bought), Fraction(0))
        if outlay <= budget:
            key = (grams, -outlay) if per_gram is None else (Fraction(per_gram) * grams - outlay, 0)
            best = max(best, (*key, -len(bought)))
    grams = sum((Fraction(each.saves_grams) for each in shown.buy), Fraction(0))
    key = (grams, -shown.outlay_cents)
    if per_gram is not None:
        key = (Fraction(per_gram) * grams - shown.outlay_cents, 0)
    assert (*key, -len(shown.buy)) == best
    assert shown.outlay_cents == sum(each.outlay_cents for each in shown.buy) <= budget
    assert len(shown.left_out) == len(offers) - len(known)


@given(
    rows=st.lists(
        st.tuples(
            st.integers(1, 3), st.integers(100, 900), st.sampled_from([0, 50, 100]), st.integers(0, 900)
        ),
        min_size=1,
        max_size=5,
    ),
    replaced_margin=st.sampled_from([0, 100]),
    budget=st.integers(0, 2000),
    per_gram=st.none() | st.decimals(0, 5, places=1),
)
@settings(max_examples=60, deadline=None)
def test_a_plan_holds_if_it_is_best_with_all_weights_at_any_ends_of_their_margins(
    rows: list[tuple[int, int, int, int]], replaced_margin: int, budget: int, per_gram: Decimal | None
) -> None:
    offers = [
        offer(
            number,
            candidate_id=at,
            rank=at,
            grams=Decimal(grams),
            margin=Decimal(margin),
            price_cents=cents,
            replaced_margin=Decimal(replaced_margin),
        )
        for at, (number, grams, margin, cents) in enumerate(rows)
    ]
    shown = planned(*offers, budget=budget, per_gram=per_gram)
    if not replaced_margin and not any(margin for _, _, margin, _ in rows):
        assert (shown.holds_at_worst, shown.saves_at_least_grams) == (None, None)
        return
    ids = {each.candidate_id for each in shown.buy}
    threads = sorted({each.thread_id for each in offers})
    ends = [(-1, 1) if each.margin else (0,) for each in offers]
    replaced = [(-1, 1) if replaced_margin else (0,) for _ in threads]
    saved: list[Decimal] = []
    is_best = True
    for its_ends, old_ends in product(product(*ends), product(*replaced)):
        of_old = dict(zip(threads, old_ends, strict=True))
        moved = [
            each.at_ends(of_old[each.thread_id], own) for each, own in zip(offers, its_ends, strict=True)
        ]
        groups = [[each for each in moved if each.thread_id == number] for number in threads]
        chosen = [each for each in moved if each.candidate_id in ids]
        saved.append(purchase.saved(chosen))
        value = sum((purchase.value_of(each, per_gram) for each in chosen), Fraction(0))
        for bought in product(*([None, *group] for group in groups)):
            other = [each for each in bought if each is not None]
            if sum(each.outlay for each in other) <= budget:
                reached = sum((purchase.value_of(each, per_gram) for each in other), Fraction(0))
                is_best = is_best and value >= reached
    assert (shown.holds_at_worst, shown.saves_at_least_grams) == (is_best, min(saved))


async def pack(conn: AsyncConnection, name: str, *lines: tuple[int, str, str]) -> int:
    new = [
        cast(NewLine, {"item_id": item_id, "quantity": Decimal(quantity), "classification": kind})
        for item_id, quantity, kind in lines
    ]
    return (await setup.create(conn, name, new)).id


async def test_pieces_are_those_that_setups_pack_and_base_weight_leaves_out_what_is_worn(
    conn: AsyncConnection,
) -> None:
    bank = await make_item(conn, "Power bank", weight=150.0, price_cents=4000)
    shoes = await make_item(conn, "Shoes", weight=700.0)
    trip = await pack(conn, "Trip", (bank, "3", "base"), (shoes, "1", "worn"))
    await pack(conn, "Walk", (bank, "1", "base"))
    banks, trainers = (
        await make_thread(conn, "Banks", replaces_item_id=bank),
        await make_thread(conn, "Shoes", replaces_item_id=shoes),
    )
    await make_candidate(conn, banks, "Small", weight=89.0, price_cents=5000)
    await make_candidate(conn, trainers, "Light", weight=400.0, price_cents=9000)

    async def buy(**options: Any) -> list[tuple[str, int, int, Decimal]]:
        shown = await purchase.plan(await purchase.gather(conn, 25_000, **options))
        return [(each.name, each.pieces, each.outlay_cents, each.saves_grams) for each in shown.buy]

    both = [("Small", 3, 15000, 183), ("Light", 1, 9000, 300)]
    assert await buy() == both
    assert await buy(setup="trip") == both
    assert await buy(setup="walk") == [("Small", 1, 5000, 61)]
    assert await buy(base_only=True) == [("Small", 3, 15000, 183)]
    assert await buy(base_only=True, setup=trip) == [("Small", 3, 15000, 183)]
    assert await buy(threads=[trainers]) == [("Light", 1, 9000, 300)]
    # The same figures as in the thread.
    shown = (await thread.get(conn, banks)).candidates[0]
    assert (shown.outlay_cents, shown.saves_grams) == (15000, 183)


async def test_only_active_threads_can_be_planned(conn: AsyncConnection) -> None:
    closed = await make_thread(conn, "Closed")
    await thread.update(conn, closed, {"status": "archived"})
    with pytest.raises(Conflict, match=rf"threads: {closed} are not active"):
        await purchase.gather(conn, 100, threads=[closed])
    with pytest.raises(NotFound, match="No thread 99"):
        await purchase.gather(conn, 100, threads=[99])
    for at in range(101):
        await make_thread(conn, f"Thread {at}")
    with pytest.raises(InvalidInput, match="at most 100 active threads"):
        await purchase.gather(conn, 100)


async def test_an_agent_plans_with_cents_and_reads_what_is_left(client: Client) -> None:
    tent = await call(client, "create_item", name="Tent", weight="1 kg")
    made = await call(client, "create_thread", name="Tent", replaces_item_id=tent["id"])
    await call(client, "add_candidate", thread_id=made["id"], name="Tarp", weight="300 g", price_cents=19000)
    await call(client, "add_candidate", thread_id=made["id"], name="Rumour", price_cents=100)
    shown = await call(client, "plan_purchases", budget_cents="40000")
    assert (shown["outlay_cents"], shown["saves_grams"]) == (19000, 700)
    assert [each["name"] for each in shown["buy"]] == ["Tarp"]
    assert [each["why"] for each in shown["left_out"]] == ["weight unknown"]
    assert (await call(client, "plan_purchases", budget_cents=10**15 - 1))["buy"] == shown["buy"]
    assert (await call(client, "plan_purchases", budget_cents=0))["buy"] == []


async def test_the_plans_of_one_user_do_not_delay_that_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[int] = []

    def solve(offers: int) -> int:
        time.sleep(0.05)
        order.append(offers)
        return offers

    monkeypatch.setattr(purchase, "solve", solve)
    plan: Any = purchase.plan
    plans = [asyncio.ensure_future(plan(user_id, user_id)) for user_id in (1, 1, 1, 1, 1, 2)]
    assert await asyncio.gather(*plans) == [1, 1, 1, 1, 1, 2]
    assert order.index(2) <= 2


async def test_a_plan_of_all_threads_leaves_out_those_that_are_not_active(conn: AsyncConnection) -> None:
    names = ("Open", "Archived", "Decided")
    ids = [await make_thread(conn, name) for name in names]
    await make_candidate(conn, ids[2], "Dome")
    await thread.update(conn, ids[1], {"status": "archived"})
    await thread.update(conn, ids[2], {"status": "archived"})
    assert {each.thread for each in (await purchase.gather(conn, 100)).offers} == {"Open"}


def test_all_pieces_of_an_offer_are_paid_for() -> None:
    assert offer(1, pieces=3, counted=2, price_cents=100).outlay == 300
    assert offer(1, pieces=3, counted=2).saved == 1200
