"""The headings of a spreadsheet: lines with one cell, categories as merged cells, and the header again."""

from collections.abc import Sequence
from itertools import pairwise

from mcp_server.formats.aliases import is_sum
from mcp_server.formats.columns import Sheet
from mcp_server.formats.numbers import NUMBER


class Headings:
    """Which lines of a sheet are headings, as its rows show."""

    def __init__(self, sheet: Sheet) -> None:
        self._columns = sheet.columns
        self._lower = [name.casefold() for name in sheet.names]
        fields = [column.field if column else "" for column in sheet.columns]
        self._name = fields.index("name")
        self._category = fields.index("category") if "category" in fields else None
        self._needs_blank = self._exist = self.are_merged = False

    def look(self, rows: Sequence[Sequence[str]]) -> None:
        self._find(rows)
        self.are_merged = self._find_merged(rows)

    def _find(self, rows: Sequence[Sequence[str]]) -> None:
        """Decide whether lines with one cell are headings: the first one is, or blank lines are above all."""
        alone: list[tuple[bool, bool]] = []
        blank = False
        for row in rows:
            if not any(map(str.strip, row)):
                blank = True
                continue
            alone.append((self.is_alone(row), blank))
            blank = False
        pairs = [now for now, after in pairwise(alone) if now[0] and not after[0]]
        starts = bool(alone) and alone[0][0]
        after_blanks = [above for _, above in pairs[1 if starts else 0 :]]
        self._needs_blank = bool(after_blanks) and all(after_blanks)
        self._exist = bool(pairs) and (starts or self._needs_blank)

    def _find_merged(self, rows: Sequence[Sequence[str]]) -> bool:
        """Decide whether a category is written once for all of its lines, as merged cells are."""
        at, name = self._category, self._name
        if at is None or at > name:
            return False
        filled = [row[at].strip() for row in rows if len(row) > name and row[name].strip()]
        categories = [cell.casefold() for cell in filled if cell]
        is_once = len(set(categories)) == len(categories)
        return bool(filled and filled[0]) and is_once and len(categories) < len(filled)

    def is_alone(self, row: Sequence[str]) -> bool:
        """Whether a line has one cell, where the name or the category is."""
        filled = [at for at, cell in enumerate(row) if cell and not cell.isspace()]
        if len(filled) != 1 or len(self._columns) < 2:
            return False
        (at,) = filled
        if self._category is not None:
            return at == self._category
        is_first = at == 0 and self._columns[0] is None
        return (
            (at == self._name or is_first) and not is_sum(row[at]) and not NUMBER.fullmatch(row[at].strip())
        )

    def may_be_one(self, *, after_blank: bool) -> bool:
        if self._category is not None:
            return True
        return self._exist and (after_blank or not self._needs_blank)

    def repeated(self, row: Sequence[str], weights: Sequence[int]) -> str | None:
        """Return the heading in a line that repeats the header, "" without one, or None for another line."""
        same = [cell.strip().casefold() == name for cell, name in zip(row, self._lower, strict=True)]
        if not any(same):
            return None
        others = [at for at, cell in enumerate(row) if cell.strip() and not same[at]]
        if sum(same) >= 2 and not others:
            return ""
        is_header = bool(weights) and all(same[at] for at in weights)
        return row[others[0]] if is_header and others == [self._name] else None
