"""Setups: packing lists made of items, and what they weigh."""

from decimal import Decimal
from typing import Literal, NotRequired

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from mcp_server.models.fields import Exact, Grams, Id, Quantity, Row

Classification = Literal["base", "worn", "consumable"]


class SetupSummary(Row):
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


class SetupList(Row):
    total: int
    setups: list[SetupSummary]


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
    by_category: list[CategoryShare]
    lines: list[SetupLine]


@with_config(ConfigDict(extra="forbid"))
class NewLine(TypedDict):
    item_id: Id
    quantity: NotRequired[Quantity]
    classification: NotRequired[Classification]
    worn_quantity: NotRequired[Quantity]
