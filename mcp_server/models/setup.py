"""Setups: packing lists made of items, and what they weigh."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Literal, NotRequired

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from mcp_server.models.fields import NOT_IN_A_DRY_RUN, Exact, Grams, Id, Name, Quantity, Row
from mcp_server.models.settings import Measured, Units, listed

Classification = Literal["base", "worn", "consumable"]


class SetupTotals(Row):
    """A setup's totals in grams and cents over all its lines.

    `items` counts the lines, `unweighed` and `unpriced` those that add nothing because nobody knows. total is
    exactly base + worn + consumable; pack, which is total - worn, is on the back. No price: none is known.
    """

    id: int
    name: str
    items: int
    total_grams: Exact
    base_grams: Exact
    worn_grams: Exact
    consumable_grams: Exact
    pack_grams: Exact
    price_cents: Exact | None = None
    unweighed: int = 0
    unpriced: int = 0

    @property
    def weights(self) -> dict[str, Decimal]:
        return {
            "total": self.total_grams,
            "base": self.base_grams,
            "worn": self.worn_grams,
            "consumable": self.consumable_grams,
            "pack": self.pack_grams,
        }


class SetupList(Measured):
    total: int
    setups: list[SetupTotals]


class SetupSummary(SetupTotals, Measured):
    def totals(self) -> SetupTotals:
        """The figures alone, as a row among others."""
        return SetupTotals(**{name: getattr(self, name) for name in SetupTotals.model_fields})

    def in_units(self) -> str | None:
        return in_units([self], self.units)


class SetupCreated(SetupSummary):
    """A new setup's totals. In a dry run, it has no id."""

    id: int = NOT_IN_A_DRY_RUN


class SetupLine(Row):
    """One line: weight and price are of one piece, `worn_quantity` is there if not every piece is worn."""

    item_id: int
    name: str
    category: str | None = None
    classification: Classification = "base"
    quantity: Exact = Decimal(1)
    worn_quantity: Exact | None = None
    weight_grams: Grams | None = None
    price_cents: int | None = None


class CategoryShare(Row):
    """A category's part of a setup, its share in percent of the total weight."""

    category: str | None = None
    items: int
    weight_grams: Exact | None = None
    unweighed: int = 0
    share: Exact | None = None


class SetupShown(SetupSummary):
    unweighed_items: tuple[str, ...] = ()
    unpriced_items: tuple[str, ...] = ()
    by_category: list[CategoryShare]
    lines: list[SetupLine]


class Difference(Row):
    """Grams and cents that the second setup has beyond the first (negative: less); what is absent is 0."""

    total_grams: Exact = Decimal(0)
    base_grams: Exact = Decimal(0)
    worn_grams: Exact = Decimal(0)
    consumable_grams: Exact = Decimal(0)
    price_cents: Exact = Decimal(0)


class ComparedItem(Row):
    """An item, how many pieces of it are in each setup and as what, and the weight of a piece."""

    item_id: int
    name: str
    first: str | None = None
    second: str | None = None
    weight_grams: Grams | None = None


class LineDifference(Difference, ComparedItem):
    """What an item adds to the difference: no grams if nobody knows its weight."""


class SetupsCompared(Measured):
    """Two setups' totals, the second minus the first, and the lines that make up exactly that difference."""

    setups: list[SetupTotals]
    difference: Difference
    same_lines: int = 0
    lines: list[LineDifference]

    def in_units(self) -> str | None:
        return in_units(self.setups, self.units)


class SetupDeleted(Row):
    """A deleted setup's name, and how many lines went with it; the items themselves stay."""

    deleted: str
    lines: int = 0


@with_config(ConfigDict(extra="forbid"))
class NewLine(TypedDict):
    item_id: Id
    quantity: NotRequired[Quantity]
    classification: NotRequired[Classification]
    worn_quantity: NotRequired[Quantity]


@with_config(ConfigDict(extra="forbid"))
class SetupChanges(TypedDict, total=False):
    name: Name


def in_units(setups: Iterable[SetupTotals], units: Units) -> str | None:
    return listed((setup.name, units.display(setup.weights, setup.price_cents)) for setup in setups)
