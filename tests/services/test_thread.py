"""Threads: candidates side by side, and how one of them becomes an item."""

from decimal import Decimal

import pytest
from psycopg import AsyncConnection

from mcp_server.errors import Conflict, InUse, InvalidInput, NotFound
from mcp_server.services import candidate, item, settings, setup, thread
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
    resolved = await thread.resolve(conn, thread_id, winner, [])
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
    resolved = await thread.resolve(conn, thread_id, winner, [])
    assert (await item.get(conn, resolved.item_id)).category == "Tarps"


async def test_the_new_item_takes_the_old_ones_line_in_the_named_setups_only(conn: AsyncConnection) -> None:
    old, stakes = await make_item(conn, "Tent", weight=1000.0), await make_item(conn, "Stakes", weight=80.0)
    alps, weekend = await make_setup(conn, "Alps", stakes, old), await make_setup(conn, "Weekend", old)
    await setup.set_items(conn, alps, change=[{"item_id": old, "quantity": Decimal(2)}])
    thread_id = await make_thread(conn, replaces_item_id=old)
    winner = await make_candidate(conn, thread_id, "Tarp", weight=300.0)
    resolved = await thread.resolve(conn, thread_id, winner, ["alps"])
    assert [(each.name, each.total_grams) for each in resolved.swapped_in_setups] == [("Alps", 680)]
    assert [(line.name, line.quantity) for line in (await setup.get(conn, alps)).lines] == [
        ("Stakes", 1),
        ("Tarp", 2),
    ]
    assert [line.name for line in (await setup.get(conn, weekend)).lines] == ["Tent"]
    assert (await item.get(conn, old)).name == "Tent"


async def test_a_thread_is_not_resolved_twice(conn: AsyncConnection) -> None:
    thread_id, (first, second, _) = await make_research(conn)
    resolved = await thread.resolve(conn, thread_id, first, [])
    with pytest.raises(Conflict, match=f"resolved already. Candidate {first} became item {resolved.item_id}"):
        await thread.resolve(conn, thread_id, second, [])


async def test_an_archived_thread_has_to_be_active_again_first(conn: AsyncConnection) -> None:
    thread_id, (first, _, _) = await make_research(conn)
    await thread.update(conn, thread_id, {"status": "archived"})
    with pytest.raises(Conflict, match=r"archived already\. Set its status to active with update_thread"):
        await thread.resolve(conn, thread_id, first, [])
    await thread.update(conn, thread_id, {"status": "active"})
    assert (await thread.resolve(conn, thread_id, first, [])).status == "resolved"


async def test_a_candidate_of_another_thread_cannot_win(conn: AsyncConnection) -> None:
    thread_id, _ = await make_research(conn)
    stranger = await make_candidate(conn, await make_thread(conn, "Stove"), "Stove")
    with pytest.raises(NotFound, match=f"No candidate {stranger} in thread {thread_id}"):
        await thread.resolve(conn, thread_id, stranger, [])


async def test_a_setup_that_does_not_hold_the_replaced_item_cannot_swap_it(conn: AsyncConnection) -> None:
    thread_id, (first, _, _) = await make_research(conn)
    empty = await make_setup(conn, "Empty")
    with pytest.raises(InvalidInput, match=f"is not in setup {empty}"):
        await thread.resolve(conn, thread_id, first, [empty])


async def test_without_a_replaced_item_nothing_is_swapped(conn: AsyncConnection) -> None:
    thread_id = await make_thread(conn)
    winner = await make_candidate(conn, thread_id)
    with pytest.raises(InvalidInput, match="replaces no item"):
        await thread.resolve(conn, thread_id, winner, [await make_setup(conn, "Empty")])


async def test_a_resolved_thread_takes_no_new_candidates_and_keeps_its_winner(conn: AsyncConnection) -> None:
    thread_id, (first, second, _) = await make_research(conn)
    await thread.resolve(conn, thread_id, first, [])
    with pytest.raises(Conflict, match="is resolved"):
        await make_candidate(conn, thread_id, "Late")
    with pytest.raises(Conflict, match="is resolved: its status is final"):
        await thread.update(conn, thread_id, {"status": "active"})
    with pytest.raises(InUse, match=f"Candidate {first} won thread {thread_id}"):
        await candidate.remove(conn, first)
    assert (await candidate.remove(conn, second)).removed == "Duplex"


async def test_deleting_a_thread_keeps_its_item_and_deleting_the_item_keeps_the_thread(
    conn: AsyncConnection,
) -> None:
    thread_id, (first, _, _) = await make_research(conn)
    item_id = (await thread.resolve(conn, thread_id, first, [])).item_id
    await item.delete(conn, item_id)
    shown = await thread.get(conn, thread_id)
    assert (shown.status, shown.resolved_item_id, shown.resolved_candidate_id) == ("resolved", None, first)
    deleted = await thread.delete(conn, thread_id)
    assert (deleted.deleted, deleted.candidates) == ("Lighter tent", 3)
    with pytest.raises(NotFound, match="No candidate"):
        await candidate.get(conn, first)


async def test_threads_are_listed_active_ones_first_and_by_status(conn: AsyncConnection) -> None:
    resolved, (first, _, _) = await make_research(conn)
    await thread.resolve(conn, resolved, first, [])
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
    resolved = await thread.resolve(conn, thread_id, first, ["alps", str(alps), " Alps "])
    assert [each.id for each in resolved.swapped_in_setups] == [alps]


async def test_setups_of_one_name_are_both_told(conn: AsyncConnection) -> None:
    thread_id = await make_thread(conn)
    for weight in (453.59237, 907.18474):
        await make_candidate(conn, thread_id, "Tarp", weight=weight)
    await settings.update(conn, {"weight_unit": "lb"})
    assert (await thread.get(conn, thread_id)).display == "Tarp: 1 lb; Tarp: 2 lb"
