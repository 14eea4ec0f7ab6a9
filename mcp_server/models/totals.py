"""Totals: the weight and value of the whole collection."""

from mcp_server.models.fields import Exact, Grams, Row, SummedGrams
from mcp_server.models.settings import Measured, Weighed


class CategoryTotals(Weighed):
    category: str | None = None
    items: int
    pieces: int
    weight_grams: SummedGrams | None = None
    at_least_grams: SummedGrams | None = None
    at_most_grams: SummedGrams | None = None
    price_cents: Exact | None = None
    unweighed: int = 0
    unpriced: int = 0


class Heavy(Weighed):
    id: int
    name: str
    weight_grams: Grams


class Dear(Row):
    id: int
    name: str
    price_cents: int


class Totals(Weighed, Measured):
    """Grams and cents of all pieces of all items (weight or price times quantity).

    `unweighed` and `unpriced` count the items of unknown weight or price, which add nothing. No price at all:
    none is known. The heaviest and the most expensive are compared per piece. If weights have margins,
    the weight is from `at_least_grams` to `at_most_grams`; with unknown ones, there is no upper end.
    """

    items: int
    pieces: int
    weight_grams: SummedGrams
    at_least_grams: SummedGrams | None = None
    at_most_grams: SummedGrams | None = None
    price_cents: Exact | None = None
    unweighed: int = 0
    unpriced: int = 0
    setups: int = 0
    active_threads: int = 0
    categories_left_out: int = 0
    by_category: list[CategoryTotals]
    heaviest: tuple[Heavy, ...] = ()
    dearest: tuple[Dear, ...] = ()

    def in_units(self) -> str | None:
        return self.units.price(self.price_cents)
