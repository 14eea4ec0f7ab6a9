"""Threads: candidates side by side, and how one of them becomes an item."""

from decimal import Decimal
from typing import Any, cast

import pytest
from psycopg import AsyncConnection

from mcp_server.errors import Conflict, InUse, InvalidInput, NotFound
from mcp_server.models.setup import NewLine
from mcp_server.services import candidate, item, preview, resolution, settings, setup, thread
from tests.factories import make_candidate, make_category, make_item, make_setup, make_thread


async def make_research(conn: AsyncConnection) -> tuple[int, list[int]]:
    """A thread that would replace a tent of 1135 g, and three candidates, one of unknown weight."""
    tent = await make_item(conn, "Tent", weight=1135.0, price_cents=40000)
    thread_id = await make_thread(conn, "Lighter tent", replaces_item_id=tent)
    candidates = [
        await make_candidate(conn, thread_id, "X-Mid", weight=795.0, price_cents=25000),
        await make_candidate(conn, thread_id, "Duplex", weight=541.0, price_cents=69900),
        await make_candidate(conn, thread_id, "Rumour", price_cents=20000),
    ]
    return thread_id, candidates


async def test_candidates_are_compared_with_the_lightest_the_cheapest_and_the_replaced_item(
    conn: AsyncConnection,
) -> None:
    thread_id, _ = await make_research(conn)
    shown = await thread.get(conn, thread_id)
    assert shown.replaces is not None
    assert (shown.replaces.name, shown.replaces.weight_grams) == ("Tent", 1135)
    assert [
        (
            each.rank,
            each.name,
            each.over_lightest_grams,
            each.over_cheapest_cents,
            each.saves_grams,
            each.cents_per_gram_saved,
        )
        for each in shown.candidates
    ] == [
        (1, "X-Mid", 254, 5000, 340, Decimal("73.53")),
        (2, "Duplex", 0, 49900, 594, Decimal("117.68")),
        (3, "Rumour", None, 0, None, None),
    ]


async def test_a_heavier_candidate_saves_less_than_nothing_and_has_no_price_per_gram(
    conn: AsyncConnection,
) -> None:
    tent = await make_item(conn, "Tent", weight=500.0)
    thread_id = await make_thread(conn, replaces_item_id=tent)
    await make_candidate(conn, thread_id, "Palace", weight=2000.0, price_cents=100)
    (palace,) = (await thread.get(conn, thread_id)).candidates
    assert (palace.saves_grams, palace.cents_per_gram_saved) == (-1500, None)


async def test_without_an_item_to_replace_nothing_is_saved(conn: AsyncConnection) -> None:
    thread_id = await make_thread(conn)
    await make_candidate(conn, thread_id, "Tarp", weight=300.0, price_cents=100)
    shown = await thread.get(conn, thread_id)
    assert shown.replaces is None
    assert (shown.candidates[0].saves_grams, shown.candidates[0].cents_per_gram_saved) == (None, None)


async def test_differences_of_weight_are_exact(conn: AsyncConnection) -> None:
    thread_id = await make_thread(conn)
    await make_candidate(conn, thread_id, "A", weight=0.1)
    await make_candidate(conn, thread_id, "B", weight=0.3)
    assert [each.over_lightest_grams for each in (await thread.get(conn, thread_id)).candidates] == [
        0,
        Decimal("0.2"),
    ]


async def test_a_resolved_thread_remembers_candidate_and_item(conn: AsyncConnection) -> None:
    shelter = await make_category(conn, "Shelter")
    thread_id = await make_thread(conn, category=shelter)
    winner = await make_candidate(
        conn,
        thread_id,
        "X-Mid",
        weight=795.0,
        price_cents=25000,
        notes="green",
        product_url="https://example.com/x",
        pros="roomy",
    )
    resolved = await resolution.resolve(conn, thread_id, winner, [])
    made = await item.get(conn, resolved.item_id)
    assert (made.name, made.weight_grams, made.price_cents, made.category, made.notes, made.product_url) == (
        "X-Mid",
        795,
        25000,
        "Shelter",
        "green",
        "https://example.com/x",
    )
    assert made.thread is not None
    assert (made.thread.thread_id, made.quantity) == (thread_id, 1)
    shown = await thread.get(conn, thread_id)
    assert (shown.status, shown.resolved_candidate_id, shown.resolved_item_id) == (
        "resolved",
        winner,
        made.id,
    )


