"""Setups: what they weigh, and how their lists are written."""

import re
from collections.abc import Mapping
from decimal import Decimal
from random import Random
from typing import Any, NamedTuple, cast, get_args

import pytest
from psycopg import AsyncConnection

from db.query import fetch_value
from mcp_server.errors import Conflict, InvalidInput, NotFound
from mcp_server.models.setup import Classification, Difference, NewLine, SetupCreated, SetupSummary
from mcp_server.models.weight import Weighing
from mcp_server.services import bulk, comparison, item, setup
from tests.factories import make_category, make_item, make_setup

CLASSIFICATIONS: tuple[Classification, ...] = get_args(Classification)
NO_SETUP_12 = re.escape("[not_found] No setup 12. Call list_setups to find its id.")


class Parts(NamedTuple):
    total: Decimal
    base: Decimal
    worn: Decimal
    consumable: Decimal
    pack: Decimal


def parts(found: SetupSummary) -> Parts:
    return Parts(
        found.total_grams, found.base_grams, found.worn_grams, found.consumable_grams, found.pack_grams
    )


def expected_parts(lines: list[NewLine], weights: Mapping[int, float | None]) -> Parts:
    """The same figures line by line, in Python's decimals."""
    total = worn = consumable = Decimal(0)
    for line in lines:
        weight = Decimal(str(weights[int(line["item_id"])] or 0))
        quantity = line.get("quantity") or Decimal(0)
        total += weight * quantity
        match line.get("classification"):
            case "worn":
                worn_quantity = line.get("worn_quantity")
                worn += weight * (quantity if worn_quantity is None else worn_quantity)
            case "consumable":
                consumable += weight * quantity
            case _:
                pass
    return Parts(total, total - worn - consumable, worn, consumable, total - worn)


def random_line(random: Random, item_id: int) -> NewLine:
    quantity = Decimal(random.choice([0, 50, 100, 100, 300, random.randint(0, 10_000)])).scaleb(-2)
    line: NewLine = {
        "item_id": item_id,
        "quantity": quantity,
        "classification": random.choice(CLASSIFICATIONS),
    }
    if line.get("classification") == "worn" and random.random() < 0.7:
        line["worn_quantity"] = Decimal(random.randint(0, int(quantity * 100))).scaleb(-2)
    return line


async def make_weighed_items(conn: AsyncConnection, random: Random) -> dict[int, float | None]:
    """Items by id, with weights of up to three decimals, some unknown, and categories, some none."""
    categories = [None, *[await make_category(conn, name) for name in ("Shelter", "Cook", "Clothes", "Food")]]
    heaviest = (0, 10, 1_000, 100_000, 10_000_000, 99_999_999)
    weights = [
        None if random.random() < 0.15 else random.randint(0, random.choice(heaviest)) / 1000
        for _ in range(60)
    ]
    ids = await bulk.insert(
        conn,
        [
            {
                "name": f"Thing {number}",
                "weight_grams": weight,
                "price_cents": random.choice([None, random.randint(0, 100_000)]),
                "category_id": random.choice(categories),
            }
            for number, weight in enumerate(weights)
        ],
    )
    return dict(zip(ids, weights, strict=True))


async def line_ids(conn: AsyncConnection, setup_id: int) -> dict[int, int]:
    """The ids of a setup's lines, by item."""
    cursor = await conn.execute(
        "SELECT item_id, id FROM setup_items WHERE setup_id = %(setup_id)s", {"setup_id": setup_id}
    )
    rows: list[tuple[int, int]] = await cursor.fetchall()
    return dict(rows)


async def test_an_empty_setup_weighs_nothing_and_has_no_price(conn: AsyncConnection) -> None:
    created = await setup.create(conn, "Weekend", [])
    assert created == SetupCreated(
        id=created.id,
        name="Weekend",
        items=0,
        total_grams=Decimal(0),
        base_grams=Decimal(0),
        worn_grams=Decimal(0),
        consumable_grams=Decimal(0),
        pack_grams=Decimal(0),
    )


async def test_a_line_without_details_is_one_piece_in_the_pack(conn: AsyncConnection) -> None:
    tent = await make_item(conn, "Tent", weight=1000.0, price_cents=30000, quantity=5)
    created = await setup.create(conn, "Weekend", [{"item_id": tent}])
    assert parts(created) == (1000, 1000, 0, 0, 1000)
    assert (created.items, created.price_cents) == (1, 30000)


