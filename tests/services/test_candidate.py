"""Candidates: their fields, their order, and what one would do to a setup."""

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import AsyncConnection

from db.query import fetch_value
from mcp_server.errors import InvalidInput, NotFound
from mcp_server.models.candidate import NewCandidate
from mcp_server.models.setup import NewLine
from mcp_server.services import candidate, preview, resolution, setup, thread
from tests.factories import make_candidate, make_category, make_item, make_setup, make_thread

WEIGHTS = st.none() | st.floats(0, 5000).map(lambda grams: round(grams, 3))
PRICES = st.none() | st.integers(0, 500_000)
QUANTITIES = st.decimals(0, 9, places=2)


@st.composite
def lines(draw: st.DrawFn) -> NewLine:
    line: NewLine = {
        "item_id": 0,
        "quantity": draw(QUANTITIES),
        "classification": draw(st.sampled_from(("base", "worn", "consumable"))),
    }
    if line["classification"] == "worn":  # pyright: ignore[reportTypedDictNotRequiredAccess]
        line["worn_quantity"] = min(draw(QUANTITIES), line["quantity"] or Decimal(0))  # pyright: ignore[reportTypedDictNotRequiredAccess]
    return line


async def test_a_candidate_has_all_it_is_given_and_is_ranked_last(conn: AsyncConnection) -> None:
    await make_category(conn, "Shelter")
    thread_id = await make_thread(conn)
    await make_candidate(conn, thread_id, "First")
    added = await candidate.add(
        conn,
        thread_id,
        {
            "name": "X-Mid",
            "weight": 795.0,
            "price_cents": 25000,
            "status": "ordered",
            "pros": "roomy",
            "cons": "heavy",
            "notes": "green",
            "product_url": "https://example.com/x",
            "category": "shelter",
        },
    )
    assert added.model_dump(exclude={"id", "display", "weight", "cut"}, exclude_none=True) == {
        "rank": 2,
        "name": "X-Mid",
        "thread_id": thread_id,
        "status": "ordered",
        "weight_grams": 795,
        "price_cents": 25000,
        "category": "Shelter",
        "pros": "roomy",
        "cons": "heavy",
        "notes": "green",
        "product_url": "https://example.com/x",
    }


async def test_changes_keep_what_they_leave_out_and_none_clears(conn: AsyncConnection) -> None:
    made = await make_candidate(conn, await make_thread(conn), weight=1.0, price_cents=2, pros="light")
    changed = await candidate.update(conn, made, {"weight": None, "status": "arrived"})
    assert (changed.weight_grams, changed.price_cents, changed.pros, changed.status) == (
        None,
        2,
        "light",
        "arrived",
    )


async def test_an_absent_candidate_cannot_be_changed_or_removed(conn: AsyncConnection) -> None:
    for attempt in (candidate.update(conn, 12, {"name": "Tarp"}), candidate.remove(conn, 12)):
        with pytest.raises(NotFound, match=r"No candidate 12\. Call get_thread to find its id"):
            await attempt


async def test_candidates_come_in_the_order_they_are_put_and_the_others_follow(conn: AsyncConnection) -> None:
    thread_id = await make_thread(conn)
    a, b, c, d = [await make_candidate(conn, thread_id, name) for name in "ABCD"]
    ranking = await candidate.rank(conn, thread_id, [c, a])
    assert [(each.rank, each.id) for each in ranking.candidates] == [(1, c), (2, a), (3, b), (4, d)]
    added = await make_candidate(conn, thread_id, "E")
    assert [each.id for each in (await thread.get(conn, thread_id)).candidates] == [c, a, b, d, added]


async def test_only_the_candidates_of_the_thread_can_be_ranked_once_each(conn: AsyncConnection) -> None:
    thread_id, other_id = await make_thread(conn), await make_thread(conn)
    a, stranger = await make_candidate(conn, thread_id), await make_candidate(conn, other_id)
    with pytest.raises(NotFound, match=f"No candidate {stranger} in thread {thread_id}"):
        await candidate.rank(conn, thread_id, [a, stranger])
    with pytest.raises(InvalidInput, match=f"candidate_ids: {a} occurs more than once"):
        await candidate.rank(conn, thread_id, [a, a])


async def test_a_preview_shows_every_setup_with_the_replaced_item(conn: AsyncConnection) -> None:
    tent = await make_item(conn, "Tent", weight=1000.0, price_cents=30000)
    stove = await make_item(conn, "Stove", weight=100.0)
    await make_setup(conn, "Weekend", tent, stove)
    await make_setup(conn, "Alps", tent)
    await make_setup(conn, "Kitchen", stove)
    tarp = await make_candidate(
        conn, await make_thread(conn, replaces_item_id=tent), "Tarp", weight=300.0, price_cents=20000
    )
    shown = await preview.preview(conn, tarp, None)
    assert (shown.name, shown.replaces, shown.replaces_item_id) == ("Tarp", "Tent", tent)
    assert [
        (each.name, each.total_grams_before, each.total_grams_after, each.total_grams_change)
        for each in shown.setups
    ] == [("Alps", 1000, 300, -700), ("Weekend", 1100, 400, -700)]
    assert [(each.price_cents_before, each.price_cents_after) for each in shown.setups] == [
        (30000, 20000),
        (30000, 20000),
    ]


