"""Hikerherd: the export of an inventory or of a pack."""

from decimal import Decimal
from typing import Annotated, ClassVar

from pydantic import Field, ValidationInfo, field_validator

from mcp_server.formats.line import Address, Line, ListLine, Pieces, Price, Remark, reading
from mcp_server.formats.numbers import codes
from mcp_server.models.fields import Name, Text


class HikerherdLine(ListLine):
    NEEDED: ClassVar[frozenset[str]] = frozenset({"name", "weight", "unit"})
    OWN: ClassVar[frozenset[str]] = frozenset({"currency", "link", "image"})

    name: Name
    notes: Text = None
    price_cents: Annotated[Price, Field(alias="price")] = None
    # A sign, such as $. Empty if it is that of the person's own currency.
    currency: str = ""
    product_url: Annotated[Address, Field(alias="link")] = None
    quantity: Pieces = Decimal(1)

    @field_validator("currency")
    @classmethod
    def foreign(cls, cell: str, info: ValidationInfo) -> str:
        currency = cell.strip()
        return "" if reading(info).currency in codes(currency) else currency

    def remarks(self) -> list[Remark]:
        remarks = super().remarks()
        if self.price_cents is not None and self.currency:
            remarks.append(Remark("currency", f"{self.currency}: the number is stored, and not converted"))
        return remarks

    def to_line(self, number: int) -> Line:
        return Line(
            number,
            self.name,
            notes=self.notes,
            product_url=self.product_url,
            price_cents=self.price_cents,
            **self.listed(self.quantity, "quantity"),
        )