async def test_none_for_a_quantity_is_one_piece(conn: AsyncConnection) -> None:
    tent = await make_item(conn, "Tent", weight=1000.0)
    created = await setup.create(conn, "Weekend", [{"item_id": tent, "quantity": None}])
    assert created.total_grams == 1000


async def test_a_quantity_of_nothing_stays_nothing(conn: AsyncConnection) -> None:
    tent = await make_item(conn, "Tent", weight=1000.0, price_cents=30000)
    created = await setup.create(conn, "Weekend", [{"item_id": tent, "quantity": Decimal(0)}])
    assert (created.items, created.total_grams, created.price_cents) == (1, 0, 0)


async def test_all_pieces_of_a_worn_line_are_worn_unless_it_says_how_many(conn: AsyncConnection) -> None:
    socks = await make_item(conn, "Socks", weight=50.0)
    both = await setup.create(
        conn, "Both", [{"item_id": socks, "quantity": Decimal(3), "classification": "worn"}]
    )
    assert parts(both) == (150, 0, 150, 0, 0)
    one = await setup.create(
        conn,
        "One",
        [
            {
                "item_id": socks,
                "quantity": Decimal(3),
                "classification": "worn",
                "worn_quantity": Decimal(1),
            }
        ],
    )
    assert parts(one) == (150, 100, 50, 0, 100)


async def test_a_worn_line_may_have_none_of_it_worn(conn: AsyncConnection) -> None:
    jacket = await make_item(conn, "Jacket", weight=300.0)
    created = await setup.create(
        conn, "Weekend", [{"item_id": jacket, "classification": "worn", "worn_quantity": Decimal(0)}]
    )
    assert parts(created) == (300, 300, 0, 0, 300)


async def test_what_is_used_up_is_in_the_pack_but_not_in_the_base(conn: AsyncConnection) -> None:
    tent = await make_item(conn, "Tent", weight=1000.0)
    food = await make_item(conn, "Food", weight=500.5)
    created = await setup.create(
        conn,
        "Weekend",
        [
            {"item_id": tent},
            {"item_id": food, "quantity": Decimal(2), "classification": "consumable"},
        ],
    )
    assert parts(created) == (2001, 1000, 0, 1001, 2001)


async def test_halves_count_as_halves(conn: AsyncConnection) -> None:
    roll = await make_item(conn, "Tape", weight=12.9, price_cents=333)
    created = await setup.create(conn, "Weekend", [{"item_id": roll, "quantity": Decimal("0.5")}])
    assert (created.total_grams, created.price_cents) == (Decimal("6.45"), Decimal("166.5"))


async def test_unknown_weights_and_prices_are_counted_and_not_zero(conn: AsyncConnection) -> None:
    tent = await make_item(conn, "Tent", weight=1000.0)
    card = await make_item(conn, "Card", price_cents=500)
    passport = await make_item(conn, "Passport")
    created = await setup.create(conn, "Trip", [{"item_id": tent}, {"item_id": card}, {"item_id": passport}])
    assert (created.total_grams, created.unweighed) == (1000, 2)
    assert (created.price_cents, created.unpriced) == (500, 2)


async def test_unweighed_items_are_named(conn: AsyncConnection) -> None:
    card, tent = await make_item(conn, "Card"), await make_item(conn, "Tent", weight=1000.0)
    passport = await make_item(conn, "Passport")
    found = await setup.get(conn, await make_setup(conn, "Trip", card, tent, passport))
    assert (found.unweighed, found.unweighed_items) == (2, ("Card", "Passport"))


async def test_of_many_unpriced_items_the_first_are_named(conn: AsyncConnection) -> None:
    ids = [await make_item(conn, f"Peg {number}", weight=1.0) for number in range(12)]
    found = await setup.get(conn, await make_setup(conn, "Weekend", *ids))
    assert found.unpriced_items == (*(f"Peg {number}" for number in range(10)), "and 2 more")
    assert found.unweighed_items == ()


async def test_a_setup_without_a_known_price_has_none(conn: AsyncConnection) -> None:
    created = await setup.create(conn, "Weekend", [{"item_id": await make_item(conn, "Tent", weight=1.0)}])
    assert (created.price_cents, created.unpriced) == (None, 1)


