"""What a list holds, before it is imported: its first lines, and the totals that it would give."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from mcp_server.formats.line import Line, RefusedLine
from mcp_server.formats.reader import Reader
from mcp_server.models.fields import shown_grams

# Lines that are shown.
FIRST = 5


@dataclass
class Totals:
    """What the lines of a list add up to, with the quantities of its setup or, without one, of its items."""

    first: list[Line] = field(default_factory=list[Line])
    refused: list[RefusedLine] = field(default_factory=list[RefusedLine])
    lines: int = 0
    skipped: int = 0
    unweighed: int = 0
    unpriced: int = 0
    grams: Decimal = Decimal(0)
    cents: Decimal = Decimal(0)

    def add(self, found: Line | RefusedLine) -> None:
        if isinstance(found, RefusedLine):
            self.skipped += found.skipped
            if not found.skipped:
                self.refused.append(found)
            return
        self.lines += 1
        if len(self.first) < FIRST:
            self.first.append(found)
        pieces = found.quantity if found.setup_quantity is None else found.setup_quantity
        self.unweighed += found.weight_grams is None
        self.unpriced += found.price_cents is None
        self.grams += Decimal(repr(found.weight_grams or 0.0)) * (pieces or 0)
        self.cents += Decimal(found.price_cents or 0) * (pieces or 0)


def totals(reader: Reader) -> Totals:
    """Read a list to its end."""
    found = Totals()
    for line in reader:
        found.add(line)
    return found


def preview(reader: Reader) -> Iterator[str]:
    """Yield the first lines of a list as they are read, and its totals."""
    found = totals(reader)
    for line in found.first:
        weight = "unknown weight" if line.weight_grams is None else f"{shown_grams(line.weight_grams):,} g"
        if line.weight_margin_grams is not None:
            weight += f" ± {shown_grams(line.weight_margin_grams):,} g"
        price = "" if line.price_cents is None else f", {line.price_cents / 100:,.2f}"
        category = f" ({line.category})" if line.category else ""
        yield f"  {line.quantity or 1} × {line.name}{category}: {weight}{price}"
    if found.lines > len(found.first):
        yield f"  … and {found.lines - len(found.first):,} more"
    parts = [f"{found.lines:,} items", f"{shown_grams(found.grams):,} g"]
    if found.cents:
        parts.append(f"prices {found.cents / 100:,.2f}")
    parts += [
        f"{count:,} {what}"
        for count, what in (
            (found.unweighed, "of unknown weight"),
            (found.skipped, "lines skipped"),
            (len(found.refused), "lines refused"),
        )
        if count
    ]
    yield f"Total: {', '.join(parts)}"
