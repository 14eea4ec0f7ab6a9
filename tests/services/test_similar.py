"""Creating something that exists already under nearly the same name."""

import pytest
from mcp import Client
from psycopg import AsyncConnection

from mcp_server.services import similar
from tests.calls import call
from tests.factories import make_item


@pytest.mark.parametrize(
    ("name", "is_similar"),
    [
        ("Tent pegs", True),
        ("TENT-PEG", True),
        ("tent peg!", True),
        ("Tents pegs", True),
        ("tent pegs, 8", False),
        ("Peg", False),
        ("Pegs tent", False),
        ("⛺", False),
    ],
)
async def test_names_are_similar_but_for_case_punctuation_and_plurals(
    conn: AsyncConnection, name: str, is_similar: bool
) -> None:
    peg = await make_item(conn, "Tent pegs", notes="tarp")
    found = await similar.to_items(conn, ["Tarp", name])
    assert [(each.row, each.id) for each in found] == ([(1, peg)] if is_similar else [])


async def test_a_new_item_names_the_one_that_it_may_be(client: Client) -> None:
    first = await call(client, "create_item", name="Tent peg")
    assert "similar" not in first
    second = await call(client, "create_item", name="tent-pegs")
    assert second["similar"] == [{"id": first["id"], "name": "Tent peg"}]


async def test_of_many_new_items_the_similar_ones_are_named_by_row(client: Client) -> None:
    first = await call(client, "create_item", name="Tent", weight="1.2 kg")
    made = await call(client, "create_items", items=[{"name": "Pot", "weight": "4 oz"}, {"name": "tents"}])
    assert [(row["name"], row.get("weight_grams")) for row in made["items"]] == [
        ("Pot", 113.4),
        ("tents", None),
    ]
    assert made["similar"] == [{"row": 1, "id": first["id"], "name": "Tent"}]
    many = await call(client, "create_items", items=[{"name": "TENT"}] * 500)
    assert (len(many["similar"]), many["similar_left_out"]) == (similar.MOST_SHOWN, 480)


async def test_new_setups_and_threads_name_those_of_the_same_name(client: Client) -> None:
    first = await call(client, "create_setup", name="Weekend")
    copied = await call(client, "copy_setup", setup_id=first["id"], name="WEEKEND")
    third = await call(client, "create_setup", name="weekend")
    assert "same_name" not in first
    assert copied["same_name"] == [first["id"]]
    assert third["same_name"] == [first["id"], copied["id"]]
    research = await call(client, "create_thread", name="Tent")
    again = await call(client, "create_thread", name="tent")
    assert ("same_name" in research, again["same_name"]) == (False, [research["id"]])
