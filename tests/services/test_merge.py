"""Merging duplicates: what the kept item takes, where it takes the place of others, and the undo."""

from collections.abc import AsyncGenerator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from mcp import Client
from psycopg import AsyncConnection

from db.pool import Pool
from mcp_server.errors import Conflict, InvalidInput
from mcp_server.models.setup import SetupLine
from mcp_server.services import item, merge, resolution, setup, thread
from tests.calls import call, refused
from tests.factories import make_candidate, make_category, make_item, make_setup, make_thread
from tests.pictures import in_base64, photo
from tests.test_undo import Collection, new_collection


async def lines_of(conn: AsyncConnection, setup_id: int) -> list[tuple[Any, ...]]:
    def columns(line: SetupLine) -> tuple[Any, ...]:
        return line.item_id, line.quantity, line.classification, line.worn_quantity

    return [columns(line) for line in (await setup.get(conn, setup_id)).lines]


async def test_the_kept_item_takes_the_place_of_the_others_in_setups(conn: AsyncConnection) -> None:
    tent, twin, hat, pot = [await make_item(conn, name) for name in ("Tent", "tent ", "Hat", "Pot")]
    only = await make_setup(conn, "Only the twin", hat, twin, pot)
    both = await make_setup(conn, "Both", twin, hat, tent)
    done = await merge.merge(conn, "Tent", [twin], "sum")
    assert (done.id, done.quantity, done.before) == (tent, 2, {"quantity": 1})
    assert (done.setups, [row.id for row in done.merged]) == (("Both", "Only the twin"), [twin])
    assert [line[0] for line in await lines_of(conn, only)] == [hat, tent, pot]
    assert await lines_of(conn, both) == [(hat, 1, "base", None), (tent, 2, "base", None)]


async def test_worn_pieces_are_added_too_and_the_class_stays(conn: AsyncConnection) -> None:
    first, second, kept = [await make_item(conn, name) for name in ("Socks", "Wool socks", "Merino socks")]
    trip = await make_setup(conn, "Trip")
    worn = {"classification": "worn", "quantity": Decimal(2)}
    lines: Any = [
        {"item_id": first, **worn, "worn_quantity": Decimal(1)},
        {"item_id": second, **worn},
    ]
    await setup.set_items(conn, trip, lines)
    await merge.merge(conn, kept, [second, first], "keep")
    assert await lines_of(conn, trip) == [(kept, 4, "worn", 3)]


async def test_lines_that_differ_in_class_are_refused_and_listed(conn: AsyncConnection) -> None:
    worn, packed = await make_item(conn, "Jacket"), await make_item(conn, "Rain jacket")
    trip = await make_setup(conn, "Trip", packed)
    await setup.set_items(conn, trip, change=[{"item_id": worn, "classification": "worn"}])
    await make_setup(conn, "Other", packed)
    with pytest.raises(Conflict) as caught:
        await merge.merge(conn, worn, [packed], "keep")
    assert str(caught.value) == (
        f'[conflict] Lines of these items differ in class: setup {trip} "Trip": item {packed} base, '
        f"item {worn} worn. Nothing was changed. Give them the same class with set_setup_items, then retry."
    )
    assert (await item.get(conn, packed)).name == "Rain jacket"


async def test_threads_refer_to_the_kept_item(conn: AsyncConnection) -> None:
    kept, twin = await make_item(conn, "Tent"), await make_item(conn, "Tent")
    thread_id = await make_thread(conn, "Lighter", replaces_item_id=twin)
    done = await merge.merge(conn, kept, [twin], "keep")
    assert done.threads == ("Lighter",)
    replaced = (await thread.get(conn, thread_id)).replaces
    assert replaced
    assert replaced.item_id == kept


async def test_unknown_fields_are_filled_in_and_lost_values_are_named(conn: AsyncConnection) -> None:
    await make_category(conn, "Shelter")
    kept = await make_item(conn, "Tent", weight=640.0)
    first = await make_item(conn, "Tent", weight=612.0, notes="green")
    second = await make_item(conn, "X-Mid", price_cents=25000, notes="one pole bent", category="Shelter")
    done = await merge.merge(conn, kept, [first, second], "sum")
    assert (done.weight_grams, done.price_cents, done.notes, done.category, done.quantity) == (
        640,
        25000,
        "green",
        "Shelter",
        3,
    )
    assert done.before == {"price_cents": None, "notes": None, "category": None, "quantity": 1}
    assert [(row.id, row.name, row.lost) for row in done.merged] == [
        (first, "Tent", {"weight_grams": 612}),
        (second, "X-Mid", {"notes": "one pole bent"}),
    ]


