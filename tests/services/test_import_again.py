"""A list that comes again: what is there already is recognised, and changed only when that is wanted."""

import csv
import io
import unicodedata
from decimal import Decimal
from importlib.resources import files
from typing import Any

import pytest
from psycopg import AsyncConnection

from db.pool import Pool, transaction
from mcp_server.errors import InvalidInput
from mcp_server.models.csv import Imported
from mcp_server.services import item, setup
from mcp_server.services.csv import ImportOptions, import_text
from mcp_server.services.listing import find as find_items
from tests.factories import make_category, make_item, make_setup

REAL_LIST = files("mcp_server").joinpath("data", "ultimate-hike-2025.csv").read_text(encoding="utf-8")
HEADER = "name,category,weight_grams,price_cents,quantity,notes,external_id"


def listing(*lines: str) -> str:
    return "\n".join((HEADER, *lines))


async def import_list(conn: AsyncConnection, *lines: str, **wishes: Any) -> Imported:
    return await import_text(conn, listing(*lines), options=ImportOptions(**wishes))


def verdicts(imported: Imported) -> list[tuple[int, str, str]]:
    return [(verdict.line, verdict.verdict, verdict.note) for verdict in imported.verdicts]


def counts(imported: Imported) -> tuple[int, int, int, int]:
    return imported.items, imported.unchanged, imported.differs, imported.changed


async def names(conn: AsyncConnection) -> list[str]:
    return [found.name for found in (await find_items(conn, sort="-newest")).items]


async def test_an_item_is_known_by_its_name_and_category(conn: AsyncConnection) -> None:
    category_id = await make_category(conn, "Shelter")
    await make_item(conn, "Tent", category=category_id, weight=540.0)
    imported = await import_list(
        conn,
        "TENT,shelter,540,,,,",
        "Tent,Shelter,541,,,,",
        "Tent,,540,,,,",
        "Tent,Shelter,,,,,",
        "Tarp,Shelter,540,,,,",
    )
    assert counts(imported) == (4, 0, 1, 0)
    assert [verdict for verdict in verdicts(imported) if verdict[1] != "similar"] == [
        (2, "differs", "name Tent → TENT")
    ]


async def test_of_two_lines_that_are_alike_the_second_is_the_second_such_item(conn: AsyncConnection) -> None:
    await make_item(conn, "Peg", weight=10.0)
    assert counts(await import_list(conn, *["Peg,,10,,,,"] * 3)) == (2, 1, 0, 0)
    assert counts(await import_list(conn, *["Peg,,10,,,,"] * 3)) == (0, 3, 0, 0)
    assert await names(conn) == ["Peg"] * 3


async def test_an_external_id_is_known_whatever_else_has_changed(conn: AsyncConnection) -> None:
    await import_list(conn, "Tent,Shelter,540,,,,hb-1")
    imported = await import_list(conn, "Tent mk2,Camp,500,,,,hb-1")
    assert counts(imported) == (0, 0, 1, 0)
    assert verdicts(imported) == [
        (2, "differs", "name Tent → Tent mk2, category Shelter → Camp, weight 540 → 500 g")
    ]


async def test_an_item_of_another_external_id_is_another_item(conn: AsyncConnection) -> None:
    await import_list(conn, "Tent,,540,,,,hb-1")
    assert counts(await import_list(conn, "Tent,,540,,,,hb-2")) == (1, 0, 0, 0)


async def test_an_item_without_an_external_id_gets_that_of_its_line(conn: AsyncConnection) -> None:
    await make_item(conn, "Tent", weight=540.0)
    imported = await import_list(conn, "Tent,,540,,,,hb-1", update_existing=True)
    assert (counts(imported), imported.filled) == ((0, 0, 0, 0), 1)
    assert verdicts(imported) == [(2, "filled", "external_id unknown → hb-1")]
    assert counts(await import_list(conn, "Tarp,,,,,,hb-1")) == (0, 0, 1, 0)


async def test_the_second_line_of_an_external_id_is_refused(conn: AsyncConnection) -> None:
    with pytest.raises(InvalidInput, match=r'line 3, external_id \("hb-1"\) of "Tarp": line 2 has it too'):
        await import_list(conn, "Tent,,540,,,,hb-1", "Tarp,,300,,,,hb-1")


