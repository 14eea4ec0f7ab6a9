"""A variant shows what a setup would be, and stores nothing."""

from decimal import Decimal
from typing import Any, cast

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings
from mcp import Client
from psycopg import AsyncConnection

from mcp_server.errors import InvalidInput, NotFound
from mcp_server.models.setup import NewLine, SetupSummary
from mcp_server.models.variant import Added, Totals
from mcp_server.services import setup, variant
from tests.calls import call, refused
from tests.factories import make_candidate, make_item, make_setup, make_thread

FIGURES = set(Totals.model_fields) - {"state"}
WEIGHTS = st.none() | st.floats(0, 5000) | st.sampled_from([0.1, 0.2, 33.333])
PRICES = st.none() | st.integers(0, 10**6)
LINES = st.builds(
    NewLine,
    item_id=st.just(0),
    quantity=st.sampled_from([Decimal(1), Decimal(2), Decimal("0.5"), Decimal(0), Decimal(3)]),
    classification=st.sampled_from(["base", "worn", "consumable"]),
)


def figures(totals: Totals | SetupSummary) -> dict[str, Any]:
    return {name: getattr(totals, name) for name in FIGURES}


async def test_totals_are_shown_before_and_after_and_their_difference(conn: AsyncConnection) -> None:
    tent, stove = (
        await make_item(conn, "Tent", weight=1000.0, price_cents=30000),
        await make_item(conn, "Stove"),
    )
    bag = await make_item(conn, "Bag", weight=700.0, price_cents=20000)
    weekend = await make_setup(conn, "Weekend", tent, bag)
    tarp = await make_candidate(conn, await make_thread(conn), "Tarp", weight=300.0, price_cents=12000)
    shown = await variant.what_if(
        conn,
        "weekend",
        change=[{"item_id": bag, "quantity": Decimal(2)}],
        swap=[{"old_item_id": tent, "candidate_id": tarp}],
        add=[{"name": "Cup", "weight": 40.0, "quantity": Decimal(2), "classification": "worn"}],
    )
    assert shown.setup_id == weekend
    before, after, difference = shown.totals
    assert (before.total_grams, before.base_grams, before.price_cents, before.unpriced) == (
        1700,
        1700,
        50000,
        0,
    )
    assert (after.total_grams, after.base_grams, after.worn_grams) == (1780, 1700, 80)
    assert (after.price_cents, after.unpriced) == (52000, 1)
    assert (difference.items, difference.total_grams, difference.worn_grams) == (1, 80, 80)
    # The cup has no price.
    assert (difference.price_cents, difference.unpriced) == (None, 1)
    assert [
        (each.name, each.item_id, each.candidate_id, each.before, each.after, each.total_grams)
        for each in shown.lines
    ] == [
        ("Tent", tent, None, "1 base", None, -1000),
        ("Bag", bag, None, "1 base", "2 base", 700),
        ("Tarp", None, tarp, None, "1 base", 300),
        ("Cup", None, None, None, "2 worn", 80),
    ]
    assert (await setup.summarize(conn, weekend)).total_grams == 1700
    unknown = await variant.what_if(conn, weekend, swap=[{"old_item_id": tent, "item_id": stove}])
    assert (unknown.totals[1].unweighed, unknown.totals[2].total_grams) == (1, None)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, "Give at least one of"),
        ({"add": [{"item_id": "tent"}]}, "already contains item"),
        ({"add": [{"item_id": "stove"}, {"item_id": "stove"}]}, "occurs more than once"),
        ({"remove": ["tent"], "swap": [{"old_item_id": "tent", "name": "Tarp"}]}, "occurs more than once"),
        ({"change": [{"item_id": "stove", "worn_quantity": Decimal(1)}]}, "only valid for worn lines"),
    ],
)
async def test_changes_that_make_no_sense_are_refused(
    conn: AsyncConnection, changes: dict[str, Any], message: str
) -> None:
    ids = {"tent": await make_item(conn, "Tent"), "stove": await make_item(conn, "Stove")}
    await make_setup(conn, "Weekend", ids["tent"])
    with pytest.raises(InvalidInput, match=message):
        await variant.what_if(conn, "Weekend", **numbered(changes, ids))


def numbered(value: Any, ids: dict[str, int]) -> Any:
    """Replace the names of items by their ids."""
    if isinstance(value, dict):
        return {name: numbered(each, ids) for name, each in cast(dict[str, Any], value).items()}
    if isinstance(value, list):
        return [numbered(each, ids) for each in cast(list[Any], value)]
    return ids.get(value, value) if isinstance(value, str) else value


