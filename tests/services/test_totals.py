"""Totals of a collection."""

from decimal import Decimal

from psycopg import AsyncConnection

from mcp_server.services import thread, totals
from tests.factories import make_category, make_item, make_setup, make_thread


async def test_an_empty_collection_has_no_value_rather_than_none_of_it(conn: AsyncConnection) -> None:
    found = await totals.summarize(conn)
    assert (found.items, found.weight_grams, found.price_cents, found.by_category) == (0, 0, None, [])


async def test_every_piece_counts_and_the_unknown_is_named(conn: AsyncConnection) -> None:
    await make_category(conn, "Shelter")
    await make_item(conn, "Tent", category="shelter", weight=1000.1, price_cents=30000)
    await make_item(conn, "Peg", category="shelter", weight=12.9, quantity=8)
    await make_item(conn, "Map")
    found = await totals.summarize(conn)
    assert (found.items, found.pieces, found.weight_grams) == (3, 10, Decimal("1103.3"))
    assert (found.price_cents, found.unweighed, found.unpriced) == (30000, 1, 2)
    assert [(part.category, part.items, part.weight_grams) for part in found.by_category] == [
        ("Shelter", 2, Decimal("1103.3")),
        (None, 1, None),
    ]


async def test_the_heaviest_and_the_dearest_single_pieces_are_named(conn: AsyncConnection) -> None:
    for grams in range(7):
        await make_item(
            conn, f"Thing {grams}", weight=float(grams), price_cents=100 - grams, quantity=9 - grams
        )
    await make_item(conn, "Rumour")
    found = await totals.summarize(conn)
    assert [each.name for each in found.heaviest] == [f"Thing {grams}" for grams in (6, 5, 4, 3, 2)]
    assert [each.price_cents for each in found.dearest] == [100, 99, 98, 97, 96]


async def test_setups_and_active_threads_are_counted(conn: AsyncConnection) -> None:
    await make_setup(conn, "Weekend")
    await make_thread(conn)
    archived = await make_thread(conn)
    await thread.update(conn, archived, {"status": "archived"})
    found = await totals.summarize(conn)
    assert (found.setups, found.active_threads) == (1, 1)


async def test_no_price_is_too_high_to_be_summed_up(conn: AsyncConnection) -> None:
    await make_item(conn, "Yacht", price_cents=10**15 - 1, quantity=2**31 - 1)
    assert (await totals.summarize(conn)).price_cents == (10**15 - 1) * (2**31 - 1)