async def test_what_differs_stays_unless_it_is_to_be_changed(conn: AsyncConnection) -> None:
    item_id = await make_item(conn, "Tent", weight=540.0, price_cents=24995, notes="green")
    line = "Tent,,540,19995,2,red,"
    note = "price_cents 24995 → 19995, quantity 1 → 2, notes green → red"
    imported = await import_list(conn, line)
    assert (counts(imported), verdicts(imported)) == ((0, 0, 1, 0), [(2, "differs", note)])
    assert (await item.get(conn, item_id)).price_cents == 24995
    imported = await import_list(conn, line, update_existing=True)
    assert (counts(imported), verdicts(imported)) == ((0, 0, 0, 1), [(2, "changed", note)])
    changed = await item.get(conn, item_id)
    assert (changed.price_cents, changed.quantity, changed.notes) == (19995, 2, "red")
    assert counts(await import_list(conn, line)) == (0, 1, 0, 0)


async def test_what_a_list_does_not_say_stays(conn: AsyncConnection) -> None:
    item_id = await make_item(conn, "Tent", weight=540.0, price_cents=24995, notes="green", quantity=3)
    assert counts(await import_list(conn, "Tent,,540,,,,", update_existing=True)) == (0, 1, 0, 0)
    kept = await item.get(conn, item_id)
    assert (kept.price_cents, kept.notes, kept.quantity) == (24995, "green", 3)


async def test_a_packing_list_says_how_many_are_needed_and_not_how_many_there_are(
    conn: AsyncConnection,
) -> None:
    item_id = await make_item(conn, "Peg", weight=10.0, quantity=8)
    header = "item name,qty,weight,unit"
    few = await import_text(conn, f"{header}\nPeg,6,10,g", options=ImportOptions("Trip"))
    assert counts(few) == (0, 1, 0, 0)
    many = await import_text(
        conn, f"{header}\nPeg,10,10,g", options=ImportOptions("Trip", update_existing=True)
    )
    assert [verdict.note for verdict in many.verdicts] == ["quantity 8 → 10, in_setup 6 base 0 → 10 base 0"]
    assert (await item.get(conn, item_id)).quantity == 10


async def test_lines_of_a_setup_are_changed_only_when_that_is_wanted(conn: AsyncConnection) -> None:
    header = "item name,qty,weight,unit,worn"
    first = await import_text(conn, f"{header}\nSocks,2,50,g,\nHat,1,40,g,", options=ImportOptions("Trip"))
    worn = f"{header}\nSocks,2,50,g,Worn"
    again = await import_text(conn, worn, options=ImportOptions("Trip"))
    assert (counts(again), again.not_in_list) == ((0, 0, 1, 0), ("Hat",))
    assert verdicts(again) == [(2, "differs", "in_setup 2 base 0 → 2 worn 1")]
    assert first.setup_id is not None
    assert (await setup.get(conn, first.setup_id)).worn_grams == 0
    changed = await import_text(conn, worn, options=ImportOptions("TRIP", update_existing=True))
    assert counts(changed) == (0, 0, 0, 1)
    assert (await setup.get(conn, first.setup_id)).worn_grams == 50


async def test_bad_lines_are_skipped_and_listed_when_that_is_wanted(conn: AsyncConnection) -> None:
    imported = await import_list(conn, "Tent,,heavy,,,,", "Tarp,,300,,,,", ",,1,,,,", skip_bad_lines=True)
    assert (imported.items, imported.refused, await names(conn)) == (1, 2, ["Tarp"])
    assert [(verdict.line, verdict.column, verdict.value) for verdict in imported.verdicts] == [
        (2, "weight_grams", "heavy"),
        (4, None, None),
    ]


async def test_many_remarks_hide_no_refusal(conn: AsyncConnection) -> None:
    remarked = "".join(f"Thing {number},0,gram\n" for number in range(60))
    text = f"Item Name,weight,unit\n{remarked}Stone,heavy,gram"
    with pytest.raises(InvalidInput, match="line 62, weight"):
        await import_text(conn, text)
    imported = await import_text(conn, text, options=ImportOptions(skip_bad_lines=True))
    assert (imported.verdicts[-1].line, imported.verdicts[-1].verdict) == (62, "refused")
    assert (len(imported.verdicts), imported.verdicts_left_out) == (51, 10)


