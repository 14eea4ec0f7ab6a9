"""The columns of a person's own spreadsheet: which field each holds, as recognised or as the person says."""

import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from mcp_server.errors import InvalidInput, did_you_mean, quoted
from mcp_server.formats.aliases import UNITS, Column, folded, recognized, units
from mcp_server.formats.header import DELIMITERS, MOST_COLUMNS, head, is_spaced, is_title
from mcp_server.formats.line import Problem
from mcp_server.formats.text import rows
from mcp_server.models.csv import MOST_MAPPED, Saved
from mcp_server.models.settings import WeightUnit

WEIGHTS = ("weight", "total weight")
# Fields that several columns can have: notes are joined, and weights of one thing must agree.
SHARED = frozenset({"notes", "weight", "trip", "ignore"})
# Fields whose second column could be another figure, so that neither is taken.
FIGURES = frozenset({"quantity", "price", "worn", "consumable", "total weight"})
# What a person may call a column's field. `description` is recognised, and is notes or a name in the end.
FIELDS = ("name", "category", *WEIGHTS, "unit", "quantity", "price", "notes", "link", "brand", "model")
TARGETS = (*FIELDS, "worn", "consumable", "trip", "ignore")
# The rank of a column of notes that is called something else: its name goes into the notes.
NAMED_NOTES = 100
# A Markdown table separates cells by a bar.
MARKDOWN = "|"


class Asked(NamedTuple):
    """How a person wants a spreadsheet to be read, and how others with known headers were read before."""

    columns: Mapping[str, str] = {}
    weight_unit: WeightUnit | None = None
    saved: Mapping[str, Saved] = {}
    setup_name: str | None = None


UNASKED = Asked()


class Sheet(NamedTuple):
    """The header of a spreadsheet: its names, the line it is on, and what each column holds, if known.

    `given` is what a person says of it, now or, if `remembered`, before.
    """

    number: int
    names: list[str]
    delimiter: str
    skip_blanks: bool
    above: int
    columns: list[Column | None]
    given: Saved
    remembered: bool

    @property
    def key(self) -> str:
        return key_of(self.names)

    @property
    def weight_unit(self) -> str | None:
        return self.given.weight_unit

    @property
    def mapping(self) -> dict[str, str]:
        """Return each column and what it is taken for."""
        return {name: str(column) for name, column in zip(self.names, self.columns, strict=True) if column}


def key_of(names: Iterable[str]) -> str:
    """Return what a header is known by: its names in any case, in order."""
    return hashlib.sha256("\n".join(map(str.casefold, names)).encode()).hexdigest()[:32]


def find_sheet(beginning: str, asked: Asked) -> Sheet | None:
    """Return the header of a spreadsheet: the line that names the most fields, or those that *asked* maps."""
    lines, best, best_score = head(beginning), None, 0
    for skip_blanks in (False, True):
        for delimiter in sorted((*DELIMITERS, MARKDOWN), key=beginning.count, reverse=True):
            above = 0
            for number, cells in rows(iter(lines), delimiter, skip_blanks=skip_blanks):
                is_header = not isinstance(cells, Problem) and len(cells) <= MOST_COLUMNS
                names = titles(cells) if is_header else []
                score = rank(names, asked)
                if score > best_score:
                    spaced = skip_blanks or is_spaced(cells)
                    best, best_score = (number, names, delimiter, spaced, above), score
                above += is_title(cells, lines[number - 1])
    return best and sheet(*best, asked)


def titles(cells: Sequence[str]) -> list[str]:
    """Return the names of columns, each of them once. Those without a name at the end are dropped."""
    names = [" ".join(cell.strip().strip("*").split()) for cell in cells]
    while names and not names[-1]:
        del names[-1]
    times = Counter(map(str.casefold, names))
    return [
        name if name and times[name.casefold()] == 1 else f"{name} (column {at})" if name else f"column {at}"
        for at, name in enumerate(names, 1)
    ]


def rank(names: Sequence[str], asked: Asked) -> int:
    """Return how likely a line is the header: the number of columns whose meaning is known, or 0."""
    if not names:
        return 0
    if key_of(names) in asked.saved and not asked.columns:
        return 2 * MOST_COLUMNS
    wanted = {name.casefold().strip() for name in asked.columns}
    given = wanted & {name.casefold() for name in names}
    found = {column.field for column in map(recognized, names) if column}
    named = found & {"name", "model", "description"} or names[0] == "column 1"
    enough = len(found) >= 2 and named and (found & {"name", *WEIGHTS})
    return (MOST_COLUMNS * len(given) if given else 0) + (len(found) if enough else 0)


def sheet(
    number: int, names: list[str], delimiter: str, skip_blanks: bool, above: int, asked: Asked
) -> Sheet:
    saved = None if asked.columns else asked.saved.get(key_of(names))
    given = Saved(
        columns=saved.columns if saved else dict(asked.columns),
        weight_unit=asked.weight_unit or (saved.weight_unit if saved else None),
    )
    columns = mapped(names, given.columns)
    return Sheet(number, names, delimiter, skip_blanks, above, columns, given, saved is not None)