async def test_in_a_named_setup_without_the_item_a_candidate_is_one_more_piece(conn: AsyncConnection) -> None:
    stove = await make_item(conn, "Stove", weight=100.0)
    await make_setup(conn, "Kitchen", stove)
    await make_setup(conn, "Empty")
    pot = await make_candidate(conn, await make_thread(conn), "Pot", weight=150.0, price_cents=500)
    (shown,) = (await preview.preview(conn, pot, "kitchen")).setups
    assert (shown.base_grams_before, shown.base_grams_after, shown.base_grams_change) == (100, 250, 150)
    assert (shown.price_cents_before, shown.price_cents_after, shown.price_cents_change) == (None, 500, 500)
    (shown,) = (await preview.preview(conn, pot, "Empty")).setups
    assert (shown.total_grams_before, shown.total_grams_after) == (0, 150)


async def test_a_preview_without_any_setup_says_how_to_get_one(conn: AsyncConnection) -> None:
    stove = await make_item(conn, "Stove")
    pot = await make_candidate(conn, await make_thread(conn, replaces_item_id=stove), "Pot", weight=150.0)
    shown = await preview.preview(conn, pot, None)
    assert (shown.setups, shown.hint) == (
        [],
        "No setup contains the replaced item. Name a setup to preview adding the candidate to it.",
    )


async def test_a_thread_that_replaces_nothing_needs_a_setup_for_a_preview(conn: AsyncConnection) -> None:
    thread_id = await make_thread(conn)
    pot = await make_candidate(conn, thread_id, "Pot")
    assert (await preview.preview(conn, pot, None)).hint == (
        f"The thread replaces nothing: set replaces_item_id of thread {thread_id} with update_thread, "
        "or name a setup."
    )


async def test_a_thread_that_replaces_nothing_is_shown_what_it_may_be_meant_to_replace(
    conn: AsyncConnection,
) -> None:
    await make_category(conn, "Shelter")
    weights = [("Stakes", 80.0), ("Tent", 1100.0), ("Map", None), ("Palace", 4000.0), ("Fly", 500.0)]
    ids = {name: await make_item(conn, name, category="Shelter", weight=weight) for name, weight in weights}
    for number in range(9):
        await make_item(conn, f"Peg {number}", category="Shelter", weight=20.0)
    await make_item(conn, "Stove", weight=800.0)
    await make_setup(conn, "Weekend", ids["Tent"])
    thread_id = await make_thread(conn, category="shelter")
    tarp = await make_candidate(conn, thread_id, "Tarp", weight=800.0)
    hint = (await preview.preview(conn, tarp, None)).hint or ""
    assert hint.startswith(
        "The thread replaces nothing. If it should replace one of these items: "
        f'{ids["Fly"]} "Fly" (500 g), {ids["Tent"]} "Tent" (1,100 g), {ids["Stakes"]} "Stakes" (80 g), '
    )
    assert hint.count(" g)") == 5
    assert f"set replaces_item_id of thread {thread_id} with update_thread. Name a setup" in hint
    in_weekend = await preview.preview(conn, tarp, "Weekend")
    assert "If it should replace one of these items" in (in_weekend.hint or "")
    assert "Name a setup" not in (in_weekend.hint or "")
    await thread.update(conn, thread_id, {"replaces_item_id": ids["Tent"]})
    assert (await preview.preview(conn, tarp, None)).hint is None


async def test_a_record_is_not_asked_to_be_changed(conn: AsyncConnection) -> None:
    await make_category(conn, "Shelter")
    await make_item(conn, "Tent", category="Shelter")
    thread_id = await make_thread(conn, category="Shelter")
    tarp = await make_candidate(conn, thread_id, "Tarp")
    await resolution.resolve(conn, thread_id, tarp, [])
    assert (await preview.preview(conn, tarp, None)).hint == (
        "Name a setup to preview adding the candidate to it."
    )


async def test_an_outlay_is_not_the_change_of_value(conn: AsyncConnection) -> None:
    tent = await make_item(conn, "Tent", weight=1000.0, price_cents=28000)
    await make_setup(conn, "Weekend", tent)
    new = await make_candidate(
        conn, await make_thread(conn, replaces_item_id=tent), "Duplex", weight=541.0, price_cents=69900
    )
    shown = await preview.preview(conn, new, None)
    assert (shown.pieces, shown.outlay_cents) == (1, 69900)
    assert [each.price_cents_change for each in shown.setups] == [41900]


