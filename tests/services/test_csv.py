"""Imports of LighterPack lists: every line of them, or none."""

import csv
from decimal import Decimal
from importlib.resources import files
from typing import Any

import pytest
from psycopg import AsyncConnection

from db.pool import Pool, transaction
from db.query import fetch_value
from mcp_server.errors import Conflict, InvalidInput
from mcp_server.models.csv import Imported
from mcp_server.models.item import ItemRow, ItemShown
from mcp_server.services import category, item, setup
from mcp_server.services.csv import ImportOptions, import_text
from mcp_server.services.listing import find as find_items
from tests.factories import make_category, make_item, make_setup

REAL_LIST = files("mcp_server").joinpath("data", "ultimate-hike-2025.csv").read_text(encoding="utf-8")
HEADER = "Item Name,Category,desc,qty,weight,unit,url,price,worn,consumable"
TENT = "Tent,Shelter,green,2,540,gram,https://example.com/tent,249.95,,"

# The line, as the third of a file, and why it is refused.
BAD_LINES = (
    (",Shelter,,1,540,gram,,0,,", "line 3, item name: "),
    ("undefined,Shelter,,1,540,gram,,0,,", "line 3, item name: "),
    ("Tent,Shelter,,1,heavy,gram,,0,,", "line 3, weight: must be a weight"),
    ("Tent,Shelter,,1,-5,gram,,0,,", "line 3, weight: must be a weight such as 540 g"),
    ("Tent,Shelter,,1,nan,gram,,0,,", "line 3, weight: must be a weight"),
    ("Tent,Shelter,,1,540 or so,gram,,0,,", "line 3, weight: has another unit than the column unit"),
    ("Tent,Shelter,,1,540 g,ounce,,0,,", "line 3, weight: has another unit than the column unit"),
    ("Tent,Shelter,,1,540,,,0,,", "line 3, weight: has no unit"),
    ("Tent,Shelter,,1,1000000,kg,,0,,", "line 3, weight: must be at least 0 and below 1,000,000 kg"),
    ("Tent,Shelter,,1,1e99,kg,,0,,", "line 3, weight: must be a weight such as 540 g"),
    ("Tent,Shelter,,1,1e400,kg,,0,,", "line 3, weight: must be a weight such as 540 g"),
    ("Tent,Shelter,,1,540,stone,,0,,", "line 3, unit: must be ounce, pound, gram or kilogram"),
    (f"{'x' * 201},Shelter,,1,540,gram,,0,,", "line 3, item name: "),
    (f"Tent,Shelter,{'x' * 65_537},1,540,gram,,0,,", "line 3, desc: must be at most 64 KB"),
    ("Tent,Shelter,,1,540,gram,,0,,,more", "line 3: has 11 cells, the header 10"),
    ('Tent,Shelter,"a\nb",1', "line 3: has 4 cells, the header 10"),
    ('Tent,Shelter,"a, ""b" c,1,540,gram,,0,,', "line 3: is not valid CSV"),
)

# A line with a cell that cannot be read, the column of the remark, the item's notes and the quantity packed.
MENDED_LINES = (
    ("Tent,Shelter,,-1,540,gram,,0,,", "qty", None, 1),
    ("Tent,Shelter,,some,540,gram,,0,,", "qty", None, 1),
    ("Tent,Shelter,,1000000000,540,gram,,0,,", "qty", None, 1),
    ("Tent,Shelter,,2,540,gram,,-5,,", "price", "price: -5", 2),
    ("Tent,Shelter,,1,540,gram,,to buy,,", "price", "price: to buy", 1),
    ("Tent,Shelter,,1,540,gram,,1.234,,", "price", "price: 1.234", 1),
    ("Tent,Shelter,,1,540,gram,,1.2345,,", "price", "price: 1.2345", 1),
    ("Tent,Shelter,,1,540,gram,,0,maybe,", "worn", None, 1),
    ("Tent,Shelter,,1,540,gram,,0,,Worn", "consumable", None, 1),
    ("Tent,Shelter,,1,540,gram,javascript:alert(1),0,,", "url", "url: javascript:alert(1)", 1),
    ("Tent,Shelter,green,1,540,gram,in the attic,0,,", "url", "green\nurl: in the attic", 1),
    (f"Tent,{'x' * 201},,1,540,gram,,0,,", "category", f"category: {'x' * 201}", 1),
)