async def test_a_candidates_own_category_wins_over_the_threads(conn: AsyncConnection) -> None:
    thread_id = await make_thread(conn, category=await make_category(conn, "Shelter"))
    winner = await make_candidate(conn, thread_id, category=await make_category(conn, "Tarps"))
    resolved = await resolution.resolve(conn, thread_id, winner, [])
    assert (await item.get(conn, resolved.item_id)).category == "Tarps"


async def test_the_new_item_takes_the_old_ones_line_in_the_named_setups_only(conn: AsyncConnection) -> None:
    old, stakes = await make_item(conn, "Tent", weight=1000.0), await make_item(conn, "Stakes", weight=80.0)
    alps, weekend = await make_setup(conn, "Alps", stakes, old), await make_setup(conn, "Weekend", old)
    await setup.set_items(conn, alps, change=[{"item_id": old, "quantity": Decimal(2)}])
    thread_id = await make_thread(conn, replaces_item_id=old)
    winner = await make_candidate(conn, thread_id, "Tarp", weight=300.0)
    resolved = await resolution.resolve(conn, thread_id, winner, ["alps"])
    assert [(each.name, each.total_grams) for each in resolved.swapped_in_setups] == [("Alps", 680)]
    assert [(line.name, line.quantity) for line in (await setup.get(conn, alps)).lines] == [
        ("Stakes", 1),
        ("Tarp", 2),
    ]
    assert [line.name for line in (await setup.get(conn, weekend)).lines] == ["Tent"]
    assert (await item.get(conn, old)).name == "Tent"


async def test_a_thread_is_not_resolved_twice(conn: AsyncConnection) -> None:
    thread_id, (first, second, _) = await make_research(conn)
    resolved = await resolution.resolve(conn, thread_id, first, [])
    with pytest.raises(Conflict, match=f"is resolved. Candidate {first} became item {resolved.item_id}"):
        await resolution.resolve(conn, thread_id, second, [])


async def test_an_archived_thread_has_to_be_active_again_first(conn: AsyncConnection) -> None:
    thread_id, (first, _, _) = await make_research(conn)
    await thread.update(conn, thread_id, {"status": "archived"})
    with pytest.raises(Conflict, match=r"is archived\. Set its status to active with update_thread"):
        await resolution.resolve(conn, thread_id, first, [])
    await thread.update(conn, thread_id, {"status": "active"})
    assert (await resolution.resolve(conn, thread_id, first, [])).status == "resolved"


async def test_a_candidate_of_another_thread_cannot_win(conn: AsyncConnection) -> None:
    thread_id, _ = await make_research(conn)
    stranger = await make_candidate(conn, await make_thread(conn, "Stove"), "Stove")
    with pytest.raises(NotFound, match=f"No candidate {stranger} in thread {thread_id}"):
        await resolution.resolve(conn, thread_id, stranger, [])


async def test_a_setup_that_does_not_hold_the_replaced_item_cannot_swap_it(conn: AsyncConnection) -> None:
    thread_id, (first, _, _) = await make_research(conn)
    empty = await make_setup(conn, "Empty")
    with pytest.raises(InvalidInput, match=f"is not in setup {empty}"):
        await resolution.resolve(conn, thread_id, first, [empty])


async def test_without_a_replaced_item_nothing_is_swapped(conn: AsyncConnection) -> None:
    thread_id = await make_thread(conn)
    winner = await make_candidate(conn, thread_id)
    with pytest.raises(InvalidInput, match="does not replace an item"):
        await resolution.resolve(conn, thread_id, winner, [await make_setup(conn, "Empty")])


async def test_deleting_a_thread_keeps_its_item_and_deleting_the_item_keeps_the_thread(
    conn: AsyncConnection,
) -> None:
    thread_id, (first, _, _) = await make_research(conn)
    item_id = (await resolution.resolve(conn, thread_id, first, [])).item_id
    await item.delete(conn, item_id)
    shown = await thread.get(conn, thread_id)
    assert (shown.status, shown.resolved_item_id, shown.resolved_candidate_id) == ("resolved", None, first)
    deleted = await thread.delete(conn, thread_id)
    assert (deleted.deleted, deleted.candidates) == ("Lighter tent", 3)
    with pytest.raises(NotFound, match="No candidate"):
        await candidate.get(conn, first)


