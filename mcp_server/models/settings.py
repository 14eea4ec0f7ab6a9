"""Settings: a person's units of weight and currency."""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Any, Literal, Self, TypeAlias, cast

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    StringConstraints,
    WithJsonSchema,
    computed_field,
    model_validator,
    with_config,
)
from pydantic.json_schema import SkipJsonSchema
from typing_extensions import TypedDict

from mcp_server.models.fields import Row, none_if_blank, rounded
from mcp_server.models.weight import GRAMS


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
    WithJsonSchema({"type": "string", "description": "ISO 4217 code; price_cents is always price × 100"}),
]
Number: TypeAlias = int | float | Decimal
# Decimals: about the resolution of a kitchen scale. Pounds are written with ounces.
DECIMALS: dict[WeightUnit, int] = {"g": 1, "kg": 3, "oz": 1}
# Currencies (ISO 4217) whose smallest unit is not a hundredth: the unit itself, or a thousandth of it.
WHOLE = re.compile("BIF|CLP|DJF|GNF|ISK|JPY|KMF|KRW|PYG|RWF|UGX|VND|VUV|XAF|XOF|XPF")
THOUSANDTHS = re.compile("BHD|IQD|JOD|KWD|LYD|OMR|TND")


class Units(Row):
    """A person's units. They only affect `weight` and `display`: results are in grams and cents."""

    weight_unit: WeightUnit
    currency: str | None = None

    def weight(self, grams: Number) -> str:
        """Format a weight, without trailing zeros: `13.9 oz`, `1 lb 3 oz`, `-1.25 kg`."""
        exact = Decimal(str(grams))
        if self.weight_unit == "lb":
            return in_pounds(exact)
        amount = rounded(exact / GRAMS[self.weight_unit], DECIMALS[self.weight_unit])
        return f"{without_zeros(amount)} {self.weight_unit}"

    def price(self, cents: Number | None) -> str | None:
        """Format a price: `1,249.95 EUR`, `1,200 JPY`. Cents are hundredths of the unit of any currency."""
        if cents is None or self.currency is None:
            return None
        amount = Decimal(str(cents)) / 100
        decimals = price_decimals(self.currency)
        # A part of a yen cannot be paid, so it is probably a mistake that should be visible.
        return f"{amount:,.{decimals if decimals or amount == int(amount) else 2}f} {self.currency}"

    def prices(self) -> str | None:
        """Explain the `price_cents` of many rows: `prices in EUR`."""
        if self.currency is None:
            return None
        unusual = price_decimals(self.currency) != 2
        return f"prices in {self.currency}{f'; 100 price_cents = 1 {self.currency}' if unusual else ''}"


def price_decimals(currency: str) -> int:
    if WHOLE.fullmatch(currency):
        return 0
    return 3 if THOUSANDTHS.fullmatch(currency) else 2


def in_pounds(grams: Decimal) -> str:
    """`1 lb 3 oz`, `13.9 oz`, `-2 lb`."""
    pounds, ounces = divmod(rounded(abs(grams) / GRAMS["oz"], DECIMALS["oz"]), 16)
    parts = [f"{pounds:,f} lb"] if pounds or not grams else []
    parts += [f"{without_zeros(ounces)} oz"] if ounces else []
    return f"{'-' if grams < 0 else ''}{' '.join(parts)}"


def without_zeros(number: Decimal) -> str:
    return f"{number:,f}".rstrip("0").rstrip(".")


@with_config(ConfigDict(extra="forbid"))
class SettingsChanges(TypedDict, total=False):
    weight_unit: WeightUnit
    currency: Currency


class Weighed(Row):
    """A row with weights in grams. With another unit in the settings, `weight` repeats them in that unit."""

    _units: Units = PrivateAttr(default=Units(weight_unit="g"))

    @computed_field
    @property
    def weight(self) -> str | None:
        return None if self._units.weight_unit == "g" else self.weighed_in(self._units)

    def weighed_in(self, units: Units) -> str | None:
        """Each weight that is known and not at its default, named like its field: `3 oz, line 9 oz`."""
        weights = [
            f"{label(name)} {units.weight(getattr(self, name))}".strip()
            for name, field in type(self).model_fields.items()
            if name.endswith("_grams") and getattr(self, name) not in (None, field.default)
        ]
        return ", ".join(weights) or None

    def use(self, units: Units) -> None:
        self._units = units


def label(field: str) -> str:
    """`over lightest` for over_lightest_grams, nothing for weight_grams, `±` for weight_margin_grams."""
    name = field.removesuffix("_grams").removesuffix("weight").replace("_", " ").strip()
    return "±" if name == "weight margin" else name


class Measured(Row):
    """A result whose rows repeat their weights in the person's unit. `display` does so with prices."""

    units: Annotated[SkipJsonSchema[Units], Field(exclude=True)] = Units(weight_unit="g")

    @model_validator(mode="after")
    def hand_on_units(self) -> Self:
        for value in (self, *self.__dict__.values()):
            for row in cast(list[Any], value) if isinstance(value, list | tuple) else [value]:
                if isinstance(row, Weighed):
                    row.use(self.units)
        return self

    @computed_field
    @property
    def display(self) -> str | None:
        return self.in_units()

    def in_units(self) -> str | None:
        """Return what `display` shows. For lists, this is the currency."""
        return self.units.prices()


def listed(prices: Iterable[tuple[str, str | None]]) -> str | None:
    """Join known prices by name: `Tent: 380.00 EUR; Quilt: 310.00 EUR`."""
    return "; ".join(f"{name}: {price}" for name, price in prices if price) or None