WRONG_HEADERS = (
    "",
    "name,category,weight",
    "Tent,Shelter,green,2,540,gram,https://example.com/tent,249.95,,",
    "item name,weight",
    "item name,unit",
    "weight,unit",
    "item name,weight,unit,weight",
    "item name|weight|unit",
)


def listing(*lines: str) -> str:
    return "\n".join((HEADER, *lines)) + "\n"


def remarks(imported: Imported) -> list[tuple[int, str | None, str]]:
    return [(verdict.line, verdict.column, verdict.note) for verdict in imported.verdicts]


async def import_list(
    conn: AsyncConnection, csv_text: str, setup_name: str | None = None, **wishes: Any
) -> Imported:
    return await import_text(conn, csv_text, options=ImportOptions(setup_name, **wishes))


async def all_items(conn: AsyncConnection) -> list[ItemRow]:
    """The items in the order they were created."""
    page = await find_items(conn, sort="-newest", limit=500)
    return page.items


# What an item has besides the cells of its line.
NOT_LISTED = {"id", "updated_at", "display", "weight", "thread", "setups", "setups_left_out", "cut"}


async def import_one(conn: AsyncConnection, line: str) -> ItemShown:
    await import_list(conn, listing(line), None)
    (found,) = await all_items(conn)
    return await item.get(conn, found.id)


async def counts(conn: AsyncConnection) -> tuple[int, int, int]:
    """How many items, categories and setups there are."""
    return (
        await fetch_value(conn, "SELECT count(*) FROM items"),
        await fetch_value(conn, "SELECT count(*) FROM categories"),
        await fetch_value(conn, "SELECT count(*) FROM setups"),
    )


async def refuse(conn: AsyncConnection, csv_text: str) -> str:
    """The words with which a file is refused, after a look at what it left behind: nothing."""
    with pytest.raises(InvalidInput) as refused:
        await import_list(conn, csv_text, "Trip")
    assert await counts(conn) == (0, 0, 0)
    return str(refused.value)


async def test_a_real_list_has_the_totals_that_its_lines_have(conn: AsyncConnection) -> None:
    imported = await import_list(conn, REAL_LIST, "Ultimate hike 2025")
    assert (imported.format, imported.items, imported.setup_name) == ("lighterpack", 63, "Ultimate hike 2025")
    assert imported.setup_id is not None
    found = await setup.get(conn, imported.setup_id)
    assert (found.items, found.unweighed, found.unweighed_items) == (63, 1, ("ID kort",))
    assert found.total_grams == Decimal("9342.68")
    assert found.worn_grams == Decimal("1546.9")
    assert found.consumable_grams == Decimal("3419.68")
    assert found.base_grams == Decimal("4376.1")
    assert found.pack_grams == Decimal("7795.78")
    assert [str(part.weight_grams) for part in found.by_category] == [
        "2534.1",
        "332.8",
        "972.4",
        "2009.8",
        "3268",
        "225.58",
    ]


async def test_a_real_list_has_the_totals_of_its_format(conn: AsyncConnection) -> None:
    total = worn = consumable = Decimal(0)
    by_category: dict[str, Decimal] = {}
    for row in csv.DictReader(REAL_LIST.splitlines(keepends=True)):
        assert row["unit"] == "gram"
        weight, quantity = Decimal(row["weight"]), Decimal(row["qty"])
        total += weight * quantity
        by_category[row["Category"]] = by_category.get(row["Category"], Decimal(0)) + weight * quantity
        if row["worn"] == "Worn":
            worn += weight * (1 if quantity > 0 else 0)
        if row["consumable"] == "Consumable":
            consumable += weight * quantity
    imported = await import_list(conn, REAL_LIST, "Ultimate hike 2025")
    assert imported.setup_id is not None
    found = await setup.get(conn, imported.setup_id)
    assert (found.total_grams, found.worn_grams, found.consumable_grams, found.base_grams) == (
        total,
        worn,
        consumable,
        total - worn - consumable,
    )
    assert {part.category: part.weight_grams for part in found.by_category} == by_category
    assert [part.category for part in found.by_category] == list(by_category)
    assert imported.new_categories == tuple(by_category)