async def test_threads_are_listed_active_ones_first_and_by_status(conn: AsyncConnection) -> None:
    resolved, (first, _, _) = await make_research(conn)
    await resolution.resolve(conn, resolved, first, [])
    stove = await make_thread(conn, "Stove")
    listed = await thread.list_all(conn)
    assert [(each.name, each.status, each.replaces, each.candidates) for each in listed.threads] == [
        ("Stove", "active", None, 0),
        ("Lighter tent", "resolved", "Tent", 3),
    ]
    assert [each.id for each in (await thread.list_all(conn, "active")).threads] == [stove]


async def test_changes_of_a_thread_keep_what_they_leave_out_and_none_clears(conn: AsyncConnection) -> None:
    tent = await make_item(conn, "Tent")
    await make_category(conn, "Shelter")
    thread_id = await make_thread(conn, "Tent", category="Shelter", replaces_item_id=tent)
    renamed = await thread.update(conn, thread_id, {"name": "Tarp"})
    assert (renamed.name, renamed.category, renamed.replaces) == ("Tarp", "Shelter", "Tent")
    cleared = await thread.update(conn, thread_id, {"category": None, "replaces_item_id": None})
    assert (cleared.name, cleared.category, cleared.replaces) == ("Tarp", None, None)


async def test_an_item_that_does_not_exist_cannot_be_replaced(conn: AsyncConnection) -> None:
    with pytest.raises(NotFound, match=r"No item 12\. Call list_items"):
        await make_thread(conn, replaces_item_id=12)


async def test_a_setup_that_is_named_twice_is_swapped_and_shown_once(conn: AsyncConnection) -> None:
    thread_id, (first, _, _) = await make_research(conn)
    replaces = (await thread.get(conn, thread_id)).replaces
    assert replaces is not None
    alps = await make_setup(conn, "Alps", replaces.item_id)
    resolved = await resolution.resolve(conn, thread_id, first, ["alps", str(alps), " Alps "])
    assert [each.id for each in resolved.swapped_in_setups] == [alps]


async def pack(conn: AsyncConnection, name: str, item_id: int, quantity: str, **line: Any) -> int:
    """A setup with a number of pieces of one item."""
    new = cast(NewLine, {"item_id": item_id, "quantity": Decimal(quantity), **line})
    return (await setup.create(conn, name, [new])).id


async def test_a_comparison_is_for_all_pieces_that_the_fullest_setup_has(conn: AsyncConnection) -> None:
    bank = await make_item(conn, "Power bank", weight=150.0, quantity=5)
    weekend, alps = await pack(conn, "Weekend", bank, "2"), await pack(conn, "Alps", bank, "3")
    thread_id = await make_thread(conn, replaces_item_id=bank)
    await make_candidate(conn, thread_id, "Small", weight=89.0, price_cents=5900)
    await make_candidate(conn, thread_id, "Rumour", price_cents=4900)
    shown = await thread.get(conn, thread_id)
    assert shown.pieces == 3
    assert shown.replaces is not None
    assert [(used.setup_id, used.name, used.quantity) for used in shown.replaces.in_setups] == [
        (alps, "Alps", 3),
        (weekend, "Weekend", 2),
    ]
    small, rumour = shown.candidates
    assert (small.saves_grams, small.outlay_cents, small.cents_per_gram_saved) == (
        183,
        17700,
        Decimal("96.72"),
    )
    # Per piece, like the figures beside them.
    assert (small.over_lightest_grams, small.over_cheapest_cents) == (0, 1000)
    assert (rumour.saves_grams, rumour.outlay_cents) == (None, 14700)


