"""Models as HTML and SVG, without styles and scripts of their own: `STYLE` is the stylesheet for all pages.

Templates import the same from gear.html: `{% from "gear.html" import donut, bars, totals, lines %}`.
"""

from base64 import b64encode
from decimal import Decimal
from hashlib import sha256
from typing import Any, NamedTuple, cast

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from mcp_server.models.fields import lean_number
from mcp_server.models.settings import Number, Units
from mcp_server.models.setup import SetupLine, SetupShown, SetupSummary
from mcp_server.web import chart
from mcp_server.web.chart import COLORS, UNCATEGORIZED, Bars, Donut, Part


class Group(NamedTuple):
    """The lines of a category, heaviest first, and its weight."""

    name: str
    color: str
    shown: str
    lines: list[SetupLine]


def grouped(setup: SetupShown) -> list[Group]:
    """Return a setup's lines by category, in the order and the colors of its donut."""
    lines: dict[str, list[SetupLine]] = {}
    for line in setup.lines:
        lines.setdefault(line.category or UNCATEGORIZED, []).append(line)
    parts = {part.name: part for part in chart.donut_of_setup(setup).parts}
    places = {name: place for place, name in enumerate(parts)}
    unlisted = Part("", None, "", COLORS[-1])
    groups: list[Group] = []
    for name in sorted(lines, key=lambda name: places.get(name, len(places))):
        part = parts.get(name, unlisted)
        ordered = sorted(lines[name], key=lambda line: -(line_grams(line) or 0))
        groups.append(Group(name, part.color, part.shown, ordered))
    return groups


def line_grams(line: SetupLine) -> Decimal | None:
    """The weight of all pieces of a line."""
    return None if line.weight_grams is None else Decimal(str(line.weight_grams)) * line.quantity


def arc(part: Part, of: Donut) -> str:
    """The length of a slice in percent, less a gap to the next one if there are several."""
    gap = Decimal("0.5") if len(of.slices) > 1 else Decimal(0)
    return f"{max(part.percent - gap, part.percent / 2):.3f}"


def weight(units: Units, grams: Number | None) -> str:
    return chart.amount_shown(units, "weight", grams)


def price(units: Units, line: SetupLine) -> str:
    """The price of all pieces of a line."""
    return chart.amount_shown(
        units, "price", None if line.price_cents is None else line.price_cents * line.quantity
    )


def quantity(value: Decimal) -> str:
    return f"{lean_number(value):,}"


def capitalize_first(text: str) -> str:
    return text[:1].upper() + text[1:]


def environment(package: str | None = None) -> Environment:
    """Return an environment with the templates of this room and those in `templates/` of *package*."""
    packages = [package, "mcp_server.web"] if package else ["mcp_server.web"]
    made = Environment(
        loader=ChoiceLoader([PackageLoader(name) for name in packages]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    made.filters["capitalize_first"] = capitalize_first
    cast(dict[str, Any], made.globals).update(
        arc=arc,
        at_least=chart.at_least,
        counted=chart.counted,
        grouped=grouped,
        line_grams=line_grams,
        percent=chart.percent_shown,
        price=price,
        quantity=quantity,
        weight=weight,
    )
    return made


TEMPLATES = environment()
STYLE = TEMPLATES.get_template("gear.css").render()
# For a Content-Security-Policy that allows this stylesheet in a page, and no other.
STYLE_HASH = f"sha256-{b64encode(sha256(STYLE.encode()).digest()).decode()}"


def macro(name: str, *values: Any) -> Markup:
    return Markup(getattr(TEMPLATES.get_template("gear.html").module, name)(*values))  # noqa: S704 (escaped)


def donut(of: Donut, caption: str = "By category", note: bool = True) -> Markup:
    """Draw a whole, beside a table of its parts. The *note* says what is unknown, as `totals` does too."""
    return macro("donut", of, caption, note)


def ring(of: Donut) -> Markup:
    """Draw a whole as SVG, without the table."""
    return macro("ring", of)


def bars(of: Bars) -> Markup:
    """Draw bars in a table with their names and amounts."""
    return macro("bars", of)


def totals(setup: SetupSummary) -> Markup:
    """Write a table of total - consumable - worn = base."""
    return macro("totals", setup)


def lines(setup: SetupShown, prices: bool = False) -> Markup:
    """Write a table of a setup's lines by category. Needs all parts of the setup."""
    return macro("lines", setup, prices)
