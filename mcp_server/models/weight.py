"""Weights: `540 g`, `1 lb 3 oz`, `540 g ± 20 g` and `~540 g`, in grams."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, PlainValidator, WithJsonSchema

from mcp_server.models.fields import STRING, none_if_blank

# International avoirdupois, exact by definition since 1959.
GRAMS = {"g": Decimal(1), "kg": Decimal(1000), "oz": Decimal("28.349523125"), "lb": Decimal("453.59237")}
UNITS = {
    **dict.fromkeys(("g", "gr", "gram", "grams", "gramm", "gramme", "grammes"), "g"),
    **dict.fromkeys(
        ("kg", "kgs", "kilo", "kilos", "kilogram", "kilograms", "kilogramm", "kilogramme", "kilogrammes"),
        "kg",
    ),
    **dict.fromkeys(("oz", "ozs", "ounce", "ounces", "unze", "unzen"), "oz"),
    **dict.fromkeys(("lb", "lbs", "pound", "pounds"), "lb"),
}
# In characters.
LONGEST_NUMBER = 100
PART = re.compile(r"(\d{1,12}(?:\.\d{1,40})?|\.\d{1,40}) ?([a-z]*)\.?,? ?", re.ASCII)
# Thousands or decimals: 1.200 g. Of kilograms and pounds, only decimals make sense.
AMBIGUOUS = re.compile(r"([1-9]\d{0,2})[.,](\d{3}) ?([a-z]*)\.?", re.ASCII)
# Columns that belong to one weight: they do not stay with another one.
OF_WEIGHT = ("weight_margin_grams", "weight_source")
# Of a weight that is only estimated, how much it may differ: a tenth.
ESTIMATE = Decimal("0.1")
ABOUT = r"[~≈∼]|(?:ca|circa|approx|approximately|about|around|roughly|etwa)\b\.?"
PLUS_MINUS = r"±|\+ ?/ ?[-−–]|\+[-−–]"
# A weight that is not exact has one of these signs, or starts with a word.
INEXACT = re.compile(r"[~≈∼±+]|\A[^\W\d_]")
PARTS = re.compile(
    rf"(?P<about>(?:{ABOUT}) ?)?(?P<weight>[^±+~≈∼]+?) ?(?:(?:{PLUS_MINUS}) ?(?P<margin>[^±+~≈∼]+))?"
)
PERCENT = re.compile(r"(\d{1,3}(?:[.,]\d{1,9})?) ?%", re.ASCII)
WORD = re.compile(r"[^\W\d_]+")

WeightSource: TypeAlias = Literal["measured", "maker", "shop", "estimate"]


class Weighing(float):
    """A weight in grams that is not exact: it may differ by a `margin`, in grams."""

    margin: float
    source: WeightSource | None

    def __new__(cls, grams: float, margin: float, source: WeightSource | None = None) -> "Weighing":
        made = super().__new__(cls, grams)
        made.margin, made.source = margin, source
        return made

    def __truediv__(self, pieces: float) -> "Weighing":
        return Weighing(float(self) / pieces, self.margin / pieces, self.source)


def to_grams(value: Any) -> float | None:
    """Parse a weight: `540 g`, `1.2kg`, `1 lb 3 oz` or a number of grams. Empty text means unknown, not 0.

    A weight with a margin is a `Weighing`.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, str) and len(value) <= LONGEST_NUMBER:
        text = " ".join(value.lower().split())
        return inexact(text, "", exact) if INEXACT.search(text) else exact(text, "")
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9:
        return within_limits(float(value))
    raise ValueError("must be a weight such as 540 g, 1.2 kg or 1 lb 3 oz, below 1,000,000 kg")


def exact(text: str, unit: str) -> float:
    refuse_ambiguous(text)
    return within_limits(float(sum_of_parts(text, unit or "g")))


