"""Settings: the units in which results are repeated."""

import json
from decimal import Decimal
from typing import Any, cast

import pytest
from psycopg import AsyncConnection
from pydantic import TypeAdapter, ValidationError

from db.query import fetch_value
from mcp_server.models.fields import Row
from mcp_server.models.settings import SettingsChanges, Units, WeightUnit
from mcp_server.services import (
    candidate,
    category,
    comparison,
    item,
    listing,
    preview,
    resolution,
    settings,
    setup,
    thread,
    totals,
)
from tests.factories import make_candidate, make_category, make_item, make_setup, make_thread


async def make_collection(conn: AsyncConnection) -> tuple[int, int, int, int]:
    """An item of one pound and 1,249.95, a setup with it, and a candidate of half a pound to replace it."""
    await make_category(conn, "Shelter")
    tent = await make_item(conn, "Tent", weight=453.59237, price_cents=124995)
    weekend = await make_setup(conn, "Weekend", tent)
    research = await make_thread(conn, replaces_item_id=tent)
    return tent, weekend, research, await make_candidate(conn, research, "Tarp", weight=226.796185)


async def test_weights_are_in_grams_and_no_currency_is_set_at_first(conn: AsyncConnection) -> None:
    assert await settings.get(conn) == Units(weight_unit="g")


async def test_changes_keep_what_they_leave_out_and_none_clears(conn: AsyncConnection) -> None:
    await settings.update(conn, {"weight_unit": "oz", "currency": "EUR"})
    assert await settings.update(conn, {"weight_unit": "kg"}) == Units(weight_unit="kg", currency="EUR")
    assert await settings.update(conn, {"currency": None}) == Units(weight_unit="kg")
    assert await fetch_value(conn, "SELECT count(*) FROM settings") == 1


async def test_grams_without_a_currency_have_no_display(conn: AsyncConnection) -> None:
    tent, weekend, research, tarp = await make_collection(conn)
    for shown in (
        await item.get(conn, tent),
        await setup.get(conn, weekend),
        await thread.get(conn, research),
        await preview.preview(conn, tarp, None),
        await totals.summarize(conn),
        await category.list_all(conn),
        await setup.list_all(conn),
    ):
        assert shown.display is None


async def test_results_repeat_their_prices_in_the_persons_currency(conn: AsyncConnection) -> None:
    tent, weekend, research, tarp = await make_collection(conn)
    await settings.update(conn, {"currency": "EUR"})
    await candidate.update(conn, tarp, {"price_cents": 9900})
    for display, shown in (
        ("1,249.95 EUR", await item.get(conn, tent)),
        ("1,249.95 EUR", await setup.get(conn, weekend)),
        ("Tarp: 99.00 EUR", await thread.get(conn, research)),
        ("99.00 EUR", await preview.preview(conn, tarp, None)),
        ("99.00 EUR", await candidate.get(conn, tarp)),
        ("1,249.95 EUR", await totals.summarize(conn)),
        (None, await item.update(conn, tent, {"price_cents": None})),
    ):
        assert shown.display == display


async def test_lists_name_the_currency_of_their_prices(conn: AsyncConnection) -> None:
    await settings.update(conn, {"currency": "SEK"})
    for shown in (await category.list_all(conn), await setup.list_all(conn), await listing.find(conn)):
        assert shown.display == "prices in SEK"
    await settings.update(conn, {"currency": "JPY"})
    assert (await listing.find(conn)).display == "prices in JPY; 100 price_cents = 1 JPY"


@pytest.mark.parametrize(
    ("currency", "cents", "price"),
    [
        ("EUR", 124995, "1,249.95 EUR"),
        ("EUR", 120000, "1,200.00 EUR"),
        ("JPY", 120000, "1,200 JPY"),
        ("KRW", 4500000, "45,000 KRW"),
        # Entered in the currency's own smallest unit by mistake: visible.
        ("JPY", 1250, "12.50 JPY"),
        ("KWD", 1250, "12.500 KWD"),
        ("ISK", 0, "0 ISK"),
    ],
)
def test_a_price_has_the_decimals_of_its_currency(currency: str, cents: int, price: str) -> None:
    assert Units(weight_unit="g", currency=currency).price(cents) == price


async def make_varied_collection(conn: AsyncConnection) -> tuple[int, int, int]:
    """Three power banks of 5 oz in one setup, one in another, and candidates of 3.5 and 6 oz; a jacket."""
    await make_category(conn, "Power")
    bank = await make_item(conn, "Bank", weight=141.747615625, category="Power")
    jacket = await make_item(conn, "Jacket", weight=453.59237)
    weekend = await make_setup(conn, "Weekend", jacket)
    await setup.set_items(conn, weekend, change=[{"item_id": bank, "quantity": Decimal(3)}])
    await make_setup(conn, "Alps", bank)
    research = await make_thread(conn, replaces_item_id=bank)
    await make_candidate(conn, research, "Small", weight=99.2233309375)
    await make_candidate(conn, research, "Large", weight=170.09713875)
    return bank, weekend, research


