"""Items: the things that a person owns."""

from collections.abc import Collection
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from mcp_server.models.answer import Abridged
from mcp_server.models.fields import (
    Cents,
    Count,
    Exact,
    Grams,
    Moment,
    Name,
    OptionalRef,
    Ref,
    Row,
    SummedGrams,
    Text,
    Url,
)
from mcp_server.models.settings import Measured, Units, Weighed
from mcp_server.models.setup import Classification
from mcp_server.models.weight import Source, Weight, WeightSource

Sort = Literal[
    "name", "-name", "weight", "-weight", "price", "-price", "newest", "-newest", "updated", "-updated"
]

Pieces = Literal["sum", "keep"]


# The fields of an item in a list.
ItemField = Literal[
    "category",
    "weight_grams",
    "weight_source",
    "price_cents",
    "quantity",
    "classification",
    "line_grams",
    "notes",
    "product_url",
    "image_id",
    "updated_at",
]


class Item(Row):
    """An item. Weight in grams and price in cents are per piece, and absent if unknown.

    The weight is exact within `weight_margin_grams`.
    """

    id: int
    name: str
    weight_grams: Grams | None = None
    weight_margin_grams: Grams | None = None
    weight_source: WeightSource | None = None
    price_cents: int | None = None
    quantity: int = 1
    notes: str | None = None
    product_url: str | None = None
    image_id: int | None = None
    updated_at: Moment


class ItemWritten(Item, Weighed, Measured, Abridged):
    category: str | None = None

    def in_units(self) -> str | None:
        return self.units.price(self.price_cents)


class Similar(Row):
    """An item whose name is nearly that of a new one. `row` is the place of the new one in a list of many."""

    row: int | None = None
    id: int
    name: str


class ItemCreated(ItemWritten):
    """A new item, and the first older ones that may be the same thing."""

    similar_left_out: int = 0
    similar: tuple[Similar, ...] = ()


class ItemUpdated(ItemWritten):
    """A changed item. `before` has the old values of the fields that changed."""

    before: dict[str, Any] | None = None


class UsedIn(Row):
    """A line with the item in a setup."""

    setup_id: int
    name: str
    quantity: Exact = Decimal(1)
    classification: Classification = "base"
    worn_quantity: Exact | None = None


class Origin(Row):
    """The thread that the item came from."""

    thread_id: int
    name: str


class ItemShown(ItemWritten):
    thread: Origin | None = None
    setups_left_out: int = 0
    setups: tuple[UsedIn, ...] = ()


class ItemRow(Weighed, Abridged):
    """An item in a list. In the list of a setup, quantity and the fields after it are those of the line.

    The source of the weight, notes, URL, image and time are only there if they were requested.
    """

    id: int
    name: str
    category: str | None = None
    weight_grams: Grams | None = None
    weight_margin_grams: Grams | None = None
    weight_source: WeightSource | None = None
    price_cents: int | None = None
    quantity: Exact = Decimal(1)
    classification: Classification = "base"
    line_grams: SummedGrams | None = None
    notes: str | None = None
    product_url: str | None = None
    image_id: int | None = None
    updated_at: Moment | None = None

    def only(self, fields: Collection[ItemField]) -> Self:
        """Return the item with its id, its name and these *fields*. Without any, it has all that it has.

        The margin belongs to the weight.
        """
        if not fields:
            return self
        kept = {"id", "name", "cut", *fields, *(["weight_margin_grams"] if "weight_grams" in fields else [])}
        return self.model_copy(
            update={
                name: field.default for name, field in type(self).model_fields.items() if name not in kept
            }
        )


class Suggestion(Row):
    """A query with words of the person's own items, and the ids of what it finds."""

    query: str
    ids: list[int]


class ItemPage(Weighed, Measured):
    """A page of items. `next_cursor` is absent on the last page.

    `total` counts all matching items. If there are very many, `total_at_least` says how many were counted.
    `total_grams` and `total_cents` are those of all pieces of all matching items, on every page, without the
    `unweighed` and `unpriced` ones. They are absent if none is known, and if there are very many items.
    `did_you_mean` has the nearest queries if nothing matches.
    """

    total: int | None = None
    total_at_least: int | None = None
    total_grams: SummedGrams | None = None
    total_cents: Exact | None = None
    unweighed: int = 0
    unpriced: int = 0
    next_cursor: str | None = None
    did_you_mean: tuple[Suggestion, ...] = ()
    items: list[ItemRow]

    def in_units(self) -> str | None:
        return self.units.price(self.total_cents) or super().in_units()


class ItemStored(Weighed):
    """A new item. The weight is per piece, and absent if unknown."""

    id: int
    name: str
    weight_grams: Grams | None = None
    weight_margin_grams: Grams | None = None


class ItemsCreated(Measured):
    """The new items in the order of the arguments, and older ones that may be the same things."""

    created: int
    items_left_out: int = 0
    similar_left_out: int = 0
    items: list[ItemStored]
    similar: tuple[Similar, ...] = ()


class ItemChange(Weighed, Abridged):
    """The fields of an item that changed. Weight (grams) and price (cents) are per piece; null is unknown."""

    item: int
    name: str
    before: dict[str, Any]
    after: dict[str, Any]

    def weighed_in(self, units: Units) -> str | None:
        """`13 oz → 12 oz`."""
        if "weight_grams" not in self.after:
            return None
        states = (self.before["weight_grams"], self.after["weight_grams"])
        return " → ".join("unknown" if grams is None else units.weight(grams) for grams in states)


class ItemsUpdated(Measured):
    """How many items were found, and those that changed."""

    updated: int
    items_left_out: int = 0
    items: list[ItemChange]


class Merged(Abridged):
    """An item that was merged into another. `lost` has the values that differ from those of the other one."""

    id: int
    name: str
    lost: dict[str, Any]


class ItemsMerged(ItemUpdated):
    """The kept item, those merged into it, and the setups and threads that have it in their place."""

    setups: tuple[str, ...] = ()
    setups_left_out: int = 0
    threads: tuple[str, ...] = ()
    threads_left_out: int = 0
    merged_left_out: int = 0
    merged: tuple[Merged, ...] = ()


class ItemDeleted(Row):
    """The name of a deleted item, the setups that contained it, and the active threads to replace it."""

    deleted: str
    removed_from_setups: tuple[str, ...] = ()
    setups_left_out: int = 0
    no_longer_replaced_in_threads: tuple[str, ...] = ()
    threads_left_out: int = 0


class ItemFields(TypedDict, total=False):
    category: OptionalRef
    weight: Weight
    weight_source: Source
    price_cents: Cents
    quantity: Count
    notes: Text
    product_url: Url


@with_config(ConfigDict(extra="forbid"))
class NewItem(ItemFields):
    name: Name


@with_config(ConfigDict(extra="forbid"))
class ItemChanges(ItemFields, total=False):
    name: Name
    notes_append: Annotated[Text, Field(description="A line to add")]


@with_config(ConfigDict(extra="forbid"))
class ItemUpdate(TypedDict):
    item: Ref
    changes: ItemChanges