def mapped(names: Sequence[str], given: Mapping[str, str]) -> list[Column | None]:
    """Return what each column holds: as *given*, and the others as recognised, without what is given."""
    wishes = wishes_for(names, given)
    columns = [wishes.get(name) or recognized(name) for name in names]
    fixed = {column.field for column in wishes.values()} - {"notes", "trip", "ignore"}
    if fixed & set(WEIGHTS):
        fixed |= {*WEIGHTS}
    for at, column in enumerate(columns):
        if column and column.field in fixed and names[at] not in wishes:
            columns[at] = None
    name_among(names, columns)
    without_doubles(columns)
    refuse_two_figures(names, columns)
    if all(column is None or column.field != "name" for column in columns):
        raise InvalidInput(
            f"No column is the name of the item: the header names {quoted(', '.join(names))}. "
            f"Give columns, such as {shown({first_unknown(names, columns): 'name'})}."
        )
    return columns


def wishes_for(names: Sequence[str], given: Mapping[str, str]) -> dict[str, Column]:
    """Return the columns that a person maps. Refuse one that does not exist, or a field that does not."""
    by_name = {name.casefold(): name for name in names}
    wishes: dict[str, Column] = {}
    for name, target in given.items():
        known = by_name.get(" ".join(name.split()).casefold())
        if known is None:
            raise InvalidInput(
                f"columns: the header has no column {quoted(name)}.{did_you_mean(name, names)} "
                f"It names {quoted(', '.join(names))}."
            )
        wish, usual = target_of(target), recognized(known)
        is_other = wish.field == "notes" and (usual is None or usual.field not in ("notes", "description"))
        currency = usual.currency if usual and wish.field == "price" else ""
        wishes[known] = wish._replace(rank=NAMED_NOTES if is_other else 0, currency=currency)
    return wishes


def target_of(text: str) -> Column:
    """Read what a person says that a column holds: `weight g`, `notes`, `ignore`."""
    words = text.casefold().split()
    unit = units().get(words[-1]) if words else None
    field = " ".join(words[:-1] if unit else words)
    if field not in TARGETS or (unit and field not in WEIGHTS):
        raise InvalidInput(
            f"columns: {quoted(text)} is unknown. A column holds one of: {', '.join(TARGETS)}; "
            f"a weight with its unit ({', '.join(UNITS)}), such as weight g."
        )
    return Column(field, unit)


def name_among(names: Sequence[str], columns: list[Column | None]) -> None:
    """Take the model, the description or an untitled first column for the name, if no other column is it."""
    fields = {column.field: at for at, column in reversed([*enumerate(columns)]) if column}
    if "name" not in fields:
        at = fields.get("model", fields.get("description"))
        if at is None and names[0] == "column 1" and columns[0] is None:
            at = 0
        if at is not None:
            columns[at] = Column("name")
    for at, column in enumerate(columns):
        if column and column.field == "description":
            columns[at] = Column("notes", rank=column.rank)


def without_doubles(columns: list[Column | None]) -> None:
    """Keep of each text the usual column, and of weights those of one piece, if there are any."""
    best: dict[str, Column] = {}
    for column in filter(None, columns):
        if column.field not in best or column.rank < best[column.field].rank:
            best[column.field] = column
    united = any(column and column.field in WEIGHTS and column.unit for column in columns)
    seen = set[str]()
    for at, column in enumerate(columns):
        if column is None:
            continue
        is_second = column.field not in SHARED | FIGURES and (
            column is not best[column.field] or column.field in seen
        )
        is_sum = column.field == "total weight" and "weight" in best
        # Beside a weight whose header has the unit.
        is_loose = united and (column.field == "unit" or (column.field in WEIGHTS and not column.unit))
        if is_second or is_sum or is_loose:
            columns[at] = None
        else:
            seen.add(column.field)


def refuse_two_figures(names: Sequence[str], columns: Sequence[Column | None]) -> None:
    for field in FIGURES:
        found = [
            name for name, column in zip(names, columns, strict=True) if column and column.field == field
        ]
        if len(found) > 1:
            raise InvalidInput(
                f"The columns {in_quotes(found)} may both be the {field}. Give columns, such as "
                f"{shown(dict.fromkeys(found[1:], 'ignore'))}."
            )


def in_quotes(names: Iterable[str]) -> str:
    return " and ".join(map(quoted, names))


def first_unknown(names: Sequence[str], columns: Sequence[Column | None]) -> str:
    return next((name for name, column in zip(names, columns, strict=True) if column is None), names[0])


def proposal(names: Sequence[str]) -> dict[str, str]:
    """Return a mapping of an unknown header for a person to complete. Its first column is the name."""
    found = {name: recognized(name) for name in names[:MOST_MAPPED]}
    mapping = {name: str(column) if column else "ignore" for name, column in found.items()}
    if "name" not in mapping.values():
        unknown = [name for name in found if not found[name]] or [*found]
        mapping[next((name for name in unknown if "name" in folded(name).split()), unknown[0])] = "name"
    return mapping


def names_of(beginning: str) -> list[str]:
    """Return the cells of the first line that may be a header."""
    lines = io.StringIO(beginning, newline="")
    first = next((line for line in lines if line.strip()), "")
    ((_, cells), *_) = rows(iter([first]), max(DELIMITERS, key=first.count))
    return [] if isinstance(cells, Problem) else titles(cells[:MOST_COLUMNS])


def shown(mapping: Mapping[str, str]) -> str:
    """Return a mapping as JSON. Characters that a terminal or an agent would obey are escaped."""
    return "".join(
        character if character.isprintable() else json.dumps(character)[1:-1]
        for character in json.dumps(mapping, ensure_ascii=False)
    )
