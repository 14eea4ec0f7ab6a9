"""The lines of a person's own spreadsheet: columns by their mapping, headings, totals and trips."""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from mcp_server.errors import InvalidInput, quoted
from mcp_server.formats.aliases import is_sum, units
from mcp_server.formats.columns import MARKDOWN, NAMED_NOTES, WEIGHTS, Asked, Sheet, shown
from mcp_server.formats.header import Header
from mcp_server.formats.line import Line, Problem, RefusedLine, Remark, grams_in, is_unknown
from mcp_server.formats.numbers import NUMBER, Decimals, codes, decimals
from mcp_server.formats.reader import NOTHING, Reader
from mcp_server.formats.sheet import SheetLine, has_unit, in_own_words, mark
from mcp_server.formats.text import TextSource, truncated
from mcp_server.models.fields import GRAMS, lean_number

# Of two weights of one thing, how much they may differ: people convert with 28 g, and round.
TOLERANCE = 0.02
# Pieces on a trip: a larger number in a column is something else, such as a year.
MOST_PACKED = 99
# Fields of several columns, or that depend on others.
COMBINED = frozenset({"ignore", "trip", "unit", "notes", *WEIGHTS})
# Below the header of a Markdown table.
RULE = re.compile(r":?-{2,1000}:?|:?-:?")
LINK = re.compile(r"\[([^\[\]]{1,200})\]\((https?://[^()\s]{1,2000})\)")
NO_UNIT = "has no unit: give weight_unit, or a unit in the cell"


class Weighed(NamedTuple):
    """A weight in a cell: its column, and the unit of the number."""

    column: str
    cell: str
    unit: str


