"""A line of a list, whichever program wrote it, and the kinds of cell that several programs write alike."""

import math
import re
from abc import abstractmethod
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, ClassVar, NamedTuple

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

from mcp_server.models.fields import UNITS, one_line, to_grams, to_quantity
from mcp_server.models.setup import Classification

# What LighterPack once wrote for a missing value.
MISSING = "undefined"
# How a text starts that a spreadsheet runs, or that is not there; and such a text behind what guards it.
RISKY = re.compile(rf"'*(?:[=+\-@\t\r]|{MISSING}\Z)")
GUARDED = re.compile(rf"'{RISKY.pattern}")
YES, NO = frozenset({"yes", "true", "1", "x"}), frozenset({"", "no", "false", "0"})


class Remark(NamedTuple):
    """What was not taken from a cell quite as it was written."""

    column: str
    note: str


class Line(NamedTuple):
    """One line of a list, ready to be stored. `number` counts the lines of the file from 1.

    The fields between `number` and `remarks` are the columns of our own CSV. Weight and price are of one
    piece, `quantity` counts the pieces owned, and None means that the file does not say. A line without a
    `name` is a category without items. A line without a `setup_quantity` does not belong to a setup.
    """

    number: int
    name: str | None
    category: str | None = None
    category_icon: str | None = None
    weight_grams: float | None = None
    price_cents: int | None = None
    quantity: int | None = None
    notes: str | None = None
    product_url: str | None = None
    external_id: str | None = None
    setup_quantity: Decimal | None = None
    classification: Classification = "base"
    worn_quantity: Decimal = Decimal(0)
    remarks: tuple[Remark, ...] = ()


# The columns of our own CSV. Staging, export and the gearshed format all take them from here.
SETUP_COLUMNS = ("setup_quantity", "classification", "worn_quantity")
ITEM_COLUMNS = tuple(name for name in Line._fields if name not in ("number", *SETUP_COLUMNS, "remarks"))


class Problem(NamedTuple):
    """Why a line cannot be taken. The value is shortened; without a column it is about the whole line."""

    column: str
    value: str
    reason: str


class RefusedLine(NamedTuple):
    """A line that is not taken: it has problems, or it is no thing at all and `skipped`."""

    number: int
    problems: tuple[Problem, ...]
    skipped: bool = False


class Reading(NamedTuple):
    """How the cells of a file are to be read: what its dialect and its reader have decided."""

    decimal_comma: bool = False
    currency: str | None = None


