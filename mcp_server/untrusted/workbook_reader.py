"""A separate process that reads one workbook: untrusted bytes on standard input, JSON on standard output.

It runs as a script (`workbook_reader.py MEMORY SECONDS`) and imports only its confinement from Gearshed.
It writes a list of sheets, `[{"name": …, "hidden": …, "rows": [[…]]}]`, or one of the error codes below.
"""

import codecs
import datetime
import json
import sys
import zipfile
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

from python_calamine import (
    CalamineError,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
    ZipError,
)

# In a wheel, this package is in a folder that Python does not search.
sys.path.insert(0, str(Path(__file__).parents[2]))

from mcp_server.untrusted.confinement import drop_privileges, limit_memory, limit_resources

NO_WORKBOOK, PASSWORD, TOO_LARGE, TOO_MANY_ROWS = b"no_workbook", b"password", b"too_large", b"too_many_rows"
OUT_OF_MEMORY = b"out_of_memory"
# Bytes to which the parts of a workbook may claim to expand. The limit on memory stops those that lie.
MOST_EXPANDED = 256 * 1024**2
# Rows of a sheet, and cells and characters of all sheets.
MOST_ROWS, MOST_CELLS, MOST_CHARACTERS = 50_000, 1_000_000, 32 * 1024**2
# The digits that a spreadsheet keeps.
DIGITS = 15


class Refused(Exception):
    """A refusal; the argument is its error code."""


def main() -> None:
    memory, seconds = map(int, sys.argv[1:])
    # For the names in archives: later, the process can no longer open files.
    codecs.lookup("cp437")
    drop_privileges()
    limit_memory(memory)
    limit_resources(seconds)
    sys.stdout.buffer.write(answer(sys.stdin.buffer.read()))


def answer(data: bytes) -> bytes:
    try:
        check_size(data)
        return json.dumps(sheets(data)).encode()
    except Refused as exc:
        return exc.args[0]
    except PasswordError:
        return PASSWORD
    except (CalamineError, ZipError, zipfile.BadZipFile):
        return NO_WORKBOOK
    except MemoryError:
        return OUT_OF_MEMORY
    # A panic of the library is not an Exception.
    except BaseException:
        return NO_WORKBOOK


def check_size(data: bytes) -> None:
    """Refuse an archive that says that it expands too much, before anything is expanded."""
    if zipfile.is_zipfile(BytesIO(data)):
        with zipfile.ZipFile(BytesIO(data)) as archive:
            if sum(part.file_size for part in archive.infolist()) > MOST_EXPANDED:
                raise Refused(TOO_LARGE)


def sheets(data: bytes) -> list[dict[str, Any]]:
    workbook = CalamineWorkbook.from_filelike(BytesIO(data))
    found: list[dict[str, Any]] = []
    cells = characters = 0
    for at, sheet in enumerate(workbook.sheets_metadata):
        if sheet.typ != SheetTypeEnum.WorkSheet:
            continue
        content = workbook.get_sheet_by_index(at)
        height, width = content.total_height, content.total_width
        cells += height * width
        if height > MOST_ROWS or cells > MOST_CELLS:
            raise Refused(TOO_MANY_ROWS)
        rows = [[written(cell) for cell in row] for row in content.to_python(skip_empty_area=False)]
        characters += sum(len(cell) for row in rows for cell in row)
        if characters > MOST_CHARACTERS:
            raise Refused(TOO_LARGE)
        hidden = sheet.visible != SheetVisibleEnum.Visible
        found.append({"name": sheet.name, "hidden": hidden, "rows": rows})
    return found


def written(cell: Any) -> str:
    """Write a number so that its point cannot be taken for that of thousands: 1.2340, not 1.234."""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, int | float):
        text = f"{Decimal(f'{cell:.{DIGITS}g}'):f}"
        whole, point, decimals = text.partition(".")
        decimals = decimals.rstrip("0")
        return f"{whole}{point}{decimals}{'0' * (len(decimals) == 3)}" if decimals else whole
    if isinstance(cell, datetime.date | datetime.time):
        return cell.isoformat()
    # One row is one line, so that messages have the numbers of the rows.
    return " ".join(str(cell).split("\n")).replace("\r", "")


if __name__ == "__main__":
    main()