async def test_an_outlay_is_for_as_many_pieces_as_the_previewed_setups_need(conn: AsyncConnection) -> None:
    bank = await make_item(conn, "Power bank", weight=150.0, price_cents=2000, quantity=9)
    for name, quantity in (("Weekend", 2), ("Alps", 3)):
        await setup.create(conn, name, [{"item_id": bank, "quantity": Decimal(quantity)}])
    await make_setup(conn, "Empty")
    new = await make_candidate(conn, await make_thread(conn, replaces_item_id=bank), price_cents=5900)
    for in_setup, pieces in ((None, 3), ("Weekend", 2), ("Alps", 3), ("Empty", 1)):
        shown = await preview.preview(conn, new, in_setup)
        assert (in_setup, shown.pieces, shown.outlay_cents) == (in_setup, pieces, 5900 * pieces)


async def test_an_outlay_is_unknown_when_the_price_is(conn: AsyncConnection) -> None:
    bank = await make_item(conn, "Power bank", quantity=3)
    new = await make_candidate(conn, await make_thread(conn, replaces_item_id=bank))
    shown = await preview.preview(conn, new, None)
    assert (shown.pieces, shown.outlay_cents) == (3, None)


async def test_a_change_is_unknown_where_a_figure_is(conn: AsyncConnection) -> None:
    tent = await make_item(conn, "Tent", price_cents=999)
    await make_setup(conn, "Weekend", tent)
    tarp = await make_candidate(conn, await make_thread(conn, replaces_item_id=tent), weight=300.0)
    (shown,) = (await preview.preview(conn, tarp, None)).setups
    assert (shown.base_grams_before, shown.base_grams_after, shown.base_grams_change) == (0, 300, None)
    assert (shown.price_cents_before, shown.price_cents_after, shown.price_cents_change) == (999, None, None)
    assert (shown.unweighed_before, shown.unweighed_after) == (1, 0)
    assert (shown.unpriced_before, shown.unpriced_after) == (0, 1)


async def test_a_candidate_of_unknown_weight_leaves_an_unweighed_line(conn: AsyncConnection) -> None:
    tent = await make_item(conn, "Tent", weight=1000.0)
    await make_setup(conn, "Weekend", tent)
    rumour = await make_candidate(conn, await make_thread(conn, replaces_item_id=tent), "Rumour")
    (shown,) = (await preview.preview(conn, rumour, None)).setups
    assert (shown.total_grams_after, shown.unweighed_after, shown.unpriced_after) == (0, 1, 1)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    old=lines(),
    other=lines(),
    weights=st.tuples(WEIGHTS, WEIGHTS, WEIGHTS),
    prices=st.tuples(PRICES, PRICES, PRICES),
)
async def test_what_a_preview_shows_is_what_resolving_does(
    conn: AsyncConnection,
    old: NewLine,
    other: NewLine,
    weights: tuple[float | None, float | None, float | None],
    prices: tuple[int | None, int | None, int | None],
) -> None:
    tent, stove = [
        await make_item(conn, "Thing", weight=weight, price_cents=cents)
        for weight, cents in zip(weights[:2], prices[:2], strict=True)
    ]
    setup_id = await make_setup(conn, "Weekend")
    await setup.set_items(conn, setup_id, [{**old, "item_id": tent}, {**other, "item_id": stove}])
    thread_id = await make_thread(conn, replaces_item_id=tent)
    new = await make_candidate(conn, thread_id, "New", weight=weights[2], price_cents=prices[2])
    (shown,) = (await preview.preview(conn, new, None)).setups
    before = await setup.summarize(conn, setup_id)
    assert (shown.total_grams_before, shown.base_grams_before, shown.price_cents_before) == (
        before.total_grams,
        before.base_grams,
        before.price_cents,
    )
    (after,) = (await resolution.resolve(conn, thread_id, new, [setup_id])).swapped_in_setups
    assert (
        shown.total_grams_after,
        shown.base_grams_after,
        shown.price_cents_after,
        shown.unweighed_after,
        shown.unpriced_after,
    ) == (after.total_grams, after.base_grams, after.price_cents, after.unweighed, after.unpriced)
    known = weights[0] is not None and weights[2] is not None
    assert shown.base_grams_change == (after.base_grams - before.base_grams if known else None)


async def test_a_new_candidate_is_last_although_others_were_removed(conn: AsyncConnection) -> None:
    thread_id = await make_thread(conn)
    a, b, c = [await make_candidate(conn, thread_id, name) for name in "ABC"]
    for removed in (a, b):
        await candidate.remove(conn, removed)
    d = await make_candidate(conn, thread_id, "D")
    several: list[NewCandidate] = [{"name": "E"}, {"name": "F"}]
    added = await candidate.add_any(conn, thread_id, {}, several)
    assert [each.rank for each in added.candidates] == [3, 4]
    shown = [each.id for each in (await thread.get(conn, thread_id)).candidates]
    assert shown == [c, d, *(each.id for each in added.candidates)]


async def test_a_new_candidate_has_a_place_of_its_own(conn: AsyncConnection) -> None:
    thread_id = await make_thread(conn)
    for name in "ABC":
        await make_candidate(conn, thread_id, name)
    query = "SELECT array_agg(sort_order ORDER BY id) FROM candidates WHERE thread_id = %(thread_id)s"
    assert await fetch_value(conn, query, {"thread_id": thread_id}) == [1, 2, 3]