async def test_a_category_that_is_there_keeps_its_icon_and_the_import_says_so(conn: AsyncConnection) -> None:
    header = "name,category,category_icon,weight_grams"
    await import_text(conn, f"{header}\nStove,Kitchen,flame,350")
    imported = await import_text(conn, f"{header}\nStove,kitchen,utensils,350\nPot,Kitchen,utensils,150")
    assert verdicts(imported) == [(2, "remark", 'the category "Kitchen" keeps its icon flame')]


async def test_of_very_many_verdicts_fifty_are_reported_and_the_rest_counted(conn: AsyncConnection) -> None:
    imported = await import_list(conn, *["Tent,,heavy,,,,"] * 70, "Tarp,,,,,,", skip_bad_lines=True)
    assert (len(imported.verdicts), imported.verdicts_left_out, imported.refused) == (50, 20, 70)


async def test_a_category_without_items_and_its_icon_are_imported(conn: AsyncConnection) -> None:
    text = "name,category,category_icon,weight_grams\n,Camp,tent,\nPot,Cook,cooking-pot,90\n"
    imported = await import_text(conn, text)
    assert (imported.items, imported.new_categories) == (1, ("Camp", "Cook"))
    cursor = await conn.execute("SELECT name, icon FROM categories ORDER BY id")
    assert await cursor.fetchall() == [("Camp", "tent"), ("Cook", "cooking-pot")]


async def test_the_same_list_again_changes_nothing_and_logs_nothing(pool: Pool, user_id: int) -> None:
    lines = ("Tent,Shelter,1.5,540,g,", "Socks,,2,50,g,Worn", "Socks,,2,50,g,")
    text = "\n".join(("item name,category,qty,weight,unit,worn", *lines))
    async with transaction(pool, user_id, logged=True) as conn:
        await import_text(conn, text, options=ImportOptions("Trip"))
        before = await conn.execute("SELECT count(*) FROM row_changes")
        rows = await before.fetchone()
        imported = await import_text(conn, text, options=ImportOptions("Trip", update_existing=True))
        assert counts(imported) == (0, 3, 0, 0)
        after = await conn.execute("SELECT count(*) FROM row_changes")
        assert await after.fetchone() == rows
        await conn.rollback()


async def test_a_weight_is_the_same_to_the_milligram_which_is_what_lighterpack_stores(
    conn: AsyncConnection,
) -> None:
    await make_item(conn, "Tent", weight=28.349523125)
    imported = await import_list(conn, "Tent,,28.35,,,,")
    assert counts(imported) == (0, 0, 1, 0)
    assert verdicts(imported) == [(2, "differs", "weight 28.349523125 → 28.35 g")]


async def test_what_only_a_setup_can_hold_is_not_dropped_in_silence(conn: AsyncConnection) -> None:
    text = "item name,qty,weight,unit,worn\nSocks,2,50,g,Worn\nRope,0.5,40,g,\nHat,1,40,g,\n"
    kept = await import_text(conn, text, options=ImportOptions("Trip"))
    assert [verdict.note for verdict in kept.verdicts] == ["the item's quantity is rounded up to 1"]
    lost = await import_text(conn, text)
    assert (lost.verdicts[0].line, lost.verdicts[0].note) == (
        1,
        "what 2 lines say of worn, consumable or parts is kept in a setup only: give setup_name",
    )


