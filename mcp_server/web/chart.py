"""Charts as data: the parts of a whole, and bars side by side. Templates and pictures draw them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from mcp_server.models.chart import Measure
from mcp_server.models.fields import rounded
from mcp_server.models.settings import Number, Units
from mcp_server.models.setup import SetupLine, SetupShown, SetupTotals
from mcp_server.models.thread import ThreadShown
from mcp_server.models.totals import Totals

# At least 3:1 beside each other's grounds, light and dark (WCAG 1.4.11). The last one is for all other parts.
COLORS = (
    "#3a7fc1",
    "#d0661a",
    "#2f8f5b",
    "#c8476f",
    "#8a63d2",
    "#8f7d1c",
    "#14898f",
    "#b8559f",
    "#a5683f",
    "#767f7a",
)
UNCATEGORIZED = "Uncategorized"


class Part(NamedTuple):
    """A part of a whole. `amount` is in grams or cents, None if unknown; `shown` is in the user's units."""

    name: str
    amount: Decimal | None
    shown: str
    color: str
    percent: Decimal = Decimal(0)
    # Percent of the whole before this part.
    start: Decimal = Decimal(0)


class Donut(NamedTuple):
    """A whole, its `parts`, largest first, and its `slices`: the largest parts, and the rest as one."""

    title: str
    shown: str
    note: str
    parts: tuple[Part, ...]
    slices: tuple[Part, ...]


class Bar(NamedTuple):
    """A row of a bar chart. The percent of its parts are of the longest bar."""

    name: str
    shown: str
    parts: tuple[Part, ...]


class Bars(NamedTuple):
    """Bars to compare. `legend` names the colors if bars have several."""

    title: str
    note: str
    bars: tuple[Bar, ...]
    legend: tuple[Part, ...] = ()


class Amount(NamedTuple):
    """The name of a part, its known amount in grams or cents, and how many amounts in it are unknown."""

    name: str
    amount: Decimal | None
    unknown: int = 0

    def shown(self, units: Units, by: Measure) -> str:
        known = amount_shown(units, by, self.amount)
        return f"at least {known}" if self.unknown and self.amount is not None else known


def price(units: Units, cents: Number) -> str:
    """Format a price. Without a currency in the settings, it has none."""
    return units.price(cents) or f"{Decimal(str(cents)) / 100:,.2f}"


def amount_shown(units: Units, by: Measure, amount: Number | None) -> str:
    """Format grams or cents in the user's units. None is unknown."""
    if amount is None:
        return "unknown"
    return units.weight(amount) if by == "weight" else price(units, amount)


def counted(count: int, noun: str) -> str:
    """`1 line`, `2 lines`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def at_least(units: Units, by: Measure, amount: Number | None, unknown: int, noun: str = "line") -> str:
    """Format a sum: `400 g`, `at least 400 g: 1 line of unknown weight`, `1 line of unknown weight`."""
    shown, missing = amount_shown(units, by, amount), f"{counted(unknown, noun)} of unknown {by}"
    if not unknown:
        return shown
    return missing if amount is None else f"at least {shown}: {missing}"


def donut(
    title: str, parts: Iterable[Amount], units: Units, by: Measure, unknown: int = 0, noun: str = "line"
) -> Donut:
    """Return the chart of a whole, which is the sum of *parts*. The note counts what is *unknown* in it."""
    ordered = sorted(parts, key=lambda part: (-(part.amount or 0), part.name))
    known = [part.amount for part in ordered if part.amount is not None]
    total = sum(known, Decimal(0)) if known or not ordered else None
    note = at_least(units, by, total, unknown, noun) if unknown else ""
    colored: list[Part] = []
    start = Decimal(0)
    for index, part in enumerate(ordered):
        percent = 100 * (part.amount or Decimal(0)) / total if total else Decimal(0)
        color = COLORS[min(index, len(COLORS) - 1)]
        colored.append(Part(part.name, part.amount, part.shown(units, by), color, percent, start))
        start += percent
    return Donut(title, amount_shown(units, by, total), note, tuple(colored), slices(colored, units, by))


def slices(parts: Sequence[Part], units: Units, by: Measure) -> tuple[Part, ...]:
    """Join the parts that share the last color. Leave out parts that weigh or cost nothing."""
    first, rest = parts[: len(COLORS) - 1], parts[len(COLORS) - 1 :]
    shown = [part for part in first if part.percent]
    if percent := sum((part.percent for part in rest), Decimal(0)):
        amount = sum((part.amount or Decimal(0) for part in rest), Decimal(0))
        name = rest[0].name if len(rest) == 1 else f"{len(rest)} others"
        formatted = amount_shown(units, by, amount)
        shown.append(Part(name, amount, formatted, COLORS[-1], percent, rest[0].start))
    return tuple(shown)


def left_out(total: Decimal | None, parts: Sequence[Amount], name: str) -> list[Amount]:
    """Return what *parts* lack of the *total* as one more part, if anything."""
    missing = (total or Decimal(0)) - sum((part.amount or Decimal(0) for part in parts), Decimal(0))
    return [Amount(name, missing)] if missing > 0 else []


def donut_of_setup(setup: SetupShown, by: Measure = "weight") -> Donut:
    """Return a setup by category. Its weight needs the totals and categories; its price, totals and lines."""
    if by == "weight":
        parts = [
            Amount(part.category or UNCATEGORIZED, part.weight_grams, part.unweighed)
            for part in setup.by_category
        ]
        rest = left_out(setup.total_grams, parts, "Other categories")
    else:
        parts = prices_by_category(setup.lines)
        rest = left_out(setup.price_cents, parts, "Other lines")
    unknown = setup.unweighed if by == "weight" else setup.unpriced
    return donut(setup.name, [*parts, *rest], setup.units, by, unknown)


def prices_by_category(lines: Iterable[SetupLine]) -> list[Amount]:
    """Return the sum of each category's known prices. None if a category has none."""
    prices: defaultdict[str, list[Decimal | None]] = defaultdict(list)
    for line in lines:
        price = None if line.price_cents is None else line.price_cents * line.quantity
        prices[line.category or UNCATEGORIZED].append(price)
    parts: list[Amount] = []
    for name, each in prices.items():
        known = [price for price in each if price is not None]
        parts.append(Amount(name, sum(known, Decimal(0)) if known else None, len(each) - len(known)))
    return parts


