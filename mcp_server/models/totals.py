"""Totals: what the whole collection weighs and is worth."""

from mcp_server.models.fields import Exact, Row


class CategoryTotals(Row):
    category: str | None = None
    items: int
    weight_grams: Exact | None = None
    price_cents: Exact | None = None
    unweighed: int = 0


class Sums(Row):
    """Grams and cents of all pieces of all items (weight or price times quantity).

    `items` counts the kinds, `pieces` how many there are of them; `unweighed` and `unpriced` count the items
    that add nothing because nobody knows their weight or price. No price at all: none is known.
    """

    items: int
    pieces: int
    weight_grams: Exact
    price_cents: Exact | None = None
    unweighed: int = 0
    unpriced: int = 0


class Totals(Sums):
    by_category: list[CategoryTotals]
