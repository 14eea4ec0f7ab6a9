"""Settings: the units in which results are told once more."""

import pytest
from psycopg import AsyncConnection
from pydantic import TypeAdapter, ValidationError

from db.query import fetch_value
from mcp_server.models.settings import SettingsChanges, Units
from mcp_server.services import candidate, category, item, listing, settings, setup, thread, totals
from tests.factories import make_candidate, make_category, make_item, make_setup, make_thread


async def make_collection(conn: AsyncConnection) -> tuple[int, int, int, int]:
    """An item of one pound and 1,249.95, a setup with it, and a candidate of half a pound to replace it."""
    await make_category(conn, "Shelter")
    tent = await make_item(conn, "Tent", weight=453.59237, price_cents=124995)
    weekend = await make_setup(conn, "Weekend", tent)
    research = await make_thread(conn, replaces_item_id=tent)
    return tent, weekend, research, await make_candidate(conn, research, "Tarp", weight=226.796185)


async def test_weights_are_in_grams_and_there_is_no_currency_at_first(conn: AsyncConnection) -> None:
    assert await settings.get(conn) == Units(weight_unit="g")


async def test_changes_keep_what_they_leave_out_and_none_clears(conn: AsyncConnection) -> None:
    await settings.update(conn, {"weight_unit": "oz", "currency": "EUR"})
    assert await settings.update(conn, {"weight_unit": "kg"}) == Units(weight_unit="kg", currency="EUR")
    assert await settings.update(conn, {"currency": None}) == Units(weight_unit="kg")
    assert await fetch_value(conn, "SELECT count(*) FROM settings") == 1


async def test_grams_without_a_currency_are_told_once(conn: AsyncConnection) -> None:
    tent, weekend, research, tarp = await make_collection(conn)
    for shown in (
        await item.get(conn, tent),
        await setup.get(conn, weekend),
        await thread.get(conn, research),
        await candidate.preview(conn, tarp, None),
        await totals.summarize(conn),
        await category.list_all(conn),
        await setup.list_all(conn),
    ):
        assert shown.display is None


async def test_results_tell_their_figures_once_more_in_the_persons_units(conn: AsyncConnection) -> None:
    tent, weekend, research, tarp = await make_collection(conn)
    await settings.update(conn, {"weight_unit": "lb", "currency": "EUR"})
    assert (await item.get(conn, tent)).display == "1 lb, 1,249.95 EUR"
    assert (await item.update(conn, tent, {"price_cents": None})).display == "1 lb"
    assert (await setup.get(conn, weekend)).display == (
        "Weekend: total 1 lb, base 1 lb, worn 0 lb, consumable 0 lb, pack 1 lb"
    )
    assert (await thread.get(conn, research)).display == "Tarp: 0.5 lb"
    assert (
        await candidate.preview(conn, tarp, None)
    ).display == "Tarp: 0.5 lb; Weekend: base 1 lb, then 0.5 lb"
    assert (await totals.summarize(conn)).display == "total 1 lb"


async def test_lists_say_how_to_convert_their_figures(conn: AsyncConnection) -> None:
    await settings.update(conn, {"weight_unit": "oz", "currency": "SEK"})
    for shown in (await category.list_all(conn), await setup.list_all(conn), await listing.find(conn)):
        assert shown.display == "1 oz = 28.349523125 g, prices in SEK"


@pytest.mark.parametrize(
    ("unit", "grams", "display"),
    [
        ("g", 0.26, "0.3 g"),
        ("kg", 9342.68, "9.343 kg"),
        ("oz", 28.349523125, "1 oz"),
        ("oz", 500, "17.64 oz"),
        ("lb", 4535923.7, "10,000 lb"),
        ("g", 100, "100 g"),
    ],
)
def test_a_weight_has_no_more_digits_than_a_scale(unit: str, grams: float, display: str) -> None:
    assert Units.model_validate({"weight_unit": unit}).weight(grams) == display


@pytest.mark.parametrize(("given", "kept"), [("EUR", "EUR"), (" sek ", "SEK"), ("", None), (None, None)])
def test_a_currency_is_three_letters(given: str | None, kept: str | None) -> None:
    assert TypeAdapter(SettingsChanges).validate_python({"currency": given}) == {"currency": kept}


@pytest.mark.parametrize("given", ["E", "EURO", "€", "12A", "EÜR"])
def test_anything_else_is_no_currency(given: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(SettingsChanges).validate_python({"currency": given})
