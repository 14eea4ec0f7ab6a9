"""Charts: pictures of a setup, a thread or the collection, with what they show as text."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from mcp_server.models.fields import Exact, SummedGrams
from mcp_server.models.settings import Measured, Weighed

Measure = Literal["weight", "price"]


class ChartPart(Weighed):
    """A category or a candidate, and its share in percent. Weight in grams or price in cents, if known.

    The picture shows `number` in place of a name that it cannot write.
    """

    number: int | None = None
    name: str
    weight_grams: SummedGrams | None = None
    price_cents: Exact | None = None
    percent: Exact | None = None


class ChartShown(Measured):
    """A chart as a picture, and its parts. The note says what is unknown or not compared."""

    mime_type: ClassVar[str] = "image/png"
    title: str
    total: str | None = None
    note: str | None = None
    parts_left_out: int = 0
    parts: list[ChartPart]
    data: Annotated[SkipJsonSchema[bytes], Field(exclude=True, repr=False)]