@pytest.mark.parametrize(
    ("quantities", "owned", "pieces"),
    [
        ([], 4, 4),
        ([], 0, 1),
        (["0"], 2, 2),
        (["1"], 4, 1),
        (["0.5"], 4, 1),
        (["1", "2.5"], 1, 3),
    ],
)
async def test_a_purchase_replaces_whole_pieces_as_many_as_are_used_or_else_owned(
    conn: AsyncConnection, quantities: list[str], owned: int, pieces: int
) -> None:
    old = await make_item(conn, "Roll", weight=10.0, quantity=owned)
    for quantity in quantities:
        await pack(conn, "Weekend", old, quantity)
    thread_id = await make_thread(conn, replaces_item_id=old)
    new = await make_candidate(conn, thread_id, weight=8.0, price_cents=100)
    shown = await thread.get(conn, thread_id)
    assert (shown.pieces, shown.candidates[0].saves_grams) == (pieces, 2 * pieces)
    assert shown.candidates[0].outlay_cents == 100 * pieces
    assert (await preview.preview(conn, new, None)).outlay_cents == 100 * pieces


async def test_a_thread_that_replaces_nothing_is_about_one_piece(conn: AsyncConnection) -> None:
    thread_id = await make_thread(conn)
    await make_candidate(conn, thread_id, price_cents=100)
    shown = await thread.get(conn, thread_id)
    assert (shown.pieces, shown.candidates[0].outlay_cents) == (1, 100)


@pytest.mark.parametrize(
    ("lines", "note"),
    [
        (["worn"], "worn in every setup: it never counts in base weight"),
        (["worn", "worn"], "worn in every setup: it never counts in base weight"),
        (["consumable"], "consumable in every setup: it never counts in base weight"),
        (["consumable", "worn"], "worn or consumable in every setup: it never counts in base weight"),
        (["worn", "base"], None),
        (["partly worn"], None),
        ([], None),
    ],
)
async def test_a_thread_says_when_what_it_replaces_never_counts_in_base_weight(
    conn: AsyncConnection, lines: list[str], note: str | None
) -> None:
    shoes = await make_item(conn, "Shoes", weight=680.0)
    for line in lines:
        worn = {"worn_quantity": Decimal(1)} if line == "partly worn" else {}
        await pack(conn, "Weekend", shoes, "2", classification=line.removeprefix("partly "), **worn)
    replaces = (await thread.get(conn, await make_thread(conn, replaces_item_id=shoes))).replaces
    assert replaces is not None
    assert (replaces.note, len(replaces.in_setups)) == (note, len(lines))


@pytest.mark.parametrize(
    ("owned", "given", "quantity"), [(3, None, 3), (0, None, 1), (3, 2, 2), (3, 0, 0), (None, None, 1)]
)
async def test_the_new_item_is_owned_as_often_as_the_old_one_unless_it_is_given(
    conn: AsyncConnection, owned: int | None, given: int | None, quantity: int
) -> None:
    old = None if owned is None else await make_item(conn, "Power bank", quantity=owned)
    thread_id = await make_thread(conn, replaces_item_id=old)
    new = await make_candidate(conn, thread_id)
    resolved = await resolution.resolve(conn, thread_id, new, [], given)
    assert (resolved.quantity, (await item.get(conn, resolved.item_id)).quantity) == (quantity, quantity)


async def test_all_stands_for_every_setup_with_the_replaced_item(conn: AsyncConnection) -> None:
    old = await make_item(conn, "Tent", weight=1000.0)
    weekend, alps = await make_setup(conn, "Weekend", old), await make_setup(conn, "Alps", old)
    empty = await make_setup(conn, "Empty")
    thread_id = await make_thread(conn, replaces_item_id=old)
    resolved = await resolution.resolve(
        conn, thread_id, await make_candidate(conn, thread_id), ["All", weekend]
    )
    assert [each.id for each in resolved.swapped_in_setups] == [alps, weekend]
    assert (await setup.get(conn, empty)).lines == []


async def test_all_of_no_setups_swaps_nothing(conn: AsyncConnection) -> None:
    thread_id = await make_thread(conn, replaces_item_id=await make_item(conn, "Tent"))
    resolved = await resolution.resolve(conn, thread_id, await make_candidate(conn, thread_id), ["all"])
    assert resolved.swapped_in_setups == ()