async def test_lines_that_are_not_there_are_not_found(conn: AsyncConnection) -> None:
    tent, stove = await make_item(conn, "Tent"), await make_item(conn, "Stove")
    weekend = await make_setup(conn, "Weekend", tent)
    with pytest.raises(NotFound, match=rf"Setup {weekend} does not contain item {stove}\."):
        await variant.what_if(conn, weekend, remove=[stove])
    with pytest.raises(NotFound, match="No candidate 99"):
        await variant.what_if(conn, weekend, add=[{"candidate_id": 99}])


@given(
    things=st.lists(st.tuples(WEIGHTS, PRICES), min_size=6, max_size=6),
    old=st.lists(LINES, min_size=4, max_size=4),
    new=st.lists(LINES, min_size=4, max_size=4),
    fates=st.lists(st.sampled_from(["stay", "change", "remove"]), min_size=3, max_size=3),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_a_variant_equals_doing_it_and_reading(
    conn: AsyncConnection,
    things: list[tuple[float | None, int | None]],
    old: list[NewLine],
    new: list[NewLine],
    fates: list[str],
) -> None:
    ids = [await make_item(conn, "Thing", weight=weight, price_cents=cents) for weight, cents in things]
    packed, spare = ids[:4], ids[4:]
    lines: list[NewLine] = [{**each, "item_id": item_id} for item_id, each in zip(packed, old, strict=True)]
    setup_id = (await setup.create(conn, "Weekend", lines)).id
    changed = zip(packed[1:], fates, new[1:], strict=True)
    change: list[NewLine] = [
        {**each, "item_id": item_id} for item_id, fate, each in changed if fate == "change"
    ]
    remove = [item_id for item_id, fate in zip(packed[1:], fates, strict=True) if fate == "remove"]
    add: NewLine = {**new[0], "item_id": spare[1]}
    before = await rows(conn)
    shown = await variant.what_if(
        conn,
        setup_id,
        change=change,
        remove=remove,
        swap=[{"old_item_id": packed[0], "item_id": spare[0]}],
        add=[cast(Added, add)],
    )
    assert await rows(conn) == before
    first, then, difference = shown.totals
    assert figures(first) == figures(await setup.summarize(conn, setup_id))
    swapped: NewLine = {**lines[0], "item_id": spare[0]}
    await setup.set_items(conn, setup_id, change=[*change, swapped, add], remove=[*remove, packed[0]])
    assert figures(then) == figures(await setup.summarize(conn, setup_id))
    for name in ("total_grams", "base_grams", "price_cents"):
        parts = sum((getattr(each, name) for each in shown.lines), Decimal(0))
        assert parts == (getattr(then, name) or 0) - (getattr(first, name) or 0)
        assert getattr(difference, name) in (None, parts)


async def rows(conn: AsyncConnection) -> list[Any]:
    cursor = await conn.execute(
        "SELECT id, setup_id, item_id, quantity, classification, worn_quantity FROM setup_items ORDER BY id"
    )
    return await cursor.fetchall()


async def test_an_agent_asks_what_if_with_names_and_texts(client: Client) -> None:
    tent = await call(client, "create_item", name="Tent", weight="1 kg")
    await call(client, "create_setup", name="Weekend", lines=[{"item_id": tent["id"]}])
    changes = await call(client, "list_changes")
    shown = await call(
        client,
        "what_if",
        setup="weekend",
        swap=[{"old_item_id": tent["id"], "name": "Tarp", "weight": "300 g"}],
    )
    assert [each["state"] for each in shown["totals"]] == ["before", "after", "difference"]
    assert shown["totals"][2]["base_grams"] == -700
    assert await call(client, "list_changes") == changes
    for thing, message in (
        ({"name": "Cup", "weigth": "3 g"}, "add.0.weigth: no such field"),
        ({}, "add.0: needs exactly one of item_id, candidate_id and name"),
        ({"item_id": tent["id"], "name": "Tent"}, "add.0: needs exactly one of"),
        ({"item_id": tent["id"], "weight": "3 g"}, "add.0: weight and price_cents are only valid with name"),
    ):
        text = await refused(client, "what_if", setup="weekend", add=[thing])
        assert text.startswith(f"[invalid_input] {message}")
