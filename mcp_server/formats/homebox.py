"""Homebox: the export of everything. It has no weight, except in a custom field."""

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, ClassVar, Self

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from mcp_server.formats.line import (
    Category,
    FormatLine,
    Line,
    Pieces,
    Price,
    Problem,
    Remark,
    grams_in,
    rounded_up,
    sign_of,
)
from mcp_server.models.fields import MOST_NOTES, Name, Text


def each_tag(cell: str) -> tuple[str, ...]:
    return tuple(tag for part in cell.split(";") if (tag := part.strip()))


class HomeboxLine(FormatLine):
    NEEDED: ClassVar[frozenset[str]] = frozenset({"hb.name"})
    VITAL: ClassVar[frozenset[str]] = FormatLine.VITAL | {"description", "external_id"}
    NOTED: ClassVar[frozenset[str]] = FormatLine.NOTED | {"tags"}
    OWN: ClassVar[frozenset[str]] = frozenset({"hb.name", "hb.import_ref", "hb.quantity"})
    RENAMED: ClassVar[Mapping[str, str]] = {
        "hb.labels": "hb.tags",
        "hb.field.mass": "hb.field.weight",
        "hb.field.gewicht": "hb.field.weight",
    }

    name: Annotated[Name, Field(alias="hb.name")]
    external_id: Annotated[str, Field(alias="hb.import_ref", max_length=200)] = ""
    # The first is the category.
    tags: Annotated[tuple[Category, ...], BeforeValidator(each_tag), Field(alias="hb.tags")] = ()
    quantity: Annotated[Pieces, Field(alias="hb.quantity")] = Decimal(1)
    price_cents: Annotated[Price, Field(alias="hb.purchase_price")] = None
    weight: Annotated[float | str | None, Field(alias="hb.field.weight")] = None
    description: Annotated[Text, Field(alias="hb.description")] = None
    notes: Annotated[Text, Field(alias="hb.notes")] = None
    location: Annotated[str, Field(alias="hb.location")] = ""
    manufacturer: Annotated[str, Field(alias="hb.manufacturer")] = ""
    model_number: Annotated[str, Field(alias="hb.model_number")] = ""
    serial_number: Annotated[str, Field(alias="hb.serial_number")] = ""
    # The page in Homebox, not that of the product.
    url: Annotated[str, Field(alias="hb.url")] = ""

    @field_validator("weight", mode="plain")
    @classmethod
    def in_grams(cls, cell: str, info: ValidationInfo) -> float | str | None:
        """Read `540 g`. Any other text stays text: it earns a remark, and does not refuse the line."""
        try:
            return grams_in(cell, "", sign_of(info)) or None
        except ValueError:
            return cell.strip()

    @classmethod
    def skipped(cls, cells: Mapping[str, str]) -> Problem | None:
        url = cells.get("hb.url", "")
        return Problem("HB.url", url, "is a place, not an item") if "/location/" in url else None

    def to_line(self, number: int) -> Line:
        remarks: list[Remark] = []
        if isinstance(self.weight, str):
            remarks.append(
                Remark("HB.field.weight", "not a weight with a unit, such as 540 g: stored as unknown")
            )
        if math.ceil(self.quantity) != self.quantity:
            remarks.append(rounded_up("HB.quantity", self.quantity))
        if len(self.tags) > 1:
            remarks.append(Remark("HB.tags", "the first is the category, the others are in the notes"))
        return Line(
            number,
            self.name,
            category=self.tags[0] if self.tags else None,
            weight_grams=None if isinstance(self.weight, str) else self.weight,
            price_cents=self.price_cents,
            quantity=math.ceil(self.quantity),
            notes=self.all_notes(),
            external_id=self.external_id or None,
            remarks=tuple(remarks),
        )

    @model_validator(mode="after")
    def within_notes(self) -> Self:
        if len((self.all_notes() or "").encode()) > MOST_NOTES:
            raise ValueError("must be at most 64 KB together: its description, notes and other facts")
        return self

    def all_notes(self) -> str | None:
        """Return the description, the notes, and a line for each other fact about the item."""
        facts = {
            "Manufacturer": self.manufacturer,
            "Model": self.model_number,
            "Serial number": self.serial_number,
            "Location": self.location,
            "Tags": "; ".join(self.tags[1:]),
        }
        parts = [
            self.description,
            self.notes,
            *(f"{word}: {fact}" for word, fact in facts.items() if fact.strip()),
        ]
        return "\n".join(part for part in parts if part) or None