def corrected(text: str, **weights: str) -> str:
    """The list with other weights of the items so called."""
    out = io.StringIO(newline="")
    rows = list(csv.DictReader(text.splitlines(keepends=True)))
    writer = csv.DictWriter(out, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows({**row, "weight": weights.get(row["Item Name"], row["weight"])} for row in rows)
    return out.getvalue()


async def test_a_list_with_corrected_weights_changes_the_items_it_is_about(conn: AsyncConnection) -> None:
    rows = [
        row
        for row in csv.DictReader(REAL_LIST.splitlines(keepends=True))
        if row["qty"] == "1" and not row["worn"] and not row["consumable"] and float(row["weight"]) > 100
    ]
    heavier = {row["Item Name"]: str(Decimal(row["weight"]) + 66) for row in rows[:2]}
    first = await import_text(conn, REAL_LIST, options=ImportOptions("Hike"))
    assert first.setup_totals is not None
    assert first.setup_totals.base_grams == Decimal("4376.1")
    text = corrected(REAL_LIST, **heavier)
    seen = await import_text(conn, text, options=ImportOptions("Hike"))
    assert (counts(seen), seen.filled) == ((0, 61, 2, 0), 0)
    assert [(verdict.item, verdict.note) for verdict in seen.verdicts if verdict.verdict == "differs"] == [
        (row["Item Name"][:60], f"weight {row['weight']} → {heavier[row['Item Name']]} g") for row in rows[:2]
    ]
    assert seen.setup_totals == first.setup_totals
    changed = await import_text(conn, text, options=ImportOptions("Hike", update_existing=True))
    assert counts(changed) == (0, 61, 0, 2)
    assert changed.setup_totals is not None
    assert (changed.setup_totals.base_grams, changed.setup_totals.items) == (Decimal("4508.1"), 63)


async def test_of_several_alike_those_of_equal_weight_are_paired_and_the_rest_in_order(
    conn: AsyncConnection,
) -> None:
    category_id = await make_category(conn, "Clothes")
    first, second, third = [
        await make_item(conn, "Socks", category=category_id, weight=weight) for weight in (50.0, 60.0, 70.0)
    ]
    lines = ("Socks,Clothes,70,,,,", "socks,clothes,55,,,,", "Socks,Clothes,65,,,,", "Socks,Clothes,80,,,,")
    imported = await import_list(conn, *lines, update_existing=True)
    assert counts(imported) == (1, 1, 0, 2)
    assert [(await item.get(conn, item_id)).weight_grams for item_id in (first, second, third)] == [
        55,
        65,
        70,
    ]
    assert (await find_items(conn, sort="newest")).items[0].weight_grams == 80


async def test_of_several_alike_those_in_the_setup_come_first(conn: AsyncConnection) -> None:
    await make_item(conn, "Tent", weight=1200.0)
    mine = await make_item(conn, "Tent", weight=900.0)
    setup_id = await make_setup(conn, "Trip", mine)
    text = "item name,weight,unit\nTent,950,g"
    await import_text(conn, text, options=ImportOptions("Trip", update_existing=True))
    assert [line.item_id for line in (await setup.get(conn, setup_id)).lines] == [mine]
    assert (await item.get(conn, mine)).weight_grams == 950


async def test_an_item_in_another_category_is_known_by_a_name_that_is_unique(conn: AsyncConnection) -> None:
    category_id = await make_category(conn, "Sleep")
    await make_item(conn, "Tent", category=category_id, weight=900.0)
    await make_item(conn, "Mug", weight=90.0)
    imported = await import_list(conn, "Tent,Shelter,900,,,,", "Mug,Kitchen,,,,,", "Pot,Kitchen,,,,,")
    assert counts(imported) == (1, 0, 1, 0)
    assert verdicts(imported) == [
        (2, "differs", "category Sleep → Shelter"),
        (3, "filled", "category unknown → Kitchen"),
    ]


async def test_a_name_that_is_not_unique_is_a_new_item_like_those_there_are(conn: AsyncConnection) -> None:
    for name in ("Day", "Night"):
        await make_item(conn, "Socks", category=await make_category(conn, name), weight=50.0)
    imported = await import_list(conn, "Socks,Spare,50,,,,")
    assert counts(imported) == (1, 0, 0, 0)
    ((line, kind, note),) = verdicts(imported)
    assert (line, kind, note.startswith("like item "), note.endswith(', "Socks"')) == (
        2,
        "similar",
        True,
        True,
    )
    twice = await import_list(conn, "Mug,A,90,,,,", "Mug,B,90,,,,")
    assert counts(twice) == (2, 0, 0, 0)
    again = await import_list(conn, "Mug,C,90,,,,", "Mug,D,90,,,,")
    assert counts(again) == (2, 0, 0, 0)


@pytest.mark.parametrize("name", ["tent-peg", "Tent pegs", "TENTPEG", "Tent, peg"])
async def test_a_new_item_with_almost_the_name_of_another_is_reported_and_not_merged(
    conn: AsyncConnection, name: str
) -> None:
    item_id = await make_item(conn, "Tent peg", weight=9.0)
    await make_item(conn, "Tent")
    imported = await import_list(conn, f'"{name}",,9,,,,')
    assert counts(imported) == (1, 0, 0, 0)
    ((line, kind, note),) = verdicts(imported)
    assert (line, kind, note) == (2, "similar", f'like item {item_id}, "Tent peg"')
    assert imported.verdicts[0].item == name


async def test_what_the_collection_does_not_know_is_filled_in_and_nothing_overwritten(
    conn: AsyncConnection,
) -> None:
    item_id = await make_item(conn, "Tent", weight=None, price_cents=24995, notes=None)
    imported = await import_list(conn, "Tent,,540,19995,,green,")
    assert (counts(imported), imported.filled) == ((0, 0, 1, 0), 1)
    assert verdicts(imported) == [
        (2, "filled", "weight unknown → 540 g, notes unknown → green"),
        (2, "differs", "price_cents 24995 → 19995"),
    ]
    found = await item.get(conn, item_id)
    assert (found.weight_grams, found.price_cents, found.notes) == (540, 24995, "green")
    again = await import_list(conn, "Tent,,,24995,,,", update_existing=True)
    assert (counts(again), again.filled) == ((0, 1, 0, 0), 0)
    assert (await item.get(conn, item_id)).weight_grams == 540


async def test_a_line_with_an_external_id_is_a_free_item_and_leaves_the_others_to_other_lines(
    conn: AsyncConnection,
) -> None:
    await import_list(conn, "Peg,,10,,,,a")
    imported = await import_list(conn, "Peg,,10,,,,b", "Peg,,10,,,,", update_existing=True)
    assert counts(imported) == (1, 1, 0, 0)


async def test_the_same_list_from_macos_and_from_linux_is_the_same_list(conn: AsyncConnection) -> None:
    text = "Item Name,Category,weight,unit\nÖronproppar,Kläder,3,gram\nMössa,kläder,60,gram\n"
    assert unicodedata.normalize("NFD", text) != unicodedata.normalize("NFC", text)
    first = await import_text(conn, unicodedata.normalize("NFD", text))
    assert (first.items, first.new_categories) == (2, (unicodedata.normalize("NFC", "Kläder"),))
    again = await import_text(conn, unicodedata.normalize("NFC", text))
    assert counts(again) == (0, 2, 0, 0)


async def test_every_verdict_names_its_item(conn: AsyncConnection) -> None:
    await make_item(conn, "Mat", weight=400.0)
    await make_item(conn, "Mug")
    lines = ("Tents,540,g,", "Tent,0,g,", "Mat,410,g,", "Mug,90,g,", "Pot,heavy,g,", "Pan,300,g,in the attic")
    text = "\n".join(("item name,weight,unit,url", *lines))
    await make_item(conn, "tents!")
    imported = await import_text(conn, text, options=ImportOptions(skip_bad_lines=True))
    found = {(verdict.item, verdict.verdict) for verdict in imported.verdicts}
    assert found == {
        ("Tents", "similar"),
        ("Tent", "similar"),
        ("Tent", "remark"),
        ("Mat", "differs"),
        ("Mug", "filled"),
        ("Pot", "refused"),
        ("Pan", "remark"),
    }


async def test_more_differences_than_are_reported_are_counted(conn: AsyncConnection) -> None:
    await import_list(conn, *(f"Thing {number},,10,,,," for number in range(60)))
    imported = await import_list(conn, *(f"Thing {number},,11,,,," for number in range(60)))
    assert counts(imported) == (0, 0, 60, 0)
    assert (len(imported.verdicts), imported.verdicts_left_out) == (50, 10)


async def test_when_items_are_to_be_changed_what_they_lack_is_filled_in_too(conn: AsyncConnection) -> None:
    tent = await make_item(conn, "Tent")
    imported = await import_list(conn, "Tent,,900,,,,", update_existing=True)
    assert (imported.filled, imported.changed) == (1, 0)
    assert (await item.get(conn, tent)).weight_grams == 900


async def test_our_own_format_says_how_many_are_owned(conn: AsyncConnection) -> None:
    peg = await make_item(conn, "Peg", quantity=8)
    header = f"{HEADER},category_icon,product_url,setup_quantity,classification,worn_quantity"
    options = ImportOptions(setup_name="Weekend", update_existing=True)
    imported = await import_text(conn, f"{header}\nPeg,,,,6,,,,,6,base,\n", options=options)
    assert imported.format == "gearshed"
    assert (await item.get(conn, peg)).quantity == 6


async def test_the_first_line_of_a_repeated_external_id_is_imported_if_others_are_skipped(
    conn: AsyncConnection,
) -> None:
    lines = ("Tent,,900,,,,a", "Tarp,,300,,,,a", "Mug,,90,,,,b")
    imported = await import_list(conn, *lines, skip_bad_lines=True)
    assert (imported.items, imported.refused) == (2, 1)
    assert sorted(row.name for row in (await find_items(conn)).items) == ["Mug", "Tent"]
