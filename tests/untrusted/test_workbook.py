"""Workbooks: every kind is read to the same list, and hostile ones are refused within bounds."""

# The library that writes them has incomplete types.
# pyright: reportUnknownMemberType=false

import io
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter  # pyright: ignore[reportMissingTypeStubs]

from mcp_server.errors import InvalidInput
from mcp_server.formats.columns import UNASKED
from mcp_server.formats.line import Line
from mcp_server.services import listfile
from mcp_server.untrusted import workbook, workbook_reader

FOLDER = Path(__file__).parents[1] / "data" / "workbooks"
GEAR = [["Item", "Weight (g)", "Qty"], ["Tent", 1180.5, 1], ["Stakes", 9.5, 8]]
CONTENT = """<?xml version="1.0" encoding="UTF-8"?>
<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.2"><office:body>
<office:spreadsheet>{}</office:spreadsheet></office:body></office:document-content>"""


def xlsx(sheets: Mapping[str, Sequence[Sequence[Any]]], hidden: Sequence[str] = ()) -> bytes:
    data = io.BytesIO()
    with xlsxwriter.Workbook(data, {"in_memory": True, "default_date_format": "yyyy-mm-dd"}) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for at, row in enumerate(rows):
                sheet.write_row(at, 0, row)
            if name in hidden:
                sheet.hide()
    return data.getvalue()


def ods(rows: Sequence[Sequence[Any]]) -> bytes:
    def cell(value: Any) -> str:
        if isinstance(value, str):
            return f'<table:table-cell office:value-type="string"><text:p>{value}</text:p></table:table-cell>'
        return f'<table:table-cell office:value-type="float" office:value="{value}"/>'

    lines = "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in rows)
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet", zipfile.ZIP_STORED)
        archive.writestr(
            "content.xml", CONTENT.format(f'<table:table table:name="Gear">{lines}</table:table>')
        )
        archive.writestr(
            "META-INF/manifest.xml",
            '<?xml version="1.0"?><manifest:manifest '
            'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
        )
    return data.getvalue()


def read(data: bytes, sheet: str | None = None) -> tuple[list[tuple[int, str | None, float | None]], str]:
    reader = listfile.read(data, sheet).reader(None, None, UNASKED)
    lines = [(line.number, line.name, line.weight_grams) for line in reader if isinstance(line, Line)]
    return lines, "; ".join(note for _, note in reader.remarks)


WORKBOOKS = {
    "xlsx": xlsx({"Notes": [["Remember the stove"]], "Gear": GEAR}),
    "xls": (FOLDER / "gear.xls").read_bytes(),
    "ods": ods(GEAR),
}


@pytest.mark.parametrize("kind", WORKBOOKS)
def test_a_workbook_of_each_kind_is_the_list_in_it(kind: str) -> None:
    lines, _ = read(WORKBOOKS[kind])
    assert lines == [(2, "Tent", 1180.5), (3, "Stakes", 9.5)]


def test_the_sheet_that_looks_like_a_list_is_taken_and_named() -> None:
    _, note = read(WORKBOOKS["xlsx"])
    assert note == 'the sheet "Gear" of "Notes", "Gear"; give sheet for another'


def test_a_sheet_is_taken_by_its_name_and_an_unknown_one_refused() -> None:
    data = xlsx({"Summer": GEAR, "Winter": [GEAR[0], ["Boots", 1400, 1]]})
    assert read(data, "winter")[0] == [(2, "Boots", 1400)]
    with pytest.raises(InvalidInput, match=r'no sheet "Wintr". Did you mean "Winter"'):
        read(data, "Wintr")


def test_a_hidden_sheet_is_only_read_by_its_name() -> None:
    data = xlsx({"Gear": GEAR, "Old": [*GEAR, ["Tarp", 400, 1]]}, hidden=["Old"])
    assert len(read(data)[0]) == 2
    assert len(read(data, "Old")[0]) == 3


def test_lines_have_the_numbers_of_their_rows() -> None:
    lines, _ = read(xlsx({"Gear": [[], ["My gear"], [], *GEAR[:1], ["Tent\nred", 1180, 1], ["Mug", 90, 1]]}))
    assert lines == [(5, "Tent red", 1180), (6, "Mug", 90)]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (1250.0, "1250"),
        (1.234, "1.2340"),
        (0.1 + 0.2, "0.3"),
        (1e21, "1" + "0" * 21),
        (True, "yes"),
        (date(2026, 7, 1), "2026-07-01"),
        ("1.250,5", "1.250,5"),
    ],
)
def test_a_cell_is_written_so_that_it_is_read_as_the_same_value(cell: Any, text: str) -> None:
    assert workbook_reader.written(cell) == text


def test_a_number_with_three_decimals_is_not_taken_for_thousands() -> None:
    assert read(xlsx({"Gear": [["Item", "Weight (g)"], ["Pin", 1.234]]}))[0] == [(2, "Pin", 1.234)]


# --- hostile workbooks


def bomb(claimed: int | None = None) -> bytes:
    """A small .xlsx whose strings expand to 320 MB. With *claimed*, its directory says otherwise."""
    source = zipfile.ZipFile(io.BytesIO(xlsx({"Gear": GEAR})))
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name in source.namelist():
            if name != "xl/sharedStrings.xml":
                archive.writestr(name, source.read(name))
        with archive.open("xl/sharedStrings.xml", "w", force_zip64=True) as part:
            part.write(b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">')
            for _ in range(40):
                part.write(b"<si><t>" + b"a" * 2**23 + b"</t></si>")
            part.write(b"</sst>")
    bytes_of = bytearray(data.getvalue())
    if claimed is not None:
        start = bytes_of.rindex(b"PK\x01\x02")
        bytes_of[start + 24 : start + 28] = claimed.to_bytes(4, "little")
    return bytes(bytes_of)


@pytest.mark.parametrize("claimed", [None, 1000])
def test_a_workbook_that_expands_beyond_the_limits_is_refused(claimed: int | None) -> None:
    data = bomb(claimed)
    assert len(data) < workbook.LARGEST
    with pytest.raises(
        InvalidInput, match=r"expands to more than 256 MB|too much memory|too long|Not a workbook"
    ):
        workbook.sheets(data, memory=2**28)


def test_a_sheet_that_is_nearly_empty_and_huge_is_refused() -> None:
    data = io.BytesIO()
    with xlsxwriter.Workbook(data, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "Item")
        sheet.write(1_048_575, 16_383, "far away")
    with pytest.raises(InvalidInput, match=r"too much memory|more than 50,000 rows|Not a workbook"):
        workbook.sheets(data.getvalue())


@pytest.mark.parametrize(
    "data",
    [
        b"PK\x03\x04",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
        WORKBOOKS["xlsx"][:2000],
        ods([])[:400],
    ],
)
def test_a_damaged_workbook_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput, match="Not a workbook"):
        workbook.sheets(data)


def test_a_workbook_without_content_is_refused() -> None:
    with pytest.raises(InvalidInput, match="is empty"):
        workbook.sheets(xlsx({"Gear": []}))


def test_a_workbook_that_takes_too_long_is_refused() -> None:
    with pytest.raises(InvalidInput, match="takes too long"):
        workbook.sheets(WORKBOOKS["xlsx"], seconds=0.001)


def test_a_sheet_of_a_text_is_refused() -> None:
    with pytest.raises(InvalidInput, match="not a workbook"):
        listfile.read(b"Item,Weight (g)\nTent,1\n", "Gear")
