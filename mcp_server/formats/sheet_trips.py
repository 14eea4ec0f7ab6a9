"""The columns of a spreadsheet that are trips: ticks or counts of what each takes along."""

from collections.abc import Sequence

from mcp_server.formats.columns import Sheet
from mcp_server.formats.sheet import mark

# Pieces on a trip: a larger number in a column is something else, such as a year.
MOST_PACKED = 99


class Trips:
    """The trips of a sheet, and the one that says what is in the setup."""

    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet
        self.columns: list[int] = []
        self.chosen: int | None = None

    def look(self, rows: Sequence[Sequence[str]], setup_name: str | None) -> None:
        columns = [*enumerate(self._sheet.columns)]
        explicit = [at for at, column in columns if column and column.field == "trip"]
        looks = [
            at
            for at, column in columns
            if column is None and looks_like_trip([row[at] for row in rows if at < len(row)])
        ]
        self.columns = sorted([*explicit, *looks])
        wanted = (setup_name or "").casefold()
        named = [at for at in self.columns if self._sheet.names[at].casefold() == wanted]
        if not named and setup_name and len(explicit) == 1:
            named = explicit
        self.chosen = named[0] if named else None


def looks_like_trip(cells: Sequence[str]) -> bool:
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