async def test_a_real_list_keeps_every_cell(conn: AsyncConnection) -> None:
    await import_list(conn, REAL_LIST, None)
    rows = list(csv.DictReader(REAL_LIST.splitlines(keepends=True)))
    created = [await item.get(conn, found.id) for found in await all_items(conn)]
    assert [
        (found.name, found.category, found.notes or "", found.quantity, found.product_url or "")
        for found in created
    ] == [(row["Item Name"], row["Category"], row["desc"], int(row["qty"]), row["url"]) for row in rows]
    assert [Decimal(str(found.weight_grams or 0)) for found in created] == [
        Decimal(row["weight"]) for row in rows
    ]


async def test_a_real_list_has_one_remark_for_the_item_that_has_no_weight(conn: AsyncConnection) -> None:
    imported = await import_list(conn, REAL_LIST, "Hike")
    number = next(at for at, line in enumerate(REAL_LIST.splitlines(), 1) if line.startswith("ID kort,"))
    assert remarks(imported) == [(number, "weight", "not set: stored as unknown")]


async def test_a_line_becomes_an_item_with_all_its_cells(conn: AsyncConnection) -> None:
    found = await import_one(conn, TENT)
    assert found.model_dump(exclude=NOT_LISTED) == {
        "name": "Tent",
        "category": "Shelter",
        "weight_grams": 540,
        "weight_margin_grams": None,
        "weight_source": None,
        "price_cents": 24995,
        "quantity": 2,
        "notes": "green",
        "product_url": "https://example.com/tent",
        "image_id": None,
    }


async def test_cells_left_empty_are_unknown_and_one_piece(conn: AsyncConnection) -> None:
    found = await import_one(conn, "Tent,,,,,,,,,")
    assert found.model_dump(exclude_none=True, exclude=NOT_LISTED) == {
        "name": "Tent",
        "quantity": 1,
    }


async def test_a_price_of_0_is_how_the_format_writes_none(conn: AsyncConnection) -> None:
    assert (await import_one(conn, "Tent,,,1,540,gram,,0,,")).price_cents is None


async def test_without_a_setup_name_there_is_no_setup(conn: AsyncConnection) -> None:
    imported = await import_list(conn, listing(TENT), None)
    assert (imported.setup_id, imported.setup_name) == (None, None)
    assert await counts(conn) == (1, 1, 0)


async def test_a_category_that_is_there_is_used_in_whatever_case(conn: AsyncConnection) -> None:
    await make_category(conn, "SHELTER")
    imported = await import_list(
        conn, listing(TENT, "Tarp,shelter,,1,300,gram,,0,,", "Bar,Food,,1,50,gram,,0,,"), None
    )
    assert imported.new_categories == ("Food",)
    assert [found.category for found in await all_items(conn)] == ["SHELTER", "SHELTER", "Food"]


async def test_spaces_around_a_category_make_no_other_one(conn: AsyncConnection) -> None:
    await import_list(conn, listing(TENT, "Tarp, Shelter ,,1,300,gram,,0,,"), None)
    assert [found.name for found in (await category.list_all(conn)).categories] == ["Shelter"]


