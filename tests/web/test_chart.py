"""Charts as data: parts, slices and bars."""

from decimal import Decimal
from itertools import pairwise

import pytest

from mcp_server.models.settings import Units
from mcp_server.models.totals import CategoryTotals, Totals
from mcp_server.web import chart
from mcp_server.web.chart import COLORS, Amount
from tests.web.samples import GRAMS, setup, thread

LIGHT, DARK = ("#ffffff", "#eef1ec"), ("#1b221e", "#111613")


def luminance(color: str) -> float:
    """As WCAG 2.2 defines it."""
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("ground", [*LIGHT, *DARK])
def test_every_color_stands_out_from_light_and_dark_grounds(ground: str) -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert [color for color in COLORS if contrast(color, ground) < 3] == []
    assert len(set(COLORS)) == len(COLORS)


def test_the_parts_of_a_setup_are_its_categories_the_heaviest_first() -> None:
    found = chart.donut_of_setup(setup())
    assert [(part.name, part.shown, part.percent) for part in found.parts] == [
        ("Shelter", "at least 1,000 g", Decimal("62.5")),
        ("Food", "400 g", Decimal(25)),
        ("Uncategorized", "200 g", Decimal("12.5")),
    ]
    assert found.shown == "1,600 g"
    assert found.note == "at least 1,600 g: 1 line of unknown weight"


def test_weights_are_in_the_units_of_the_user() -> None:
    found = chart.donut_of_setup(setup(Units(weight_unit="oz")))
    assert found.shown == "56.4 oz"
    assert found.parts[1].shown == "14.1 oz"


def test_a_setup_without_unknown_weights_has_no_note() -> None:
    assert chart.donut_of_setup(setup(unweighed=0)).note == ""


def test_prices_are_those_of_the_lines_and_the_rest_of_the_total() -> None:
    found = chart.donut_of_setup(setup(price_cents=Decimal(50000)), "price")
    assert [(part.name, part.shown) for part in found.parts] == [
        ("Shelter", "at least 400.00 EUR"),
        ("Other lines", "50.00 EUR"),
        ("Uncategorized", "at least 50.00 EUR"),
        ("Food", "unknown"),
    ]
    assert found.shown == "500.00 EUR"
    assert found.note == "at least 500.00 EUR: 3 lines of unknown price"


def test_a_price_without_a_currency_is_a_number() -> None:
    assert chart.price(Units(weight_unit="g"), 124995) == "1,249.95"


def test_many_parts_share_the_last_color_and_one_slice() -> None:
    found = chart.donut("Many", [Amount(f"Part {n}", Decimal(20 - n)) for n in range(14)], GRAMS, "weight")
    assert len(found.parts) == 14
    assert [part.color for part in found.parts[9:]] == [COLORS[9]] * 5
    assert len(found.slices) == 10
    assert found.slices[-1].name == "5 others"
    assert sum(part.percent for part in found.slices) == pytest.approx(100)
    for one, other in pairwise(found.slices):
        assert one.start + one.percent == other.start


def test_a_whole_of_unknown_parts_has_no_slices() -> None:
    found = chart.donut("Unknown", [Amount("Tent", None)], GRAMS, "weight", 3)
    assert (found.slices, [part.shown for part in found.parts]) == ((), ["unknown"])
    # Not 0 g.
    assert (found.shown, found.note) == ("unknown", "3 lines of unknown weight")
    nothing = chart.donut("Nothing", [], GRAMS, "weight")
    assert (nothing.shown, nothing.note) == ("0 g", "")


def test_categories_that_the_totals_leave_out_are_one_part() -> None:
    totals = Totals(
        items=3,
        pieces=3,
        weight_grams=Decimal(900),
        price_cents=Decimal(100),
        unpriced=1,
        by_category=[CategoryTotals(category="Shelter", items=1, pieces=1, weight_grams=Decimal(600))],
        units=GRAMS,
    )
    found = chart.donut_of_collection(totals)
    assert [(part.name, part.shown) for part in found.parts] == [
        ("Shelter", "600 g"),
        ("Other categories", "300 g"),
    ]
    assert chart.donut_of_collection(totals, "price").note == "at least 1.00 EUR: 1 item of unknown price"


def test_bars_of_setups_are_split_and_as_long_as_the_setups_are_heavy() -> None:
    light = setup(
        name="Light",
        unweighed=0,
        total_grams=Decimal(800),
        base_grams=Decimal(800),
        worn_grams=Decimal(0),
        consumable_grams=Decimal(0),
    )
    found = chart.bars_of_setups([setup(), light], GRAMS)
    assert [bar.shown for bar in found.bars] == ["at least 1,600 g: 1 line of unknown weight", "800 g"]
    assert [sum(part.percent for part in bar.parts) for bar in found.bars] == [100, 50]
    assert [part.name for part in found.legend] == ["base", "worn", "consumable"]


def test_bars_of_a_thread_start_with_the_replaced_item() -> None:
    found = chart.bars_of_thread(thread())
    assert [(bar.name, bar.shown) for bar in found.bars] == [
        ("Old tent (owned)", "1,000 g"),
        ("Tarp", "500 g"),
        ("Dome", "unknown"),
    ]
    assert [[part.percent for part in bar.parts] for bar in found.bars] == [[100], [50], []]


def test_a_price_in_another_currency_is_not_compared() -> None:
    found = chart.bars_of_thread(thread(), "price")
    assert [bar.shown for bar in found.bars] == ["400.00 EUR", "200.00 EUR", "unknown"]
    assert found.note == "1 price in another currency not compared"


def test_percents_have_one_decimal_and_are_not_0() -> None:
    assert [chart.percent_shown(Decimal(value)) for value in ("100", "12.55", "0.04", "30")] == [
        "100%",
        "12.6%",
        "0.04%",
        "30%",
    ]
