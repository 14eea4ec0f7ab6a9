"""LighterPack: the export of one list. Before July 2026, it quoted cells in its own way."""

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field

from mcp_server.formats.line import Address, Category, Line, ListLine, Pieces, Price, unguarded
from mcp_server.formats.text import until_interrupted
from mcp_server.models.fields import Name, Text

COLUMNS = ("Item Name", "Category", "desc", "qty", "weight", "unit", "url", "price", "worn", "consumable")
# Characters: more than the cells of one line may have together.
LONGEST_LINE = 1 << 17


class LighterPackLine(ListLine):
    NEEDED: ClassVar[frozenset[str]] = frozenset({"item name", "weight", "unit"})
    OWN: ClassVar[frozenset[str]] = frozenset({"item name", "desc", "qty"})

    # As people name these columns in lists that they write themselves.
    RENAMED: ClassVar[Mapping[str, str]] = {"description": "desc", "quantity": "qty"}

    name: Annotated[Name, BeforeValidator(unguarded), Field(alias="item name")]
    category: Annotated[Category, BeforeValidator(unguarded)] = ""
    notes: Annotated[Text, BeforeValidator(unguarded), Field(alias="desc")] = None
    quantity: Annotated[Pieces, Field(alias="qty")] = Decimal(1)
    product_url: Annotated[Address, BeforeValidator(unguarded), Field(alias="url")] = None
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
    """Yield the cells of each line as LighterPack once quoted them: only those that hold a comma.

    A cell that starts with a quote may therefore be unquoted. The reading that gives *width* cells is right.
    A line without such a reading is cut at every comma.
    """
    quoted = re.compile(rf'"(?=(?:[^"{delimiter}]|"")*+{delimiter})(?:[^"]|"")*+"(?={delimiter}|$)')
    for line in until_interrupted(lines):
        text = line.rstrip("\r\n")
        parts = text.split(delimiter)
        plain = '"' not in text or len(text) > LONGEST_LINE
        yield parts if plain else old_cells(text, delimiter, quoted, width) or parts


def old_cells(text: str, delimiter: str, quoted: re.Pattern[str], width: int) -> list[str] | None:
    """Return the *width* cells of a line, or None.

    From the end of the line, it computes how many cells the rest can have, one bit for each number. Trying
    every reading of a line full of quotes would take hours.
    """
    most, counts = (1 << width + 1) - 1, {len(text) + 1: 1}
    ends: dict[int, list[int]] = {}
    for start in reversed([0, *(comma.end() for comma in re.finditer(delimiter, text))]):
        raw, found = text.find(delimiter, start), quoted.match(text, start)
        ends[start] = [*([found.end()] if found else []), len(text) if raw < 0 else raw]
        for end in ends[start]:
            counts[start] = counts.get(start, 0) | counts[end + 1] << 1 & most
    if not counts[0] >> width & 1:
        return None
    cells, start = list[str](), 0
    for left in range(width - 1, -1, -1):
        end = next(end for end in ends[start] if counts[end + 1] >> left & 1)
        cells.append(unquoted(text[start:end], delimiter))
        start = end + 1
    return cells


def unquoted(cell: str, delimiter: str) -> str:
    return cell[1:-1].replace('""', '"') if delimiter in cell else cell