def donut_of_collection(totals: Totals, by: Measure = "weight") -> Donut:
    """Return the whole collection by category."""
    if by == "weight":
        total, unknown = totals.weight_grams, totals.unweighed
        parts = [
            Amount(part.category or UNCATEGORIZED, part.weight_grams, part.unweighed)
            for part in totals.by_category
        ]
    else:
        total, unknown = totals.price_cents, totals.unpriced
        parts = [
            Amount(part.category or UNCATEGORIZED, part.price_cents, part.unpriced)
            for part in totals.by_category
        ]
    rest = left_out(total, parts, "Other categories")
    return donut("Collection", [*parts, *rest], totals.units, by, unknown, "item")


def bars_of_setups(setups: Sequence[SetupTotals], units: Units) -> Bars:
    """Compare the weights of setups. Each bar is split into base, worn and consumable."""
    longest = max((setup.total_grams for setup in setups), default=Decimal(0)) or Decimal(1)
    kinds = ("base", "worn", "consumable")
    bars: list[Bar] = []
    for setup in setups:
        start, parts = Decimal(0), list[Part]()
        for kind, color in zip(kinds, COLORS, strict=False):
            grams: Decimal = getattr(setup, f"{kind}_grams")
            percent = 100 * grams / longest
            parts.append(Part(kind, grams, units.weight(grams), color, percent, start))
            start += percent
        shown = at_least(units, "weight", setup.total_grams, setup.unweighed)
        bars.append(Bar(setup.name, shown, tuple(parts)))
    legend = tuple(Part(kind, None, "", color) for kind, color in zip(kinds, COLORS, strict=False))
    return Bars("Total weight", "", tuple(bars), legend)


def bars_of_thread(thread: ThreadShown, by: Measure = "weight") -> Bars:
    """Compare a thread's candidates, and the item that they would replace. Amounts are per piece.

    Prices in another currency are not compared. They count as unknown, and the note mentions them.
    """
    field = "weight_grams" if by == "weight" else "price_cents"
    foreign = [each for each in thread.candidates if by == "price" and each.price_currency]
    amounts = [
        Amount(each.name, None if each in foreign else to_decimal(getattr(each, field)))
        for each in thread.candidates
    ]
    if thread.replaces:
        replaced = Amount(f"{thread.replaces.name} (owned)", to_decimal(getattr(thread.replaces, field)))
        amounts.insert(0, replaced)
    notes = [f"{counted(len(foreign), 'price')} in another currency not compared"] if foreign else []
    if thread.candidates_left_out:
        notes.append(f"not shown: {counted(thread.candidates_left_out, 'more candidate')}")
    return bars(thread.name, amounts, thread.units, by, "; ".join(notes))


def to_decimal(value: Number | None) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def bars(title: str, amounts: Sequence[Amount], units: Units, by: Measure, note: str = "") -> Bars:
    """Return a bar for each amount. An unknown one has no bar."""
    longest = max((each.amount or Decimal(0) for each in amounts), default=Decimal(0)) or Decimal(1)
    rows: list[Bar] = []
    for name, amount, _ in amounts:
        shown = amount_shown(units, by, amount)
        part = Part(name, amount, shown, COLORS[0], 100 * (amount or Decimal(0)) / longest)
        rows.append(Bar(name, shown, (part,) if amount else ()))
    return Bars(title, note, tuple(rows))


def percent_shown(percent: Decimal) -> str:
    """`12.5%`, without trailing zeros."""
    text = f"{rounded(percent, 1):f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text}%"
