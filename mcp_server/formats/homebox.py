"""Homebox: the export of everything. It knows no weight, except as a field that its user has made."""

import math
import re
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
    decimal_point,
    rounded_up,
)
from mcp_server.models.fields import MOST_NOTES, Name, Text, to_grams


def each_tag(cell: str) -> tuple[str, ...]:
    return tuple(tag for part in cell.split(";") if (tag := part.strip()))


class HomeboxLine(FormatLine):
    NEEDED: ClassVar[frozenset[str]] = frozenset({"hb.name"})
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
    # The page of the thing in Homebox, which is no product's.
    url: Annotated[str, Field(alias="hb.url")] = ""

    @field_validator("weight", mode="before")
    @classmethod
    def in_grams(cls, cell: str, info: ValidationInfo) -> float | str | None:
        """Read `540 g`. What is no weight with a unit stays text: to be told, and no reason to refuse."""
        found = re.fullmatch(r"([\d.,]+) *([a-z]+)\.?", cell.strip().lower(), re.ASCII)
        try:
            return to_grams(f"{decimal_point(found[1], info)} {found[2]}") if found else cell.strip() or None
        except ValueError:
            return cell.strip()

    @classmethod
    def skipped(cls, cells: Mapping[str, str]) -> Problem | None:
        url = cells.get("hb.url", "")
        return Problem("HB.url", url, "a place, and no thing") if "/location/" in url else None

    def to_line(self, number: int) -> Line:
        remarks: list[Remark] = []
        if isinstance(self.weight, str):
            remarks.append(
                Remark("HB.field.weight", "no weight with a unit, such as 540 g: stored as unknown")
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
            notes=self.told(),
            external_id=self.external_id or None,
            remarks=tuple(remarks),
        )

    @model_validator(mode="after")
    def told_shortly(self) -> Self:
        if len((self.told() or "").encode()) > MOST_NOTES:
            raise ValueError("its description, notes and what joins them must be at most 64 KB together")
        return self

    def told(self) -> str | None:
        """Return the description and notes, and what else there is to tell of the thing, a line each."""
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
