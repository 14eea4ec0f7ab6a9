"""A line of a list, whichever program wrote it, and the kinds of cell that several programs write alike."""

import math
import re
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, ClassVar, NamedTuple, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

from mcp_server.formats.numbers import NUMBER, PLAIN, Decimals, Money, Sign, amount, codes, money, number
from mcp_server.models.fields import Url, one_line
from mcp_server.models.setup import Classification
from mcp_server.models.weight import (
    GRAMS,
    INEXACT,
    UNITS,
    Weighing,
    WeightSource,
    inexact,
    sum_of_parts,
    within_limits,
)

# What LighterPack once wrote for a missing value.
MISSING = "undefined"
# Where a spreadsheet would start a formula: at the start of a text, and after a character that it may take as
# the separator instead of the comma. Also the word for a missing value.
FORMULA = "=+\\-@＝＋－＠"
RISKY = rf"\A(?='*(?:[{FORMULA}\t\r\n]|{MISSING}\Z))|(?<=[;\t\r\n])(?='*[{FORMULA}])"
UNGUARDED = re.compile(RISKY)
# The same after the quote that guards it.
GUARDED = re.compile(RISKY.replace("(?='", "'(?='"))
YES, NO = frozenset({"yes", "true", "1", "x"}), frozenset({"", "no", "false", "0"})
# How people write an unknown value.
UNKNOWN = frozenset(
    {"", "-", "–", "—", "?", "??", "n/a", "na", "n.a.", "tbd", "null", "none", "unknown", "…"}
)
# The name of the last line of a list, if it adds up the others.
TOTAL = re.compile(
    r"(grand |sub ?)?totals?( weight)?|sum|summe|gesamt(gewicht)?|totalt|summa|totaal|totale|suma",
    re.IGNORECASE,
)


class Remark(NamedTuple):
    """What was not taken from a cell exactly as it was written."""

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
    weight_margin_grams: float | None = None
    weight_source: WeightSource | None = None
    price_cents: int | None = None
    quantity: int | None = None
    notes: str | None = None
    product_url: str | None = None
    external_id: str | None = None
    setup_quantity: Decimal | None = None
    classification: Classification = "base"
    worn_quantity: Decimal = Decimal(0)
    remarks: tuple[Remark, ...] = ()

    def with_margin(self) -> Self:
        """Return the line with the margin of its weight as a column."""
        weight = self.weight_grams
        if not isinstance(weight, Weighing):
            return self
        return self._replace(
            weight_grams=float(weight),
            weight_margin_grams=weight.margin or None,
            weight_source=weight.source,
        )


# The columns of our own CSV. Staging, export and the gearshed format all take them from here.
SETUP_COLUMNS = ("setup_quantity", "classification", "worn_quantity")
ITEM_COLUMNS = tuple(name for name in Line._fields if name not in ("number", *SETUP_COLUMNS, "remarks"))


class Problem(NamedTuple):
    """Why a line cannot be taken. The value is truncated. Without a column, it is about the whole line."""

    column: str
    value: str
    reason: str


class RefusedLine(NamedTuple):
    """A line that is not taken: it has problems or, if `skipped`, it does not describe an item."""

    number: int
    problems: tuple[Problem, ...]
    skipped: bool = False
    name: str = ""


@dataclass(frozen=True)
class Reading:
    """How to read the cells of a file, and the remarks on the line that is being read."""

    decimals: Decimals = field(default_factory=Decimals)
    currency: str | None = None
    remarks: list[Remark] = field(default_factory=list[Remark])