async def test_an_image_is_kept_and_one_that_is_left_over_is_deleted(client: Client) -> None:
    red, green = [in_base64(photo(colour=colour)) for colour in ("red", "green")]
    kept, first, second = [(await call(client, "create_item", name="Tent"))["id"] for _ in range(3)]
    mine = await call(client, "upload_image", data=red, item_id=first)
    other = await call(client, "upload_image", data=green, item_id=second)
    done = await call(client, "merge_items", keep=kept, items=[first, second], pieces="keep")
    assert done["image_id"] == mine["id"]
    assert done["merged"][1]["lost"] == {"image_id": other["id"]}
    assert "No image" in await refused(client, "get_image", image_id=other["id"])
    await call(client, "undo_change", change_id=done["change_id"])
    assert (await call(client, "get_item", item_id=second))["image_id"] == other["id"]


async def test_an_item_is_not_merged_into_itself(conn: AsyncConnection) -> None:
    tent = await make_item(conn, "Tent")
    with pytest.raises(InvalidInput, match=f"items: contains item {tent}, which is the one to keep"):
        await merge.merge(conn, "tent", [tent], "sum")


async def test_a_dry_run_changes_nothing(client: Client) -> None:
    made = await call(client, "create_items", items=[{"name": "Tent"}, {"name": "Tents", "weight": 1}])
    first, second = [row["id"] for row in made["items"]]
    seen = await call(client, "merge_items", keep=first, items=[second], pieces="sum", dry_run=True)
    assert (seen["weight_grams"], seen["quantity"], seen["dry_run"]) == (1, 2, True)
    assert (await call(client, "list_items"))["total"] == 2


@pytest.fixture
async def mine(pool: Pool) -> AsyncGenerator[Collection]:
    async with new_collection(pool) as collection:
        yield collection


LINE = st.tuples(st.sampled_from(("base", "worn", "consumable")), st.integers(0, 3))


@settings(
    max_examples=25,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    packed=st.lists(st.lists(st.none() | LINE, min_size=4, max_size=4), max_size=3),
    replaced=st.integers(0, 3),
    pieces=st.sampled_from(("sum", "keep")),
)
async def test_a_merge_keeps_all_pieces_and_its_undo_restores_every_row(
    mine: Collection, packed: list[list[tuple[str, int] | None]], replaced: int, pieces: str
) -> None:
    items = [{"name": f"Tent {at}", "quantity": at, "weight": at or None} for at in range(4)]
    made = await call(mine.client, "create_items", items=items)
    ids = [row["id"] for row in made["items"]]
    for setup_lines in packed:
        lines = [
            {"item_id": item_id, "classification": line[0], "quantity": line[1]}
            for item_id, line in zip(ids, setup_lines, strict=True)
            if line
        ]
        await call(mine.client, "create_setup", name="Trip", lines=lines)
    await call(mine.client, "create_thread", name="Research", replaces_item_id=ids[replaced])
    before = await mine.hash()
    differing = any(len({line[0] for line in lines if line}) > 1 for lines in packed)
    result = await mine.client.call_tool("merge_items", {"keep": ids[0], "items": ids[1:], "pieces": pieces})
    assert bool(result.is_error) == differing
    if result.structured_content:
        assert result.structured_content.get("quantity", 1) == (6 if pieces == "sum" else 0)
        await call(mine.client, "undo_change", change_id=result.structured_content["change_id"])
    assert await mine.hash() == before


async def test_the_line_of_the_kept_item_is_kept_although_another_is_older(conn: AsyncConnection) -> None:
    twin, hat, tent = [await make_item(conn, name) for name in ("tent ", "Hat", "Tent")]
    trip = await make_setup(conn, "Trip", twin, hat, tent)
    await merge.merge(conn, tent, [twin], "keep")
    assert await lines_of(conn, trip) == [(hat, 1, "base", None), (tent, 2, "base", None)]


async def test_a_thread_keeps_the_item_that_is_not_merged(conn: AsyncConnection) -> None:
    old, twin, kept = [await make_item(conn, name) for name in ("Tent", "tent ", "TENT")]
    thread_id = await make_thread(conn, "Lighter", replaces_item_id=twin)
    winner = await make_candidate(conn, thread_id, "Dome")
    bought = (await resolution.resolve(conn, thread_id, winner, [])).item_id
    await merge.merge(conn, kept, [twin, old], "keep")
    shown = await thread.get(conn, thread_id)
    assert shown.resolved_item_id == bought
    assert shown.replaces
    assert shown.replaces.item_id == kept
