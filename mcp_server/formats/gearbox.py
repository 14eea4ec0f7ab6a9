"""GearBox: the export of a collection, from the application that this one follows."""

import math
from decimal import Decimal
from typing import Annotated, ClassVar

from pydantic import Field, ValidationInfo, field_validator

from mcp_server.formats.line import (
    Address,
    Category,
    FormatLine,
    Line,
    Pieces,
    Remark,
    grams_in,
    is_unknown,
    number_in,
    rounded_up,
    sign_of,
)
from mcp_server.formats.numbers import Sign
from mcp_server.models.fields import Name, Text


class GearBoxLine(FormatLine):
    """A line whose numbers are those of its database: 0 is 0, and empty is unknown."""

    NEEDED: ClassVar[frozenset[str]] = frozenset({"name", "weightgrams"})
    OWN: ClassVar[frozenset[str]] = frozenset({"weightgrams", "pricecents", "producturl"})
    DECIMAL: ClassVar[Sign | None] = "."

    name: Name
    quantity: Pieces = Decimal(1)
    weight: Annotated[float | None, Field(alias="weightgrams")] = None
    price_cents: Annotated[int | None, Field(alias="pricecents")] = None
    category: Category = ""
    notes: Text = None
    product_url: Annotated[Address, Field(alias="producturl")] = None

    @field_validator("weight", mode="plain")
    @classmethod
    def in_grams(cls, cell: str, info: ValidationInfo) -> float | None:
        return grams_in(cell, "g", sign_of(info))

    @field_validator("price_cents", mode="before")
    @classmethod
    def in_cents(cls, cell: str, info: ValidationInfo) -> int | None:
        cents = None if is_unknown(cell) else number_in(cell, info)
        if cents is not None and (cents != int(cents) or cents >= 10**15):
            raise ValueError("must be a whole number of cents")
        return None if cents is None else int(cents)

    def to_line(self, number: int) -> Line:
        remarks: list[Remark] = []
        if math.ceil(self.quantity) != self.quantity:
            remarks.append(rounded_up("quantity", self.quantity))
        return Line(
            number,
            self.name,
            category=self.category or None,
            weight_grams=self.weight,
            price_cents=self.price_cents,
            quantity=math.ceil(self.quantity),
            notes=self.notes,
            product_url=self.product_url,
            remarks=tuple(remarks),
        )
