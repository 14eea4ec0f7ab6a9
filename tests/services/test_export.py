"""Exports: all that a collection holds comes back from its list, and from LighterPack what that can hold."""

import csv
import io
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import AsyncConnection
from psycopg.sql import SQL
from sqlalchemy import BigInteger, Double, Integer, Text

from db import sql
from db.pool import Pool, transaction
from db.schema import items
from mcp_server.errors import InvalidInput
from mcp_server.formats.line import ITEM_COLUMNS
from mcp_server.models.fields import nfc
from mcp_server.models.setup import NewLine
from mcp_server.services import category, export, item, setup
from mcp_server.services.csv import ImportOptions, import_text
from mcp_server.services.export import export_text
from tests.factories import make_category, make_item, make_setup

# Text that trips readers of CSV: quotes, separators, line ends, formulas, and letters of every kind. As all
# stored text, it is in NFC.
TEXT = st.text(
    st.one_of(
        st.sampled_from("\"',;=+-@＝＋－＠\t\r\n %😀é中\u202e"),
        st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
    ),
    max_size=30,
).map(nfc)
LINE = TEXT.map(lambda text: " ".join(text.split())).filter(bool)
WEIGHTS = st.none() | st.floats(0, 999_999_999) | st.sampled_from([0.0, 0.1 + 0.2, 540.0, 5e-324])
QUANTITIES = st.decimals(0, 1000, places=3) | st.just(Decimal(1))
CLASSES = st.sampled_from(["base", "worn", "consumable"])


@st.composite
def collections(draw: st.DrawFn) -> dict[str, Any]:
    names = draw(st.lists(LINE, max_size=4, unique_by=str.lower))
    # Numbered, because PostgreSQL may take two names for one.
    categories = [f"{number} {name}" for number, name in enumerate(names)]
    items = draw(
        st.lists(
            st.fixed_dictionaries(
                {
                    "name": LINE,
                    "weight": WEIGHTS,
                    "price_cents": st.none() | st.integers(0, 10**12),
                    "quantity": st.integers(0, 1000),
                    "notes": st.none() | TEXT.filter(str.strip),
                    "product_url": st.none() | st.just("https://example.com/a?b=1,2"),
                    "category": st.none() | st.sampled_from(categories) if categories else st.none(),
                }
            ),
            max_size=6,
        )
    )
    lines = st.fixed_dictionaries({"quantity": QUANTITIES, "classification": CLASSES})
    return {
        "categories": [(name, draw(st.sampled_from(["tent", "package"]))) for name in categories],
        "items": items,
        "lines": [draw(st.none() | lines) for _ in items],
    }


@asynccontextmanager
async def empty_account(pool: Pool, user_id: int) -> AsyncGenerator[AsyncConnection]:
    async with transaction(pool, user_id) as conn:
        yield conn
        await conn.rollback()


async def fill(conn: AsyncConnection, collection: dict[str, Any]) -> int:
    """Make the items and a setup of those that have a line, and return the setup's id."""
    for name, icon in collection["categories"]:
        await category.create(conn, name, icon)
    lines: list[NewLine] = []
    for new, line in zip(collection["items"], collection["lines"], strict=True):
        created = await item.create(conn, new)
        if line:
            lines.append(cast(NewLine, {"item_id": created.id, **line}))
    return (await setup.create(conn, "Trip", lines)).id


def quick(examples: int) -> settings:
    return settings(
        max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )


@quick(20)
@given(collection=collections())
async def test_a_collection_comes_back_byte_by_byte(
    pool: Pool, user_id: int, collection: dict[str, Any]
) -> None:
    async with empty_account(pool, user_id) as conn:
        await fill(conn, collection)
        exported = (await export_text(conn, None, "gearshed")).csv_text
    async with empty_account(pool, user_id) as conn:
        if collection["items"] or collection["categories"]:
            imported = await import_text(conn, exported)
            assert (imported.items, imported.verdicts) == (len(collection["items"]), ())
        assert (await export_text(conn, None, "gearshed")).csv_text == exported
        if collection["items"]:
            again = await import_text(conn, exported, options=ImportOptions(update_existing=True))
            assert (again.items, again.changed, again.verdicts) == (0, 0, ())


@quick(20)
@given(collection=collections())
async def test_a_setup_comes_back_byte_by_byte(pool: Pool, user_id: int, collection: dict[str, Any]) -> None:
    async with empty_account(pool, user_id) as conn:
        setup_id = await fill(conn, collection)
        exported = await export_text(conn, setup_id, "gearshed")
        totals = await setup.summarize(conn, setup_id)
    if exported.lines:
        async with empty_account(pool, user_id) as conn:
            imported = await import_text(conn, exported.csv_text, options=ImportOptions("Trip"))
            assert imported.setup_id is not None
            assert (await export_text(conn, "trip", "gearshed")).csv_text == exported.csv_text
            came = await setup.summarize(conn, imported.setup_id)
            assert came.model_dump(exclude={"id"}) == totals.model_dump(exclude={"id"})