async def test_two_lines_of_the_same_name_are_two_items(conn: AsyncConnection) -> None:
    imported = await import_list(conn, listing(TENT, TENT), "Trip")
    assert imported.setup_id is not None
    assert (await setup.get(conn, imported.setup_id)).total_grams == 4 * 540


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
async def test_every_common_dialect_is_read(conn: AsyncConnection, delimiter: str, newline: str) -> None:
    lines = (HEADER, TENT, "Cup,Cook,,1,100,gram,,0,,")
    imported = await import_list(conn, newline.join(lines).replace(",", delimiter) + newline, None)
    assert (imported.format, imported.items) == ("lighterpack", 2)
    assert [(found.name, found.category, found.weight_grams) for found in await all_items(conn)] == [
        ("Tent", "Shelter", 540),
        ("Cup", "Cook", 100),
    ]


async def test_a_byte_order_mark_is_no_part_of_the_header(conn: AsyncConnection) -> None:
    assert (await import_list(conn, "\ufeff" + listing(TENT).replace("\n", "\r\n"), None)).items == 1


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
async def test_commas_in_the_cells_do_not_decide_about_the_delimiter(
    conn: AsyncConnection, newline: str
) -> None:
    lines = ("item name;weight;unit", "Tent, green, big, old, torn;540;gram")
    await import_list(conn, newline.join(lines), None)
    assert [found.name for found in await all_items(conn)] == ["Tent, green, big, old, torn"]


@pytest.mark.parametrize(
    "csv_text", [listing(TENT).rstrip("\n"), listing(TENT) + "\n\n", listing("", TENT, ",,,,,,,,,")]
)
async def test_blank_lines_and_a_missing_last_newline_do_not_matter(
    conn: AsyncConnection, csv_text: str
) -> None:
    assert (await import_list(conn, csv_text, None)).items == 1


async def test_columns_may_come_in_any_order_and_case(conn: AsyncConnection) -> None:
    text = "UNIT, Weight ,consumable,ITEM name,Qty\nounce,2,,Spoon,3\n"
    await import_list(conn, text, None)
    (found,) = await all_items(conn)
    assert (found.name, found.weight_grams, found.quantity) == ("Spoon", 56.69904625, 3)


async def test_a_quoted_cell_may_hold_the_delimiter_and_quotes(conn: AsyncConnection) -> None:
    found = await import_one(conn, '"Tent, UL2 ""Ink""",Shelter,,1,2,pound,,100,Worn,')
    assert (found.name, found.weight_grams, found.price_cents) == ('Tent, UL2 "Ink"', 907.18474, 10000)


async def test_units_are_read_in_all_their_spellings(conn: AsyncConnection) -> None:
    spellings = {
        Decimal(1): ("gram", "g", "grams", "GRAM", " gram "),
        Decimal(1000): ("kilogram", "kg", "Kilograms"),
        Decimal("28.349523125"): ("ounce", "oz", "OUNCES"),
        Decimal("453.59237"): ("pound", "lb", "lbs", "Pounds"),
    }
    expected = [(unit, float(grams * 3 / 2)) for grams, units in spellings.items() for unit in units]
    await import_list(conn, listing(*(f"{unit.strip()},,,1,1.5,{unit},,0,," for unit, _ in expected)), None)
    assert [(found.name, found.weight_grams) for found in await all_items(conn)] == [
        (unit.strip(), grams) for unit, grams in expected
    ]


async def test_a_fraction_of_a_piece_stays_one_in_the_setup(conn: AsyncConnection) -> None:
    imported = await import_list(conn, listing("Tape,Repair,,1.5,10,gram,,0,,"), "Trip")
    assert imported.setup_id is not None
    (line,) = (await setup.get(conn, imported.setup_id)).lines
    (owned,) = await all_items(conn)
    assert (line.quantity, owned.quantity) == (Decimal("1.5"), 2)
    assert remarks(imported) == [(2, "qty", "the item's quantity is rounded up to 2")]


async def test_a_quantity_of_0_is_on_the_list_and_weighs_nothing(conn: AsyncConnection) -> None:
    imported = await import_list(conn, listing("Tape,Repair,,0,10,gram,,0,Worn,"), "Trip")
    assert imported.setup_id is not None
    found = await setup.get(conn, imported.setup_id)
    (owned,) = await all_items(conn)
    assert (owned.quantity, found.lines[0].quantity, found.total_grams, found.worn_grams) == (0, 0, 0, 0)
    assert imported.verdicts == ()