class SheetReader(Reader):
    """The lines of a spreadsheet. A line without a category is in that of the heading above it."""

    def __init__(self, source: TextSource, sheet: Sheet, currency: str | None, asked: Asked) -> None:
        self._sheet = sheet
        self._width = len(sheet.names)
        self._lower = [name.casefold() for name in sheet.names]
        named = [(at, column.field) for at, column in enumerate(sheet.columns) if column]
        self._first = {field: at for at, field in reversed(named)}
        self._plain = [(field, at) for field, at in self._first.items() if field not in COMBINED]
        self._unmapped = [at for at, column in enumerate(sheet.columns) if column is None]
        self.columns, self.remembered = sheet.mapping, sheet.remembered
        if asked.columns or asked.weight_unit:
            self.to_remember = sheet.key, sheet.given
        self._weights = [
            (at, column.unit) for at, column in enumerate(sheet.columns) if column and column.field in WEIGHTS
        ]
        self._notes = sorted(self._all("notes"), key=lambda at: getattr(sheet.columns[at], "rank", 0))
        self._category = ""
        self._trip: int | None = None
        keys = [self._key(at) for at in range(self._width)]
        titles = dict(zip(keys, sheet.names, strict=True))
        header = Header(
            sheet.number,
            keys,
            sheet.delimiter,
            sheet.skip_blanks,
            sheet.above,
            "spreadsheet",
            SheetLine,
            titles,
        )
        super().__init__(source, header, currency)
        rows = list(self._sample(source))
        self._choose_trip(rows, asked.setup_name)
        self._refuse_without_unit(rows)
        self._find_headings(rows)
        self._find_merged(rows)
        self._grams: list[float] = [0.0, 0.0]

    def _all(self, field: str) -> list[int]:
        return [at for at, column in enumerate(self._sheet.columns) if column and column.field == field]

    def _key(self, at: int) -> str:
        """Return the field of a column if it is the first of it, or else its place."""
        column = self._sheet.columns[at]
        if column is None or column.field in ("ignore", "trip"):
            return f"#{at}"
        return column.field if self._first[column.field] == at else f"#{at}"

    @property
    def is_list(self) -> bool:
        if self.has_trip:
            return True
        fields = {column.field for column in self._sheet.columns if column}
        return not self._trips and bool(fields & {"quantity", "worn", "consumable"})

    @property
    def remarks(self) -> list[Remark]:
        remarks = list(super().remarks)
        if self.remembered:
            remarks.append(Remark("", f"read as before: {shown(self.columns)}"))
        if self._is_merged:
            remarks.append(Remark(self._title("category"), "of a line without one: that of the line above"))
        if not self._weights:
            remarks.append(Remark("", "no column is a weight: the weights are unknown"))
        price = self._first.get("price")
        currency = "" if price is None else getattr(self._sheet.columns[price], "currency", "")
        if price is not None and currency and self._reading.currency not in codes(currency):
            note = f"{currency}: the numbers are stored, and not converted"
            remarks.append(Remark(self._sheet.names[price], note))
        if self._trips and not self.has_trip:
            names = ", ".join(truncated(self._sheet.names[at]) for at in self._trips)
            remarks.append(Remark("", f"trips: {names}; give one as setup_name to pack what it has"))
        return remarks

    def _decimals(self, source: TextSource) -> Decimals:
        """Find the decimal signs of the file. All columns of weights have one."""
        numeric = [(at, "weight") for at, _ in self._weights]
        numeric += [
            (at, name)
            for field, name in (("price", "price_cents"), ("quantity", "quantity"), ("trip", "trip"))
            for at in self._all(field)
        ]
        found = decimals(
            (name, row[at]) for row in self._sample(source) for at, name in numeric if at < len(row)
        )
        if "weight" in found.columns:
            found = found._replace(columns={**found.columns, "total_weight": found.columns["weight"]})
        return found

    def _choose_trip(self, rows: list[list[str]], setup_name: str | None) -> None:
        """Find the columns that are trips, and the one that says what is in the setup."""
        explicit = self._all("trip")
        looks = [
            at
            for at, column in enumerate(self._sheet.columns)
            if column is None and looks_like_trip(row[at] for row in rows if at < len(row))
        ]
        self._trips = sorted([*explicit, *looks])
        wanted = (setup_name or "").casefold()
        named = [at for at in self._trips if self._sheet.names[at].casefold() == wanted]
        if not named and setup_name and len(explicit) == 1:
            named = explicit
        if named:
            self._trip, self.has_trip = named[0], True

    def _title(self, column: str) -> str:
        if column == "trip" and self._trip is not None:
            return self._sheet.names[self._trip]
        return super()._title(column)

    def _refuse_without_unit(self, rows: list[list[str]]) -> None:
        """Refuse a sheet with weights whose unit is unknown, once rather than on every line."""
        unit_at = self._first.get("unit")
        for at, unit in self._weights:
            if unit or self._sheet.weight_unit:
                continue
            for row in rows:
                cell = row[at].strip() if at < len(row) else ""
                has_unit = unit_at is not None and unit_at < len(row) and row[unit_at].strip()
                if not has_unit and is_bare(cell):
                    name, field = self._sheet.names[at], self._sheet.columns[at]
                    raise InvalidInput(
                        f"The column {quoted(name)} is a weight without a unit: {quoted(cell)}. "
                        "Give weight_unit (g, kg, oz or lb), or columns, such as "
                        f"{shown({**self.columns, name: f'{field} g'})}."
                    )

    def _find_headings(self, rows: list[list[str]]) -> None:
        """Decide whether lines with one cell are headings: the first one is, or blank lines are above all."""
        alone: list[tuple[bool, bool]] = []
        blank = False
        for row in rows:
            if not any(map(str.strip, row)):
                blank = True
                continue
            alone.append((self._is_alone(row), blank))
            blank = False
        pairs = [now for now, after in pairwise(alone) if now[0] and not after[0]]
        starts = bool(alone) and alone[0][0]
        after_blanks = [above for _, above in pairs[1 if starts else 0 :]]
        self._needs_blank = bool(after_blanks) and all(after_blanks)
        self._has_headings = bool(pairs) and (starts or self._needs_blank)

    def _find_merged(self, rows: list[list[str]]) -> None:
        """Decide whether a category is written once for all of its lines, as merged cells are."""
        at, name = self._first.get("category"), self._first.get("name")
        self._is_merged = False
        if at is None or name is None or at > name:
            return
        filled = [row[at].strip() for row in rows if len(row) > name and row[name].strip()]
        categories = [cell.casefold() for cell in filled if cell]
        is_once = len(set(categories)) == len(categories)
        self._is_merged = bool(filled and filled[0]) and is_once and len(categories) < len(filled)

    def _is_alone(self, row: list[str]) -> bool:
        """Whether a line has one cell, where the name or the category is."""
        filled = [at for at, cell in enumerate(row) if cell and not cell.isspace()]
        if len(filled) != 1 or self._width < 2:
            return False
        (at,) = filled
        category, name = self._first.get("category"), self._first["name"]
        if category is not None:
            return at == category
        is_first = at == 0 and self._sheet.columns[0] is None
        return (at == name or is_first) and not is_sum(row[at]) and not NUMBER.fullmatch(row[at].strip())

    def __iter__(self) -> Iterator[Line | RefusedLine]:
        # A heading is known by the line below it.
        held: tuple[int, list[str], bool] | None = None
        blank = True
        for number, row in self._rows:
            if not isinstance(row, Problem) and (not "".join(row).strip(" \t") or self._is_rule(row)):
                blank = True
                continue
            whole = RefusedLine(number, (row,)) if isinstance(row, Problem) else self._whole(number, row)
            is_alone = not isinstance(whole, RefusedLine) and self._is_alone(whole)
            if held:
                heads = not is_alone and not isinstance(whole, RefusedLine) and not is_sum(first_of(whole))
                yield self._heading(held[0], held[1]) if heads else self._item(held[0], held[1])
                held = None
            if isinstance(whole, RefusedLine):
                yield whole
            elif is_alone and self._may_be_heading(blank):
                held = number, whole, blank
            else:
                yield self._item(number, whole)
            blank = False
        if held:
            yield self._item(held[0], held[1])

    def _whole(self, number: int, row: list[str]) -> list[str] | RefusedLine:
        if self._sheet.delimiter == MARKDOWN and len(row) == 1 < self._width:
            problem = Problem("", truncated(row[0]), f"has 1 cells, the header {self._width}")
            return RefusedLine(number, (problem,))
        return super()._whole(number, row)

    def _may_be_heading(self, blank: bool) -> bool:
        if self._first.get("category") is not None:
            return True
        return self._has_headings and (blank or not self._needs_blank)

    def _is_rule(self, row: list[str]) -> bool:
        """Whether a line is the one below the header of a Markdown table."""
        cells = [cell.strip() for cell in row if cell.strip()]
        return self._sheet.delimiter == MARKDOWN and all(map(RULE.fullmatch, cells))

    def _heading(self, number: int, row: list[str]) -> RefusedLine:
        text = next(cell for cell in row if cell.strip()).strip().strip("*#").strip().rstrip(":").strip()
        self._category, self._grams[1] = text, 0.0
        return RefusedLine(
            number, (Problem("", truncated(text), "is the heading of a category"),), skipped=True
        )

    def _item(self, number: int, row: list[str]) -> Line | RefusedLine:
        """Return what a line with several cells says, unless it is a header or a total."""
        if self._sheet.delimiter == MARKDOWN:
            row = [cell.strip().strip("*`").strip() for cell in row]
        if repeated := self._repeats_header(number, row):
            return repeated
        first = first_of(row).strip()
        name = self._cell(row, "name")
        if is_sum(first) and name in ("", first):
            self._grams[1] = 0.0
            return self._total(number, row)
        cells = self._by_field(row)
        found = self._read(number, cells)
        if not name and isinstance(found, RefusedLine) and self._is_sum_of_others(row):
            return self._total(number, row)
        return self._named(self._agreeing(found, row))

    def _total(self, number: int, row: list[str]) -> RefusedLine:
        text = truncated(" ".join(cell.strip() for cell in row if cell.strip()))
        return RefusedLine(number, (Problem("", text, "is a total, not an item"),), skipped=True)

    def _repeats_header(self, number: int, row: list[str]) -> RefusedLine | None:
        """Return the verdict on a line with the names of the columns, or with a heading in place of one."""
        same = [cell.strip().casefold() == name for cell, name in zip(row, self._lower, strict=True)]
        if not any(same):
            return None
        others = [at for at, cell in enumerate(row) if cell.strip() and not same[at]]
        if sum(same) >= 2 and not others:
            return RefusedLine(number, (Problem("", "", "repeats the header"),), skipped=True)
        is_header = bool(self._weights) and all(same[at] for at, _ in self._weights)
        if is_header and others == [self._first["name"]]:
            return self._heading(number, [row[others[0]]])
        return None

    def _cell(self, row: list[str], field: str) -> str:
        at = self._first.get(field)
        return "" if at is None else row[at].strip()

    def _by_field(self, row: list[str]) -> dict[str, str]:
        """Return the cells by their fields: weights with their units, and all notes together."""
        cells = {field: row[at] for field, at in self._plain}
        for at in self._unmapped:
            if row[at].strip().lower() not in NOTHING and at not in self._trips:
                self._left[f"#{at}"] += 1
        if self._trip is not None:
            cells["trip"] = row[self._trip]
        if self._weights:
            field = str(getattr(self._sheet.columns[self._weights[0][0]], "field", "weight"))
            weighed = next(iter(self._weighed(row)), Weighed("", "", ""))
            cells |= {"unit": weighed.unit, field: weighed.cell}
        if self._notes:
            cells["notes"] = self._joined_notes(row)
        if not cells.get("category", "").strip():
            cells["category"] = self._category
        elif self._is_merged:
            self._category = cells["category"]
        return self._without_links(cells)

    def _joined_notes(self, row: list[str]) -> str:
        """Return the notes, and those of other columns under their names."""
        first, *_ = self._notes
        column = self._sheet.columns[first]
        plain = first if column and column.rank < NAMED_NOTES else None
        parts = [
            row[at] if at == plain else f"{self._sheet.names[at]}: {row[at].strip()}"
            for at in self._notes
            if row[at].strip()
        ]
        return "\n".join(parts)

    def _without_links(self, cells: dict[str, str]) -> dict[str, str]:
        """Take the address out of a name in Markdown: `[Tent](https://example.com)`."""
        if self._sheet.delimiter == MARKDOWN and (found := LINK.search(cells["name"])):
            cells["name"] = LINK.sub(r"\1", cells["name"])
            cells["link"] = cells.get("link", "").strip() or found[2]
        return cells

    def _weighed(self, row: list[str]) -> list[Weighed]:
        """Return each weight of a line with its unit, the most precise one first."""
        found = [*self._all_weighed(row)]
        return sorted(found, key=precision) if len(found) > 1 else found

    def _all_weighed(self, row: list[str]) -> Iterator[Weighed]:
        """Yield each weight of a line, with the unit of its column, of the line, or of the sheet."""
        of_line = self._cell(row, "unit")
        for at, unit in self._weights:
            cell = row[at].strip()
            if cell and not is_unknown(cell):
                own = "" if has_unit(cell) else self._sheet.weight_unit or ""
                yield Weighed(self._sheet.names[at], cell, unit or of_line or own)

    def _agreeing(self, found: Line | RefusedLine, row: list[str]) -> Line | RefusedLine:
        """Refuse a line whose columns of weights say different things, and count what it weighs."""
        if isinstance(found, RefusedLine):
            return found
        sign = self._reading.decimals.of("weight")
        weighed = self._weighed(row) if len(self._weights) > 1 else []
        for first, other in ((weighed[0], other) for other in weighed[1:]):
            try:
                grams = grams_in(in_own_words(other.cell), other.unit, sign)
            except ValueError as exc:
                return RefusedLine(
                    found.number, (Problem(other.column, other.cell, str(exc)),), name=found.name or ""
                )
            if found.weight_grams is None or grams is None:
                continue
            rounding = precision(first) + precision(other)
            if abs(grams - found.weight_grams) > max(rounding, TOLERANCE * found.weight_grams):
                reason = (
                    f"is {lean_number(round(grams, 2))} g, but {first.column} is "
                    f"{lean_number(round(found.weight_grams, 2))} g: give columns with the one to ignore"
                )
                return RefusedLine(
                    found.number,
                    (Problem(other.column, other.cell, reason),),
                    name=truncated(found.name or ""),
                )
        if found.weight_grams:
            grams = found.weight_grams * float(found.quantity or 1)
            self._grams = [part + grams for part in self._grams]
        return found

    def _is_sum_of_others(self, row: list[str]) -> bool:
        """Whether a line without a name weighs what those above it do."""
        sign = self._reading.decimals.of("weight")
        for weighed in self._weighed(row):
            try:
                grams = grams_in(in_own_words(weighed.cell), weighed.unit, sign) or 0.0
            except ValueError:
                return False
            if any(
                total and abs(total - grams) <= precision(weighed) + 0.01 * total for total in self._grams
            ):
                return True
        return False

    def _named(self, found: Line | RefusedLine) -> Line | RefusedLine:
        """Return a verdict with the names that the file gives its columns."""
        if isinstance(found, Line):
            if not found.remarks:
                return found
            return found._replace(
                remarks=tuple(Remark(self._title(column), note) for column, note in found.remarks)
            )
        problems = [
            Problem(self._title(column), value, NO_UNIT if reason.startswith("has no unit") else reason)
            for column, value, reason in found.problems
        ]
        return found._replace(problems=tuple(problems))


