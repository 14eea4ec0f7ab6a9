"""The header of a list: where it is, what separates its columns, and which program writes such columns."""

import io
from collections.abc import Mapping
from itertools import islice
from typing import NamedTuple

from mcp_server.errors import InvalidInput, quoted
from mcp_server.formats.gearbox import GearBoxLine
from mcp_server.formats.gearshed import GearshedLine, GearshedSetupLine
from mcp_server.formats.hikerherd import HikerherdLine
from mcp_server.formats.homebox import HomeboxLine
from mcp_server.formats.lighterpack import LighterPackLine
from mcp_server.formats.line import FormatLine, Problem
from mcp_server.formats.packstack import PackstackLine, PackstackPackLine
from mcp_server.formats.text import SEPARATOR, rows, truncated
from mcp_server.formats.trail_sense import TrailSenseLine
from mcp_server.models.csv import Format

KNOWN: tuple[tuple[Format, type[FormatLine]], ...] = (
    ("gearshed", GearshedLine),
    ("gearshed", GearshedSetupLine),
    ("lighterpack", LighterPackLine),
    ("gearbox", GearBoxLine),
    ("hikerherd", HikerherdLine),
    ("packstack", PackstackLine),
    ("packstack_pack", PackstackPackLine),
    ("trail_sense", TrailSenseLine),
    ("homebox", HomeboxLine),
)
# Columns: no program writes as many.
MOST_COLUMNS = 500
# Lines of a file among which its header must be: a title may stand above it.
HEAD = 20
DELIMITERS = ",;\t"


class Header(NamedTuple):
    """The names of the columns, in lower case, and the line they are on.

    `above` counts the lines above that are not blank. With `skip_blanks`, blanks follow the delimiters.
    `titles` are the names that messages show, where these differ.
    """

    number: int
    names: list[str]
    delimiter: str
    skip_blanks: bool
    above: int
    format: Format
    model: type[FormatLine]
    titles: Mapping[str, str] = {}


class Rank(NamedTuple):
    """How well columns fit a format; the best is the greatest."""

    fits: bool
    own: int
    known: int


def head(beginning: str) -> list[str]:
    """Return the lines among which the header is. Refuse a file that is empty or not text."""
    lines = [*islice(io.StringIO(beginning, newline=""), HEAD)]
    if lines and "\0" in lines[0]:
        raise InvalidInput(
            "The first line holds NUL characters: the file is not text, or it is UTF-16 or UTF-32 without a "
            "byte order mark. Save the file as CSV in UTF-8."
        )
    if all(not line.strip() or is_separator(line) for line in lines):
        raise InvalidInput("The list is empty: its first line has to name its columns.")
    return lines


def find_header(beginning: str, format: Format | None) -> Header | None:
    """Return the first line that names the columns of a known format, or of *format*."""
    lines = head(beginning)
    for skip_blanks in (False, True):
        for delimiter in sorted(DELIMITERS, key=beginning.count, reverse=True):
            if found := header_in(lines, delimiter, skip_blanks, format):
                return found
    return None


def unknown_format(beginning: str, format: Format | None) -> InvalidInput:
    """Return the refusal of a list whose first line names no columns that are known."""
    lines = head(beginning)
    first = next(line for line in lines if line.strip() and not is_separator(line))
    ((_, names), *_) = rows(iter([first]), max(DELIMITERS, key=first.count))
    if isinstance(names, Problem):
        return InvalidInput(f"The first line {names.reason}.")
    return InvalidInput(no_format(in_lower_case(names), format))


def is_separator(line: str) -> bool:
    """Whether a line is the one with which Excel marks the delimiter: `sep=;`."""
    return line.lower().startswith(SEPARATOR)


def header_in(lines: list[str], delimiter: str, skip_blanks: bool, format: Format | None) -> Header | None:
    above = 0
    for number, cells in rows(iter(lines), delimiter, skip_blanks=skip_blanks):
        names = [] if isinstance(cells, Problem) else in_lower_case(cells)
        if any(rank(model, names).fits for _, model in candidates(format)):
            chosen = choose(names, format)
            return chosen and Header(
                number, names, delimiter, skip_blanks or is_spaced(cells), above, *chosen
            )
        above += is_title(cells, lines[number - 1])
    return None


def is_spaced(cells: list[str] | Problem) -> bool:
    """Whether a blank follows each delimiter."""
    return not isinstance(cells, Problem) and all(cell[:1] == " " for cell in cells[1:])


def is_title(cells: list[str] | Problem, line: str) -> bool:
    """Whether a line above the header holds something."""
    return (isinstance(cells, Problem) or any(map(str.strip, cells))) and not is_separator(line)


def in_lower_case(cells: list[str]) -> list[str]:
    """Return the names of columns. One without a name is named by its place; those at the end are dropped."""
    names = [cell.strip().lower() for cell in cells]
    while names and not names[-1]:
        del names[-1]
    return [name or f"column {at}" for at, name in enumerate(names, 1)]


def candidates(named: Format | None) -> list[tuple[Format, type[FormatLine]]]:
    return [known for known in KNOWN if named in (None, known[0])]


def choose(names: list[str], named: Format | None) -> tuple[Format, type[FormatLine]] | None:
    """Return the format with these columns: of those that fit, the one with the most columns of its own.

    Columns that fit several equally well are not those of any program.
    """
    if len(names) > MOST_COLUMNS:
        raise InvalidInput(f"The header names {len(names)} columns: keep those of one program.")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidInput(f"The header names the column {quoted(twice)} twice.")
    ranks = {known: rank(known[1], names) for known in candidates(named)}
    best = max(ranks, key=lambda known: ranks[known])
    return best if [*ranks.values()].count(ranks[best]) == 1 else None


def rank(model: type[FormatLine], names: list[str]) -> Rank:
    found = {model.RENAMED.get(name, name) for name in names}
    return Rank(found >= model.NEEDED, len(found & model.OWN), len(found & model.columns()))


def no_format(names: list[str], named: Format | None) -> str:
    format, model = max(candidates(named), key=lambda known: rank(known[1], names))
    missing = ", ".join(sorted(model.NEEDED - set(names)))
    formats = ", ".join(dict.fromkeys(known[0] for known in KNOWN))
    return (
        f"Not a list in a known format: its first line names {quoted(truncated(', '.join(names)))}. "
        f"The nearest format is {format}, which also needs {missing}. The formats are: {formats}."
    )
