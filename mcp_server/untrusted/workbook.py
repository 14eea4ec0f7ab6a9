"""Untrusted workbooks (.xlsx, .xls, .ods), read in a restricted process."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from mcp_server.errors import InvalidInput, did_you_mean, quoted
from mcp_server.untrusted import child

# Bytes of a file, and limits of the process that reads it. A million cells take 0.5 GB.
LARGEST = 10 * 1024**2
MEMORY, SECONDS = 1024**3, 20
PROGRAM = Path(__file__).with_name("workbook_reader.py")
# How archives and the files of older programs begin.
BEGINNINGS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")

INSTEAD = "Save its list as CSV."
REFUSALS = {
    b"no_workbook": f"Not a workbook that can be read: .xlsx, .xls and .ods are. {INSTEAD}",
    b"password": "The workbook is encrypted. Save a copy without a password.",
    b"too_large": f"The workbook expands to more than 256 MB. {INSTEAD}",
    b"too_many_rows": f"The workbook has more than 50,000 rows in a sheet or 1,000,000 cells. {INSTEAD}",
    b"out_of_memory": f"Reading the workbook takes too much memory. {INSTEAD}",
    # The process was ended, by its limit on memory or by the system.
    b"": f"Reading the workbook takes too much memory. {INSTEAD}",
}


class WorkbookSheet(NamedTuple):
    """A sheet that is not empty, as the text of a CSV file."""

    name: str
    hidden: bool
    text: str
    rows: int


def is_workbook(beginning: bytes) -> bool:
    return beginning.startswith(BEGINNINGS)


def sheets(data: bytes, *, memory: int = MEMORY, seconds: float = SECONDS) -> list[WorkbookSheet]:
    """Return the sheets of a workbook that hold something. It takes a process and some time."""
    if len(data) > LARGEST:
        raise InvalidInput(f"The workbook exceeds {LARGEST >> 20} MB. {INSTEAD}")
    try:
        answer = child.converse(child.start(PROGRAM, memory, SECONDS), data, seconds)
    except TimeoutError:
        raise InvalidInput(f"Reading the workbook takes too long. {INSTEAD}") from None
    if answer in REFUSALS:
        raise InvalidInput(REFUSALS[answer])
    found = [
        WorkbookSheet(sheet["name"], sheet["hidden"], as_csv(sheet["rows"]), filled(sheet["rows"]))
        for sheet in json.loads(answer)
    ]
    found = [sheet for sheet in found if sheet.rows]
    if not found:
        raise InvalidInput("The workbook is empty.")
    return found


def as_csv(rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def filled(rows: Sequence[Sequence[str]]) -> int:
    return sum(any(map(str.strip, row)) for row in rows)


def named(found: Sequence[WorkbookSheet], name: str) -> WorkbookSheet:
    """Return the sheet of this name, in any case."""
    for sheet in found:
        if sheet.name.casefold() == name.strip().casefold():
            return sheet
    names = [sheet.name for sheet in found]
    raise InvalidInput(
        f"The workbook has no sheet {quoted(name)}.{did_you_mean(name, names)} "
        f"It has {', '.join(map(quoted, names))}."
    )