@pytest.mark.parametrize("unit", ["g", "kg", "oz", "lb"])
async def test_every_row_with_grams_repeats_them_in_the_persons_unit(
    conn: AsyncConnection, unit: WeightUnit
) -> None:
    bank, weekend, research = await make_varied_collection(conn)
    await settings.update(conn, {"weight_unit": unit})
    (winner, _) = (await thread.get(conn, research)).candidates
    results: list[Row] = [
        await item.get(conn, bank),
        await listing.find(conn),
        await listing.find(conn, in_setup="Weekend"),
        await category.list_all(conn),
        await setup.list_all(conn),
        await setup.get(conn, weekend),
        await comparison.compare(conn, weekend, weekend + 1),
        await thread.get(conn, research),
        await candidate.get(conn, winner.id),
        await preview.preview(conn, winner.id, None),
        await totals.summarize(conn),
        await resolution.resolve(conn, research, winner.id, ["Weekend"]),
    ]
    found = 0
    for result in results:
        for row in objects(json.loads(result.model_dump_json(exclude_none=True, exclude_defaults=True))):
            has_grams = any("_grams" in name for name in row)
            assert ("weight" in row) == (has_grams and unit != "g"), row
            found += has_grams
    assert found > 30


def objects(value: Any) -> list[dict[str, Any]]:
    """Every object within a result."""
    if isinstance(value, list):
        return [found for each in cast(list[Any], value) for found in objects(each)]
    if not isinstance(value, dict):
        return []
    inner = cast(dict[str, Any], value)
    return [inner, *(found for each in inner.values() for found in objects(each))]


async def test_a_row_names_each_of_its_weights(conn: AsyncConnection) -> None:
    _, weekend, research = await make_varied_collection(conn)
    await settings.update(conn, {"weight_unit": "oz"})
    jacket, bank = (await setup.get(conn, weekend)).lines
    assert (jacket.weight, bank.weight) == ("16 oz", "5 oz, line 15 oz")
    shown = await thread.get(conn, research)
    assert shown.replaces is not None
    assert shown.replaces.weight == "5 oz"
    assert [each.weight for each in shown.candidates] == [
        "3.5 oz, over lightest 0 oz, saves 4.5 oz",
        "6 oz, over lightest 2.5 oz, saves -3 oz",
    ]
    alps, there = (await preview.preview(conn, shown.candidates[0].id, None)).setups
    assert alps.weight == "total 5 oz → 3.5 oz (-1.5 oz), base 5 oz → 3.5 oz (-1.5 oz)"
    assert there.weight == "total 31 oz → 26.5 oz (-4.5 oz), base 31 oz → 26.5 oz (-4.5 oz)"
    compared = await comparison.compare(conn, weekend, alps.setup_id)
    assert compared.difference.weight == "total -26 oz, base -26 oz"
    await settings.update(conn, {"weight_unit": "lb"})
    assert (await setup.summarize(conn, weekend)).weight == (
        "total 1 lb 15 oz, base 1 lb 15 oz, worn 0 lb, consumable 0 lb, pack 1 lb 15 oz"
    )


@pytest.mark.parametrize(
    ("unit", "grams", "display"),
    [
        ("g", 0.26, "0.3 g"),
        ("kg", 9342.68, "9.343 kg"),
        ("kg", 2000, "2 kg"),
        ("oz", 28.349523125, "1 oz"),
        ("oz", 500, "17.6 oz"),
        ("oz", -90.7184740, "-3.2 oz"),
        ("oz", 1, "0.035 oz"),
        ("oz", 0, "0 oz"),
        ("lb", 4535923.7, "10,000 lb"),
        ("lb", 538.640939375, "1 lb 3 oz"),
        ("lb", -538.640939375, "-1 lb 3 oz"),
        ("lb", 394.05837, "13.9 oz"),
        ("lb", 453.5, "1 lb"),
        ("lb", 0, "0 lb"),
        ("kg", 1250, "1.25 kg"),
        ("kg", 0.26, "0.00026 kg"),
        ("g", 100, "100 g"),
    ],
)
def test_a_weight_has_no_more_digits_than_a_scale(unit: str, grams: float, display: str) -> None:
    assert Units.model_validate({"weight_unit": unit}).weight(grams) == display


@pytest.mark.parametrize(("given", "kept"), [("EUR", "EUR"), (" sek ", "SEK"), ("", None), (None, None)])
def test_a_currency_is_three_letters(given: str | None, kept: str | None) -> None:
    assert TypeAdapter(SettingsChanges).validate_python({"currency": given}) == {"currency": kept}


@pytest.mark.parametrize("given", ["E", "EURO", "€", "12A", "EÜR"])
def test_anything_else_is_refused_as_a_currency(given: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(SettingsChanges).validate_python({"currency": given})
