"""Our own format: everything about items and the lines of a setup, without loss."""

import re
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BeforeValidator, StringConstraints, ValidationInfo, model_validator

from mcp_server.formats.line import SETUP_COLUMNS, FormatLine, Line, reading, unguarded
from mcp_server.formats.numbers import Sign, number
from mcp_server.models.category import Icon
from mcp_server.models.fields import http_only, to_quantity, whole_between, within_64_kb
from mcp_server.models.setup import Classification
from mcp_server.models.weight import WeightSource, within_limits

CATEGORY_COLUMNS = ("category", "category_icon")
GRAMS = re.compile(r"(\d{1,9}(\.\d{1,400})?([eE][+-]?\d{1,3})?)?", re.ASCII)


def text(cell: str) -> str | None:
    return unguarded(cell) or None


def not_blank(text: str | None) -> str | None:
    if text is not None and not text.strip(" "):
        raise ValueError("must not be blank")
    return text


def grams(cell: str, info: ValidationInfo) -> float | None:
    """Read a weight with all its digits, or as a spreadsheet with decimal commas has written it."""
    sign = reading(info).decimals.of(info.field_name or "")
    if not cell or (GRAMS.fullmatch(cell) and sign != ","):
        return within_limits(float(cell)) if cell else None
    try:
        return within_limits(float(number(cell, sign)))
    except ValueError:
        raise ValueError("must be a number of grams below 1,000,000,000, such as 540 or 12.5") from None


Text = Annotated[str | None, BeforeValidator(text)]
Short = Annotated[Annotated[str, StringConstraints(max_length=200)] | None, BeforeValidator(text)]
Named = Annotated[Short, AfterValidator(not_blank)]


class GearshedLine(FormatLine):
    NEEDED: ClassVar[frozenset[str]] = frozenset({"name", "weight_grams"})
    OWN: ClassVar[frozenset[str]] = frozenset({"weight_grams", "price_cents", "category_icon", "external_id"})
    VITAL: ClassVar[frozenset[str]] = frozenset(
        {"name", "weight_grams", "weight_margin_grams", "notes", "external_id"}
    )
    NOTED: ClassVar[frozenset[str]] = frozenset({"category", "product_url"})
    NUMBERS: ClassVar[frozenset[str]] = frozenset({"weight_grams", "weight_margin_grams"})
    DECIMAL: ClassVar[Sign | None] = "."

    name: Named = None
    category: Named = None
    category_icon: Annotated[Icon | None, BeforeValidator(text)] = None
    weight_grams: Annotated[float | None, BeforeValidator(grams)] = None
    weight_margin_grams: Annotated[float | None, BeforeValidator(grams)] = None
    weight_source: Annotated[WeightSource | None, BeforeValidator(text)] = None
    price_cents: Annotated[int | None, BeforeValidator(whole_between(0, 10**15 - 1))] = None
    quantity: Annotated[int | None, BeforeValidator(whole_between(0, 2**31 - 1))] = None
    notes: Annotated[Text, AfterValidator(within_64_kb)] = None
    product_url: Annotated[
        Annotated[str, StringConstraints(max_length=8192), AfterValidator(http_only)] | None,
        BeforeValidator(text),
    ] = None
    external_id: Short = None

    @model_validator(mode="before")
    @classmethod
    def something(cls, cells: Any) -> Any:
        """Accept an item or, without a name, a category. A line of neither would be lost."""
        if not cells.get("name") and not cells.get("category"):
            raise ValueError("has neither a name nor a category")
        if cells.get("category_icon") and not cells.get("category"):
            raise ValueError("has a category_icon and no category")
        if not cells.get("name"):
            more = [name for name, cell in cells.items() if cell and name not in CATEGORY_COLUMNS]
            if more:
                raise ValueError(f"is a category, as it has no name, and cannot have: {', '.join(more)}")
        return cells

    @model_validator(mode="after")
    def margin_within(self) -> Self:
        margin = self.weight_margin_grams
        if margin is not None and (self.weight_grams is None or margin > self.weight_grams):
            raise ValueError("weight_margin_grams: must be at most weight_grams")
        return self

    def to_line(self, number: int) -> Line:
        return Line(number, **vars(self))


class GearshedSetupLine(GearshedLine):
    NEEDED: ClassVar[frozenset[str]] = GearshedLine.NEEDED | {"setup_quantity"}
    OWN: ClassVar[frozenset[str]] = GearshedLine.OWN | frozenset(SETUP_COLUMNS)
    IS_LIST = True

    setup_quantity: Annotated[Decimal | None, BeforeValidator(to_quantity)] = None
    classification: Classification = "base"
    worn_quantity: Annotated[Decimal | None, BeforeValidator(to_quantity)] = None

    @model_validator(mode="after")
    def worn_at_most(self) -> Self:
        if self.worn_quantity is not None and self.worn_quantity > self.counted:
            raise ValueError("worn_quantity: must be at most setup_quantity")
        if self.worn_quantity and self.classification != "worn":
            raise ValueError("worn_quantity: must be empty, as the classification is not worn")
        return self

    @property
    def counted(self) -> Decimal:
        return Decimal(1) if self.setup_quantity is None else self.setup_quantity

    def to_line(self, number: int) -> Line:
        worn = self.worn_quantity if self.classification == "worn" else Decimal(0)
        values = vars(self).copy()
        values["setup_quantity"] = self.counted
        values["worn_quantity"] = self.counted if worn is None else worn
        return Line(number, **values)
