"""What a reader refuses or says of a line, so that nothing of it is lost in silence."""

import io

import pytest
from typing_extensions import Buffer

from mcp_server.errors import InvalidInput
from mcp_server.formats.line import Line, RefusedLine
from mcp_server.formats.reader import open_file, open_text

OURS = "name,category,category_icon,weight_grams,price_cents"
SETUP = "name,weight_grams,setup_quantity,classification,worn_quantity"
HOMEBOX = "HB.name,HB.tags,HB.description,HB.notes"
PACKSTACK = "name,manufacturer,product,category,weight,unit"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"{OURS}\nStove,,flame,350,", "has a category_icon and no category"),
        (f"{OURS}\n,Kitchen,,350,", "is a category, as it has no name, and cannot have: weight_grams"),
        (f"{SETUP}\nSocks,50,2,base,1", "worn_quantity: must be empty, as the classification is not worn"),
        (f"{HOMEBOX}\nStove,,{'x' * 40000},{'y' * 40000}", "must be at most 64 KB together"),
        (f"{PACKSTACK}\n{'x' * 190},MSR,PocketRocket,,83,gram", "at most 200 characters together with"),
    ],
)
def test_a_line_that_could_not_be_stored_whole_is_refused(text: str, reason: str) -> None:
    (refused,) = open_text(text)
    assert isinstance(refused, RefusedLine)
    assert reason in refused.problems[0].reason


@pytest.mark.parametrize("tag", ["x" * 201, "a\nb"])
def test_a_category_that_cannot_be_stored_is_kept_in_the_notes(tag: str) -> None:
    (line,) = open_text(f'{HOMEBOX}\nStove,"{tag}",red,')
    assert isinstance(line, Line)
    assert (line.category, line.notes) == (None, f"red\nhb.tags: {tag}")
    assert [remark.column for remark in line.remarks] == ["hb.tags"]


def test_a_line_with_a_name_that_cannot_be_seen_is_a_line() -> None:
    lines = open_text(f"{OURS}\n\u00a0,,,,\n  ,\t,,,\n\x1f,,,,")
    assert [line.name for line in lines if isinstance(line, Line)] == ["\u00a0", "\x1f"]


def test_of_two_columns_that_mean_the_same_the_other_is_named_where_it_differs() -> None:
    reader = open_text("HB.name,HB.labels,HB.tags\nStove,,Kitchen\nPot,Cooking,Kitchen\nCup,Kitchen,Kitchen")
    assert [line.category for line in reader if isinstance(line, Line)] == ["Kitchen", "Cooking", "Kitchen"]
    assert reader.remarks == [("hb.tags", "not kept, on 1 line")]


@pytest.mark.parametrize(
    ("cell", "grams"),
    [(".5", 0.5), ("0,250", 0.25), ("1.234,56", 1234.56), ("12.300000000000000711", 12.3)],
)
def test_a_weight_is_read_however_a_program_writes_the_number(cell: str, grams: float) -> None:
    (line,) = open_text(f"Item Name;weight;unit\nStove;{cell};gram")
    assert isinstance(line, Line)
    assert line.weight_grams == grams


@pytest.mark.parametrize("text", ["n\0a\0m\0e\0,\0", "PK\x03\x04\0\0"])
def test_a_file_that_is_not_text_is_refused_with_the_way_out(text: str) -> None:
    with pytest.raises(InvalidInput, match="Save the file as CSV in UTF-8"):
        open_text(text)


class Pipe(io.RawIOBase):
    """Bytes of which a few come at a time."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        return self._data.readinto(memoryview(buffer)[:7])


def test_a_file_that_comes_in_pieces_is_judged_by_all_of_its_beginning() -> None:
    header = "Item Name,Category,desc,qty,weight,unit,url,price,worn,consumable"
    with open_file(
        Pipe(f'{header}\n"Big" tent,Caf\u00e9,,1,5,gram,undefined,0,,\n'.encode("cp1252"))
    ) as reader:
        (line,) = reader
    assert isinstance(line, Line)
    assert (line.name, line.category) == ('"Big" tent', "Café")
