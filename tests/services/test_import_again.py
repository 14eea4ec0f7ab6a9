"""A list that comes again: what is there already is recognised, and changed only when that is wanted."""

from typing import Any

import pytest
from psycopg import AsyncConnection

from db.pool import Pool, transaction
from mcp_server.errors import InvalidInput
from mcp_server.models.csv import Imported
from mcp_server.services import item, setup
from mcp_server.services.csv import ImportOptions, import_text
from mcp_server.services.listing import find as find_items
from tests.factories import make_category, make_item

HEADER = "name,category,weight_grams,price_cents,quantity,notes,external_id"


def listing(*lines: str) -> str:
    return "\n".join((HEADER, *lines))


async def import_list(conn: AsyncConnection, *lines: str, **wishes: Any) -> Imported:
    return await import_text(conn, listing(*lines), options=ImportOptions(**wishes))


def told(imported: Imported) -> list[tuple[int, str, str]]:
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
    assert [verdict for verdict in told(imported) if verdict[1] != "similar"] == [
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
    assert told(imported) == [
        (2, "differs", "name Tent → Tent mk2, category Shelter → Camp, weight 540 → 500 g")
    ]


async def test_an_item_of_another_external_id_is_another_item(conn: AsyncConnection) -> None:
    await import_list(conn, "Tent,,540,,,,hb-1")
    assert counts(await import_list(conn, "Tent,,540,,,,hb-2")) == (1, 0, 0, 0)


async def test_an_item_without_an_external_id_gets_that_of_its_line(conn: AsyncConnection) -> None:
    await make_item(conn, "Tent", weight=540.0)
    imported = await import_list(conn, "Tent,,540,,,,hb-1", update_existing=True)
    assert (counts(imported), imported.filled) == ((0, 0, 0, 0), 1)
    assert told(imported) == [(2, "filled", "external_id unknown → hb-1")]
    assert counts(await import_list(conn, "Tarp,,,,,,hb-1")) == (0, 0, 1, 0)


async def test_the_second_line_of_an_external_id_is_refused(conn: AsyncConnection) -> None:
    with pytest.raises(InvalidInput, match=r"line 3, external_id \('hb-1'\) of Tarp: line 2 has it too"):
        await import_list(conn, "Tent,,540,,,,hb-1", "Tarp,,300,,,,hb-1")


async def test_what_differs_stays_unless_it_is_to_be_changed(conn: AsyncConnection) -> None:
    item_id = await make_item(conn, "Tent", weight=540.0, price_cents=24995, notes="green")
    line = "Tent,,540,19995,2,red,"
    note = "price_cents 24995 → 19995, quantity 1 → 2, notes green → red"
    imported = await import_list(conn, line)
    assert (counts(imported), told(imported)) == ((0, 0, 1, 0), [(2, "differs", note)])
    assert (await item.get(conn, item_id)).price_cents == 24995
    imported = await import_list(conn, line, update_existing=True)
    assert (counts(imported), told(imported)) == ((0, 0, 0, 1), [(2, "changed", note)])
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
    assert told(again) == [(2, "differs", "in_setup 2 base 0 → 2 worn 1")]
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
    assert told(imported) == [(2, "remark", "the category Kitchen keeps its icon flame")]


async def test_of_very_many_verdicts_fifty_are_told_and_the_rest_counted(conn: AsyncConnection) -> None:
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
    assert told(imported) == [(2, "differs", "weight 28.349523125 → 28.35 g")]


async def test_what_only_a_setup_can_hold_is_not_dropped_in_silence(conn: AsyncConnection) -> None:
    text = "item name,qty,weight,unit,worn\nSocks,2,50,g,Worn\nRope,0.5,40,g,\nHat,1,40,g,\n"
    kept = await import_text(conn, text, options=ImportOptions("Trip"))
    assert [verdict.note for verdict in kept.verdicts] == ["the item's quantity is rounded up to 1"]
    lost = await import_text(conn, text)
    assert (lost.verdicts[0].line, lost.verdicts[0].note) == (
        1,
        "what 2 lines say of worn, consumable or parts is kept in a setup only: give setup_name",
    )
