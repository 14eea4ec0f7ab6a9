"""Settings: a person's units of weight and currency."""

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
        raise ValueError("must be a three-letter currency code, such as EUR")
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
# Decimals: about the resolution of a kitchen scale.
DECIMALS: dict[WeightUnit, int] = {"g": 1, "kg": 3, "oz": 2, "lb": 3}


class Units(Row):
    """A person's units. They only affect `display`: results are in grams and cents."""

    weight_unit: WeightUnit
    currency: str | None = None

    def weight(self, grams: Number) -> str:
        """Format a weight, without trailing zeros: `1.25 lb`."""
        amount = Decimal(str(grams)) / GRAMS[self.weight_unit]
        return f"{amount:,.{DECIMALS[self.weight_unit]}f}".rstrip("0").rstrip(".") + f" {self.weight_unit}"

    def price(self, cents: Number) -> str:
        """Format a price: `1,249.95 EUR`."""
        return f"{Decimal(str(cents)) / 100:,.2f} {self.currency}"

    def display(self, weights: Mapping[str, Number | None], cents: Number | None) -> str | None:
        """Format known values: `base 1.25 lb, 249.95 EUR`. Leave out grams, and prices without a currency."""
        figures = [
            f"{name} {self.weight(grams)}".strip()
            for name, grams in weights.items()
            if grams is not None and self.weight_unit != "g"
        ]
        figures += [] if cents is None or self.currency is None else [self.price(cents)]
        return ", ".join(figures) or None

    def factors(self) -> str | None:
        """Explain how to convert many rows into the person's units: `1 kg = 1000 g, prices in EUR`."""
        factors = [] if self.weight_unit == "g" else [f"1 {self.weight_unit} = {GRAMS[self.weight_unit]:f} g"]
        factors += [] if self.currency is None else [f"prices in {self.currency}"]
        return ", ".join(factors) or None


@with_config(ConfigDict(extra="forbid"))
class SettingsChanges(TypedDict, total=False):
    weight_unit: WeightUnit
    currency: Currency


class Measured(Row):
    """A result that repeats its figures in the person's units."""

    units: Annotated[SkipJsonSchema[Units], Field(exclude=True)] = Units(weight_unit="g")

    @computed_field
    @property
    def display(self) -> str | None:
        return self.in_units()

    def in_units(self) -> str | None:
        """Return what `display` shows. For lists, this is how to convert."""
        return self.units.factors()


def listed(displays: Iterable[tuple[str, str | None]]) -> str | None:
    """Join displays by name: `Tent: 2.5 lb; Quilt: 1.2 lb`."""
    return "; ".join(f"{name}: {text}" for name, text in displays if text) or None