async def test_a_line_shows_its_weight_where_that_is_not_the_weight_of_a_piece(conn: AsyncConnection) -> None:
    item_ids = [await make_item(conn, name, weight=150.0) for name in ("One", "Three", "None")]
    created = await setup.create(
        conn,
        "Weekend",
        [
            {"item_id": item_id, "quantity": Decimal(quantity)}
            for item_id, quantity in zip(item_ids, (1, 3, 0), strict=True)
        ],
    )
    lines = (await setup.get(conn, created.id)).lines
    assert [(line.name, line.line_grams) for line in lines] == [("One", None), ("Three", 450), ("None", 0)]


async def test_lines_are_shown_in_their_order_with_all_they_have(conn: AsyncConnection) -> None:
    await make_category(conn, "Clothes")
    socks = await make_item(conn, "Socks", category="Clothes", weight=Weighing(50.5, 2.5), price_cents=1200)
    apple = await make_item(conn, "Apple")
    created = await setup.create(
        conn,
        "Weekend",
        [
            {
                "item_id": socks,
                "quantity": Decimal(3),
                "classification": "worn",
                "worn_quantity": Decimal("0.5"),
            },
            {"item_id": apple, "classification": "consumable", "quantity": Decimal("1.5")},
        ],
    )
    found = await setup.get(conn, created.id)
    assert [line.model_dump(exclude={"weight"}) for line in found.lines] == [
        {
            "item_id": socks,
            "name": "Socks",
            "category": "Clothes",
            "classification": "worn",
            "quantity": 3,
            "worn_quantity": 0.5,
            "weight_grams": 50.5,
            "weight_margin_grams": 2.5,
            "line_grams": Decimal("151.5"),
            "price_cents": 1200,
        },
        {
            "item_id": apple,
            "name": "Apple",
            "category": None,
            "classification": "consumable",
            "quantity": 1.5,
            "worn_quantity": None,
            "weight_grams": None,
            "weight_margin_grams": None,
            "line_grams": None,
            "price_cents": None,
        },
    ]


async def test_a_line_that_is_worn_whole_does_not_say_how_many(conn: AsyncConnection) -> None:
    hat = await make_item(conn, "Hat")
    created = await setup.create(conn, "Weekend", [{"item_id": hat, "classification": "worn"}])
    assert (await setup.get(conn, created.id)).lines[0].worn_quantity is None


async def test_categories_come_in_the_order_of_their_first_lines(conn: AsyncConnection) -> None:
    await make_category(conn, "Alpha")
    await make_category(conn, "Zulu")
    tent = await make_item(conn, "Tent", category="Zulu", weight=750.0)
    card = await make_item(conn, "Card")
    cup = await make_item(conn, "Cup", category="Alpha", weight=150.0)
    pegs = await make_item(conn, "Peg", category="Zulu", weight=100.0)
    found = await setup.get(conn, await make_setup(conn, "Weekend", tent, card, cup, pegs))
    assert [(part.category, part.items, part.weight_grams, part.share) for part in found.by_category] == [
        ("Zulu", 2, 850, 85),
        (None, 1, None, None),
        ("Alpha", 1, 150, 15),
    ]


async def test_nothing_weighed_has_no_shares(conn: AsyncConnection) -> None:
    found = await setup.get(conn, await make_setup(conn, "Weekend", await make_item(conn, "Card")))
    assert [(part.weight_grams, part.share) for part in found.by_category] == [(None, None)]


async def test_the_parts_of_any_setup_add_up_exactly(conn: AsyncConnection) -> None:
    random = Random(20260727)
    weights = await make_weighed_items(conn, random)
    for number in range(200):
        chosen = random.sample(sorted(weights), random.choice([0, 1, 2, 5, 15, 40]))
        lines = [random_line(random, item_id) for item_id in chosen]
        created = await setup.create(conn, f"Setup {number}", lines)
        found = parts(created)
        assert found.base + found.worn + found.consumable == found.total
        assert found.pack == found.total - found.worn
        assert found == expected_parts(lines, weights)
        assert created.unweighed == sum(weights[item_id] is None for item_id in chosen)