class FormatLine(BaseModel):
    """A line by the column names of one program, which are the aliases of the fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    # Columns without which there is nothing to read, and those that no other program has.
    NEEDED: ClassVar[frozenset[str]]
    OWN: ClassVar[frozenset[str]] = frozenset()
    # A line of a packing list, and not only of a collection.
    IS_LIST: ClassVar[bool] = False
    # Other names of columns, which other releases gave them.
    RENAMED: ClassVar[Mapping[str, str]] = {}

    @classmethod
    def columns(cls) -> frozenset[str]:
        return frozenset(field.alias or name for name, field in cls.model_fields.items())

    @classmethod
    def skipped(cls, cells: Mapping[str, str]) -> Problem | None:
        """Return why the line is no thing, or None when it is one."""
        return None

    @abstractmethod
    def to_line(self, number: int) -> Line:
        """Return what the line says, under its number."""


def reading(info: ValidationInfo) -> Reading:
    return info.context if isinstance(info.context, Reading) else Reading()


def decimal_point(cell: Any, info: ValidationInfo) -> Any:
    """Write `1.234,56` as 1234.56 in a file whose commas separate no cells; refuse what may be either."""
    if not isinstance(cell, str) or "," not in cell or not reading(info).decimal_comma:
        return cell
    if re.fullmatch(r"\s*[1-9]\d{0,2},\d{3}\s*", cell, re.ASCII):
        whole, _, part = cell.strip().partition(",")
        raise ValueError(
            f"may mean {whole}.{part} or {whole}{part}: write it with a decimal point, or without"
        )
    if re.fullmatch(r"\s*(\d+|\d{1,3}(\.\d{3})+),\d+\s*", cell, re.ASCII):
        return cell.replace(".", "").replace(",", ".")
    return cell


def guarded(text: str | None) -> str:
    """Write a text so that no spreadsheet runs it as a formula, and nobody takes it for a missing one."""
    return f"'{text}" if text and RISKY.match(text) else text or ""


def unguarded(cell: str) -> str:
    """Read what `guarded` wrote."""
    return cell[1:] if cell.startswith("'") and GUARDED.match(cell) else cell


def pieces(cell: str) -> Any:
    return to_quantity(cell) if cell.strip() else Decimal(1)


def cents(cell: str) -> int | None:
    """Read a plain price. 0 is how these programs write that there is none."""
    if not re.fullmatch(r"(\d{1,12}(\.\d{1,2})?|\.\d{1,2})?", cell.strip(), re.ASCII):
        raise ValueError("must be a plain number with at most two decimals, such as 249.95")
    return int(Decimal(cell.strip() or 0) * 100) or None


def yes(*words: str) -> BeforeValidator:
    """Read a mark: empty or not, or one of *words*, as some programs write it."""

    def read(cell: str) -> bool:
        word = cell.strip().lower()
        if word in YES or word in words:
            return True
        if word in NO:
            return False
        raise ValueError(f"must be empty or {(words or ('true',))[0]}")

    return BeforeValidator(read)


Category = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200), AfterValidator(one_line)]
Pieces = Annotated[Decimal, BeforeValidator(pieces), BeforeValidator(decimal_point)]
Price = Annotated[int | None, BeforeValidator(cents), BeforeValidator(decimal_point)]


def rounded_up(column: str, quantity: Decimal) -> Remark:
    return Remark(column, f"the item's quantity is rounded up to {math.ceil(quantity)}")


class WeighedLine(FormatLine):
    """What every list of other programs has: a name, a weight of one piece and its unit, and a category."""

    # Before the weight, which is nothing without it.
    unit: str = ""
    weight: Annotated[float | None, BeforeValidator(decimal_point)] = None
    category: Category = ""

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
        """0 is how these programs write that nobody weighed it."""
        cell = decimal_point(cell, info)
        if not re.fullmatch(r"(\d{1,12}(\.\d{1,40})?|\.\d{1,40})?", cell.strip(), re.ASCII):
            raise ValueError("must be a plain number, such as 540 or 12.5")
        if not cell.strip():
            return None
        unit = info.data.get("unit", "g")
        grams = to_grams(f"{cell.strip()} {unit}" if unit else cell)
        if grams and not unit:
            raise ValueError("has no unit: give ounce, pound, gram or kilogram in the column unit")
        return grams or None

    def remarks(self) -> list[Remark]:
        return [] if self.weight is not None else [Remark("weight", "not set: stored as unknown")]


class ListLine(WeighedLine):
    """A line of a packing list: how many of the thing are on it, and whether it is worn or used up."""

    IS_LIST = True

    worn: Annotated[bool, yes("worn")] = False
    consumable: Annotated[bool, yes("consumable")] = False

    def listed(self, quantity: Decimal, column: str) -> dict[str, Any]:
        """Return what the line says of its setup. Of several that are worn, one is, and the others packed."""
        remarks = self.remarks()
        if self.worn and self.consumable:
            remarks.append(Remark("worn", "consumable too: stored as consumable"))
        if math.ceil(quantity) != quantity:
            remarks.append(rounded_up(column, quantity))
        worn = self.worn and not self.consumable
        return {
            "category": self.category or None,
            "weight_grams": self.weight,
            "quantity": math.ceil(quantity),
            "setup_quantity": quantity,
            "classification": "consumable" if self.consumable else "worn" if worn else "base",
            "worn_quantity": min(quantity, Decimal(1)) if worn else Decimal(0),
            "remarks": tuple(remarks),
        }
