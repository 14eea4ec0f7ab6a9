"""The lines of a list, whichever program wrote it: format, dialect and a verdict for each line."""

import io
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from pydantic import ValidationError

from mcp_server.errors import InvalidInput, reworded
from mcp_server.formats import lighterpack
from mcp_server.formats.gearshed import GearshedLine, GearshedSetupLine
from mcp_server.formats.hikerherd import HikerherdLine
from mcp_server.formats.homebox import HomeboxLine
from mcp_server.formats.lighterpack import LighterPackLine
from mcp_server.formats.line import MISSING, FormatLine, Line, Problem, Reading, RefusedLine, Remark
from mcp_server.formats.packstack import PackstackLine, PackstackPackLine
from mcp_server.formats.text import SEPARATOR, TextSource, delimiter_of, from_file, from_text, rows, truncated
from mcp_server.formats.trail_sense import TrailSenseLine
from mcp_server.models.csv import Format

KNOWN: tuple[tuple[Format, type[FormatLine]], ...] = (
    ("gearshed", GearshedLine),
    ("gearshed", GearshedSetupLine),
    ("lighterpack", LighterPackLine),
    ("hikerherd", HikerherdLine),
    ("packstack", PackstackLine),
    ("packstack_pack", PackstackPackLine),
    ("trail_sense", TrailSenseLine),
    ("homebox", HomeboxLine),
)
# Columns: no program writes as many.
MOST_COLUMNS = 500
# What a cell holds that holds nothing, in whichever column.
NOTHING = frozenset({"", "0", "false", "0001-01-01"})


def open_text(text: str, format: Format | None = None, currency: str | None = None) -> "Reader":
    """Return a reader of *text*. It refuses one whose header fits no format, or not the one that is named."""
    return Reader(from_text(text), format, currency)


@contextmanager
def open_file(
    raw: io.RawIOBase, format: Format | None = None, currency: str | None = None
) -> Generator["Reader"]:
    """Lend a reader of a file of any size, of which it never holds more than a part; close the file."""
    source = from_file(raw)
    with source.lines:
        yield Reader(source, format, currency)


class Reader:
    """A file's lines, to be iterated once: a Line, or RefusedLine, for each that is not blank.

    *currency* is the person's own, in which prices need no remark.
    """

    def __init__(self, source: TextSource, format: Format | None, currency: str | None) -> None:
        delimiter = delimiter_of(source.beginning)
        self._rows = rows(source.lines, delimiter)
        self.header_line, names = self._header()
        self.format: Format
        self.format, self._model = choose(names, format)
        self._given = names
        self._names = [self._model.RENAMED.get(name, name) for name in names]
        self._unknown = [name for name in self._names if name not in self._model.columns()]
        self._reading = Reading(decimal_comma=delimiter != ",", currency=currency)
        self._guessed = source.guessed
        self._left: Counter[str] = Counter()
        if self.format == "lighterpack" and is_old(source.beginning, delimiter, len(names)):
            lines = lighterpack.old_rows(source.lines, delimiter, len(names))
            self._rows = enumerate(lines, self.header_line + 1)

    @property
    def is_list(self) -> bool:
        """Whether the lines are those of a packing list, and not only things."""
        return self._model.IS_LIST

    @property
    def remarks(self) -> list[Remark]:
        """What there is to say of the file as a whole, complete when all lines have been read."""
        guess = [Remark("", f"not in UTF-8: read as {self._guessed}, look at its letters")]
        return (guess if self._guessed else []) + [
            Remark(column, f"not kept, on {count} {'line' if count == 1 else 'lines'}")
            for column, count in self._left.items()
        ]

    def __iter__(self) -> Iterator[Line | RefusedLine]:
        for number, cells in self._rows:
            if isinstance(cells, Problem):
                yield RefusedLine(number, (cells,))
            elif "".join(cells).strip(" \t"):
                yield self._read(number, cells)

    def _header(self) -> tuple[int, list[str]]:
        for number, cells in self._rows:
            if isinstance(cells, Problem):
                raise InvalidInput(f"The first line {cells.reason}.")
            if any("\0" in cell for cell in cells):
                raise InvalidInput(
                    "The first line holds NUL characters: it is no text, or it is UTF-16 or UTF-32 without a "
                    "mark. Save the file as CSV in UTF-8."
                )
            if any(cell.strip() for cell in cells) and cells[0].lower() != SEPARATOR:
                return number, [cell.strip().lower() for cell in cells]
        raise InvalidInput("The list is empty: its first line has to name its columns.")

    def _read(self, number: int, row: list[str]) -> Line | RefusedLine:
        if len(row) != len(self._names):
            reason = f"has {len(row)} cells, the header {len(self._names)}"
            return RefusedLine(number, (Problem("", truncated(" ".join(row)), reason),))
        if "\0" in "".join(row):
            return RefusedLine(number, (Problem("", "", "holds a NUL character, which cannot be stored"),))
        cells = self._cells(row)
        if self.format == "lighterpack" and MISSING in row:
            cells = {name: "" if cell == MISSING else cell for name, cell in cells.items()}
        for name in self._unknown:
            if cells.pop(name).strip().lower() not in NOTHING:
                self._left[name] += 1
        if skipped := self._model.skipped(cells):
            return RefusedLine(number, (skipped,), skipped=True)
        try:
            return self._model.model_validate(cells, context=self._reading).to_line(number)
        except ValidationError as exc:
            return RefusedLine(number, tuple(problems(exc)))

    def _cells(self, row: list[str]) -> dict[str, str]:
        """Return the cells by their columns; of columns that mean the same, the first that is filled."""
        cells = dict(zip(reversed(self._names), reversed(row), strict=True))
        if len(cells) < len(row):
            for name, given, cell in zip(self._names, self._given, row, strict=True):
                if not cells[name].strip():
                    cells[name] = cell
                elif cell.strip() not in ("", cells[name].strip()):
                    self._left[given] += 1
        return cells


