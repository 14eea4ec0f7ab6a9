"""A list as a Markdown table, for a person to read: with totals that say what is unknown."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from mcp_server.formats.line import Line
from mcp_server.models.settings import Units

COLUMNS = ("Item", "Category", "Quantity", "Weight", "Total", "Price", "Carried", "Notes")
ALIGNED = ("---", "---", "---:", "---:", "---:", "---:", "---", "---")
# Characters that Markdown or HTML would take for something else.
SPECIAL = re.compile(r"([\\|\[\]<>`*_~])")


@dataclass
class Sums:
    """What the lines add up to, and how many of them do not say."""

    pieces: Decimal = Decimal(0)
    grams: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    cents: Decimal = Decimal(0)
    unweighed: int = 0
    unpriced: int = 0

    def add(self, line: Line, pieces: Decimal) -> None:
        self.pieces += pieces
        self.unweighed += line.weight_grams is None and pieces > 0
        self.unpriced += line.price_cents is None and pieces > 0
        self.cents += (line.price_cents or 0) * pieces
        weight = Decimal(repr(line.weight_grams or 0.0))
        worn = line.worn_quantity if line.classification == "worn" else Decimal(0)
        rest = "consumable" if line.classification == "consumable" else "base"
        for kind, count in (("worn", worn), (rest, pieces - worn)):
            self.grams[kind] = self.grams.get(kind, Decimal(0)) + weight * count


class Table:
    """The lines of a Markdown table in the units of a person."""

    def __init__(self, units: Units, title: str | None) -> None:
        self._units, self._title = units, title
        self._sums = Sums()

    def header(self) -> Iterator[str]:
        if self._title:
            yield f"# {escaped(self._title)}\n\n"
        yield joined(COLUMNS)
        yield joined(ALIGNED)

    def row(self, line: Line) -> str:
        pieces = Decimal(line.quantity or 0) if line.setup_quantity is None else line.setup_quantity
        self._sums.add(line, pieces)
        name = escaped(line.name or "")
        if line.product_url:
            name = f"[{name}](<{line.product_url}>)"
        weight = line.weight_grams
        return joined(
            (
                name,
                escaped(line.category or ""),
                f"{pieces.normalize():f}",
                "?" if weight is None else self._units.weight(weight) + self._margin(line),
                "?" if weight is None else self._units.weight(Decimal(repr(weight)) * pieces),
                "?" if line.price_cents is None else self._price(line.price_cents),
                "" if line.classification == "base" else line.classification,
                escaped(line.notes or ""),
            )
        )

    def footer(self) -> Iterator[str]:
        """Yield the totals. A total of known parts says how many are unknown."""
        sums = self._sums
        total = sum(sums.grams.values(), Decimal(0))
        weight = f"**{self._units.weight(total)}**{unknown(sums.unweighed)}"
        price = f"**{self._price(sums.cents)}**{unknown(sums.unpriced)}"
        yield joined(("**Total**", "", f"{sums.pieces.normalize():f}", "", weight, price, "", ""))
        if sums.grams.get("worn") or sums.grams.get("consumable"):
            parts = [f"{kind} {self._units.weight(grams)}" for kind, grams in sorted(sums.grams.items())]
            yield f"\n{', '.join(parts)}{unknown(sums.unweighed)}\n"

    def _margin(self, line: Line) -> str:
        margin = line.weight_margin_grams
        return "" if margin is None else f" ± {self._units.weight(margin)}"

    def _price(self, cents: int | Decimal) -> str:
        return self._units.price(cents) or f"{Decimal(cents) / 100:,.2f}"


def unknown(count: int) -> str:
    return f" + {count} unknown" if count else ""


def escaped(text: str) -> str:
    return SPECIAL.sub(r"\\\1", " ".join(text.split()))


def joined(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |\n"