def first_of(row: list[str]) -> str:
    """Return the first cell that is not empty."""
    return next((cell for cell in row if cell.strip()), "")


def is_bare(cell: str) -> bool:
    """Whether a cell is a number without a unit, and not 0."""
    return bool(NUMBER.search(cell)) and not has_unit(cell) and bool(cell.strip("0., "))


def precision(weighed: Weighed) -> float:
    """Return half of the last digit of a number, in grams: `3.2 oz` is rounded to 1.4 g."""
    found = NUMBER.search(weighed.cell)
    digits = re.split("[.,]", found[0])[-1] if found and re.search("[.,]", found[0]) else ""
    unit = units().get(weighed.unit.casefold(), "g")
    return 0.51 * float(GRAMS[unit]) / 10 ** min(len(digits), 9)


def looks_like_trip(cells: Iterator[str]) -> bool:
    """Whether cells are ticks or counts. A trip goes without some things; other numbers are everywhere."""
    texts = [cell.strip() for cell in cells]
    filled = [text for text in texts if text not in ("", "0")]
    return 0 < len(filled) < len(texts) and all(map(is_tick_or_count, filled))


def is_tick_or_count(cell: str) -> bool:
    if cell.isascii() and cell.isdigit():
        return int(cell[:9]) <= MOST_PACKED
    try:
        mark(cell)
    except ValueError:
        return False
    return True