async def test_a_setup_is_shown_with_the_same_figures_as_it_is_listed(conn: AsyncConnection) -> None:
    random = Random(1966)
    weights = await make_weighed_items(conn, random)
    for number in range(40):
        lines = [random_line(random, item_id) for item_id in random.sample(sorted(weights), 12)]
        created = await setup.create(conn, f"Setup {number:02}", lines)
        shown = await setup.get(conn, created.id)
        assert parts(shown) == parts(created)
        assert sum(part.weight_grams or 0 for part in shown.by_category) == created.total_grams
        assert shown.items == len(shown.lines) == sum(part.items for part in shown.by_category)
        shares = [part.share for part in shown.by_category if part.share is not None]
        # Each share is rounded to a tenth of a percent.
        assert not shares or abs(sum(shares) - 100) <= Decimal("0.05") * len(shares)
        assert (await setup.list_all(conn)).setups[number] == created.totals()


async def test_heavy_and_tiny_things_together_still_add_up_exactly(conn: AsyncConnection) -> None:
    boulder = await make_item(conn, "Boulder", weight=999_999_999.999)
    grain = await make_item(conn, "Grain", weight=0.001)
    created = await setup.create(
        conn,
        "Quarry",
        [
            {"item_id": boulder, "quantity": Decimal("999999.99")},
            {"item_id": grain, "quantity": Decimal("0.01"), "classification": "worn"},
        ],
    )
    shown = await setup.get(conn, created.id)
    assert parts(created).total == Decimal("999999.99") * Decimal("999999999.999") + Decimal("0.00001")
    assert parts(shown) == parts(created)


async def test_new_lines_are_the_whole_list(conn: AsyncConnection) -> None:
    tent, tarp, cup = [await make_item(conn, name, weight=100.0) for name in ("Tent", "Tarp", "Cup")]
    setup_id = await make_setup(conn, "Weekend", tent, tarp)
    written = await setup.set_items(
        conn, setup_id, [{"item_id": cup, "quantity": Decimal(2)}, {"item_id": tent}]
    )
    assert (written.id, written.name, written.items, written.total_grams) == (setup_id, "Weekend", 2, 300)
    assert {line.name for line in (await setup.get(conn, setup_id)).lines} == {"Tent", "Cup"}


async def test_removing_every_item_empties_a_setup(conn: AsyncConnection) -> None:
    tent, tarp = await make_item(conn, "Tent"), await make_item(conn, "Tarp")
    setup_id = await make_setup(conn, "Weekend", tent, tarp)
    with pytest.raises(InvalidInput, match="lines: is empty"):
        await setup.set_items(conn, setup_id, [])
    assert (await setup.set_items(conn, setup_id, remove=[tent, tarp])).items == 0
    assert (await setup.get(conn, setup_id)).lines == []


async def test_lines_that_stay_keep_their_id_and_their_place(conn: AsyncConnection) -> None:
    tent, tarp, cup, pot = [await make_item(conn, name) for name in ("Tent", "Tarp", "Cup", "Pot")]
    setup_id = await make_setup(conn, "Weekend", tent, tarp, cup)
    before = await line_ids(conn, setup_id)
    await setup.set_items(
        conn,
        setup_id,
        [{"item_id": pot}, {"item_id": cup, "classification": "worn"}, {"item_id": tent}],
    )
    after = await line_ids(conn, setup_id)
    assert (after[tent], after[cup]) == (before[tent], before[cup])
    assert [line.name for line in (await setup.get(conn, setup_id)).lines] == ["Tent", "Cup", "Pot"]


async def test_only_lines_that_change_are_written_again(conn: AsyncConnection) -> None:
    tent, tarp = await make_item(conn, "Tent"), await make_item(conn, "Tarp")
    setup_id = await make_setup(conn, "Weekend", tent, tarp)

    async def version(item_id: int) -> str:
        return await fetch_value(
            conn, "SELECT ctid::text FROM setup_items WHERE item_id = %(id)s", {"id": item_id}
        )

    before = await version(tent), await version(tarp)
    lines: list[NewLine] = [
        {"item_id": tent, "quantity": Decimal("1.0"), "classification": "base"},
        {"item_id": tarp, "quantity": Decimal(2)},
    ]
    await setup.set_items(conn, setup_id, lines)
    assert await version(tent) == before[0]
    assert await version(tarp) != before[1]


