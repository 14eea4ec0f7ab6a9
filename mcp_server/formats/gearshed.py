"""Our own format: everything there is to say of items and of a setup's lines, without loss."""

import re
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BeforeValidator, StringConstraints, model_validator

from mcp_server.formats.line import SETUP_COLUMNS, FormatLine, Line, unguarded
from mcp_server.models.category import Icon
from mcp_server.models.fields import http_only, to_quantity, whole_between, within_64_kb
from mcp_server.models.setup import Classification

CATEGORY_COLUMNS = ("category", "category_icon")
GRAMS = re.compile(r"(\d{1,9}(\.\d{1,400})?([eE][+-]?\d{1,3})?)?", re.ASCII)


def text(cell: str) -> str | None:
    return unguarded(cell) or None


def not_blank(text: str | None) -> str | None:
    if text is not None and not text.strip(" "):
        raise ValueError("must not be blank")
    return text


def grams(cell: str) -> float | None:
    if not GRAMS.fullmatch(cell):
        raise ValueError("must be a number of grams, such as 540 or 12.5")
    weight = float(cell) if cell else None
    if weight is not None and weight >= 1e9:
        raise ValueError("a weight is at least 0 and below 1,000,000 kg")
    return weight


Text = Annotated[str | None, BeforeValidator(text)]
Short = Annotated[Annotated[str, StringConstraints(max_length=200)] | None, BeforeValidator(text)]
Named = Annotated[Short, AfterValidator(not_blank)]


class GearshedLine(FormatLine):
    NEEDED: ClassVar[frozenset[str]] = frozenset({"name", "weight_grams"})
    OWN: ClassVar[frozenset[str]] = frozenset({"weight_grams", "price_cents", "category_icon", "external_id"})

    name: Named = None
    category: Named = None
    category_icon: Annotated[Icon | None, BeforeValidator(text)] = None
    weight_grams: Annotated[float | None, BeforeValidator(grams)] = None
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
        """An item or, without a name, a category: what belongs to neither would be lost."""
        if not cells.get("name") and not cells.get("category"):
            raise ValueError("has neither a name nor a category")
        if cells.get("category_icon") and not cells.get("category"):
            raise ValueError("has a category_icon and no category")
        if not cells.get("name"):
            more = [name for name, cell in cells.items() if cell and name not in CATEGORY_COLUMNS]
            if more:
                raise ValueError(f"is a category, as it has no name, and cannot have: {', '.join(more)}")
        return cells

    def to_line(self, number: int) -> Line:
        return Line(number, **dict(self))


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
        values: dict[str, Any] = dict(self)
        values["setup_quantity"] = self.counted
        values["worn_quantity"] = self.counted if worn is None else worn
        return Line(number, **values)
