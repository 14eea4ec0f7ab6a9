"""Totals of a collection."""

from decimal import Decimal

from psycopg import AsyncConnection

from mcp_server.services import totals
from tests.factories import make_category, make_item


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
