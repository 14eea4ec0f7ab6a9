"""Trail Sense: the export of one packing list."""

import math
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field

from mcp_server.formats.line import (
    Category,
    Line,
    OptionalPieces,
    Pieces,
    Remark,
    WeighedLine,
    rounded_up,
)
from mcp_server.models.fields import Name, Text


def without_number(cell: str) -> str:
    """`3 - Clothing` is the category Clothing."""
    number, dash, name = cell.partition(" - ")
    return name.strip() if dash and number.strip().isdigit() else cell


class TrailSenseLine(WeighedLine):
    NEEDED: ClassVar[frozenset[str]] = frozenset({"item name", "weight", "unit"})
    OWN: ClassVar[frozenset[str]] = frozenset({"packed qty", "desired qty", "optional"})
    IS_LIST = True

    name: Annotated[Name, Field(alias="item name")]
    category: Annotated[Category, AfterValidator(without_number)] = ""
    notes: Annotated[Text, Field(alias="desc")] = None
    quantity: Annotated[Pieces, Field(alias="qty")] = Decimal(1)
    packed: Annotated[OptionalPieces, Field(alias="packed qty")] = None
    desired: Annotated[OptionalPieces, Field(alias="desired qty")] = None

    def to_line(self, number: int) -> Line:
        return Line(number, self.name, notes=self.notes, **self.counted())

    def counted(self) -> dict[str, Any]:
        """Return what is packed, or how many pieces there are if the line does not say."""
        listed = self.quantity if self.packed is None else self.packed
        most = max(self.quantity, listed)
        remarks = self.remarks()
        if math.ceil(most) != most:
            remarks.append(rounded_up("qty", most))
        if self.desired is not None and self.desired != listed:
            remarks.append(Remark("desired qty", f"{self.desired:f} wanted, {listed:f} stored as packed"))
        return {
            "category": self.category or None,
            "weight_grams": self.weight,
            "quantity": math.ceil(most),
            "setup_quantity": listed,
            "remarks": tuple(remarks),
        }
