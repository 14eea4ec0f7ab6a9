"""Packstack: the export of the inventory, and that of one pack."""

from decimal import Decimal
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, ValidationInfo

from mcp_server.formats.line import Address, Line, ListLine, Pieces, Price, WeighedLine
from mcp_server.models.fields import Name, Text


def with_brand(name: str, info: ValidationInfo) -> str:
    """`Tent (Zpacks Duplex)`: the name and, in parentheses, manufacturer and product."""
    brand = " ".join(part for column in ("manufacturer", "product") if (part := info.data.get(column)))
    whole = f"{name} ({brand})" if brand else name
    if len(whole) > 200:
        raise ValueError("must have at most 200 characters together with manufacturer and product")
    return whole


Brand = Annotated[str, AfterValidator(lambda cell: " ".join(cell.split()))]
# After the brand, which becomes a part of it.
BrandedName = Annotated[Name, AfterValidator(with_brand)]


class PackstackLine(WeighedLine):
    NEEDED: ClassVar[frozenset[str]] = frozenset({"name", "weight", "unit"})
    OWN: ClassVar[frozenset[str]] = frozenset({"manufacturer", "product", "product_url"})

    manufacturer: Brand = ""
    product: Brand = ""
    name: BrandedName
    price_cents: Annotated[Price, Field(alias="price")] = None
    product_url: Address = None
    notes: Text = None

    def to_line(self, number: int) -> Line:
        return Line(
            number,
            self.name,
            category=self.category or None,
            weight_grams=self.weight,
            price_cents=self.price_cents,
            notes=self.notes,
            product_url=self.product_url,
            remarks=tuple(self.remarks()),
        )


class PackstackPackLine(ListLine):
    NEEDED: ClassVar[frozenset[str]] = frozenset({"name", "weight", "unit"})
    OWN: ClassVar[frozenset[str]] = frozenset({"product", "checked", "kcal", "value", "product_url"})

    product: Brand = ""
    name: BrandedName
    quantity: Pieces = Decimal(1)
    # With a currency: what `Intl.NumberFormat` writes in the browser of the person.
    price_cents: Annotated[Price, Field(alias="value")] = None
    product_url: Address = None
    notes: Text = None

    def to_line(self, number: int) -> Line:
        return Line(
            number,
            self.name,
            notes=self.notes,
            product_url=self.product_url,
            price_cents=self.price_cents,
            **self.listed(self.quantity, "quantity"),
        )
