"""A line of a person's own spreadsheet, and the kinds of cell that only such lists have."""

import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, ClassVar

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, ValidationInfo, field_validator

from mcp_server.formats.aliases import folded, is_in, units
from mcp_server.formats.line import (
    Address,
    Line,
    ListLine,
    Pieces,
    Price,
    Problem,
    Remark,
    grams_in,
    optional_pieces,
    sign_of,
)
from mcp_server.models.fields import Name, Text

# Signs for yes and no, besides words.
TICKS, CROSSES = frozenset("✓✔☑✅●•×"), frozenset("✗✘❌☐○-–—")
LETTERS = re.compile(r"[^\W\d_]{1,30}")


def mark(cell: str) -> bool:
    """Read a tick, or a word for yes or no in any of the languages."""
    text = cell.strip()
    if text in TICKS or is_in("yes", text):
        return True
    if not text or text in CROSSES or is_in("no", text):
        return False
    raise ValueError("must be a tick, such as x or yes, or empty")


def tick_or_count(cell: str, info: ValidationInfo) -> Decimal | bool:
    """Read how many pieces go on a trip: a number, or a tick for all pieces of the line."""
    if any(map(str.isdigit, cell)):
        return optional_pieces(cell, info) or False
    return mark(cell)


def in_own_words(cell: str) -> str:
    """Replace the units of a weight by those of this program: `540 gramos` is `540 g`."""
    return LETTERS.sub(lambda word: units().get(folded(word[0]), word[0]), cell)


def has_unit(cell: str) -> bool:
    """Whether a weight has a unit of its own."""
    return any(folded(word) in units() for word in LETTERS.findall(cell))


def with_brand(name: str, info: ValidationInfo) -> str:
    """`MSR Hubba Tent`: brand and model before the name, unless the name has them."""
    whole = name
    for part in filter(None, (info.data.get("model"), info.data.get("brand"))):
        if part.casefold().endswith(whole.casefold()):
            whole = part
        elif part.casefold() not in whole.casefold():
            whole = f"{part} {whole}"
    if len(whole) > 200:
        raise ValueError("must have at most 200 characters together with brand and model")
    return whole


Mark = Annotated[bool, BeforeValidator(mark)]
Brand = Annotated[str, AfterValidator(lambda cell: " ".join(cell.split()))]


class SheetLine(ListLine):
    """A line by the fields of its columns."""

    NEEDED: ClassVar[frozenset[str]] = frozenset({"name"})
    VITAL: ClassVar[frozenset[str]] = ListLine.VITAL | {"total_weight", "trip"}
    NUMBERS: ClassVar[frozenset[str]] = ListLine.NUMBERS | {"total_weight", "trip"}

    brand: Brand = ""
    model: Brand = ""
    # After the brand, which becomes a part of it.
    name: Annotated[Name, AfterValidator(with_brand)]
    quantity: Pieces = Decimal(1)
    total_weight: Annotated[float | None, Field(alias="total weight")] = None
    price_cents: Annotated[Price, Field(alias="price")] = None
    product_url: Annotated[Address, Field(alias="link")] = None
    notes: Text = None
    worn: Mark = False
    consumable: Mark = False
    trip: Annotated[Decimal | bool, PlainValidator(tick_or_count)] = False

    @field_validator("unit")
    @classmethod
    def known_unit(cls, cell: str) -> str:
        word = folded(cell)
        if word and word not in units():
            raise ValueError("must be a unit of weight: g, kg, oz or lb")
        return units().get(word, "")

    @field_validator("weight", "total_weight", mode="plain")
    @classmethod
    def in_grams(cls, cell: str, info: ValidationInfo) -> float | None:
        return grams_in(in_own_words(cell), info.data.get("unit", "g"), sign_of(info)) or None

    @classmethod
    def skipped(cls, cells: Mapping[str, str]) -> Problem | None:
        weight = "weight" if "weight" in cells else "total weight"
        return super().skipped({**cells, "weight": cells.get(weight, "")})

    def to_line(self, number: int) -> Line:
        listed, packed = self.listed(self.quantity, "quantity"), self.packed()
        listed["weight_grams"] = self.of_one_piece()
        listed["setup_quantity"] = packed
        if packed is not None and packed > self.quantity:
            listed["quantity"] = math.ceil(packed)
        if listed["worn_quantity"]:
            # Of several worn pieces, all are worn.
            listed["worn_quantity"] = packed or Decimal(1)
        return Line(
            number,
            self.name,
            notes=self.notes,
            product_url=self.product_url,
            price_cents=self.price_cents,
            **listed,
        )

    def of_one_piece(self) -> float | None:
        """Return the weight of one piece in grams."""
        if self.total_weight is not None and self.quantity:
            return self.total_weight / float(self.quantity)
        return self.weight

    def remarks(self) -> list[Remark]:
        # A list without a column of weights gets one remark for all of its lines.
        has_weight = self.model_fields_set & {"weight", "total_weight"}
        is_unknown = has_weight and self.of_one_piece() is None
        return [Remark("weight", "not set: stored as unknown")] if is_unknown else []

    def packed(self) -> Decimal | None:
        """Return how many pieces are in the setup. None: the trip does without."""
        if "trip" not in self.model_fields_set or self.trip is True:
            return self.quantity
        return Decimal(self.trip) if self.trip else None
