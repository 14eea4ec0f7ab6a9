"""The lines of a list that a program wrote: its dialect, and a verdict on each line."""

import io
from collections import Counter
from collections.abc import Iterator, Mapping

from pydantic import ValidationError

from mcp_server.errors import quoted, reworded
from mcp_server.formats import lighterpack
from mcp_server.formats.header import Header
from mcp_server.formats.line import MISSING, FormatLine, Line, Problem, Reading, RefusedLine, Remark
from mcp_server.formats.numbers import Decimals, decimals
from mcp_server.formats.text import TextSource, rows, truncated
from mcp_server.models.csv import Format, Saved
from mcp_server.models.fields import MOST_NOTES

# What an empty cell holds, in any column.
NOTHING = frozenset({"", "0", "false", "0001-01-01"})
Rows = Iterator[tuple[int, list[str] | Problem]]


class Reader:
    """The lines of a file, to be iterated once: a Line or a RefusedLine for each that is not blank.

    *currency* is the person's own. Prices in another one get a remark.
    """

    # The mapping of a spreadsheet; whether it is that of an earlier import; and the header by which it is to
    # be remembered, if a person gave it.
    columns: Mapping[str, str] = {}
    remembered = False
    to_remember: tuple[str, Saved] | None = None
    # Whether a column says what is in the setup: lines without a `setup_quantity` are not.
    has_trip = False

    def __init__(self, source: TextSource, header: Header, currency: str | None) -> None:
        self._header = header
        self._model: type[FormatLine] = self._header.model
        self._names = [self._model.RENAMED.get(name, name) for name in self._header.names]
        self._unknown = [name for name in self._names if name not in self._model.columns()]
        self._fields = {self._model.column(name): name for name in self._model.model_fields}
        self._is_old = self.format == "lighterpack" and is_old(source.beginning, self._header)
        self._skip_blanks = self._header.skip_blanks or self._has_spaced_quotes(source)
        self._reading = Reading(self._decimals(source), currency)
        self._rows = self._split(source.lines)
        self._guessed, self._note_of_source = source.guessed, source.note
        self._left: Counter[str] = Counter()

    @property
    def format(self) -> Format:
        return self._header.format

    @property
    def header_line(self) -> int:
        return self._header.number

    @property
    def is_list(self) -> bool:
        """Whether the lines are those of a packing list, and not only of a collection."""
        return self._model.IS_LIST

    @property
    def remarks(self) -> list[Remark]:
        """The remarks on the file as a whole, complete after all lines have been read."""
        remarks = [Remark("", self._note_of_source)] if self._note_of_source else []
        if self._guessed:
            remarks.append(Remark("", f"not in UTF-8: read as {self._guessed}, check its letters"))
        if self._header.above:
            remarks.append(Remark("", f"not kept: {counted(self._header.above)} above the header"))
        return remarks + [
            Remark(self._title(column), f"not kept, on {counted(count)}")
            for column, count in self._left.items()
        ]

    def __iter__(self) -> Iterator[Line | RefusedLine]:
        # A total is one only if it is the last line.
        total: tuple[int, dict[str, str]] | None = None
        for number, row in self._rows:
            if isinstance(row, Problem):
                found: dict[str, str] | RefusedLine = RefusedLine(number, (row,))
            elif "".join(row).strip(" \t"):
                found = self._cells(number, row)
            else:
                continue
            if total:
                yield self._read(*total)
                total = None
            if isinstance(found, RefusedLine):
                yield found
            elif self._model.is_total(found):
                total = number, found
            else:
                yield self._read(number, found)
        if total:
            number, cells = total
            problem = Problem("", truncated(" ".join(cells.values())), "is a total, not an item")
            yield RefusedLine(number, (problem,), skipped=True)

    def _split(self, lines: Iterator[str]) -> Rows:
        """Yield the cells of each line below the header."""
        if self._is_old:
            width = len(self._header.names)
            found: Rows = enumerate(lighterpack.old_rows(lines, self._header.delimiter, width), 1)
        else:
            found = rows(lines, self._header.delimiter, skip_blanks=self._skip_blanks)
        return ((number, row) for number, row in found if number > self._header.number)

    def _sample(self, source: TextSource) -> Iterator[list[str]]:
        """Yield the cells of each line at the beginning of the file."""
        lines = list(io.StringIO(source.beginning, newline=""))
        if not source.whole:
            del lines[-1:]
        return (row for _, row in self._split(iter(lines)) if not isinstance(row, Problem))

    def _has_spaced_quotes(self, source: TextSource) -> bool:
        """Whether cells start with a blank and a quote, which our own format writes only inside quotes."""
        self._skip_blanks = False
        start = f'{self._header.delimiter} "'
        if self._is_old or self.format == "gearshed" or start not in source.beginning:
            return False
        return any(
            cell[:1] == " " and cell.lstrip(" ")[:1] == '"' for row in self._sample(source) for cell in row
        )

    def _decimals(self, source: TextSource) -> Decimals:
        """Find the decimal signs of the file, or else take that of its program."""
        numeric = [
            (at, self._fields[name])
            for at, name in enumerate(self._names)
            if self._fields.get(name) in self._model.NUMBERS
        ]
        found = decimals(
            (name, row[at]) for row in self._sample(source) for at, name in numeric if at < len(row)
        )
        return found if found.columns else Decimals(self._model.DECIMAL)

    def _title(self, column: str) -> str:
        """Return what the file calls a column."""
        return self._header.titles.get(column, column)

    def _whole(self, number: int, row: list[str]) -> list[str] | RefusedLine:
        """Return a cell for each column, or why the line has others. Missing cells at the end are empty."""
        width = len(self._names)
        while len(row) > width and not row[-1].strip():
            del row[-1]
        short = len(row) < width
        # A short line over several lines is more likely one whose quote was closed too late.
        if len(row) > width or (short and any("\n" in cell or "\r" in cell for cell in row)):
            reason = f"has {len(row)} cells, the header {width}"
            return RefusedLine(number, (Problem("", truncated(" ".join(row)), reason),))
        if "\0" in "".join(row):
            return RefusedLine(number, (Problem("", "", "holds a NUL character, which cannot be stored"),))
        return [*row, *[""] * (width - len(row))] if short else row

    def _cells(self, number: int, row: list[str]) -> dict[str, str] | RefusedLine:
        """Return the cells of a line by their columns."""
        whole = self._whole(number, row)
        if isinstance(whole, RefusedLine):
            return whole
        cells = self._by_column(whole)
        if self.format == "lighterpack" and MISSING in row:
            cells = {name: "" if cell == MISSING else cell for name, cell in cells.items()}
        for name in self._unknown:
            if cells.pop(name).strip().lower() not in NOTHING:
                self._left[name] += 1
        return cells

    def _by_column(self, row: list[str]) -> dict[str, str]:
        """Return the cells by their columns; of columns that mean the same, the first with content."""
        cells = dict(zip(reversed(self._names), reversed(row), strict=True))
        if len(cells) < len(row):
            for name, given, cell in zip(self._names, self._header.names, row, strict=True):
                if not cells[name].strip():
                    cells[name] = cell
                elif cell.strip() not in ("", cells[name].strip()):
                    self._left[given] += 1
        return cells

    def _read(self, number: int, cells: dict[str, str]) -> Line | RefusedLine:
        if skipped := self._model.skipped(cells):
            return RefusedLine(number, (skipped,), skipped=True)
        try:
            return self._line(number, cells)
        except ValidationError as exc:
            found = list(problems(exc))
        try:
            if all(self._is_optional(problem.column) for problem in found):
                return self._without(number, cells, found)
        except ValidationError as exc:
            found = list(problems(exc))
        name = cells.get(self._model.column("name"), "")
        return RefusedLine(number, tuple(found), name=truncated(name))

    def _line(self, number: int, cells: Mapping[str, str]) -> Line:
        self._reading.remarks.clear()
        line = self._model.model_validate(cells, context=self._reading).to_line(number).with_margin()
        if not self._reading.remarks:
            return line
        remarks = [Remark(self._model.column(name), note) for name, note in self._reading.remarks]
        return line._replace(remarks=(*line.remarks, *remarks))

    def _is_optional(self, column: str) -> bool:
        return bool(column) and self._fields[column] not in self._model.VITAL

    def _without(self, number: int, cells: Mapping[str, str], found: list[Problem]) -> Line:
        """Read a line without the cells that cannot be read. Some of them become notes."""
        kept, remarks = dict(cells), list[Remark]()
        for column, reason in {problem.column: problem.reason for problem in found}.items():
            cell, field = kept.pop(column).strip(), self._fields[column]
            default = self._model.model_fields[field].default
            if field in self._model.NOTED and self._note(kept, column, cell):
                outcome = "kept in the notes"
            else:
                outcome = f"taken as {default}" if default else "left out"
            remarks.append(Remark(column, f"{quoted(truncated(cell))} {reason}: {outcome}"))
        line = self._line(number, kept)
        return line._replace(remarks=(*remarks, *line.remarks))

    def _note(self, cells: dict[str, str], column: str, cell: str) -> bool:
        """Add a cell to the notes, if the format has notes and there is room."""
        if "notes" not in self._model.model_fields:
            return False
        notes = self._model.column("notes")
        longer = "\n".join(
            part for part in (cells.get(notes, ""), f"{self._title(column)}: {cell}") if part.strip()
        )
        if len(longer.encode()) > MOST_NOTES:
            return False
        cells[notes] = longer
        return True


def counted(lines: int) -> str:
    return f"{lines} {'line' if lines == 1 else 'lines'}"


def problems(error: ValidationError) -> Iterator[Problem]:
    for problem in error.errors(include_url=False, include_context=False):
        column = str(problem["loc"][0]) if problem["loc"] else ""
        value = problem["input"] if isinstance(problem["input"], str) else ""
        yield Problem(column, truncated(value), reworded(problem["msg"]))


def is_old(beginning: str, header: Header) -> bool:
    """Whether LighterPack wrote the list before July 2026, with quotes only around cells that hold a comma.

    It did if more lines can be read that way, or as many in a list that has `undefined` for missing values.
    """
    lines, width = list(io.StringIO(beginning, newline="")), len(header.names)
    split = rows(iter(lines), header.delimiter, skip_blanks=header.skip_blanks)
    new = sum(len(cells) == width for _, cells in split if not isinstance(cells, Problem))
    read = [cells for cells in lighterpack.old_rows(lines, header.delimiter, width) if len(cells) == width]
    return len(read) > new or (len(read) == new and any(MISSING in cells for cells in read))
