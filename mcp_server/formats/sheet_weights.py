"""The weights of a spreadsheet: their columns and units, and whether several columns agree."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from mcp_server.errors import InvalidInput, quoted
from mcp_server.formats.aliases import folded, units
from mcp_server.formats.columns import WEIGHTS, Sheet, shown
from mcp_server.formats.line import Line, Problem, grams_in, is_unknown
from mcp_server.formats.numbers import NUMBER, Sign, readings
from mcp_server.formats.sheet import LETTERS, has_unit, in_own_words
from mcp_server.models.fields import lean_number
from mcp_server.models.weight import GRAMS

# Of two weights of one thing, how much they may differ: people convert with 28 g, and round.
TOLERANCE = 0.02
OUNCES = 16


class Weighed(NamedTuple):
    """A weight in a cell: its column, and the unit of the number."""

    column: str
    cell: str
    unit: str


class Weights:
    """The weights of each line, by the columns of a sheet."""

    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet
        self.columns = [
            (at, column.unit) for at, column in enumerate(sheet.columns) if column and column.field in WEIGHTS
        ]
        self._unit_at = next(
            (at for at, column in enumerate(sheet.columns) if column and column.field == "unit"), None
        )
        # The columns of pounds and ounces that are parts of one weight.
        self.parts: tuple[int, int] | None = None

    @property
    def field(self) -> str:
        at, _ = self.columns[0]
        return getattr(self._sheet.columns[at], "field", "weight")

    def look(self, rows: Sequence[Sequence[str]]) -> None:
        """Find how weights are written. Refuse a sheet with weights whose unit is unknown."""
        self.parts = self._find_parts(rows)
        self._refuse_without_unit(rows)

    def _refuse_without_unit(self, rows: Sequence[Sequence[str]]) -> None:
        """Refuse once rather than on every line."""
        for at, unit in self.columns:
            if unit or self._sheet.weight_unit:
                continue
            for row in rows:
                cell = cell_of(row, at)
                if is_bare(cell) and not cell_of(row, self._unit_at):
                    name, field = self._sheet.names[at], self._sheet.columns[at]
                    raise InvalidInput(
                        f"The column {quoted(name)} is a weight without a unit: {quoted(cell)}. "
                        "Give weight_unit (g, kg, oz or lb), or columns, such as "
                        f"{shown({**self._sheet.mapping, name: f'{field} g'})}."
                    )

    def _find_parts(self, rows: Sequence[Sequence[str]]) -> tuple[int, int] | None:
        """Return the columns of whole pounds and of ounces besides, if they are not the same weight twice."""
        by_unit = {unit: at for at, unit in self.columns}
        if len(self.columns) != 2 or set(by_unit) != {"lb", "oz"}:
            return None
        pairs = [(number_in(row, by_unit["lb"]), number_in(row, by_unit["oz"])) for row in rows]
        both = [(pounds, ounces) for pounds, ounces in pairs if pounds and ounces]
        whole = all(pounds == int(pounds) for pounds, _ in pairs if pounds)
        are_parts = whole and all(ounces < OUNCES for _, ounces in both)
        return (by_unit["lb"], by_unit["oz"]) if both and are_parts else None

    def of(self, row: Sequence[str]) -> list[Weighed]:
        """Return each weight of a line with its unit, the most precise one first."""
        found = [*self._all(row)]
        return sorted(found, key=precision) if len(found) > 1 else found

    def _all(self, row: Sequence[str]) -> Iterator[Weighed]:
        """Yield each weight of a line, with the unit of its column, of the line, or of the sheet."""
        if self.parts:
            cells = [(self._sheet.names[at], cell_of(row, at)) for at in self.parts]
            written = [
                (name, cell if has_unit(cell) else f"{cell} {unit}")
                for (name, cell), unit in zip(cells, ("lb", "oz"), strict=True)
                if not is_unknown(cell)
            ]
            if written:
                yield Weighed(written[0][0], " ".join(cell for _, cell in written), "")
            return
        of_line = cell_of(row, self._unit_at)
        for at, unit in self.columns:
            cell = cell_of(row, at)
            if cell and not is_unknown(cell):
                own = "" if has_unit(cell) else self._sheet.weight_unit or ""
                yield Weighed(self._sheet.names[at], cell, unit or of_line or own)

    def disagreement(self, found: Line, row: Sequence[str], sign: Sign | None) -> Problem | None:
        """Return why the columns of a line say different things, or None if they agree."""
        first, *others = self.of(row) or [Weighed("", "", "")]
        for other in others:
            try:
                grams = grams_in(in_own_words(other.cell), other.unit, sign)
            except ValueError as exc:
                return Problem(other.column, other.cell, str(exc))
            if found.weight_grams is None or grams is None:
                continue
            rounding = precision(first) + precision(other)
            if abs(grams - found.weight_grams) > max(rounding, TOLERANCE * found.weight_grams):
                reason = (
                    f"is {lean_number(round(grams, 2))} g, but {first.column} is "
                    f"{lean_number(round(found.weight_grams, 2))} g: give columns with the one to ignore"
                )
                return Problem(other.column, other.cell, reason)
        return None


def cell_of(row: Sequence[str], at: int | None) -> str:
    return row[at].strip() if at is not None and at < len(row) else ""


def number_in(row: Sequence[str], at: int) -> float:
    """Return the number in a cell as far as its sign is clear, or else 0."""
    found = readings(cell_of(row, at))
    return float(next(iter(found.values()))) if len(set(found.values())) == 1 else 0.0


def is_bare(cell: str) -> bool:
    """Whether a cell is a number without a unit, and not 0."""
    return bool(NUMBER.search(cell)) and not has_unit(cell) and bool(cell.strip("0., "))


def last_digit(cell: str) -> float:
    """Return half of the last digit of a number: 0.05 of `3.2`."""
    numbers = NUMBER.findall(cell)
    digits = re.split("[.,]", numbers[-1])[-1] if numbers and re.search("[.,]", numbers[-1]) else ""
    return 0.51 / 10 ** min(len(digits), 9)


def precision(weighed: Weighed) -> float:
    """Return half of the last digit of a weight, in grams: `3.2 oz` is rounded to 1.4 g."""
    return last_digit(weighed.cell) * float(GRAMS[unit_of(weighed)])


def unit_of(weighed: Weighed) -> str:
    words: Iterable[str] = (weighed.unit, *reversed(LETTERS.findall(weighed.cell)))
    return next((units()[folded(word)] for word in words if folded(word) in units()), "g")
