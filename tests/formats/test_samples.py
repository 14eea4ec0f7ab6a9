"""A file of each program, with the traps that such files have, and what becomes of each of its lines.

Beside each file are its verdicts; `UPDATE_SNAPSHOTS=1 pytest tests/formats` rewrites them, for review. The
folder `field` has small files in the shapes that people and other programs write.
"""

import json
import os
from decimal import Decimal
from io import FileIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.errors import InvalidInput
from mcp_server.formats.lighterpack import old_rows
from mcp_server.formats.line import Line, RefusedLine
from mcp_server.formats.opening import open_file, open_text

FOLDER = Path(__file__).parents[1] / "data" / "csv"
ENCODINGS = {
    "hikerherd_utf16.tsv": "utf-16",
    "lighterpack_excel_german.csv": "cp1252",
    "polish_utf16.tsv": "utf-16",
    "spanish_utf16_semicolon.csv": "utf-16",
    "trail_sense_utf16.csv": "utf-16",
}
SAMPLES = sorted(path for path in FOLDER.rglob("*.*") if path.suffix != ".json")
# Some weights have no unit.
READABLE = [sample for sample in SAMPLES if "no_unit" not in sample.name]


def verdict_on(line: Line | RefusedLine) -> dict[str, Any]:
    """What there is to say of a line, without what it leaves at its default."""
    if isinstance(line, RefusedLine):
        verdict = {"line": line.number, "skipped" if line.skipped else "refused": line.problems}
        return verdict | ({"name": line.name} if line.name else {})
    values = {**line._asdict(), "line": line.number}
    defaults = Line(0, None)._asdict()
    return {
        name: f"{value:f}" if isinstance(value, Decimal) else value
        for name, value in values.items()
        if name == "line" or (name != "number" and value != defaults[name])
    }


def verdicts(sample: Path) -> dict[str, Any]:
    try:
        with open_file(FileIO(sample), currency="EUR") as reader:
            lines = [verdict_on(line) for line in reader]
            return {
                "format": reader.format,
                "is_list": reader.is_list,
                "lines": lines,
                "remarks": reader.remarks,
            }
    except InvalidInput as exc:
        return {"refused": exc.args[0]}


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.name)
def test_every_line_of_a_sample_has_its_verdict(sample: Path) -> None:
    found = json.loads(json.dumps(verdicts(sample)))
    expected = sample.with_name(f"{sample.name}.json")
    if "UPDATE_SNAPSHOTS" in os.environ:
        expected.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    assert found == json.loads(expected.read_text(encoding="utf-8"))


@pytest.mark.parametrize("sample", READABLE, ids=lambda path: path.name)
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_a_sample_with_another_line_end_has_the_same_lines(sample: Path, line_end: str) -> None:
    with open_file(FileIO(sample), currency="EUR") as reader:
        expected = [verdict_on(line) for line in reader]
    text = sample.read_bytes().decode(ENCODINGS.get(sample.name, "utf-8"))
    ended = text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", line_end)
    found = [verdict_on(line) for line in open_text(ended, currency="EUR")]
    assert [{**line, "notes": None} for line in found] == [{**line, "notes": None} for line in expected]


CELL = st.text(st.sampled_from("ab\"' ,é"), max_size=8)
# A cell that opens a quote and never closes it could also be the beginning of another cell.
CLOSED = CELL.map(str.strip).filter(lambda cell: "," in cell or cell[:1] != '"' or cell.count('"') % 2 == 0)


def old(cell: str) -> str:
    """What LighterPack wrote: quotes around a cell that holds a comma, and nothing about other quotes."""
    return '"{}"'.format(cell.replace('"', '""')) if "," in cell else cell


@given(names=st.lists(CLOSED.filter(bool), min_size=1, max_size=5), note=CLOSED)
def test_whatever_lighterpack_quoted_in_its_old_way_is_read(names: list[str], note: str) -> None:
    lines = [f"{old(name)},undefined,{old(note)},1,5,gram,undefined,0,," for name in names]
    header = "Item Name,Category,desc,qty,weight,unit,url,price,worn,consumable"
    read = list(open_text("\n".join([header, *lines])))
    assert [(line.name, line.notes) for line in read if isinstance(line, Line)] == [
        (name, note or None) for name in names
    ]


@given(st.lists(CELL, min_size=1, max_size=6))
def test_what_is_read_of_an_old_line_is_the_line_when_written_again(cells: list[str]) -> None:
    line = ",".join(map(old, cells))
    (read,) = old_rows([line], ",", len(cells))
    assert (len(read), ",".join(map(old, read))) == (len(cells), line)


@pytest.mark.parametrize(
    "line",
    [",".join(['"' + "," * 50 + '"'] * 8) + ",a,b,c", '",' * 60000, '"""a,' * 20000],
    ids=["quoted commas", "open quotes", "doubled quotes"],
)
def test_a_line_that_can_be_cut_in_countless_ways_is_refused_at_once(line: str) -> None:
    header = "Item Name,Category,desc,qty,weight,unit,url,price,worn,consumable"
    read = list(open_text(f'{header}\n"Big" tent,,,1,5,gram,,0,,\n{line}'))
    assert [isinstance(line, Line) for line in read] == [True, False]
