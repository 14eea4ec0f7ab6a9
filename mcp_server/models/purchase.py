"""Purchases: which candidates of several threads to buy for a budget."""

from mcp_server.models.fields import Row, SummedGrams
from mcp_server.models.settings import Measured, Weighed


class Purchase(Weighed):
    """A candidate to buy, and what all `pieces` of it cost and save."""

    thread_id: int
    candidate_id: int
    name: str
    pieces: int = 1
    outlay_cents: int
    saves_grams: SummedGrams


class Point(Weighed):
    """A plan: no other one saves more for its outlay."""

    outlay_cents: int
    saves_grams: SummedGrams
    candidate_ids: tuple[int, ...]


class LeftOut(Row):
    """What the plan does not consider: a thread or one of its candidates, and why."""

    thread_id: int
    candidate_id: int | None = None
    name: str
    why: str


class PurchasePlan(Weighed, Measured):
    """The best purchases for a budget, and a front of plans from the cheapest to the best.

    If it is `unproven` that no plan is better, `saves_at_most_grams` limits what any plan can save.
    If weights have margins, `saves_at_least_grams` is what the plan saves in the worst case, and
    `holds_at_worst` says whether it is proven to be best there too.
    Without `front_is_sample`, the front holds every plan that no cheaper one equals.
    """

    budget_cents: int
    outlay_cents: int = 0
    saves_grams: SummedGrams
    saves_at_least_grams: SummedGrams | None = None
    holds_at_worst: bool | None = None
    unproven: bool = False
    saves_at_most_grams: SummedGrams | None = None
    front_is_sample: bool = False
    left_out_more: int = 0
    buy: list[Purchase]
    front: tuple[Point, ...] = ()
    left_out: tuple[LeftOut, ...] = ()

    def in_units(self) -> str | None:
        price = self.units.price(self.outlay_cents)
        return price and f"{price} of {self.units.price(self.budget_cents)}"
