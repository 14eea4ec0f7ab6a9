"""Imports of spreadsheets: mappings that are remembered, trips that become setups, and their undo."""

from typing import Any

import pytest
from mcp import Client
from psycopg import AsyncConnection

from db.pool import Pool, transaction
from db.query import fetch_value
from mcp_server.errors import InvalidInput
from mcp_server.models.csv import Imported, Saved
from mcp_server.services import settings
from mcp_server.services.csv import ImportOptions, import_text
from tests.calls import call, refused

SHEET = "Was,Wieviel,Wer\nZelt,1180,Anna\nTopf,290,\n"
MAPPING = {"Was": "name", "Wieviel": "weight g", "Wer": "notes"}
TRIPS = "Item,Weight (g),Qty,Alps,Coast\nTent,1180,1,x,\nSocks,62,3,2,1\nSandals,310,1,,x\n"


async def import_sheet(conn: AsyncConnection, text: str, **options: Any) -> Imported:
    return await import_text(conn, text, options=ImportOptions(**options))


async def remembered(conn: AsyncConnection) -> int:
    return await fetch_value(conn, "SELECT count(*) FROM settings WHERE key LIKE 'columns:%%'", {})


async def test_a_mapping_is_remembered_by_its_header(conn: AsyncConnection) -> None:
    with pytest.raises(InvalidInput, match="complete its columns"):
        await import_sheet(conn, SHEET)
    first = await import_sheet(conn, SHEET, columns=MAPPING)
    assert (first.items, first.columns) == (2, MAPPING)
    again = await import_sheet(conn, SHEET.upper().replace("WIEVIEL", "Wieviel"))
    assert (again.items, again.unchanged + again.differs + again.filled) == (0, 2)
    assert any("read as before" in verdict.note for verdict in again.verdicts)
    with pytest.raises(InvalidInput, match="complete its columns"):
        await import_sheet(conn, SHEET.replace("Wieviel", "Viel"))


async def test_a_unit_is_remembered_too_and_a_later_one_wins(conn: AsyncConnection) -> None:
    sheet = "Item,Weight\nTent,2\n"
    await import_sheet(conn, sheet, weight_unit="kg")
    assert (await import_sheet(conn, sheet)).unchanged == 1
    assert (await import_sheet(conn, sheet, weight_unit="lb")).differs == 1
    assert (await import_sheet(conn, sheet)).differs == 1
    assert await remembered(conn) == 1


async def test_what_needs_no_mapping_is_not_remembered(conn: AsyncConnection) -> None:
    await import_sheet(conn, "Item,Weight (g)\nTent,1180\n")
    assert await remembered(conn) == 0


async def test_of_many_headers_the_oldest_is_forgotten(conn: AsyncConnection) -> None:
    for number in range(settings.MOST_REMEMBERED + 3):
        await settings.remember(conn, str(number), Saved(columns={"A": "name"}))
    found = await settings.remembered(conn)
    assert len(found) == settings.MOST_REMEMBERED
    assert "2" not in found
    assert "3" in found
    assert (await settings.get(conn)).weight_unit == "g"


async def test_another_user_does_not_have_a_mapping(pool: Pool, user_id: int) -> None:
    async with transaction(pool, user_id) as conn:
        await import_sheet(conn, SHEET, columns=MAPPING)
    async with pool.connection() as conn:
        other = await fetch_value(conn, "INSERT INTO users (username) VALUES ('other') RETURNING id", {})
    async with transaction(pool, other) as conn:
        with pytest.raises(InvalidInput, match="complete its columns"):
            await import_sheet(conn, SHEET)


async def test_a_dry_run_remembers_nothing_and_undo_forgets(client: Client) -> None:
    arguments = {"csv_text": SHEET, "columns": MAPPING}
    seen = await call(client, "import_csv", **arguments, dry_run=True)
    assert (seen["items"], seen["columns"]) == (2, MAPPING)
    assert "complete its columns" in await refused(client, "import_csv", csv_text=SHEET)
    done = await call(client, "import_csv", **arguments)
    assert (await call(client, "import_csv", csv_text=SHEET))["unchanged"] == 2
    await call(client, "undo_change", change_id=done["change_id"])
    assert "complete its columns" in await refused(client, "import_csv", csv_text=SHEET)


@pytest.mark.parametrize(
    "columns", ['{"Was": "name", "Wieviel": "weight g"}', {"Was": "name", "Wieviel": "weight g"}]
)
async def test_a_mapping_comes_as_json_or_as_its_text(client: Client, columns: Any) -> None:
    done = await call(client, "import_csv", csv_text=SHEET, columns=columns)
    assert done["items"] == 2
    assert "must be an object" in await refused(client, "import_csv", csv_text=SHEET, columns="Was=name")
    assert "columns" in await refused(client, "import_csv", csv_text=SHEET, columns=["Was"])


async def test_each_trip_becomes_a_setup_of_what_it_has(client: Client) -> None:
    alps = await call(client, "import_csv", csv_text=TRIPS, setup_name="Alps")
    assert (alps["items"], alps["setup_totals"]["total_grams"]) == (3, 1180 + 2 * 62)
    coast = await call(client, "import_csv", csv_text=TRIPS, setup_name="coast")
    assert (coast["items"], coast["unchanged"]) == (0, 3)
    assert coast["setup_totals"]["total_grams"] == 62 + 310
    items = await call(client, "list_items")
    assert {item["name"]: item.get("quantity", 1) for item in items["items"]}["Socks"] == 3
    fewer = TRIPS.replace("Tent,1180,1,x,", "Tent,1180,1,,")
    again = await call(client, "import_csv", csv_text=fewer, setup_name="Alps", update_existing=True)
    assert again["not_in_list"] == ["Tent"]
    assert again["setup_totals"]["total_grams"] == 1180 + 2 * 62


async def test_a_list_with_brands_finds_its_items_again(client: Client) -> None:
    text = "Item,Brand,Weight (g)\nTent,MSR,1180\nMug,,90\n"
    await call(client, "import_csv", csv_text=text)
    assert (await call(client, "import_csv", csv_text=text))["unchanged"] == 2
    names = [item["name"] for item in (await call(client, "list_items"))["items"]]
    assert sorted(names) == ["MSR Tent", "Mug"]


async def test_pasted_text_becomes_a_setup(client: Client) -> None:
    text = "Tent 1200g\n2x socks 62 g worn\n- stove (85 g, $45)\n"
    done = await call(client, "import_csv", csv_text=text, setup_name="Trip")
    assert done["format"] == "text"
    assert (done["setup_totals"]["total_grams"], done["setup_totals"]["worn_grams"]) == (1409, 124)


async def test_a_given_mapping_wins_over_the_remembered_one(conn: AsyncConnection) -> None:
    await import_sheet(conn, SHEET, columns=MAPPING)
    other = {"Was": "name", "Wieviel": "weight kg", "Wer": "ignore"}
    again = await import_sheet(conn, SHEET, columns=other)
    assert again.columns == other
    assert (await import_sheet(conn, SHEET)).columns == other


async def test_what_a_trip_no_longer_has_is_named(conn: AsyncConnection) -> None:
    await import_sheet(conn, TRIPS, setup_name="Alps")
    changed = TRIPS.replace("Tent,1180,1,x,", "Tent,1180,1,,x")
    again = await import_sheet(conn, changed, setup_name="Alps")
    assert again.not_in_list == ("Tent",)
