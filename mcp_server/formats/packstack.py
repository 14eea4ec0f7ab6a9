"""Packstack: the export of the inventory, and that of one pack."""

from decimal import Decimal
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from mcp_server.formats.line import Line, ListLine, Pieces, Price, WeighedLine
from mcp_server.models.fields import Name, Text, Url


def named(kind: str, *brand: str) -> str:
    """`Tent (Zpacks Duplex)`: what it is, and which."""
    which = " ".join(part.strip() for part in brand if part.strip())
    return f"{kind} ({which})" if which else kind


Brand = Annotated[str, AfterValidator(lambda cell: " ".join(cell.split())), Field(max_length=90)]


class PackstackLine(WeighedLine):
    NEEDED: ClassVar[frozenset[str]] = frozenset({"name", "weight", "unit"})
    OWN: ClassVar[frozenset[str]] = frozenset({"manufacturer", "product", "product_url"})

    name: Name
    manufacturer: Brand = ""
    product: Brand = ""
    price_cents: Annotated[Price, Field(alias="price")] = None
    product_url: Url = None
    notes: Text = None

    def to_line(self, number: int) -> Line:
        return Line(
            number,
            named(self.name, self.manufacturer, self.product),
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

    name: Name
    product: Brand = ""
    quantity: Pieces = Decimal(1)
    price_cents: Annotated[Price, Field(alias="value")] = None
    product_url: Url = None
    notes: Text = None

    def to_line(self, number: int) -> Line:
        return Line(
            number,
            named(self.name, self.product),
            notes=self.notes,
            product_url=self.product_url,
            price_cents=self.price_cents,
            **self.listed(self.quantity, "quantity"),
        )