@quick(20)
@given(collection=collections())
async def test_what_lighterpack_can_hold_comes_back_from_it(
    pool: Pool, user_id: int, collection: dict[str, Any]
) -> None:
    async with empty_account(pool, user_id) as conn:
        setup_id = await fill(conn, collection)
        exported = await export_text(conn, setup_id, "lighterpack")
    if exported.lines:
        async with empty_account(pool, user_id) as conn:
            await import_text(conn, exported.csv_text, options=ImportOptions("Trip"))
            again = await export_text(conn, "Trip", "lighterpack")
            assert again.csv_text == exported.csv_text
            assert again.lossy == ()


@quick(20)
@given(
    lines=st.lists(
        st.tuples(
            st.decimals(0, 5000, places=2),
            st.sampled_from(["gram", "ounce", "pound", "kilogram"]),
            st.integers(0, 5),
            st.sampled_from(["", "Worn", "Consumable"]),
        ),
        min_size=1,
        max_size=8,
    )
)
async def test_totals_are_those_of_lighterpack(
    pool: Pool, user_id: int, lines: list[tuple[Decimal, str, int, str]]
) -> None:
    factors = {"gram": "1", "ounce": "28.349523125", "pound": "453.59237", "kilogram": "1000"}
    text = "Item Name,qty,weight,unit,worn,consumable\n"
    sums = {"": Decimal(0), "Worn": Decimal(0), "Consumable": Decimal(0)}
    total = Decimal(0)
    for number, (weight, unit, quantity, mark) in enumerate(lines):
        worn, used = (mark if mark == name else "" for name in ("Worn", "Consumable"))
        text += f"Thing {number},{quantity},{weight},{unit},{worn},{used}\n"
        # PostgreSQL adds up fifteen digits of a weight.
        grams = Decimal(f"{float(weight * Decimal(factors[unit])):.15g}")
        total += grams * quantity
        sums[mark] += grams * (min(quantity, 1) if mark == "Worn" else quantity)
    async with empty_account(pool, user_id) as conn:
        imported = await import_text(conn, text, options=ImportOptions("Trip"))
        assert imported.setup_id is not None
        found = await setup.summarize(conn, imported.setup_id)
    assert (found.total_grams, found.worn_grams, found.consumable_grams) == (
        total,
        sums["Worn"],
        sums["Consumable"],
    )
    assert found.base_grams == total - sums["Worn"] - sums["Consumable"]


# Columns of items that are not those of a list: keys, times, what is computed, and what a list cannot hold.
NOT_LISTED = {"id", "user_id", "created_at", "updated_at", "sort_name", "image_id", "category_id"}
VALUES: dict[object, Any] = {
    Text: "https://example.com/{}",
    Integer: 7,
    BigInteger: 24995,
    Double: 28.349523125,
}


async def test_every_field_of_an_item_comes_back_from_our_own_format(pool: Pool, user_id: int) -> None:
    columns = {column.name: column.type for column in items.columns if column.name not in NOT_LISTED}
    assert columns.keys() <= set(ITEM_COLUMNS)
    values = {name: VALUES[type(kind)] for name, kind in columns.items()}
    values |= {name: value.format(name) for name, value in values.items() if isinstance(value, str)}
    values["weight_source"] = "maker"
    insert = SQL("INSERT INTO items ({}) VALUES ({})").format(sql.names(values), sql.values(values))
    select = SQL("SELECT {} FROM items").format(sql.names(values))
    async with empty_account(pool, user_id) as conn:
        await conn.execute(insert, values)
        exported = await export_text(conn, None, "gearshed")
    async with empty_account(pool, user_id) as conn:
        await import_text(conn, exported.csv_text)
        (found,) = await (await conn.execute(select)).fetchall()
        assert dict(zip(values, found, strict=True)) == values


async def test_no_cell_of_text_starts_like_a_formula(conn: AsyncConnection) -> None:
    starts = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "'=1")
    for start in starts:
        await make_item(conn, f"x{start}", notes=start)
    for format in ("gearshed", "lighterpack"):
        text = (await export_text(conn, None, format)).csv_text
        for row in csv.reader(io.StringIO(text, newline="")):
            assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row)


# A spreadsheet with semicolons as separators cuts text there, and at line ends, because it ignores a quote
# within a cell.
CUTS = re.compile("[;\t\r\n]")
RISKY = (
    "\n=1",
    "＝1+1",
    "＋1",
    "－1",
    "＠SUM(A1)",
    "x;=1+1",
    "x;'=1",
    "x\n=1+1",
    "x\t@A1",
    "a;;-1",
    ";＝1",
    "';'='",
)


