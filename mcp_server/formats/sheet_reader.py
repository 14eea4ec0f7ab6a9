"""The lines of a person's own spreadsheet: columns by their mapping, headings, totals and trips."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from mcp_server.errors import InvalidInput
from mcp_server.formats.aliases import is_sum
from mcp_server.formats.columns import MARKDOWN, NAMED_NOTES, WEIGHTS, Asked, Sheet, shown
from mcp_server.formats.header import Header
from mcp_server.formats.line import Line, Problem, RefusedLine, Remark
from mcp_server.formats.numbers import Decimals, codes, decimals
from mcp_server.formats.reader import NOTHING, Reader
from mcp_server.formats.sheet import SheetLine
from mcp_server.formats.sheet_entries import Entries
from mcp_server.formats.sheet_headings import Headings
from mcp_server.formats.sheet_trips import Trips
from mcp_server.formats.sheet_weights import Weighed, Weights
from mcp_server.formats.sums import Entry, Found, Sum, find_sums
from mcp_server.formats.text import TextSource, truncated

# Lines: a sheet is in memory as a whole, because a total may be above or below its lines.
MOST_LINES = 50_000
# Fields of several columns, or that depend on others.
COMBINED = frozenset({"ignore", "trip", "unit", "notes", *WEIGHTS})
# Below the header of a Markdown table.
RULE = re.compile(r":?-{2,1000}:?|:?-:?")
LINK = re.compile(r"\[([^\[\]]{1,200})\]\((https?://[^()\s]{1,2000})\)")
NO_UNIT = "has no unit: give weight_unit, or a unit in the cell"
IS_ITEM = "if it is an item, give it a quantity, or import the rest with skip_bad_lines"


class Held(NamedTuple):
    """A line that is not blank: its cells, or why it has others than the header."""

    number: int
    row: list[str] | RefusedLine
    after_blank: bool
    is_heading: bool = False


class SheetReader(Reader):
    """The lines of a spreadsheet. A line without a category is in that of the heading above it."""

    def __init__(self, source: TextSource, sheet: Sheet, currency: str | None, asked: Asked) -> None:
        self._sheet = sheet
        self._width = len(sheet.names)
        named = [(at, column.field) for at, column in enumerate(sheet.columns) if column]
        self._first = {field: at for at, field in reversed(named)}
        self._plain = [(field, at) for field, at in self._first.items() if field not in COMBINED]
        self._unmapped = [at for at, column in enumerate(sheet.columns) if column is None]
        self.columns, self.remembered = sheet.mapping, sheet.remembered
        if asked.columns or asked.weight_unit:
            self.to_remember = sheet.key, sheet.given
        self._weights, self._headings, self._trips = Weights(sheet), Headings(sheet), Trips(sheet)
        self._notes = sorted(self._all("notes"), key=lambda at: getattr(sheet.columns[at], "rank", 0))
        self._category = ""
        super().__init__(source, self._header_of(sheet), currency)
        rows = list(self._sample(source))
        self._trips.look(rows, asked.setup_name)
        self.has_trip = self._trips.chosen is not None
        self._weights.look(rows)
        self._headings.look(rows)

    def _header_of(self, sheet: Sheet) -> Header:
        keys = [self._key(at) for at in range(self._width)]
        titles = dict(zip(keys, sheet.names, strict=True))
        return Header(
            sheet.number,
            keys,
            sheet.delimiter,
            sheet.skip_blanks,
            sheet.above,
            "spreadsheet",
            SheetLine,
            titles,
        )

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
        return not self._trips.columns and bool(fields & {"quantity", "worn", "consumable"})

    @property
    def remarks(self) -> list[Remark]:
        remarks = list(super().remarks)
        if self.remembered:
            remarks.append(Remark("", f"read as before: {shown(self.columns)}"))
        if self._headings.are_merged:
            remarks.append(Remark(self._title("category"), "of a line without one: that of the line above"))
        if not self._weights.columns:
            remarks.append(Remark("", "no column is a weight: the weights are unknown"))
        if self._weights.parts:
            pounds, ounces = (self._sheet.names[at] for at in self._weights.parts)
            remarks.append(Remark("", f"{pounds} and {ounces} are added up"))
        price = self._first.get("price")
        currency = "" if price is None else getattr(self._sheet.columns[price], "currency", "")
        if price is not None and currency and self._reading.currency not in codes(currency):
            note = f"{currency}: the numbers are stored, and not converted"
            remarks.append(Remark(self._sheet.names[price], note))
        if self._trips.columns and not self.has_trip:
            names = ", ".join(truncated(self._sheet.names[at]) for at in self._trips.columns)
            remarks.append(Remark("", f"trips: {names}; give one as setup_name to pack what it has"))
        return remarks

    def _decimals(self, source: TextSource) -> Decimals:
        """Find the decimal signs of the file. All columns of weights have one."""
        numeric = [(at, "weight") for at, _ in self._weights.columns]
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

    def _title(self, column: str) -> str:
        if column == "trip" and self._trips.chosen is not None:
            return self._sheet.names[self._trips.chosen]
        return super()._title(column)

    def __iter__(self) -> Iterator[Line | RefusedLine]:
        held = self._headed([*self._whole_lines()])
        sums = self._sums(held)
        for line in held:
            if isinstance(line.row, RefusedLine):
                yield line.row
            elif line.is_heading:
                yield self._heading(line.number, line.row)
            else:
                yield self._verdict(line.number, line.row, sums.get(line.number))

    def _whole_lines(self) -> Iterator[Held]:
        """Yield the lines that are not blank."""
        blank, count = True, 0
        for number, row in self._rows:
            if not isinstance(row, Problem) and (not "".join(row).strip(" \t") or self._is_rule(row)):
                blank = True
                continue
            count += 1
            if count > MOST_LINES:
                raise InvalidInput(
                    f"The spreadsheet has more than {MOST_LINES:,} lines. Divide it into several files."
                )
            whole = RefusedLine(number, (row,)) if isinstance(row, Problem) else self._whole(number, row)
            if self._sheet.delimiter == MARKDOWN and not isinstance(whole, RefusedLine):
                whole = [cell.strip().strip("*`").strip() for cell in whole]
            yield Held(number, whole, blank)
            blank = False

    def _headed(self, lines: list[Held]) -> list[Held]:
        """Mark the lines with one cell that are headings of the line below them."""
        for at, (_, row, after_blank, _) in enumerate(lines[:-1]):
            if not self._is_alone(row) or not self._headings.may_be_one(after_blank=after_blank):
                continue
            after = lines[at + 1].row
            if (
                not isinstance(after, RefusedLine)
                and not self._is_alone(after)
                and not is_sum(first_of(after))
            ):
                lines[at] = lines[at]._replace(is_heading=True)
        return lines

    def _is_alone(self, row: list[str] | RefusedLine) -> bool:
        return not isinstance(row, RefusedLine) and self._headings.is_alone(row)

    def _sums(self, lines: list[Held]) -> Found:
        """Find the totals among the lines, besides those that are called so."""
        entries = Entries(self._sheet, self._weights, self._trips, self._reading.decimals)
        found, after_break = list[Entry](), True
        for number, row, after_blank, is_heading in lines:
            if isinstance(row, RefusedLine):
                continue
            if is_heading or self._is_named_total(row) or self._repeated(row) is not None:
                after_break = True
                continue
            found.append(entries.of(number, row, after_break=after_break or after_blank))
            after_break = False
        return find_sums(found)

    def _whole(self, number: int, row: list[str]) -> list[str] | RefusedLine:
        if self._sheet.delimiter == MARKDOWN and len(row) == 1 < self._width:
            problem = Problem("", truncated(row[0]), f"has 1 cells, the header {self._width}")
            return RefusedLine(number, (problem,))
        return super()._whole(number, row)

    def _is_rule(self, row: list[str]) -> bool:
        """Whether a line is the one below the header of a Markdown table."""
        cells = [cell.strip() for cell in row if cell.strip()]
        return self._sheet.delimiter == MARKDOWN and all(map(RULE.fullmatch, cells))

    def _repeated(self, row: list[str]) -> str | None:
        return self._headings.repeated(row, [at for at, _ in self._weights.columns])

    def _is_named_total(self, row: list[str]) -> bool:
        first = first_of(row).strip()
        return is_sum(first) and self._cell(row, "name") in ("", first)

    def _heading(
        self, number: int, row: list[str], what: str = "is the heading of a category"
    ) -> RefusedLine:
        text = first_of(row).strip().strip("*#").strip().rstrip(":").strip()
        self._category = text
        return RefusedLine(number, (Problem("", truncated(text), what),), skipped=True)

    def _verdict(self, number: int, row: list[str], found: Sum | None) -> Line | RefusedLine:
        """Return what a line with several cells says, unless it is a header or a total."""
        repeated = self._repeated(row)
        if repeated == "":
            return RefusedLine(number, (Problem("", "", "repeats the header"),), skipped=True)
        if repeated is not None:
            return self._heading(number, [repeated])
        if self._is_named_total(row):
            return self._total(number, row, "is a total, not an item")
        if found and found.kind == "heads" and self._may_head(row):
            return self._heading(number, row, f"is a category with the total of {found.lines}")
        if found and found.kind in ("heads", "ends"):
            return self._total(number, row, f"is the total of {found.lines}, not an item")
        if found and found.kind == "doubt":
            return self._doubt(number, row, found)
        line = self._item(number, row)
        if found and isinstance(line, Line):
            note = f"is as much as {found.lines} together: if it is their total, remove it"
            return line._replace(remarks=(*line.remarks, Remark("", note)))
        return line

    def _may_head(self, row: list[str]) -> bool:
        return self._first.get("category") is None or bool(self._cell(row, "category"))

    def _total(self, number: int, row: list[str], what: str) -> RefusedLine:
        text = truncated(" ".join(cell.strip() for cell in row if cell.strip()))
        return RefusedLine(number, (Problem("", text, what),), skipped=True)

    def _doubt(self, number: int, row: list[str], found: Sum) -> RefusedLine:
        # The lines below may be in a category that is not known now.
        self._category = ""
        adds = f"which add up to {found.amount}" if found.amount else "and has their sum"
        text = truncated(" ".join(cell.strip() for cell in row if cell.strip()))
        reason = f"looks like the total of {found.lines}, {adds}: remove or correct it; {IS_ITEM}"
        return RefusedLine(number, (Problem("", text, reason),), name=truncated(first_of(row).strip()))

    def _item(self, number: int, row: list[str]) -> Line | RefusedLine:
        """Return what an item says. Refuse one whose columns of weights say different things."""
        found = self._read(number, self._by_field(row))
        if isinstance(found, Line):
            problem = self._weights.disagreement(found, row, self._reading.decimals.of("weight"))
            if problem:
                found = RefusedLine(number, (problem,), name=truncated(found.name or ""))
        return self._named(found)

    def _cell(self, row: list[str], field: str) -> str:
        at = self._first.get(field)
        return "" if at is None else row[at].strip()

    def _by_field(self, row: list[str]) -> dict[str, str]:
        """Return the cells by their fields: weights with their units, and all notes together."""
        cells = {field: row[at] for field, at in self._plain}
        for at in self._unmapped:
            if row[at].strip().lower() not in NOTHING and at not in self._trips.columns:
                self._left[f"#{at}"] += 1
        if self._trips.chosen is not None:
            cells["trip"] = row[self._trips.chosen]
        if self._weights.columns:
            weighed = next(iter(self._weights.of(row)), Weighed("", "", ""))
            cells |= {"unit": weighed.unit, self._weights.field: weighed.cell}
        if self._notes:
            cells["notes"] = self._joined_notes(row)
        if not cells.get("category", "").strip():
            cells["category"] = self._category
        elif self._headings.are_merged:
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
