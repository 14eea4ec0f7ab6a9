"""Settings: the units in which a person wants to read weights and prices."""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Annotated, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    computed_field,
    with_config,
)
from pydantic.json_schema import SkipJsonSchema
from typing_extensions import TypedDict

from mcp_server.models.fields import GRAMS, Row, none_if_blank


def three_letters(code: str | None) -> str | None:
    if code and not re.fullmatch("[A-Z]{3}", code):
        raise ValueError("must be the three letters of a currency, such as EUR")
    return code


WeightUnit = Literal["g", "kg", "oz", "lb"]
Currency = Annotated[
    str | None,
    StringConstraints(strip_whitespace=True, to_upper=True),
    AfterValidator(three_letters),
    BeforeValidator(none_if_blank),
    WithJsonSchema({"type": "string", "description": "ISO 4217 code, such as EUR"}),
]
Number: TypeAlias = int | float | Decimal
# Digits behind the decimal point: about as fine as a kitchen scale shows.
DECIMALS: dict[WeightUnit, int] = {"g": 1, "kg": 3, "oz": 2, "lb": 3}


class Units(Row):
    """The units in which a person reads; results count in grams and cents all the same."""

    weight_unit: WeightUnit
    currency: str | None = None

    def weight(self, grams: Number) -> str:
        """`1.25 lb`: without zeros at its end."""
        amount = Decimal(str(grams)) / GRAMS[self.weight_unit]
        return f"{amount:,.{DECIMALS[self.weight_unit]}f}".rstrip("0").rstrip(".") + f" {self.weight_unit}"

    def price(self, cents: Number) -> str:
        """`1,249.95 EUR`."""
        return f"{Decimal(str(cents)) / 100:,.2f} {self.currency}"

    def display(self, weights: Mapping[str, Number | None], cents: Number | None) -> str | None:
        """`base 1.25 lb, 249.95 EUR`: what is known, but nothing in grams or without a currency."""
        figures = [
            f"{name} {self.weight(grams)}".strip()
            for name, grams in weights.items()
            if grams is not None and self.weight_unit != "g"
        ]
        figures += [] if cents is None or self.currency is None else [self.price(cents)]
        return ", ".join(figures) or None

    def factors(self) -> str | None:
        """How to turn the figures of many rows into the person's units."""
        factors = [] if self.weight_unit == "g" else [f"1 {self.weight_unit} = {GRAMS[self.weight_unit]:f} g"]
        factors += [] if self.currency is None else [f"prices in {self.currency}"]
        return ", ".join(factors) or None


@with_config(ConfigDict(extra="forbid"))
class SettingsChanges(TypedDict, total=False):
    weight_unit: WeightUnit
    currency: Currency


class Measured(Row):
    """A result that tells its figures once more, in the person's units."""

    units: Annotated[SkipJsonSchema[Units], Field(exclude=True)] = Units(weight_unit="g")

    @computed_field
    @property
    def display(self) -> str | None:
        return self.in_units()

    def in_units(self) -> str | None:
        """What to tell. Of many rows: how to convert them."""
        return self.units.factors()


def listed(displays: Iterable[tuple[str, str | None]]) -> str | None:
    """`Tent: 2.5 lb; Quilt: 1.2 lb`: what is told of each, by name."""
    return "; ".join(f"{name}: {text}" for name, text in displays if text) or None