async def test_no_part_of_a_cell_starts_like_a_formula(conn: AsyncConnection) -> None:
    assert any(re.match("[=+\\-@＝＋－＠]", part) for text in RISKY for part in CUTS.split(text))
    for number, text in enumerate(RISKY):
        url = "https://example.com/?a;=1+1"
        await make_item(conn, f"x{' '.join(text.split())} {number}", notes=text, weight=100, product_url=url)
    for format in ("gearshed", "lighterpack"):
        text = (await export_text(conn, None, format)).csv_text
        for row in csv.reader(io.StringIO(text, newline="")):
            parts = [part for cell in row for part in CUTS.split(cell)]
            assert not any(part.startswith(tuple("=+-@＝＋－＠")) for part in parts)
        again = await import_text(conn, text, options=ImportOptions(update_existing=True))
        assert (again.unchanged, again.verdicts) == (len(RISKY), ())


async def test_a_thing_called_as_lighterpack_called_nothing_comes_back(conn: AsyncConnection) -> None:
    await make_item(conn, "undefined", notes="'undefined")
    text = (await export_text(conn, None, "lighterpack")).csv_text
    assert (await import_text(conn, text)).unchanged == 1


async def test_the_collection_is_what_lighterpack_reads(conn: AsyncConnection) -> None:
    await make_item(conn, "Tent, green", weight=540.5, price_cents=24995, quantity=2, notes='so "light"')
    text = (await export_text(conn, None, "lighterpack")).csv_text
    assert text == (
        "Item Name,Category,desc,qty,weight,unit,url,price,worn,consumable\r\n"
        '"Tent, green",,"so ""light""",2,540.5,gram,,249.95,,\r\n'
    )


async def test_what_lighterpack_has_no_room_for_is_reported(conn: AsyncConnection) -> None:
    item_id = await make_item(conn, "Socks", weight=0.00004, price_cents=0)
    setup_id = (
        await setup.create(
            conn, "Trip", [{"item_id": item_id, "quantity": Decimal(3), "classification": "worn"}]
        )
    ).id
    assert (await export_text(conn, setup_id, "lighterpack")).lossy == (
        "a weight is rounded to milligrams: 1 line",
        "a price of 0 will be unknown: 1 line",
        "one piece will be worn, whatever worn_quantity says: 1 line",
    )


async def test_a_list_that_is_too_long_for_an_answer_is_refused(
    conn: AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "LONGEST", 200)
    await make_setup(conn, "Trip", *[await make_item(conn, f"Thing {number}") for number in range(10)])
    with pytest.raises(InvalidInput, match="gearshed export"):
        await export_text(conn, "Trip", "gearshed")


async def test_a_table_has_totals_that_say_what_is_unknown(conn: AsyncConnection) -> None:
    tent = await make_item(conn, "Tent | 2", weight_grams=1180, price_cents=27995, quantity=1)
    socks = await make_item(conn, "Socks", weight_grams=62, quantity=2)
    mug = await make_item(conn, "Mug <b>", quantity=1)
    lines: list[NewLine] = [
        {"item_id": tent},
        {"item_id": socks, "quantity": Decimal(2), "classification": "worn", "worn_quantity": Decimal(1)},
        {"item_id": mug},
    ]
    await setup.create(conn, "Trip", lines)
    exported = await export_text(conn, "trip", "markdown")
    assert exported.lines == 3
    assert exported.csv_text.splitlines() == [
        "# Trip",
        "",
        "| Item | Category | Quantity | Weight | Total | Price | Carried | Notes |",
        "| --- | --- | ---: | ---: | ---: | ---: | --- | --- |",
        r"| Tent \| 2 |  | 1 | 1,180 g | 1,180 g | 279.95 |  |  |",
        "| Socks |  | 2 | 62 g | 124 g | ? | worn |  |",
        r"| Mug \<b\> |  | 1 | ? | ? | ? |  |  |",
        "| **Total** |  | 4 |  | **1,304 g** + 1 unknown | **279.95** + 2 unknown |  |  |",
        "",
        "base 1,242 g, worn 62 g + 1 unknown",
    ]


async def test_an_empty_category_comes_back_with_its_icon(
    conn: AsyncConnection, pool: Pool, other_user_id: int
) -> None:
    await make_category(conn, "Empty")
    text = (await export.export_text(conn, None, "gearshed")).csv_text
    async with transaction(pool, other_user_id) as other:
        await import_text(other, text)
        cursor = await other.execute("SELECT name, icon FROM categories")
        assert await cursor.fetchall() == [("Empty", "tent")]
