"""Setups: packing lists made of items, and their weight."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Literal

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from mcp_server.models.fields import (
    NOT_GIVEN,
    NOT_IN_A_DRY_RUN,
    Exact,
    Grams,
    Name,
    Quantity,
    Ref,
    Row,
    SummedGrams,
)
from mcp_server.models.settings import Measured, Units, Weighed, listed

Classification = Literal["base", "worn", "consumable"]
Part = Literal["totals", "categories", "lines"]
LineSort = Literal["added", "name", "weight", "-weight", "price", "-price"]


class SetupTotals(Weighed):
    """A setup's totals in grams and cents over all its lines.

    `items` counts the lines; `unweighed` and `unpriced` count lines of unknown weight or price, which add
    nothing. total = base + worn + consumable, exactly; pack = total - worn. No price: none is known.
    If weights have margins, the total and base weight are from `at_least` to `at_most`; with unknown ones,
    there is no `at_most`.
    """

    id: int
    name: str
    items: int
    total_grams: SummedGrams
    base_grams: SummedGrams
    worn_grams: SummedGrams
    consumable_grams: SummedGrams
    pack_grams: SummedGrams
    at_least_grams: SummedGrams | None = None
    at_most_grams: SummedGrams | None = None
    base_at_least_grams: SummedGrams | None = None
    base_at_most_grams: SummedGrams | None = None
    price_cents: Exact | None = None
    unweighed: int = 0
    unpriced: int = 0


class SetupList(Measured):
    total: int
    next_cursor: str | None = None
    setups: list[SetupTotals]


class SetupSummary(SetupTotals, Measured):
    def totals(self) -> SetupTotals:
        """Return only the totals."""
        return SetupTotals(**{name: getattr(self, name) for name in SetupTotals.model_fields})

    def in_units(self) -> str | None:
        return self.units.price(self.price_cents)


class SetupCreated(SetupSummary):
    """A new setup's totals, and older setups with the same name. In a dry run, it has no id."""

    id: int = NOT_IN_A_DRY_RUN
    same_name: tuple[int, ...] = ()


class SetupLine(Weighed):
    """A line. Weight and price are per piece. `line_grams` is present if the quantity is not 1.

    `worn_quantity` is present if only some pieces are worn.
    """

    item_id: int
    name: str
    category: str | None = None
    classification: Classification = "base"
    quantity: Exact = Decimal(1)
    worn_quantity: Exact | None = None
    weight_grams: Grams | None = None
    weight_margin_grams: Grams | None = None
    line_grams: SummedGrams | None = None
    price_cents: int | None = None


class CategoryShare(Weighed):
    """A category's part of a setup, and its share of the total weight in percent."""

    category: str | None = None
    items: int
    weight_grams: SummedGrams | None = None
    unweighed: int = 0
    share: Exact | None = None


class SetupShown(SetupSummary):
    """A setup, or some parts of it."""

    items: int = NOT_GIVEN
    total_grams: SummedGrams = NOT_GIVEN
    base_grams: SummedGrams = NOT_GIVEN
    worn_grams: SummedGrams = NOT_GIVEN
    consumable_grams: SummedGrams = NOT_GIVEN
    pack_grams: SummedGrams = NOT_GIVEN
    unweighed_items: tuple[str, ...] = ()
    unpriced_items: tuple[str, ...] = ()
    categories_left_out: int = 0
    lines_left_out: int = 0
    next_cursor: str | None = None
    by_category: list[CategoryShare] = NOT_GIVEN
    lines: list[SetupLine] = NOT_GIVEN


class Difference(Weighed):
    """The second setup minus the first, or after minus before, in grams and cents. Absent means 0."""

    total_grams: SummedGrams = Decimal(0)
    base_grams: SummedGrams = Decimal(0)
    worn_grams: SummedGrams = Decimal(0)
    consumable_grams: SummedGrams = Decimal(0)
    price_cents: Exact = Decimal(0)


class SetupItemsSet(SetupSummary):
    """A setup's totals, and how they changed. The hint says if nothing was changed."""

    difference: Difference | None = None
    hint: str | None = None


class ComparedItem(Weighed):
    """An item, its quantity and classification in each setup, and its weight per piece."""

    item_id: int
    name: str
    first: str | None = None
    second: str | None = None
    weight_grams: Grams | None = None


class LineDifference(Difference, ComparedItem):
    """The part of the difference that is due to an item. An item of unknown weight adds no grams."""


class SetupsCompared(Measured):
    """The totals of two setups, their difference, and the lines that add up to exactly that difference."""

    setups: list[SetupTotals]
    difference: Difference
    same_lines: int = 0
    lines_left_out: int = 0
    next_cursor: str | None = None
    lines: list[LineDifference]

    def in_units(self) -> str | None:
        return in_units(self.setups, self.units)


class SetupDeleted(Row):
    """The name of a deleted setup, and its number of lines. The items stay."""

    deleted: str
    lines: int = 0


class LineFields(TypedDict, total=False):
    quantity: Quantity
    classification: Classification
    worn_quantity: Quantity


@with_config(ConfigDict(extra="forbid"))
class NewLine(LineFields):
    item_id: Ref


class Line(LineFields):
    """A new line whose item is known by its id."""

    item_id: int


@with_config(ConfigDict(extra="forbid"))
class SetupChanges(TypedDict, total=False):
    name: Name


def in_units(setups: Iterable[SetupTotals], units: Units) -> str | None:
    return listed((setup.name, units.price(setup.price_cents)) for setup in setups)
