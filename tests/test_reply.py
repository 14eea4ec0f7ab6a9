"""A result is sent as text and as structured content, each complete."""

import json
from decimal import Decimal

import pytest
from mcp.types import ImageContent, TextContent

from mcp_server.models.csv import Exported
from mcp_server.models.fields import Exact, Row
from mcp_server.models.image import ImageShown
from mcp_server.protocol.reply import reply


class Thing(Row):
    name: str
    note: str | None = None
    count: int = 1
    grams: Exact | None = None


class Things(Row):
    total: int
    next_cursor: str | None = None
    things: tuple[Thing, ...] = ()
    others: tuple[Thing, ...] = ()


class Filed(Row):
    id: int | None = None
    name: str
    category: str | None = None


class Sorted(Row):
    rows: tuple[Filed, ...]


def text(result: Row) -> str:
    (block,) = reply(result).content
    assert isinstance(block, TextContent)
    return block.text


def test_one_thing_is_one_line_of_json_without_nulls_and_defaults() -> None:
    thing = Thing(name="Ä", grams=Decimal("476.0"))
    assert text(thing) == '{"name":"Ä","grams":476}'
    assert reply(thing).structured_content == {"name": "Ä", "grams": 476}


def test_a_list_is_a_table_in_the_order_of_the_fields_without_empty_columns() -> None:
    things = Things(total=7, next_cursor="x", things=(Thing(name="A"), Thing(name="B", note="n", count=2)))
    assert text(things) == '{"total":7,"next_cursor":"x"}\nname\tnote\tcount\nA\t\t\nB\tn\t2'


LONG = "Big three (pack, tent and sleep system)"


def sorted_things(*categories: str | None) -> Sorted:
    return Sorted(rows=tuple(Filed(id=at, name="A", category=each) for at, each in enumerate(categories)))


def test_a_category_of_several_rows_is_written_once_above_them_if_that_is_a_tenth_shorter() -> None:
    rows = sorted_things(LONG, LONG, LONG, None, "a\tb", LONG, LONG)
    assert text(rows) == (
        f"id\tname\ncategory: {LONG}\n0\tA\n1\tA\n2\tA\ncategory:\n3\tA\n"
        f"category: a\\tb\n4\tA\ncategory: {LONG}\n5\tA\n6\tA"
    )
    structure = reply(rows).structured_content
    assert structure
    assert [row.get("category") for row in structure["rows"]] == [
        *(LONG, LONG, LONG, None, "a\tb", LONG, LONG)
    ]


def test_a_category_is_a_column_if_that_is_about_as_short() -> None:
    rows = sorted_things(LONG, "Food", "Food", "Cloth")
    assert text(rows) == f"id\tname\tcategory\n0\tA\t{LONG}\n1\tA\tFood\n2\tA\tFood\n3\tA\tCloth"


def test_a_name_cannot_forge_the_line_of_a_category() -> None:
    only = Sorted(rows=tuple(Filed(name="category: Food", category=LONG) for _ in range(9)))
    assert text(only).splitlines()[1:] == [f"category: Food\t{LONG}"] * 9


def test_several_tables_have_their_names_above_them() -> None:
    things = Things(total=2, things=(Thing(name="A"),), others=(Thing(name="B"),))
    assert text(things) == '{"total":2}\nthings:\nname\nA\nothers:\nname\nB'


def test_a_list_of_nothing_is_its_total() -> None:
    assert text(Things(total=0)) == '{"total":0}'


def test_a_picture_goes_with_the_text_and_into_neither_half() -> None:
    shown = ImageShown(id=3, mime_type="image/jpeg", width=9, height=6, thumbnail=True, data=b"bytes")
    result = reply(shown)
    words, picture = result.content
    assert isinstance(words, TextContent)
    assert isinstance(picture, ImageContent)
    assert words.text == '{"id":3,"mime_type":"image/jpeg","width":9,"height":6,"thumbnail":true}'
    assert result.structured_content == json.loads(words.text)
    assert (picture.mime_type, picture.data) == ("image/jpeg", "Ynl0ZXM=")


@pytest.mark.parametrize("name", ["a\tb", "a\nb", "a\r\nb", "a\\tb", "a\u2028b", "a\x85b", "a\x0bb"])
def test_no_text_can_forge_a_cell_or_a_row(name: str) -> None:
    lines = text(Things(total=1, things=(Thing(name=name, note="n"),))).splitlines()
    assert len(lines) == 3
    cells = lines[2].split("\t")
    assert len(cells) == 2
    assert json.loads(f'"{cells[0]}"') == name


def test_the_text_of_an_exported_list_is_the_list() -> None:
    exported = Exported(csv_text="name\r\nTent\r\n", lines=1, lossy=("an external_id is left out: 1 line",))
    replied = reply(exported)
    texts = [block.text for block in replied.content if isinstance(block, TextContent)]
    assert texts == ["name\r\nTent\r\n", '{"lossy":["an external_id is left out: 1 line"]}']
    assert replied.structured_content == exported.model_dump(mode="json")
