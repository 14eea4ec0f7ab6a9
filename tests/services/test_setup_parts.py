"""Parts of a setup: only what is asked for, and lines in another order."""

from typing import Any

import pytest
from mcp import Client

from mcp_server.models.setup import LineSort
from tests.calls import call

LINES = (
    {"name": "Tent", "weight": 900, "price_cents": 100, "quantity": 1, "classification": "base"},
    {"name": "Socks", "weight": 60, "quantity": 3, "classification": "worn"},
    {"name": "gas", "weight": 460, "price_cents": 50, "quantity": 2, "classification": "consumable"},
    {"name": "Map", "price_cents": 999, "quantity": 1, "classification": "base"},
    {"name": "Stuff", "weight": 180, "quantity": 1, "classification": "base"},
)


@pytest.fixture
async def trip(client: Client) -> int:
    fields = ("name", "weight", "price_cents")
    items = [{name: line[name] for name in fields if name in line} for line in LINES]
    made = await call(client, "create_items", items=items)
    lines = [
        {"item_id": row["id"], "quantity": line["quantity"], "classification": line["classification"]}
        for row, line in zip(made["items"], LINES, strict=True)
    ]
    return (await call(client, "create_setup", name="Trip", lines=lines))["id"]


async def test_parts_have_only_what_is_asked_for(client: Client, trip: int) -> None:
    whole = await call(client, "get_setup", setup_id=trip)
    totals = await call(client, "get_setup", setup_id=trip, parts=["totals"])
    names = {"unweighed_items": ["Map"], "unpriced_items": ["Socks", "Stuff"]}
    assert whole == {**totals, **names, "by_category": whole["by_category"], "lines": whole["lines"]}
    lines = await call(client, "get_setup", setup_id=trip, parts=["lines"])
    assert lines == {"id": trip, "name": "Trip", "lines": whole["lines"]}
    categories = await call(client, "get_setup", setup_id=trip, parts=["categories"])
    assert categories == {"id": trip, "name": "Trip", "by_category": whole["by_category"]}
    assert (await call(client, "get_setup", setup_id=trip, parts=[])) == whole


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        ("added", ["Tent", "Socks", "gas", "Map", "Stuff"]),
        ("name", ["gas", "Map", "Socks", "Stuff", "Tent"]),
        ("weight", ["Socks", "Stuff", "Tent", "gas", "Map"]),
        ("-weight", ["gas", "Tent", "Socks", "Stuff", "Map"]),
        ("price", ["Tent", "gas", "Map", "Socks", "Stuff"]),
        ("-price", ["Map", "Tent", "gas", "Socks", "Stuff"]),
    ],
)
async def test_lines_are_sorted_by_all_their_pieces_and_unknown_ones_are_last(
    client: Client, trip: int, sort: LineSort, names: list[str]
) -> None:
    for limit in (2, 200):
        found: list[str] = []
        page: dict[str, Any] = {"next_cursor": ""}
        while "next_cursor" in page:
            page = await call(
                client,
                "get_setup",
                setup_id=trip,
                parts=["lines"],
                sort=sort,
                limit=limit,
                cursor=page["next_cursor"],
            )
            found += [line["name"] for line in page["lines"]]
        assert found == names


async def test_a_change_of_lines_shows_how_the_totals_change(client: Client, trip: int) -> None:
    lines = (await call(client, "get_setup", setup_id=trip, parts=["lines"]))["lines"]
    tent, socks, gas = [line["item_id"] for line in lines[:3]]
    arguments = {"setup_id": trip, "change": [{"item_id": socks, "quantity": 1}], "remove": [tent, gas]}
    seen = await call(client, "set_setup_items", **arguments, dry_run=True)
    done = await call(client, "set_setup_items", **arguments)
    assert seen["difference"] == done["difference"]
    assert done["difference"] == {
        "total_grams": -900 - 920 - 120,
        "base_grams": -900,
        "worn_grams": -120,
        "consumable_grams": -920,
        "price_cents": -200,
    }
    # A dry run leaves out the defaults of a line.
    assert [row.get("before") for row in seen["changes"] if row["action"] == "deleted"] == [
        {"item_id": tent, "setup_id": trip},
        {"item_id": gas, "setup_id": trip, "quantity": 2, "classification": "consumable"},
    ]
    same = await call(client, "set_setup_items", setup_id=trip, change=[{"item_id": socks, "quantity": 1}])
    assert "difference" not in same
