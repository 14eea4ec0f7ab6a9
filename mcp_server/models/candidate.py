"""Candidates: the products that a thread compares."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from mcp_server.models.answer import Abridged
from mcp_server.models.decision import Values
from mcp_server.models.fields import (
    NOT_GIVEN,
    STRING,
    Cents,
    Exact,
    Grams,
    Name,
    OptionalRef,
    Row,
    SummedGrams,
    Text,
    Url,
)
from mcp_server.models.settings import Currency, Measured, Units, Weighed
from mcp_server.models.weight import Source, Weight, WeightSource

CandidateStatus = Literal["researching", "ordered", "arrived"]


class Ranked(Row):
    """A candidate and its rank in its thread. The favourite has rank 1."""

    rank: int
    id: int
    name: str


class Candidate(Ranked, Weighed, Abridged):
    """A product. Weight in grams and price in cents are per piece, and absent if unknown.

    A price with a `price_currency` other than the user's is not compared and not added up.
    """

    status: CandidateStatus = "researching"
    weight_grams: Grams | None = None
    weight_margin_grams: Grams | None = None
    weight_source: WeightSource | None = None
    price_cents: int | None = None
    price_currency: str | None = None
    target_cents: int | None = None
    category: str | None = None
    pros: str | None = None
    cons: str | None = None
    notes: str | None = None
    product_url: str | None = None
    image_id: int | None = None


class CandidateShown(Candidate, Measured):
    thread_id: int

    def in_units(self) -> str | None:
        return self.units.price(self.price_cents)


class CandidateAdded(Ranked, Weighed):
    """A new candidate as stored."""

    weight_grams: Grams | None = None
    weight_margin_grams: Grams | None = None
    price_cents: int | None = None


class CandidatesAdded(CandidateShown):
    """The new candidate or, of several, their thread and `candidates`."""

    rank: int = NOT_GIVEN
    id: int = NOT_GIVEN
    name: str = NOT_GIVEN
    candidates: tuple[CandidateAdded, ...] = ()


class CandidateCompared(Candidate):
    """A candidate compared with the others: grams and cents above the lightest and the cheapest.

    These are per piece. `outlay_cents` and `saves_grams` (negative: heavier than the replaced item) are for
    all pieces that the purchase replaces. `cents_per_gram_saved` is the same for any number of pieces.
    """

    over_lightest_grams: SummedGrams | None = None
    over_cheapest_cents: int | None = None
    outlay_cents: int | None = None
    saves_grams: SummedGrams | None = None
    cents_per_gram_saved: Exact | None = None


class CandidateRemoved(Row):
    removed: str
    thread_id: int


class Ranking(Row):
    """A thread's candidates by rank, the favourite first."""

    thread_id: int
    candidates_left_out: int = 0
    candidates: list[Ranked]


class SetupPreview(Weighed):
    """A setup's totals in grams and cents, without and with the candidate.

    A change is absent if the weight or price of the candidate, or of the item it replaces, is unknown.
    `unweighed` and `unpriced` count the lines of unknown weight or price, which add nothing.
    """

    setup_id: int
    name: str
    total_grams_before: SummedGrams
    total_grams_after: SummedGrams
    total_grams_change: SummedGrams | None = None
    base_grams_before: SummedGrams
    base_grams_after: SummedGrams
    base_grams_change: SummedGrams | None = None
    price_cents_before: Exact | None = None
    price_cents_after: Exact | None = None
    price_cents_change: Exact | None = None
    unweighed_before: int = 0
    unweighed_after: int = 0
    unpriced_before: int = 0
    unpriced_after: int = 0

    def weighed_in(self, units: Units) -> str:
        """`total 9 lb → 8 lb 13 oz (-3 oz), base …`."""
        parts: list[str] = []
        for name in ("total", "base"):
            before, after, change = (
                getattr(self, f"{name}_grams_{state}") for state in ("before", "after", "change")
            )
            difference = "" if change is None else f" ({units.weight(change)})"
            parts.append(f"{name} {units.weight(before)} → {units.weight(after)}{difference}")
        return ", ".join(parts)


class Considered(Weighed, Measured):
    """A candidate and the item that it would replace. `outlay_cents` is the cost of all `pieces`.

    `pieces` is the largest quantity of the replaced item in a previewed setup, else its owned quantity.
    """

    candidate_id: int
    thread_id: int
    name: str
    weight_grams: Grams | None = None
    weight_margin_grams: Grams | None = None
    price_cents: int | None = None
    pieces: int = 1
    outlay_cents: int | None = None
    replaces: str | None = None
    replaces_item_id: int | None = None
    replaces_weight_grams: Grams | None = None
    replaces_price_cents: int | None = None


class Preview(Considered):
    """The effect of a candidate on setups."""

    hint: str | None = None
    setups_left_out: int = 0
    next_cursor: str | None = None
    setups: list[SetupPreview]

    def in_units(self) -> str | None:
        price, outlay = self.units.price(self.price_cents), self.units.price(self.outlay_cents)
        return price if price is None or self.pieces == 1 else f"{price} each, outlay {outlay}"


class CandidateFields(TypedDict, total=False):
    weight: Weight
    weight_source: Source
    price_cents: Cents
    # The name says it, and each description is paid by every agent.
    price_currency: Annotated[Currency, STRING]
    target_cents: Cents
    status: CandidateStatus
    pros: Text
    cons: Text
    notes: Text
    product_url: Url
    category: Annotated[OptionalRef, Field(description="Name or id; default: the thread's")]
    values: Values


@with_config(ConfigDict(extra="forbid"))
class NewCandidate(CandidateFields):
    name: Name


@with_config(ConfigDict(extra="forbid"))
class CandidateChanges(CandidateFields, total=False):
    name: Name


NewCandidates = Annotated[list[NewCandidate], Field(max_length=50)]
