"""From a text or a file to its reader: that of a known program, of a spreadsheet, or of plain text."""

import io
from collections.abc import Generator
from contextlib import contextmanager

from mcp_server.errors import InvalidInput
from mcp_server.formats.columns import UNASKED, Asked, find_sheet, names_of, proposal, shown, wishes_for
from mcp_server.formats.header import Header, find_header, head, unknown_format
from mcp_server.formats.plain import PlainReader, is_plain
from mcp_server.formats.reader import Reader
from mcp_server.formats.sheet_reader import SheetReader
from mcp_server.formats.text import TextSource, from_file, from_text
from mcp_server.models.csv import Format


def open_text(
    text: str, format: Format | None = None, currency: str | None = None, asked: Asked = UNASKED
) -> Reader:
    """Return a reader of *text*. It refuses one that it cannot read, or not as the given *format*."""
    return reader_of(from_text(text), format, currency, asked)


@contextmanager
def open_file(
    raw: io.RawIOBase, format: Format | None = None, currency: str | None = None, asked: Asked = UNASKED
) -> Generator[Reader]:
    """Lend a reader of a file of any size, and close the file. Only a part of it is in memory at a time."""
    source = from_file(raw)
    with source.file:
        yield reader_of(source, format, currency, asked)


def reader_of(source: TextSource, format: Format | None, currency: str | None, asked: Asked) -> Reader:
    beginning = source.beginning
    if header := known_header(beginning, format, asked):
        return Reader(source, header, currency)
    if format in (None, "spreadsheet") and (sheet := find_sheet(beginning, asked)):
        return SheetReader(source, sheet, currency, asked)
    if format == "text" or (format is None and not asked.columns and is_plain(beginning)):
        return PlainReader(source, currency, asked.weight_unit)
    if asked.columns:
        wishes_for(names_of(beginning), asked.columns)
    if format in (None, "spreadsheet") and (names := names_of(beginning)):
        raise InvalidInput(
            f"{unknown_format(beginning, None).args[0]} For a spreadsheet of your own, complete its columns: "
            f"{shown(proposal(names))}."
        )
    raise unknown_format(beginning, format)


def looks_like_list(text: str, format: Format | None, asked: Asked) -> bool:
    """Whether a text has a header that is known, or that a person has to explain."""
    try:
        beginning = from_text(text).beginning
        return bool(known_header(beginning, format, asked) or find_sheet(beginning, asked))
    except InvalidInput:
        return True


def known_header(beginning: str, format: Format | None, asked: Asked) -> Header | None:
    """Return the header of a known program, unless the columns are the person's own."""
    if format in ("spreadsheet", "text") or (format is None and asked.columns):
        head(beginning)
        return None
    return find_header(beginning, format)