@pytest.mark.parametrize(("quantity", "worn_grams"), [("1", 20), ("3", 20), ("0.5", 10)])
async def test_one_piece_of_a_worn_line_is_worn(
    conn: AsyncConnection, quantity: str, worn_grams: int
) -> None:
    imported = await import_list(conn, listing(f"Socks,Clothes,,{quantity},20,gram,,0,WORN,"), "Trip")
    assert imported.setup_id is not None
    found = await setup.get(conn, imported.setup_id)
    assert found.worn_grams == worn_grams
    assert found.total_grams == 20 * Decimal(quantity)


async def test_worn_and_consumable_both_is_consumable_with_a_remark(conn: AsyncConnection) -> None:
    imported = await import_list(conn, listing("Blister pad,,,2,5,gram,,0,Worn,Consumable"), "Trip")
    assert imported.setup_id is not None
    found = await setup.get(conn, imported.setup_id)
    assert (found.lines[0].classification, found.consumable_grams, found.worn_grams) == ("consumable", 10, 0)
    assert remarks(imported) == [(2, "worn", "consumable too: stored as consumable")]


@pytest.mark.parametrize("weight", ["0", "0.00", "", " "])
async def test_a_weight_of_0_is_unknown_with_a_remark(conn: AsyncConnection, weight: str) -> None:
    imported = await import_list(conn, listing(f"Card,,,1,{weight},gram,,0,,"), None)
    assert [found.weight_grams for found in await all_items(conn)] == [None]
    assert remarks(imported) == [(2, "weight", "not set: stored as unknown")]


async def test_the_word_undefined_is_an_empty_cell(conn: AsyncConnection) -> None:
    found = await import_one(
        conn, "Tent,undefined,undefined,undefined,undefined,undefined,undefined,undefined,undefined,undefined"
    )
    assert found.model_dump(exclude_none=True, exclude=NOT_LISTED) == {
        "name": "Tent",
        "quantity": 1,
    }


async def test_an_item_may_have_undefined_in_its_name(conn: AsyncConnection) -> None:
    assert (await import_one(conn, "undefined behaviour,,,1,5,gram,,0,,")).name == "undefined behaviour"


async def test_a_bad_line_refuses_the_whole_file_and_is_named(conn: AsyncConnection) -> None:
    for line, problem in BAD_LINES:
        words = await refuse(conn, listing(TENT, line, TENT))
        assert words.startswith("[invalid_input] Nothing was imported. ")
        place, _, reason = problem.partition(": ")
        assert place in words
        assert reason in words


@pytest.mark.parametrize(("line", "column", "notes", "quantity"), MENDED_LINES)
async def test_a_cell_that_cannot_be_read_costs_neither_its_line_nor_the_file(
    conn: AsyncConnection, line: str, column: str, notes: str | None, quantity: int
) -> None:
    imported = await import_list(conn, listing(line), "Trip")
    ((number, remarked, _),) = remarks(imported)
    assert (number, remarked, imported.verdicts[0].item) == (2, column, "Tent")
    assert imported.setup_id is not None
    (packed,) = (await setup.get(conn, imported.setup_id)).lines
    found = await item.get(conn, packed.item_id)
    assert (found.notes, packed.quantity, found.weight_grams, found.price_cents, found.product_url) == (
        notes,
        quantity,
        540,
        None,
        None,
    )


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Tent,Shelter,,1,1e3,gram,,1e2,,", (1000, 10000)),
        ('Tent,Shelter,,1,"1,5",gram,,"0,5",,', (1.5, 50)),
        ("Tent,Shelter,,1,540 g,gram,,$5,,", (540, 500)),
        ("Tent,Shelter,,1,540,gram,,0,", (540, None)),
        ("Tent,Shelter,,1,540,gram", (540, None)),
        ("Tent,Shelter,,1,540,gram,,0,,,", (540, None)),
        ("Tent,Shelter,,1,5.0E-4,kilogram,,,,", (0.5, None)),
        ("Tent,Shelter,,null,~540,Gramm,,null,,", (540, None)),
        ("Tent,Shelter,,1x,2 lb 8 oz,,,,,", (1133.980925, None)),
    ],
)
async def test_a_cell_is_read_in_any_form_that_is_plain(
    conn: AsyncConnection, line: str, expected: tuple[float, int | None]
) -> None:
    found = await import_one(conn, line)
    assert (found.weight_grams, found.price_cents, found.quantity) == (*expected, 1)