def inexact(text: str, unit: str, read: Callable[[str, str], float | None]) -> float | None:
    """Parse `540 g ± 20 g`, `540 ± 5 %` or `~540 g`. *read* parses a weight, in *unit* if it has none."""
    found = PARTS.fullmatch(text)
    if found is None or not (found["about"] or found["margin"]):
        return read(text, unit)
    weight, margin = found["weight"], found["margin"] or ""
    percent = PERCENT.fullmatch(margin)
    # `540 ± 20 g` has one unit for both.
    grams = read(weight, unit or ("" if percent else unit_of(margin) if not WORD.search(weight) else ""))
    if grams is None:
        return None
    if percent:
        differs = float(Decimal(repr(grams)) * Decimal(percent[1].replace(",", ".")) / 100)
    elif margin:
        differs = read(margin, unit or ("" if WORD.search(margin) else unit_of(weight)))
    else:
        differs = float(Decimal(repr(grams)) * ESTIMATE)
    if differs is None or differs > grams:
        raise ValueError("must have a margin that is not above the weight")
    source: WeightSource | None = "estimate" if found["about"] else None
    return Weighing(grams, differs, source) if differs or source else grams


def unit_of(text: str) -> str:
    """Return the unit in a text that has only one, for a number beside it that has none."""
    words = {UNITS.get(word, "") for word in WORD.findall(text)}
    if len(words) > 1:
        raise ValueError("must have a margin with a unit, as in 1 lb 3 oz ± 1 oz")
    return words.pop() if words else ""


def within_limits(grams: float) -> float:
    if not 0 <= grams < 1e9:
        raise ValueError("must be at least 0 and below 1,000,000 kg")
    return abs(grams)  # -0.0 is 0.0


def refuse_ambiguous(text: str) -> None:
    found = AMBIGUOUS.fullmatch(text)
    if found and UNITS.get(found[3] or "g") in ("g", "oz"):
        unit = f" {found[3]}" if found[3] else ""
        decimals = found[2].rstrip("0")
        # Three decimals would be as ambiguous again.
        decimals += "0" if len(decimals) == 3 else ""
        one = f"{found[1]}.{decimals or 0}{unit}"
        raise ValueError(f"{text} may mean {one} or {found[1]}{found[2]}{unit}: write one of these")


def sum_of_parts(text: str, unit: str = "g") -> Decimal:
    """Add up the parts of `1 lb 3 oz`. A number without a unit is in *unit*, and must stand alone."""
    total, at = Decimal(0), 0
    while at < len(text):
        part = PART.match(text, at)
        if part is None or (part[2] == "" and part.span() != (0, len(text))):
            raise ValueError("must be a weight such as 540 g, 1.2 kg or 1 lb 3 oz, with a decimal point")
        known = UNITS.get(part[2] or unit)
        if known is None:
            raise ValueError(f"has an unknown unit of weight: use {', '.join(GRAMS)}")
        total += Decimal(part[1]) * GRAMS[known]
        at = part.end()
    return total


def columns_of(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of the fields `weight` and `weight_source`, if any is given.

    A new weight replaces the margin and the source of the old one.
    """
    columns: dict[str, Any] = {}
    if "weight" in fields:
        weight = fields["weight"]
        margin, source = (weight.margin, weight.source) if isinstance(weight, Weighing) else (None, None)
        grams = None if weight is None else float(weight)
        columns = {"weight_grams": grams, "weight_margin_grams": margin or None, "weight_source": source}
    given = fields.get("weight_source")
    if given is not None or ("weight_source" in fields and "weight" not in fields):
        columns["weight_source"] = given
    return columns


Weight = Annotated[
    float | None,
    PlainValidator(to_grams),
    WithJsonSchema({"type": "string", "description": "540 g ± 5 g, ~1.2 kg, 1 lb 3 oz"}),
]
Source = Annotated[
    WeightSource | None,
    BeforeValidator(none_if_blank),
    # create_item names them.
    STRING,
]
