"""What a line of a spreadsheet says for sums: its name and its figures."""

import re
from collections.abc import Sequence

from mcp_server.formats.columns import Sheet
from mcp_server.formats.line import grams_in
from mcp_server.formats.numbers import PLAIN, Decimals, Money, amount, money, number
from mcp_server.formats.sheet import in_own_words
from mcp_server.formats.sheet_trips import Trips
from mcp_server.formats.sheet_weights import Weights, cell_of, last_digit, number_in, precision
from mcp_server.formats.sums import Entry, Figure

# Columns of figures, and those whose cells do not show whether a line is an item.
APART = frozenset({"weight", "total weight", "unit", "quantity", "price", "ignore"})


class Entries:
    """The lines of a sheet as they count for sums."""

    def __init__(self, sheet: Sheet, weights: Weights, trips: Trips, decimals: Decimals) -> None:
        self._weights, self._trips, self._decimals = weights, trips, decimals
        fields = [column.field if column else "" for column in sheet.columns]
        self._price = fields.index("price") if "price" in fields else None
        self._quantity = fields.index("quantity") if "quantity" in fields else None
        self._names = [at for at, field in enumerate(fields) if field in ("name", "category")]
        self._texts = [at for at, field in enumerate(fields) if field not in APART]
        self._others = [at for at, field in enumerate(fields) if not field]

    def of(self, line: int, row: Sequence[str], *, after_break: bool) -> Entry:
        pieces = self._pieces(row)
        figures = {f"#{at}": Figure(found, last_digit(row[at])) for at, found in self._numbers(row).items()}
        if weight := self._weight(row, pieces):
            figures["weight"] = weight
        if price := self._cents(row):
            figures["price"] = Figure(price)
        counted = {*self._numbers(row), *self._trips.columns}
        texts = [at for at in self._texts if row[at].strip() and not (at in counted and number_in(row, at))]
        is_bare = len(texts) < 2 and (pieces is not None or not cell_of(row, self._quantity))
        name = next((row[at].strip() for at in (*self._names, *texts) if row[at].strip()), "")
        return Entry(line, name, figures, pieces, is_bare, after_break)

    def _numbers(self, row: Sequence[str]) -> dict[int, float]:
        """Return the numbers in columns that are not read otherwise."""
        return {at: found for at in self._others if (found := number_in(row, at))}

    def _pieces(self, row: Sequence[str]) -> float | None:
        text = re.sub(r"^[x×]\s*|\s*[x×]$", "", cell_of(row, self._quantity), flags=re.IGNORECASE)
        try:
            return float(number(text, self._decimals.of("quantity"))) if text else None
        except ValueError:
            return None

    def _weight(self, row: Sequence[str], pieces: float | None) -> Figure | None:
        for weighed in self._weights.of(row):
            try:
                grams = grams_in(in_own_words(weighed.cell), weighed.unit, self._decimals.of("weight"))
            except (ValueError, KeyError):
                continue
            if grams:
                parts = (pieces or 1.0) if self._weights.field == "total weight" else 1.0
                return Figure(grams / parts, precision(weighed) / parts)
        return None

    def _cents(self, row: Sequence[str]) -> float | None:
        text = cell_of(row, self._price)
        parts = Money(text, "") if PLAIN.fullmatch(text) else money(text)
        try:
            return parts and float(amount(parts, self._decimals.of("price_cents"))) * 100
        except ValueError:
            return None