async def test_a_line_without_a_name_and_a_weight_is_skipped(conn: AsyncConnection) -> None:
    imported = await import_list(
        conn, listing(TENT, ",Shelter,,1,0,ounce,,0,,", ",Shelter,,1,0.00,gram,,0,,")
    )
    assert (imported.items, imported.refused, imported.skipped) == (1, 0, 2)
    assert remarks(imported) == [(line, "item name", "has no name and no weight") for line in (3, 4)]


async def test_every_bad_line_is_named_with_its_number_and_column(conn: AsyncConnection) -> None:
    words = await refuse(
        conn,
        listing(
            "Tent,Shelter,,1,heavy,gram,,0,,",
            TENT,
            "Cup,Cook,,1,100,stone,,free,,",
            "",
            ",Cook,,1,100,gram,,0,,",
        ),
    )
    assert [
        place in words for place in ("line 2, weight", "line 4, unit", "line 4, price", "line 6, item name")
    ] == [True] * 4
    assert "line 3" not in words
    assert "line 4, weight" not in words


async def test_of_very_many_bad_lines_twenty_are_named(conn: AsyncConnection) -> None:
    words = await refuse(conn, listing(*["Tent,Shelter,,1,heavy,gram,,0,,"] * 25))
    assert "line 21, weight" in words
    assert "line 22, weight" not in words
    assert "; 25 bad lines in all. " in words


async def test_a_refused_file_leaves_nothing_behind(pool: Pool, user_id: int) -> None:
    with pytest.raises(InvalidInput, match="line 3, weight"):
        async with transaction(pool, user_id) as conn:
            await import_list(conn, listing(TENT, "Cup,Cook,,1,heavy,gram,,0,,"), "Trip")
    async with transaction(pool, user_id) as conn:
        assert await counts(conn) == (0, 0, 0)


async def test_a_character_that_cannot_be_stored_is_refused_with_its_line(pool: Pool, user_id: int) -> None:
    with pytest.raises(InvalidInput, match="line 3: holds a NUL character"):
        async with transaction(pool, user_id) as conn:
            await import_list(conn, listing(TENT, "Cup,Cook,\0,1,5,gram,,0,,"), "Trip")
    async with transaction(pool, user_id) as conn:
        assert await counts(conn) == (0, 0, 0)


async def test_another_header_is_refused(conn: AsyncConnection) -> None:
    for header in WRONG_HEADERS:
        words = await refuse(conn, f"{header}\n{TENT}\n")
        assert "first line" in words or "The header names" in words or "cells, the header" in words


async def test_what_an_unknown_column_holds_is_not_kept_in_silence(conn: AsyncConnection) -> None:
    lines = (
        "item name,weight,unit,colour,size",
        "Tent,540,gram,green,",
        "Tarp,300,gram,red,",
        "Cup,9,gram,,",
    )
    imported = await import_list(conn, "\n".join(lines))
    assert imported.items == 3
    assert remarks(imported) == [(1, "colour", "not kept, on 2 lines")]


async def test_a_header_that_misses_a_column_is_refused_with_its_name(conn: AsyncConnection) -> None:
    words = await refuse(conn, "item name,weight\nTent,540\n")
    assert 'The column "weight" is a weight without a unit: "540". Give weight_unit' in words
    with pytest.raises(InvalidInput) as refused:
        await import_text(conn, "item name,weight\nTent,540\n", "lighterpack")
    words = str(refused.value)
    assert 'its first line names "item name, weight". The nearest format is lighterpack' in words
    assert "which also needs unit" in words