def problems(error: ValidationError) -> Iterator[Problem]:
    for problem in error.errors(include_url=False, include_context=False):
        column = str(problem["loc"][0]) if problem["loc"] else ""
        value = problem["input"] if isinstance(problem["input"], str) else ""
        yield Problem(column, truncated(value), reworded(problem["msg"]))


class Rank(NamedTuple):
    """How well columns fit a format, the best being the greatest."""

    fits: bool
    own: int
    known: int


def rank(model: type[FormatLine], names: list[str]) -> Rank:
    found = {model.RENAMED.get(name, name) for name in names}
    return Rank(found >= model.NEEDED, len(found & model.OWN), len(found & model.columns()))


def no_format(names: list[str], nearest: tuple[Format, type[FormatLine]]) -> str:
    format, model = nearest
    missing = ", ".join(sorted(model.NEEDED - set(names)))
    formats = ", ".join(dict.fromkeys(known[0] for known in KNOWN))
    return (
        f"Not a list that is known here: its first line names {truncated(', '.join(names))}. "
        f"The nearest format is {format}, which also needs {missing}. There are: {formats}."
    )


def is_old(beginning: str, delimiter: str, width: int) -> bool:
    """Whether LighterPack wrote the list before July 2026, with quotes only around cells that hold a comma.

    It is if more lines can be read so, or as many while it says `undefined` of missing values.
    """
    lines = list(io.StringIO(beginning, newline=""))
    read = (cells for _, cells in rows(iter(lines), delimiter) if not isinstance(cells, Problem))
    new = [cells for cells in read if len(cells) == width]
    old = [cells for cells in lighterpack.old_rows(lines, delimiter, width) if len(cells) == width]
    missing = any(MISSING in cells for cells in old)
    return len(old) > len(new) or (len(old) == len(new) and missing)


def choose(names: list[str], named: Format | None) -> tuple[Format, type[FormatLine]]:
    """Return the format with these columns: of those that fit, the one with the most columns of its own."""
    if len(names) > MOST_COLUMNS:
        raise InvalidInput(f"The first line names {len(names)} columns: keep those of one program.")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidInput(f"The first line names the column {twice!r} twice.")
    if any(not name for name in names):
        raise InvalidInput("The first line has a column without a name: remove it, or name it.")
    candidates = [known for known in KNOWN if named in (None, known[0])]
    ranks = {known: rank(known[1], names) for known in candidates}
    best = max(candidates, key=lambda known: ranks[known])
    if not ranks[best].fits:
        raise InvalidInput(no_format(names, best))
    tied = [known[0] for known in candidates if ranks[known] == ranks[best]]
    if len(tied) > 1:
        raise InvalidInput(f"The columns fit more than one program: name one as format: {', '.join(tied)}.")
    return best
