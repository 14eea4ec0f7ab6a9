"""A list as a file: text in any encoding, or a workbook with several sheets."""

from collections.abc import Sequence
from typing import NamedTuple

import anyio.to_thread

from mcp_server.errors import InvalidInput, quoted
from mcp_server.formats.columns import Asked
from mcp_server.formats.opening import looks_like_list, reader_of
from mcp_server.formats.reader import Reader
from mcp_server.formats.text import TextSource, from_bytes, from_text
from mcp_server.models.csv import Format
from mcp_server.turns import Turns
from mcp_server.untrusted import workbook
from mcp_server.untrusted.workbook import WorkbookSheet

# Workbooks that are read at a time: per user, and in all.
WORKBOOKS = Turns(1, 2, "workbooks")


class ListFile(NamedTuple):
    """The content of a file: a text, or the sheets of a workbook. `note` is where it is from."""

    data: bytes | str
    sheets: Sequence[WorkbookSheet] = ()
    sheet: str | None = None
    note: str = ""

    def reader(self, format: Format | None, currency: str | None, asked: Asked) -> Reader:
        if self.sheets:
            source = chosen(self.sheets, self.sheet, format, asked)
        else:
            source = from_text(self.data) if isinstance(self.data, str) else from_bytes(self.data)
        note = "; ".join(filter(None, (self.note, source.note)))
        return reader_of(source._replace(note=note), format, currency, asked)


def read(data: bytes, sheet: str | None = None, note: str = "") -> ListFile:
    """Return what a file holds. It takes a process for a workbook."""
    if workbook.is_workbook(data):
        return ListFile(b"", workbook.sheets(data), sheet, note)
    if sheet is not None:
        raise InvalidInput("sheet: the file is not a workbook. Leave sheet out.")
    return ListFile(data, note=note)


async def read_in_turn(
    data: bytes | str, sheet: str | None = None, note: str = "", *, user_id: int | None
) -> ListFile:
    """Do the same in a turn of the user. Do not hold a connection."""
    if isinstance(data, str):
        return read(data.encode(), sheet, note)._replace(data=data)
    if not workbook.is_workbook(data):
        return read(data, sheet, note)
    async with WORKBOOKS.take(user_id):
        return await anyio.to_thread.run_sync(read, data, sheet, note)


def chosen(
    sheets: Sequence[WorkbookSheet], name: str | None, format: Format | None, asked: Asked
) -> TextSource:
    """Return the sheet of this name, or the longest one that looks like a list, and say which that is."""
    if name is not None:
        return from_text(workbook.named(sheets, name).text)
    if len(sheets) == 1:
        return from_text(sheets[0].text)
    lists = [sheet for sheet in sheets if not sheet.hidden and looks_like_list(sheet.text, format, asked)]
    best = max(lists or sheets, key=lambda sheet: sheet.rows)
    names = ", ".join(quoted(sheet.name) for sheet in sheets)
    return from_text(best.text)._replace(
        note=f"the sheet {quoted(best.name)} of {names}; give sheet for another"
    )