class FormatLine(BaseModel):
    """A line by the column names of one program, which are the aliases of the fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    # Required columns, and columns that only this program writes.
    NEEDED: ClassVar[frozenset[str]]
    OWN: ClassVar[frozenset[str]] = frozenset()
    # An invalid value in one of these fields refuses the line. In any other field, it costs only its cell.
    VITAL: ClassVar[frozenset[str]] = frozenset({"name", "weight", "unit", "notes"})
    # Fields whose text goes into the notes if it cannot be read.
    NOTED: ClassVar[frozenset[str]] = frozenset({"category", "price_cents", "product_url"})
    # Fields that hold numbers.
    NUMBERS: ClassVar[frozenset[str]] = frozenset({"weight", "price_cents", "quantity", "packed", "desired"})
    # The decimal sign that the program writes, for files that show none.
    DECIMAL: ClassVar[Sign | None] = None
    # A line of a packing list, and not only of a collection.
    IS_LIST: ClassVar[bool] = False
    # Other names of columns, from other releases or from people.
    RENAMED: ClassVar[Mapping[str, str]] = {}

    @classmethod
    @cache
    def column(cls, name: str) -> str:
        """Return the column of a field."""
        return cls.model_fields[name].alias or name

    @classmethod
    def columns(cls) -> frozenset[str]:
        return frozenset(map(cls.column, cls.model_fields))

    @classmethod
    def skipped(cls, cells: Mapping[str, str]) -> Problem | None:
        """Return why the line does not describe an item, or None if it does."""
        return None

    @classmethod
    def is_total(cls, cells: Mapping[str, str]) -> bool:
        """Whether the line, if it is the last, adds up those above it."""
        return False

    @abstractmethod
    def to_line(self, number: int) -> Line:
        """Return what the line says, under its number."""


def reading(info: ValidationInfo) -> Reading:
    return info.context if isinstance(info.context, Reading) else Reading()


def sign_of(info: ValidationInfo) -> Sign | None:
    """Return the decimal sign of the column that is being read."""
    return reading(info).decimals.of(info.field_name or "")


def guarded(text: str | None) -> str:
    """Write a text so that no spreadsheet runs it as a formula and no reader takes it for a missing one."""
    return UNGUARDED.sub("'", text or "")


def unguarded(cell: str) -> str:
    """Read what `guarded` wrote."""
    return GUARDED.sub("", cell)


def is_unknown(cell: str) -> bool:
    return cell.strip().lower() in UNKNOWN


def number_in(cell: str, info: ValidationInfo) -> Decimal:
    """Read a number by the decimal sign of its column."""
    return number(cell, sign_of(info))


def optional_pieces(cell: str, info: ValidationInfo) -> Decimal | None:
    """Read how many pieces: `2`, `0.5` or `2x`."""
    if cell.isascii() and cell.isdigit() and len(cell) < 10:
        return Decimal(cell)
    if is_unknown(cell):
        return None
    text = re.sub(r"^[x×]\s*|\s*[x×]$", "", cell.strip(), flags=re.IGNORECASE)
    try:
        count = number_in(text, info)
    except ValueError:
        count = Decimal(-1)
    if not 0 <= count < 10**9 or count != round(count, 9):
        raise ValueError("must be a number from 0 to 999999999 with at most 9 decimals, such as 1 or 0.5")
    return count


def pieces(cell: str, info: ValidationInfo) -> Decimal:
    count = optional_pieces(cell, info)
    return Decimal(1) if count is None else count


def cents(cell: str, info: ValidationInfo) -> int | None:
    """Read a price. 0 is how other programs write that there is none."""
    text = cell.strip()
    if text == "0" or is_unknown(text):
        return None
    parts = Money(text, "") if PLAIN.fullmatch(text) else money(text)
    if parts is None:
        raise ValueError("must be a price, such as 249.95 or 1.249,90 €")
    found = amount(parts, sign_of(info)) * 100
    if found != int(found) or not found < 10**15:
        raise ValueError("must be a price below 10,000,000,000,000 with at most two decimals")
    if found and parts.currency and reading(info).currency not in codes(parts.currency):
        note = f"{parts.currency}: the number is stored, and not converted"
        reading(info).remarks.append(Remark(info.field_name or "", note))
    return int(found) or None


def web_address(cell: str, info: ValidationInfo) -> str:
    """Complete an address as people write it: without `https://`, or with blanks in it."""
    text = cell.strip()
    address = f"https://{text}" if re.match(r"www\.\S+\.\S", text, re.IGNORECASE) else text
    if re.match(r"https?://\S+\.\S", address, re.IGNORECASE) and address.count("://") == 1:
        address = re.sub(r"[ \t]+", "%20", address)
    if address != text:
        reading(info).remarks.append(Remark(info.field_name or "", f"read as {address[:200]}"))
    return address


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
Pieces = Annotated[Decimal, BeforeValidator(pieces)]
OptionalPieces = Annotated[Decimal | None, BeforeValidator(optional_pieces)]
Price = Annotated[int | None, BeforeValidator(cents)]
Address = Annotated[Url, BeforeValidator(web_address)]


def rounded_up(column: str, quantity: Decimal) -> Remark:
    return Remark(column, f"the item's quantity is rounded up to {math.ceil(quantity)}")


def grams_in(cell: str, unit: str, sign: Sign | None) -> float | None:
    """Read a weight in the unit of its line or in units of its own: `1,25`, `540 g`, `2 lb 8 oz`, `~500`.

    A weight with a margin is a `Weighing`.
    """
    text = cell.strip().lower()
    if unit and PLAIN.fullmatch(text):
        return within_limits(float(Decimal(text) * GRAMS[UNITS[unit]]))
    if INEXACT.search(text):
        return inexact(" ".join(text.split()), unit, lambda part, its: exact_grams(part, its, sign))
    return exact_grams(text, unit, sign)


def exact_grams(text: str, unit: str, sign: Sign | None) -> float | None:
    if is_unknown(text):
        return None
    if not NUMBER.search(text):
        raise ValueError("must be a weight, such as 540, 12.5 or 540 g")
    words = re.findall(r"[^\W\d_]{1,20}", NUMBER.sub(" ", text))
    units = {UNITS.get(word) for word in words}
    if unit and units and units != {UNITS[unit]}:
        raise ValueError(f"has another unit than the column unit, which has {unit}")
    # No packing list has thousands of kilograms or pounds: 1.250 can only have decimals.
    heavy = (units or {UNITS.get(unit)}) <= {"kg", "lb"}
    plain = NUMBER.sub(lambda found: f"{weighed(found[0], sign, heavy=heavy):f}", text)
    grams = within_limits(float(sum_of_parts(" ".join(plain.split()), unit or "g")))
    if grams and not unit and not units:
        raise ValueError("has no unit: give ounce, pound, gram or kilogram in the column unit")
    return grams


def weighed(text: str, sign: Sign | None, *, heavy: bool) -> Decimal:
    if heavy and sign is None and re.fullmatch(r"\d{1,3}[.,]\d{3}", text, re.ASCII):
        sign = "." if "." in text else ","
    return number(text, sign)


class WeighedLine(FormatLine):
    """What every list of other programs has: a name, a weight of one piece and its unit, and a category."""

    # Validated before the weight, which needs it.
    unit: str = ""
    weight: float | None = None
    category: Category = ""

    @classmethod
    def skipped(cls, cells: Mapping[str, str]) -> Problem | None:
        name = cls.column("name")
        if cells[name].strip():
            return None
        weight = cells.get("weight", "").strip()
        is_known = not is_unknown(weight) and weight.strip("0.,")
        return None if is_known else Problem(name, "", "has no name and no weight")

    @classmethod
    def is_total(cls, cells: Mapping[str, str]) -> bool:
        if cells.get("unit") or cells.get("category"):
            return False
        return bool(TOTAL.fullmatch(cells[cls.column("name")].strip().rstrip(": ")))

    @field_validator("unit")
    @classmethod
    def known_unit(cls, cell: str) -> str:
        unit = cell.strip().lower().rstrip(".")
        if unit and unit not in UNITS:
            raise ValueError("must be ounce, pound, gram or kilogram")
        return unit

    @field_validator("weight", mode="plain")
    @classmethod
    def in_grams(cls, cell: str, info: ValidationInfo) -> float | None:
        """0 is how these programs write that a weight is unknown."""
        return grams_in(cell, info.data.get("unit", "g"), sign_of(info)) or None

    def remarks(self) -> list[Remark]:
        return [] if self.weight is not None else [Remark("weight", "not set: stored as unknown")]


class ListLine(WeighedLine):
    """A line of a packing list: how many pieces of an item are on it, and whether it is worn or used up."""

    IS_LIST = True

    worn: Annotated[bool, yes("worn")] = False
    consumable: Annotated[bool, yes("consumable")] = False

    def listed(self, quantity: Decimal, column: str) -> dict[str, Any]:
        """Return what the line says of its setup. Of several worn pieces, one is worn and the rest packed."""
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
