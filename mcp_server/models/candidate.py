"""Candidates: the products that a thread compares."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from mcp_server.models.fields import CategoryRef, Cents, Exact, Grams, Name, Row, Text, Url, Weight
from mcp_server.models.settings import Measured, listed

CandidateStatus = Literal["researching", "ordered", "arrived"]


class Ranked(Row):
    """A candidate and its rank in its thread. The favourite has rank 1."""

    rank: int
    id: int
    name: str


class Candidate(Ranked):
    """A product. Weight in grams and price in cents are per piece, and absent if unknown."""

    status: CandidateStatus = "researching"
    weight_grams: Grams | None = None
    price_cents: int | None = None
    category: str | None = None
    pros: str | None = None
    cons: str | None = None
    notes: str | None = None
    product_url: str | None = None
    image_id: int | None = None


class CandidateShown(Candidate, Measured):
    thread_id: int

    def in_units(self) -> str | None:
        return self.units.display({"": self.weight_grams}, self.price_cents)


class CandidateCompared(Candidate):
    """A candidate compared with the others: grams and cents above the lightest and the cheapest.

    Compared with the item that it would replace: grams saved (negative: heavier) and cents per gram saved.
    """

    over_lightest_grams: Exact | None = None
    over_cheapest_cents: int | None = None
    saves_grams: Exact | None = None
    cents_per_gram_saved: Exact | None = None


class CandidateRemoved(Row):
    removed: str
    thread_id: int


class Ranking(Row):
    """A thread's candidates by rank, the favourite first."""

    thread_id: int
    candidates: list[Ranked]


class SetupPreview(Row):
    """A setup's totals in grams and cents, without and with the candidate.

    A change is absent if the weight or price of the candidate, or of the item it replaces, is unknown.
    `unweighed` and `unpriced` count the lines of unknown weight or price, which add nothing.
    """

    setup_id: int
    name: str
    total_grams_before: Exact
    total_grams_after: Exact
    total_grams_change: Exact | None = None
    base_grams_before: Exact
    base_grams_after: Exact
    base_grams_change: Exact | None = None
    price_cents_before: Exact | None = None
    price_cents_after: Exact | None = None
    price_cents_change: Exact | None = None
    unweighed_before: int = 0
    unweighed_after: int = 0
    unpriced_before: int = 0
    unpriced_after: int = 0

    @property
    def base(self) -> dict[str, Decimal]:
        return {"base": self.base_grams_before, "then": self.base_grams_after}


class Considered(Measured):
    """A candidate and the item that it would replace."""

    candidate_id: int
    name: str
    weight_grams: Grams | None = None
    price_cents: int | None = None
    replaces: str | None = None
    replaces_item_id: int | None = None
    replaces_weight_grams: Grams | None = None
    replaces_price_cents: int | None = None


class Preview(Considered):
    """The effect of a candidate on setups."""

    hint: str | None = None
    setups: list[SetupPreview]

    def in_units(self) -> str | None:
        candidate = self.units.display({"": self.weight_grams}, self.price_cents)
        changes = [(setup.name, self.units.display(setup.base, None)) for setup in self.setups]
        return listed([(self.name, candidate), *changes])


class CandidateFields(TypedDict, total=False):
    weight: Weight
    price_cents: Cents
    status: CandidateStatus
    pros: Text
    cons: Text
    notes: Text
    product_url: Url
    category: Annotated[CategoryRef, Field(description="Name or id; default: the thread's")]


@with_config(ConfigDict(extra="forbid"))
class NewCandidate(CandidateFields):
    name: Name


@with_config(ConfigDict(extra="forbid"))
class CandidateChanges(CandidateFields, total=False):
    name: Name
