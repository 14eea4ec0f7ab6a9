"""Variants: a setup as it would be with other lines, which are not stored."""

from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, with_config
from typing_extensions import TypedDict

from mcp_server.models.fields import (
    STRING,
    Cents,
    Exact,
    OptionalName,
    OptionalRef,
    Quantity,
    Ref,
    SummedGrams,
)
from mcp_server.models.settings import Measured, Weighed, listed
from mcp_server.models.setup import Classification, Difference
from mcp_server.models.weight import Weight


class Totals(Weighed):
    """A setup's totals in one state, or the difference of both.

    `unweighed` and `unpriced` count lines of unknown weight or price, which add nothing. A difference is
    absent if the weight or price of a line that differs is unknown.
    """

    state: Literal["before", "after", "difference"]
    items: int
    total_grams: SummedGrams | None = None
    base_grams: SummedGrams | None = None
    worn_grams: SummedGrams | None = None
    consumable_grams: SummedGrams | None = None
    pack_grams: SummedGrams | None = None
    at_least_grams: SummedGrams | None = None
    at_most_grams: SummedGrams | None = None
    base_at_least_grams: SummedGrams | None = None
    base_at_most_grams: SummedGrams | None = None
    price_cents: Exact | None = None
    unweighed: int = 0
    unpriced: int = 0


class VariantLine(Difference):
    """A line that differs: an item, a candidate, or an invented thing, which has no id. Absent grams are 0.

    `unweighed` and `unpriced` are present if its weight or price is unknown: it adds nothing then.
    """

    name: str
    item_id: int | None = None
    candidate_id: int | None = None
    before: str | None = None
    after: str | None = None
    unweighed: bool = False
    unpriced: bool = False


class Variant(Measured):
    """A setup's totals before and after, their difference, and the lines that differ. Nothing is stored."""

    setup_id: int
    name: str
    lines_left_out: int = 0
    totals: tuple[Totals, ...]
    lines: list[VariantLine]

    def in_units(self) -> str | None:
        return listed((each.state, self.units.price(each.price_cents)) for each in self.totals)


class Thing(TypedDict, total=False):
    """Something to pack: an item, a candidate, or a thing that is only described."""

    item_id: OptionalRef
    candidate_id: OptionalRef
    name: OptionalName
    # Without the description that other tools have of it: this list is long enough.
    weight: Annotated[Weight, STRING]
    price_cents: Cents


@with_config(ConfigDict(extra="forbid"))
class Swap(Thing):
    old_item_id: Ref


@with_config(ConfigDict(extra="forbid"))
class Added(Thing, total=False):
    quantity: Quantity
    classification: Classification


def only_one(thing: Thing) -> Thing:
    given = [name for name in ("item_id", "candidate_id", "name") if thing.get(name) is not None]
    if len(given) != 1:
        raise ValueError("needs exactly one of item_id, candidate_id and name")
    if given != ["name"] and (thing.get("weight") is not None or thing.get("price_cents") is not None):
        raise ValueError("weight and price_cents are only valid with name")
    return thing


Swaps = Annotated[
    list[Annotated[Swap, AfterValidator(only_one)]],
    Field(
        max_length=1000,
        description="Put item_id, candidate_id, or name with weight, in place of old_item_id",
    ),
]
Additions = Annotated[
    list[Annotated[Added, AfterValidator(only_one)]],
    Field(max_length=1000),
]
