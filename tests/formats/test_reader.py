"""What a reader refuses or says of a line, so that nothing of it is lost in silence."""

import io

import pytest
from typing_extensions import Buffer

from mcp_server.errors import InvalidInput
from mcp_server.formats import text
from mcp_server.formats.line import Line, RefusedLine
from mcp_server.formats.opening import open_file, open_text

OURS = "name,category,category_icon,weight_grams,price_cents"
SETUP = "name,weight_grams,setup_quantity,classification,worn_quantity"
HOMEBOX = "HB.name,HB.tags,HB.description,HB.notes"
PACKSTACK = "name,manufacturer,product,category,weight,unit"


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        (f"{OURS}\nStove,,flame,350,", "has a category_icon and no category"),
        (f"{OURS}\n,Kitchen,,350,", "is a category, as it has no name, and cannot have: weight_grams"),
        (f"{SETUP}\nSocks,50,2,base,1", "worn_quantity: must be empty, as the classification is not worn"),
        (f"{HOMEBOX}\nStove,,{'x' * 40000},{'y' * 40000}", "must be at most 64 KB together"),
        (f"{PACKSTACK}\n{'x' * 190},MSR,PocketRocket,,83,gram", "at most 200 characters together with"),
    ],
)
def test_a_line_that_could_not_be_stored_whole_is_refused(written: str, reason: str) -> None:
    (refused,) = open_text(written)
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


@pytest.mark.parametrize("written", ["n\0a\0m\0e\0,\0", "PK\x03\x04\0\0"])
def test_a_file_that_is_not_text_is_refused_with_the_way_out(written: str) -> None:
    with pytest.raises(InvalidInput, match="Save the file as CSV in UTF-8"):
        open_text(written)


class Pipe(io.RawIOBase):
    """Bytes that come a few at a time."""

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


LIGHTERPACK = "Item Name,Category,desc,qty,weight,unit,url,price,worn,consumable"


def lines_of(written: str) -> list[Line]:
    return [line for line in open_text(written) if isinstance(line, Line)]


@pytest.mark.parametrize("title", ["My gear list", "Gear, summer 2025", 'The "big" list,,,'])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_title_above_the_header_is_no_header(title: str, delimiter: str) -> None:
    table = f"{LIGHTERPACK}\nTent,Shelter,,1,540,gram,,0,,".replace(",", delimiter)
    reader = open_text(f"{title}\n\n{table}")
    assert [(line.number, line.name) for line in reader if isinstance(line, Line)] == [(4, "Tent")]
    assert reader.remarks == [("", "not kept: 1 line above the header")]


def test_a_column_without_a_name_is_left_out_and_reported_if_it_holds_something() -> None:
    reader = open_text("Item Name,,weight,unit,,\nTent,old,540,gram,,\nMug,,90,gram,,")
    assert [line.name for line in reader if isinstance(line, Line)] == ["Tent", "Mug"]
    assert reader.remarks == [("column 2", "not kept, on 1 line")]


def test_a_short_line_that_a_quote_has_joined_with_another_is_refused() -> None:
    header = "name,manufacturer,product,category,weight,unit,notes"
    found = list(open_text(f'{header}\nTent,,,Shelter,540,gram\nMug,,"Big\nPot,,",,90,gram'))
    assert [isinstance(line, Line) for line in found] == [True, False]


@pytest.mark.parametrize("name", ["Total", "TOTAL:", "Summe", "Grand total"])
def test_a_total_below_all_lines_is_skipped(name: str) -> None:
    *lines, total = open_text(f"Item Name,qty,weight,unit\nTent,1,540,gram\n,,,\n{name},,540,")
    assert [line.name for line in lines] == ["Tent"]
    assert isinstance(total, RefusedLine)
    assert (total.skipped, total.problems[0].reason) == (True, "is a total, not an item")


def test_an_item_called_total_is_an_item() -> None:
    written = "Item Name,Category,weight,unit\nTotal,Knives,540,gram\nTotal,,1,g\nMug,,90,gram"
    assert [line.name for line in lines_of(written)] == ["Total", "Total", "Mug"]


def test_blanks_after_delimiters_belong_to_no_cell() -> None:
    spaced = "Item Name, Category, weight, unit"
    plain = spaced.replace(", ", ",")
    rows = '"Tent, two", "Shelter", 540, "gram"\n"Mug", "", 90, gram'
    for header in (spaced, plain):
        assert [(line.name, line.category) for line in lines_of(f"{header}\n{rows}")] == [
            ("Tent, two", "Shelter"),
            ("Mug", None),
        ]


def test_our_own_format_keeps_blanks_and_quotes() -> None:
    written = 'name,weight_grams,notes\nTent,540,"a, ""b"""\nMug,90," ""quoted"" "\nPot,150, x \n'
    assert [line.notes for line in lines_of(written)] == ['a, "b"', ' "quoted" ', " x "]


class Counted(text.PutBackLines):
    """Lines that count how many of their characters are read, again or for the first time."""

    characters = 0

    def __next__(self) -> str:
        line = super().__next__()
        Counted.characters += len(line)
        return line


@pytest.mark.parametrize("line", ['x","b\n', '"Tent,Shelter,,1,540,gram,,0,,\n', '"a\n""\n', '","\n'])
@pytest.mark.parametrize("header", [LIGHTERPACK, "name,weight,unit,product_url,manufacturer"])
def test_the_work_is_linear_in_the_size_of_a_text_whatever_its_quotes(
    monkeypatch: pytest.MonkeyPatch, line: str, header: str
) -> None:
    monkeypatch.setattr(text, "PutBackLines", Counted)
    monkeypatch.setattr(Counted, "characters", 0)
    written = f"{header}\n{line * 20_000}"
    assert any(isinstance(found, RefusedLine) for found in open_text(written)) or lines_of(written)
    # A few passes over the text, and a constant: not a pass for each line.
    assert Counted.characters < 10 * len(written) + 20 * text.SPARE


def test_a_quote_that_is_not_closed_costs_one_line_of_a_long_list() -> None:
    good = "".join(f"Thing {number},,1,{number},gram,,0,,\n" for number in range(1, 50_000))
    written = f'name,category,quantity,weight,unit,notes,price,currency,link\n"Open,,1,5,gram,,0,,\n{good}'
    found = list(open_text(written))
    assert [line.number for line in found if isinstance(line, RefusedLine)] == [2]
    assert len(found) == 50_000