async def test_a_line_that_is_no_longer_worn_is_all_in_the_pack(conn: AsyncConnection) -> None:
    hat = await make_item(conn, "Hat", weight=40.0)
    created = await setup.create(
        conn, "Weekend", [{"item_id": hat, "quantity": Decimal(2), "classification": "worn"}]
    )
    written = await setup.set_items(conn, created.id, [{"item_id": hat, "quantity": Decimal(2)}])
    assert parts(written) == (80, 80, 0, 0, 80)


async def test_other_setups_keep_their_lines(conn: AsyncConnection) -> None:
    tent = await make_item(conn, "Tent")
    setup_id, other_id = await make_setup(conn, "Weekend", tent), await make_setup(conn, "Alps", tent)
    await setup.set_items(conn, setup_id, remove=[tent])
    assert (await setup.get(conn, other_id)).items == 1


async def test_an_item_on_two_lines_is_refused(conn: AsyncConnection) -> None:
    tent, tarp = await make_item(conn, "Tent"), await make_item(conn, "Tarp")
    setup_id = await make_setup(conn, "Weekend", tarp)
    with pytest.raises(InvalidInput, match=f"Item {tent} occurs more than once"):
        await setup.set_items(conn, setup_id, [{"item_id": tent}, {"item_id": tarp}, {"item_id": tent}])
    assert [line.name for line in (await setup.get(conn, setup_id)).lines] == ["Tarp"]


async def test_items_that_do_not_exist_are_named(conn: AsyncConnection) -> None:
    tent = await make_item(conn, "Tent")
    setup_id = await make_setup(conn, "Weekend", tent)
    with pytest.raises(
        NotFound, match=re.escape("[not_found] No item 12, 13. Call list_items to find its id.")
    ):
        await setup.set_items(conn, setup_id, [{"item_id": 12}, {"item_id": tent}, {"item_id": 13}])
    assert [line.name for line in (await setup.get(conn, setup_id)).lines] == ["Tent"]


@pytest.mark.parametrize("classification", ["base", "consumable", None])
@pytest.mark.parametrize("worn_quantity", [Decimal(0), Decimal(1)])
async def test_a_worn_quantity_is_for_worn_lines_only(
    conn: AsyncConnection, classification: Classification | None, worn_quantity: Decimal
) -> None:
    line: NewLine = {"item_id": await make_item(conn, "Hat"), "worn_quantity": worn_quantity}
    if classification is not None:
        line["classification"] = classification
    with pytest.raises(InvalidInput, match="worn_quantity: is only valid for worn lines"):
        await setup.create(conn, "Weekend", [line])


async def test_no_more_can_be_worn_than_there_is(conn: AsyncConnection) -> None:
    hat = await make_item(conn, "Hat")
    line: NewLine = {
        "item_id": hat,
        "quantity": Decimal("1.5"),
        "classification": "worn",
        "worn_quantity": Decimal("1.51"),
    }
    with pytest.raises(InvalidInput, match="up to their quantity"):
        await setup.create(conn, "Weekend", [line])


async def test_the_lines_of_an_absent_setup_cannot_be_set(conn: AsyncConnection) -> None:
    with pytest.raises(NotFound, match=NO_SETUP_12):
        await setup.set_items(conn, 12, [{"item_id": await make_item(conn, "Tent")}])


async def test_an_absent_setup_cannot_be_shown(conn: AsyncConnection) -> None:
    with pytest.raises(NotFound, match=NO_SETUP_12):
        await setup.get(conn, 12)


async def test_a_list_has_every_setup_by_name_with_its_totals(conn: AsyncConnection) -> None:
    tent = await make_item(conn, "Tent", weight=1000.0)
    await make_setup(conn, "Weekend", tent)
    await make_setup(conn, "alps", tent)
    await make_setup(conn, "Empty")
    listed = await setup.list_all(conn)
    assert listed.total == 3
    assert [(found.name, found.items, found.total_grams, found.unweighed) for found in listed.setups] == [
        ("alps", 1, 1000, 0),
        ("Empty", 0, 0, 0),
        ("Weekend", 1, 1000, 0),
    ]


async def test_no_setups_are_an_empty_list(conn: AsyncConnection) -> None:
    assert (await setup.list_all(conn)).model_dump(exclude_none=True) == {"total": 0, "setups": []}


