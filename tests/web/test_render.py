"""Models as HTML and SVG."""

import re
from html.parser import HTMLParser

import pytest
from markupsafe import Markup

from mcp_server.models.settings import Units
from mcp_server.web import chart, render
from tests.web.samples import line, setup, thread


class Balance(HTMLParser):
    """The texts and attributes of markup whose elements must all be closed."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.open, self.attributes, self.texts = list[str](), list[tuple[str, str | None]](), list[str]()
        self.feed(markup)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += attrs
        self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.texts).split())


def everything(units: Units | None = None) -> Markup:
    shown = setup(units) if units else setup()
    compared = chart.bars_of_setups([shown, shown], shown.units)
    return Markup().join(
        [
            render.donut(chart.donut_of_setup(shown)),
            render.totals(shown),
            render.lines(shown, prices=True),
            render.bars(compared),
            render.bars(chart.bars_of_thread(thread())),
        ]
    )


def test_markup_has_no_scripts_styles_or_links_and_every_element_is_closed() -> None:
    found = Balance(everything())
    names = {name for name, _ in found.attributes}
    assert "fill" in names
    assert not {"style", "href", "src"} & names
    assert not [name for name in names if name.startswith("on")]


def test_totals_are_written_as_a_sum() -> None:
    words = Balance(render.totals(setup())).words
    assert "Total 1,600 g − Consumable 400 g − Worn 200 g = Base 1,000 g In the pack 1,400 g" in words
    assert words.endswith("Total at least 1,600 g: 1 line of unknown weight")


def test_a_donut_has_a_table_with_the_same_parts() -> None:
    words = Balance(render.donut(chart.donut_of_setup(setup()))).words
    assert "Shelter at least 1,000 g 62.5% Food 400 g 25% Uncategorized 200 g 12.5%" in words
    assert words.endswith("At least 1,600 g: 1 line of unknown weight")


def test_a_donut_of_one_part_is_closed_and_others_have_gaps() -> None:
    parts = [chart.Amount("Tent", chart.to_decimal(100))]
    one = render.ring(chart.donut("One", parts, Units(weight_unit="g"), "weight"))
    assert 'stroke-dasharray="100.000 100"' in one
    several = render.ring(chart.donut_of_setup(setup()))
    assert re.findall(r'dasharray="(\S+) 100" stroke-dashoffset="(\S+)"', several) == [
        ("62.000", "0.000"),
        ("24.500", "-62.500"),
        ("12.000", "-87.500"),
    ]


def test_lines_are_grouped_by_category_heaviest_first() -> None:
    words = Balance(render.lines(setup())).words
    assert "Shelter at least 1,000 g Tent 1 1,000 g 1,000 g Pegs 1 unknown unknown" in words
    assert "Bars consumable 8 50 g 400 g" in words
    assert words.index("Shelter") < words.index("Food") < words.index("Uncategorized")
    assert "EUR" not in words


def test_lines_have_prices_only_on_request() -> None:
    words = Balance(render.lines(setup(), prices=True)).words
    assert "Tent 1 1,000 g 1,000 g 400.00 EUR" in words
    assert "Pegs 1 unknown unknown unknown" in words


def test_lines_that_are_left_out_are_counted() -> None:
    assert Balance(render.lines(setup(lines_left_out=3))).words.endswith("Not shown: 3 more lines")


def test_half_pieces_and_partly_worn_lines_are_shown() -> None:
    half = line(9, "Socks", "Food", 60, quantity="2.5", worn_quantity="1", classification="worn")
    assert "Socks worn 1 2.5 60 g 150 g" in Balance(render.lines(setup(lines=[half]))).words


def test_all_weights_are_in_the_units_of_the_user() -> None:
    words = Balance(everything(Units(weight_unit="lb"))).words
    assert "= Base 2 lb 3.3 oz" in words
    assert re.findall(r"\d g\b", words.split("Tent")[0]) == []


@pytest.mark.parametrize("name", ["<b>Tent</b>", '"><script>alert(1)</script>', "</title></svg>"])
def test_names_are_text(name: str) -> None:
    nasty = setup(name=name, lines=[line(1, name, name, 5)])
    found = render.donut(chart.donut_of_setup(nasty)) + render.lines(nasty)
    assert name not in found
    assert name in Balance(found).words + str([value for _, value in Balance(found).attributes])


def test_names_have_a_direction_of_their_own() -> None:
    assert '<th scope="row" dir="auto">אוהל' in render.lines(setup(lines=[line(1, "אוהל", "Shelter", 5)]))


def test_the_stylesheet_has_both_themes_and_print_and_loads_nothing() -> None:
    assert "color-scheme: light dark" in render.STYLE
    assert "@media print" in render.STYLE
    assert not re.search(r"url\(|@import|\{[{%]", render.STYLE)


def test_every_class_that_is_used_has_a_style() -> None:
    used = {
        name
        for attribute, value in Balance(everything()).attributes
        if attribute == "class"
        for name in (value or "").split()
    }
    assert sorted(name for name in used if f".{name}" not in render.STYLE) == []


def test_another_room_uses_the_macros_in_its_own_templates() -> None:
    templates = render.environment("mcp_server.http.oauth")
    assert "base.html" in templates.list_templates()
    page = templates.from_string('{% from "gear.html" import totals %}{{ totals(setup) }}')
    assert page.render(setup=setup()) == render.totals(setup())