@pytest.mark.parametrize("csv_text", [HEADER, HEADER + "\n", listing("", ",,,,,,,,,")])
async def test_a_header_without_lines_is_refused(conn: AsyncConnection, csv_text: str) -> None:
    assert "has no lines below its header" in await refuse(conn, csv_text)


@pytest.mark.parametrize("csv_text", ["", " ", "\n\n", "\ufeff"])
async def test_an_empty_text_is_refused(conn: AsyncConnection, csv_text: str) -> None:
    await refuse(conn, csv_text)


async def test_a_cell_of_several_lines_keeps_the_numbers_right(conn: AsyncConnection) -> None:
    words = await refuse(
        conn, listing('Tent,Shelter,"first\nsecond\nthird",1,540,gram,,0,,', "Cup,Cook,,1,heavy,gram,,0,,")
    )
    assert "line 5, weight" in words


async def test_a_cell_of_several_lines_is_kept(conn: AsyncConnection) -> None:
    found = await import_one(conn, 'Tent,Shelter,"first\nsecond",1,540,gram,,0,,')
    assert found.notes == "first\nsecond"


async def test_a_bad_line_that_spans_several_is_named_by_its_first(conn: AsyncConnection) -> None:
    words = await refuse(conn, listing(TENT, 'Cup,Cook,"first\nsecond",1,heavy,gram,,0,,'))
    assert "line 3, weight" in words


async def test_a_quote_inside_a_cell_is_a_character_like_any_other(conn: AsyncConnection) -> None:
    await import_list(conn, listing('Pan 12",Cook,for "2" people,1,500,gram,,0,,', TENT), None)
    assert [found.name for found in await all_items(conn)] == ['Pan 12"', "Tent"]


async def test_a_quote_that_is_never_closed_does_not_swallow_the_lines_behind_it(
    conn: AsyncConnection,
) -> None:
    imported = await import_list(conn, listing(TENT, '"Tarp,Shelter,,1,300,gram,,0,,', TENT, TENT))
    assert imported.items == 4
    assert '"Tarp' in [found.name for found in await all_items(conn)]


async def test_a_quote_that_another_line_closes_does_not_swallow_the_line_between(
    conn: AsyncConnection,
) -> None:
    await import_list(conn, listing('"Ink mitt,Clothes,,1,23,gram,,0,,', 'Pan 12",Cook,,1,500,gram,,0,,'))
    assert [found.name for found in await all_items(conn)] == ['"Ink mitt', 'Pan 12"']


@pytest.mark.parametrize("setup_name", ["Weekend", "WEEKEND"])
async def test_a_setup_that_is_there_is_completed(conn: AsyncConnection, setup_name: str) -> None:
    item_id = await make_item(conn, "Pot")
    setup_id = await make_setup(conn, "Weekend", item_id)
    imported = await import_list(conn, listing(TENT), setup_name)
    assert (imported.setup_id, imported.not_in_list) == (setup_id, ("Pot",))
    assert [line.name for line in (await setup.get(conn, setup_id)).lines] == ["Pot", "Tent"]


async def test_of_several_setups_of_one_name_none_is_taken(conn: AsyncConnection) -> None:
    first, second = await make_setup(conn, "Weekend"), await make_setup(conn, "weekend")
    with pytest.raises(Conflict, match=f'the setups {first}, {second} are all called "Weekend"'):
        await import_list(conn, listing(TENT), "Weekend")


async def test_a_dry_run_has_no_id_of_a_new_setup(conn: AsyncConnection) -> None:
    options = ImportOptions(setup_name="Weekend", dry_run=True)
    text = "name,weight_grams\nTent,900\n"
    tried = await import_text(conn, text, options=options)
    assert (tried.setup_id, tried.setup_totals is None) == (None, False)