async def test_lines_are_added_changed_and_removed_and_the_others_stay(conn: AsyncConnection) -> None:
    tent, stove, hat, map_ = [
        await make_item(conn, name, weight=100.0) for name in ("Tent", "Stove", "Hat", "Map")
    ]
    setup_id = await make_setup(conn, "Weekend", tent, stove, hat)
    await setup.set_items(
        conn,
        setup_id,
        change=[
            {"item_id": map_},
            {"item_id": tent, "quantity": Decimal(2)},
            {"item_id": hat, "classification": "worn"},
        ],
        remove=[stove],
    )
    assert [
        (line.name, line.quantity, line.classification) for line in (await setup.get(conn, setup_id)).lines
    ] == [("Tent", 2, "base"), ("Hat", 1, "worn"), ("Map", 1, "base")]


@pytest.mark.parametrize(
    ("old", "change", "worn"),
    [
        ({"quantity": 2, "classification": "worn"}, {"quantity": 3}, 3),
        ({"quantity": 2, "classification": "worn", "worn_quantity": 1}, {"quantity": 3}, 1),
        ({"quantity": 3, "classification": "worn", "worn_quantity": 2}, {"quantity": 1}, 1),
        ({"quantity": 2, "classification": "worn", "worn_quantity": 1}, {"classification": "base"}, 0),
        ({"quantity": 2, "classification": "worn", "worn_quantity": 0}, {"quantity": 3}, 0),
        ({"quantity": 2}, {"classification": "worn"}, 2),
        ({"quantity": 2}, {"classification": "worn", "worn_quantity": 1}, 1),
        ({"quantity": 2, "classification": "worn"}, {"worn_quantity": None}, 2),
        ({"quantity": 2, "classification": "worn"}, {}, 2),
    ],
)
async def test_a_changed_line_stays_as_worn_as_it_can(
    conn: AsyncConnection, old: dict[str, Any], change: dict[str, Any], worn: int
) -> None:
    socks = await make_item(conn, "Socks", weight=1.0)
    setup_id = await make_setup(conn, "Weekend")
    await setup.set_items(conn, setup_id, [cast(NewLine, {"item_id": socks, **decimals(old)})])
    changed = await setup.set_items(
        conn, setup_id, change=[cast(NewLine, {"item_id": socks, **decimals(change)})]
    )
    assert changed.worn_grams == worn


def decimals(line: dict[str, Any]) -> dict[str, Any]:
    return {name: Decimal(value) if isinstance(value, int) else value for name, value in line.items()}


async def test_a_line_that_is_not_there_cannot_be_removed(conn: AsyncConnection) -> None:
    tent, stove = await make_item(conn, "Tent"), await make_item(conn, "Stove")
    setup_id = await make_setup(conn, "Weekend", tent)
    with pytest.raises(NotFound, match=rf"Setup {setup_id} does not contain item {stove}\. Call get_setup"):
        await setup.set_items(conn, setup_id, remove=[stove])


async def test_the_whole_list_and_changes_to_it_do_not_go_together(conn: AsyncConnection) -> None:
    tent = await make_item(conn, "Tent")
    setup_id = await make_setup(conn, "Weekend", tent)
    for attempt in (
        setup.set_items(conn, setup_id),
        setup.set_items(conn, setup_id, [{"item_id": tent}], remove=[tent]),
        setup.set_items(conn, setup_id, [{"item_id": tent}], change=[{"item_id": tent}]),
    ):
        with pytest.raises(InvalidInput, match=r"either lines \(the whole list\) or change and remove"):
            await attempt


async def test_a_copy_has_the_same_lines_and_is_its_own(conn: AsyncConnection) -> None:
    random = Random(1)
    weights = await make_weighed_items(conn, random)
    original = await setup.create(conn, "Alps", [random_line(random, item_id) for item_id in weights])
    copied = await setup.copy(conn, original.id, "Alps in winter")
    assert parts(copied) == parts(original)
    assert (await setup.get(conn, copied.id)).lines == (await setup.get(conn, original.id)).lines
    await setup.set_items(conn, copied.id, remove=list(weights))
    assert (await setup.get(conn, original.id)).items == len(weights)