async def test_all_needs_an_item_to_replace_and_no_setup_of_that_name(conn: AsyncConnection) -> None:
    thread_id = await make_thread(conn)
    new = await make_candidate(conn, thread_id)
    with pytest.raises(InvalidInput, match="does not replace an item"):
        await resolution.resolve(conn, thread_id, new, ["all"])
    old = await make_item(conn, "Tent")
    named = await make_setup(conn, " ALL", old)
    await thread.update(conn, thread_id, {"replaces_item_id": old})
    with pytest.raises(Conflict, match=f"setup {named} has this name. Give the ids of the setups"):
        await resolution.resolve(conn, thread_id, new, ["all"])
    resolved = await resolution.resolve(conn, thread_id, new, [named])
    assert [each.id for each in resolved.swapped_in_setups] == [named]


async def test_a_resolved_thread_is_a_record(conn: AsyncConnection) -> None:
    thread_id, (first, second, _) = await make_research(conn)
    await resolution.resolve(conn, thread_id, second, [])
    before = await thread.get(conn, thread_id)
    other = await make_item(conn, "Other tent")
    for attempt in (
        candidate.add(conn, thread_id, {"name": "Late", "weight": 1.0}),
        candidate.update(conn, first, {"weight": 1.0}),
        candidate.update(conn, second, {"status": "arrived"}),
        candidate.remove(conn, first),
        candidate.remove(conn, second),
        candidate.rank(conn, thread_id, [second]),
        thread.update(conn, thread_id, {"status": "active"}),
        thread.update(conn, thread_id, {"name": "Tent", "replaces_item_id": other}),
    ):
        with pytest.raises(
            Conflict, match=r"is resolved: .* are a record\. Create a new thread with create_"
        ):
            await attempt
    assert await thread.get(conn, thread_id) == before
    assert (await thread.update(conn, thread_id, {"name": "Tent, 2026"})).name == "Tent, 2026"


async def test_the_winner_of_a_thread_that_was_archived_elsewhere_is_kept(conn: AsyncConnection) -> None:
    thread_id, (first, second, _) = await make_research(conn)
    await resolution.resolve(conn, thread_id, first, [])
    # As another application may have left it, before a migration.
    await conn.execute("UPDATE threads SET status = 'archived'")
    with pytest.raises(InUse, match=f"Candidate {first} won thread {thread_id}"):
        await candidate.remove(conn, first)
    assert (await candidate.remove(conn, second)).removed == "Duplex"


async def test_candidates_of_one_name_are_both_shown(conn: AsyncConnection) -> None:
    thread_id = await make_thread(conn)
    for weight, price in ((453.59237, 100), (907.18474, 200)):
        await make_candidate(conn, thread_id, "Tarp", weight=weight, price_cents=price)
    await settings.update(conn, {"weight_unit": "lb", "currency": "EUR"})
    shown = await thread.get(conn, thread_id)
    assert shown.display == "Tarp: 1.00 EUR; Tarp: 2.00 EUR"
    assert [each.weight for each in shown.candidates] == [
        "1 lb, over lightest 0 lb",
        "2 lb, over lightest 1 lb",
    ]


async def test_a_list_of_threads_has_the_figures_of_the_comparison(conn: AsyncConnection) -> None:
    bank = await make_item(conn, "Power bank", weight=150.0)
    await pack(conn, "Alps", bank, "3")
    thread_id = await make_thread(conn, "Banks", replaces_item_id=bank)
    await make_candidate(conn, thread_id, "Small", weight=89.0, price_cents=5900)
    await make_candidate(conn, thread_id, "Cheap", weight=120.0, price_cents=2900)
    await make_thread(conn, "Empty")
    banks, empty = (await thread.list_all(conn)).threads
    candidates = (await thread.get(conn, thread_id)).candidates
    assert (banks.pieces, banks.least_outlay_cents, banks.most_saved_grams) == (3, 8700, 183)
    assert banks.least_outlay_cents == min(each.outlay_cents or 0 for each in candidates)
    assert banks.most_saved_grams == max(each.saves_grams or 0 for each in candidates)
    assert (empty.pieces, empty.least_outlay_cents, empty.most_saved_grams) == (1, None, None)


async def test_a_small_part_of_a_piece_is_a_whole_piece_to_buy(conn: AsyncConnection) -> None:
    rope = await make_item(conn, "Rope")
    trip = await make_setup(conn, "Trip", rope)
    await setup.set_items(conn, trip, change=[{"item_id": rope, "quantity": Decimal("1.2")}])
    thread_id = await make_thread(conn, replaces_item_id=rope)
    assert (await thread.get(conn, thread_id)).pieces == 2
