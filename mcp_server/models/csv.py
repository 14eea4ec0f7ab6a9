"""CSV: one line of a list from elsewhere, and what an import did with all of them."""

import math
import re
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

from mcp_server.models.fields import UNITS, Name, Row, Text, Url, one_line, to_grams, to_quantity
from mcp_server.models.setup import Classification


def flag(cell: str) -> str:
    return cell.strip().lower()


def pieces(cell: str) -> Any:
    return to_quantity(cell) if cell.strip() else Decimal(1)


def cents(cell: str) -> int | None:
    """Read a plain price. 0 is how LighterPack writes that there is none."""
    if not re.fullmatch(r"(\d{1,12}(\.\d{1,2})?)?", cell.strip(), re.ASCII):
        raise ValueError("must be a plain number with at most two decimals, such as 249.95")
    return int(Decimal(cell.strip() or 0) * 100) or None


class LighterPackLine(BaseModel):
    """One line of a LighterPack export, by its column names. The weight is of one piece, read as grams."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[Name, Field(alias="item name")]
    category: Annotated[
        str, StringConstraints(strip_whitespace=True, max_length=200), AfterValidator(one_line)
    ] = ""
    notes: Annotated[Text, Field(alias="desc")] = None
    quantity: Annotated[Decimal, BeforeValidator(pieces), Field(alias="qty")] = Decimal(1)
    # Before the weight, which is nothing without it.
    unit: str = ""
    weight: float | None = None
    product_url: Annotated[Url, Field(alias="url")] = None
    price_cents: Annotated[int | None, BeforeValidator(cents), Field(alias="price")] = None
    worn: Annotated[Literal["", "worn"], BeforeValidator(flag)] = ""
    consumable: Annotated[Literal["", "consumable"], BeforeValidator(flag)] = ""

    @field_validator("unit")
    @classmethod
    def known_unit(cls, cell: str) -> str:
        unit = cell.strip().lower()
        if unit and unit not in UNITS:
            raise ValueError("must be ounce, pound, gram or kilogram")
        return unit

    @field_validator("weight", mode="before")
    @classmethod
    def in_grams(cls, cell: str, info: ValidationInfo) -> float | None:
        """0 is how LighterPack writes that nobody weighed it."""
        if not re.fullmatch(r"(\d{1,12}(\.\d{1,12})?)?", cell.strip(), re.ASCII):
            raise ValueError("must be a plain number, such as 540 or 12.5")
        if not cell.strip():
            return None
        unit = info.data.get("unit", "g")
        grams = to_grams(f"{cell.strip()} {unit}" if unit else cell)
        if grams and not unit:
            raise ValueError("has no unit: give ounce, pound, gram or kilogram in the column unit")
        return grams or None

    @property
    def classification(self) -> Classification:
        """A line that is marked as both is used up: that is how its weight counts."""
        return self.consumable or self.worn or "base"

    @property
    def pieces_owned(self) -> int:
        return math.ceil(self.quantity)

    @property
    def remarks(self) -> list[tuple[str, str]]:
        """What was not taken quite as written: column and note."""
        found: list[tuple[str, str]] = []
        if self.weight is None:
            found.append(("weight", "not set: stored as unknown"))
        if self.worn and self.consumable:
            found.append(("worn", "consumable too: stored as consumable"))
        if self.pieces_owned != self.quantity:
            found.append(("qty", f"the item's quantity is rounded up to {self.pieces_owned}"))
        return found


class Remark(Row):
    """What to know about one line of the file; lines are counted from 1, the header included."""

    line: int
    column: str
    note: str


class Imported(Row):
    """What an import created: an item for every line. Lines not taken quite as written have a remark."""

    format: str
    items: int
    new_categories: tuple[str, ...] = ()
    setup_id: int | None = None
    setup_name: str | None = None
    remarks: tuple[Remark, ...] = ()
    remarks_left_out: int = 0
