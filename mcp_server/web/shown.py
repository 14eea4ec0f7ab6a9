"""The chart that a tool shows: a picture, and what it shows as text and structure."""

from decimal import Decimal
from typing import NamedTuple

from psycopg import AsyncConnection

from mcp_server.errors import InvalidInput
from mcp_server.models.chart import ChartPart, ChartShown, Measure
from mcp_server.models.fields import rounded
from mcp_server.models.settings import Units
from mcp_server.services import setup as setups
from mcp_server.services import thread as threads
from mcp_server.services import totals
from mcp_server.web import chart, picture
from mcp_server.web.chart import Bars, Donut

# Lines whose prices are added up by category. Others are one part.
MOST_LINES = 500


class Drawable(NamedTuple):
    """A chart that is not drawn yet, and how many parts it lacks."""

    chart: Donut | Bars
    by: Measure
    units: Units
    left_out: int = 0


async def find(
    conn: AsyncConnection, setup: str | int | None, thread: str | int | None, by: Measure
) -> Drawable:
    """Return a setup or the whole collection by category, or a thread's candidates."""
    if setup is not None and thread is not None:
        raise InvalidInput("Give setup or thread, not both. Without either, the whole collection is shown.")
    if thread is not None:
        compared = await threads.get(conn, thread, limit=picture.MOST_ROWS - 1)
        drawn = chart.bars_of_thread(compared, by)
        drawn = drawn._replace(note="; ".join(["per piece", *([drawn.note] if drawn.note else [])]))
        return Drawable(drawn, by, compared.units, compared.candidates_left_out)
    if setup is not None:
        parts = ("totals", "categories" if by == "weight" else "lines")
        packed = await setups.get(conn, setup, parts, limit=MOST_LINES)
        return Drawable(chart.donut_of_setup(packed, by), by, packed.units, packed.categories_left_out)
    owned = await totals.summarize(conn)
    return Drawable(chart.donut_of_collection(owned, by), by, owned.units, owned.categories_left_out)


async def show(found: Drawable, user_id: int | None = None) -> ChartShown:
    """Draw a chart. Drawing takes a moment: do not hold a connection."""
    drawn, by = found.chart, found.by
    return ChartShown(
        title=drawn.title,
        total=drawn.shown if isinstance(drawn, Donut) else None,
        note=drawn.note or None,
        parts_left_out=found.left_out,
        parts=parts_of_donut(drawn, by) if isinstance(drawn, Donut) else parts_of_bars(drawn, by),
        units=found.units,
        data=await picture.png(drawn, user_id),
    )


def parts_of_donut(drawn: Donut, by: Measure) -> list[ChartPart]:
    return [
        part_of(part.name, part.amount, by, index if index < len(drawn.slices) else None, part.percent)
        for index, part in enumerate(drawn.parts)
    ]


def parts_of_bars(drawn: Bars, by: Measure) -> list[ChartPart]:
    return [
        part_of(bar.name, bar.parts[0].amount if bar.parts else None, by, index)
        for index, bar in enumerate(drawn.bars)
    ]


def part_of(
    name: str, amount: Decimal | None, by: Measure, place: int | None, percent: Decimal | None = None
) -> ChartPart:
    """Return a part. Its *place* in the picture, from 0, numbers a name that the picture cannot show."""
    return ChartPart(
        number=None if place is None or picture.is_writable(name) else place + 1,
        name=name,
        weight_grams=amount if by == "weight" else None,
        price_cents=amount if by == "price" else None,
        percent=None if percent is None or amount is None else rounded(percent, 1),
    )