async def test_the_differences_of_lines_add_up_to_the_difference_of_totals(conn: AsyncConnection) -> None:
    random = Random(2026)
    weights = await make_weighed_items(conn, random)
    for number in range(60):
        first, second = [
            await setup.create(
                conn,
                f"{name} {number}",
                [
                    random_line(random, item_id)
                    for item_id in random.sample(sorted(weights), random.randint(0, 30))
                ],
            )
            for name in ("First", "Second")
        ]
        found = await comparison.compare(conn, first.id, second.id)
        for name in ("total_grams", "base_grams", "worn_grams", "consumable_grams"):
            expected = getattr(second, name) - getattr(first, name)
            assert (
                sum(getattr(line, name) for line in found.lines)
                == expected
                == getattr(found.difference, name)
            )
        assert all(line.first != line.second for line in found.lines)
        assert found.difference.price_cents == sum(line.price_cents for line in found.lines)


async def test_only_lines_that_differ_are_shown_the_heaviest_difference_first(conn: AsyncConnection) -> None:
    tent, tarp, stove, hat = [
        await make_item(conn, name, weight=weight)
        for name, weight in (("Tent", 1000.0), ("Tarp", 300.0), ("Stove", 100.0), ("Hat", 50.0))
    ]
    first, second = (
        await make_setup(conn, "Heavy", tent, stove, hat),
        await make_setup(conn, "Light", tarp, stove),
    )
    await setup.set_items(conn, second, change=[{"item_id": hat, "classification": "worn"}])
    found = await comparison.compare(conn, first, second)
    assert [
        (line.name, line.first, line.second, line.total_grams, line.base_grams) for line in found.lines
    ] == [
        ("Tent", "1 base", None, -1000, -1000),
        ("Tarp", None, "1 base", 300, 300),
        ("Hat", "1 base", "1 worn", 0, -50),
    ]
    assert (found.same_lines, found.difference.total_grams, found.difference.base_grams) == (1, -700, -750)


async def test_a_setup_compared_with_itself_has_no_differences(conn: AsyncConnection) -> None:
    setup_id = await make_setup(conn, "Weekend", await make_item(conn, "Tent", weight=1.0))
    found = await comparison.compare(conn, setup_id, setup_id)
    assert (found.lines, found.same_lines, found.difference) == ([], 1, Difference())


async def test_a_partly_worn_line_is_not_the_same_as_one_that_is_worn_whole(conn: AsyncConnection) -> None:
    socks = await make_item(conn, "Socks", weight=50.0)
    first, second = await make_setup(conn, "A"), await make_setup(conn, "B")
    pair: NewLine = {"item_id": socks, "quantity": Decimal(2), "classification": "worn"}
    await setup.set_items(conn, first, [pair])
    await setup.set_items(conn, second, [{**pair, "worn_quantity": Decimal(1)}])
    (line,) = (await comparison.compare(conn, first, second)).lines
    assert (line.first, line.second, line.worn_grams, line.base_grams) == (
        "2 worn",
        "2 worn (1 on the body)",
        -50,
        50,
    )


async def test_a_setup_is_renamed_and_deleted_and_its_items_stay(conn: AsyncConnection) -> None:
    tent = await make_item(conn, "Tent")
    setup_id = await make_setup(conn, "Weekend", tent)
    assert (await setup.update(conn, setup_id, {"name": "Alps"})).name == "Alps"
    assert (await setup.delete(conn, setup_id)).model_dump() == {"deleted": "Alps", "lines": 1}
    assert (await item.get(conn, tent)).setups == ()


async def test_absent_setups_are_not_found(conn: AsyncConnection) -> None:
    for attempt in (
        setup.update(conn, 12, {"name": "Alps"}),
        setup.delete(conn, 12),
        setup.copy(conn, 12, "Alps"),
        comparison.compare(conn, 12, 12),
    ):
        with pytest.raises(NotFound, match=NO_SETUP_12):
            await attempt


async def test_a_setup_is_found_by_its_name_or_its_id(conn: AsyncConnection) -> None:
    alps = await make_setup(conn, "Alps")
    twins = [await make_setup(conn, "Twin"), await make_setup(conn, "twin")]
    assert [await setup.resolve(conn, reference) for reference in (" alps ", alps, str(alps))] == [alps] * 3
    listed = f'Several setups match "TWIN": {twins[0]} "Twin", {twins[1]} "twin". Use an id.'
    with pytest.raises(Conflict, match=re.escape(listed)):
        await setup.resolve(conn, "TWIN")
    with pytest.raises(NotFound, match=r'No setup "Alsp"\. Did you mean "Alps"\? Call list_setups'):
        await setup.resolve(conn, "Alsp")
