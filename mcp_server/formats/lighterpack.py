"""LighterPack: the export of one list. Before July 2026 it quoted cells in a way of its own."""

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field

from mcp_server.formats.line import Category, Line, ListLine, Pieces, Price, unguarded
from mcp_server.models.fields import Name, Text, Url

COLUMNS = ("Item Name", "Category", "desc", "qty", "weight", "unit", "url", "price", "worn", "consumable")
# What it wrote for a missing value.
MISSING = "undefined"


class LighterPackLine(ListLine):
    NEEDED: ClassVar[frozenset[str]] = frozenset({"item name", "weight", "unit"})
    OWN: ClassVar[frozenset[str]] = frozenset({"item name", "desc", "qty"})

    name: Annotated[Name, BeforeValidator(unguarded), Field(alias="item name")]
    category: Annotated[Category, BeforeValidator(unguarded)] = ""
    notes: Annotated[Text, BeforeValidator(unguarded), Field(alias="desc")] = None
    quantity: Annotated[Pieces, Field(alias="qty")] = Decimal(1)
    product_url: Annotated[Url, Field(alias="url")] = None
    price_cents: Annotated[Price, Field(alias="price")] = None

    def to_line(self, number: int) -> Line:
        return Line(
            number,
            self.name,
            notes=self.notes,
            product_url=self.product_url,
            price_cents=self.price_cents,
            **self.listed(self.quantity, "qty"),
        )


def old_rows(lines: Iterable[str], delimiter: str, width: int) -> Iterator[list[str]]:
    """Yield the cells of each line as LighterPack quoted them once: only where a cell holds a comma.

    So a cell that starts with a quote may be one without: of the two readings, the one that gives *width*
    cells is right. A line that has none comes as it is, in one cell.
    """
    raw, quoted = rf"[^{delimiter}]*", rf'"(?:[^"]|"")*{delimiter}(?:[^"]|"")*"'
    whole = re.compile(delimiter.join([rf"({quoted}|{raw})"] * width))
    for line in lines:
        found = whole.fullmatch(line.rstrip("\r\n"))
        yield [unquoted(cell, delimiter) for cell in found.groups()] if found else [line]


def unquoted(cell: str, delimiter: str) -> str:
    return cell[1:-1].replace('""', '"') if delimiter in cell else cell
