"""Charts as PNG pictures, for hosts without views."""

import asyncio
import re
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from mcp_server.turns import Turns
from mcp_server.web.chart import Bars, Donut, Part

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont


# In pixels. The height depends on the number of rows, which is at most MOST_ROWS.
WIDTH, MARGIN, ROW, DONUT = 720, 24, 30, 240
MOST_ROWS = 20
GROUND, TEXT, MUTED = "#ffffff", "#1b231e", "#566159"
# Users take turns, because drawing keeps a processor busy for some milliseconds.
PICTURES = Turns(1, 2, "pictures")
FONT = Path(__file__).parents[1] / "data" / "DejaVuSans.ttf"
# The characters of the font.
WRITABLE = re.compile(
    "[\u0020-\u007e\u00a0-\u024f\u0370-\u0377\u037a-\u037f\u0384-\u038a\u038c\u038e-\u03a1\u03a3-\u0525"
    "\u1e00-\u1efb\u2010-\u2027\u2030-\u205e\u2080-\u208e\u20a0-\u20b5\u20b8-\u20ba\u20bd\u2116\u2122"
    "\u2190-\u2199\u2212\u2248\u2260-\u2265\u2713]*"
)


async def png(chart: Donut | Bars, user_id: int | None = None) -> bytes:
    """Draw a chart, in a turn of the user and in another thread."""
    async with PICTURES.take(user_id) as turn:
        drawing = asyncio.ensure_future(asyncio.to_thread(draw, chart))
        turn.extend(drawing)
        return await asyncio.shield(drawing)


def is_writable(text: str) -> bool:
    """Whether the font has all characters: Latin, Greek, Cyrillic and some symbols."""
    return WRITABLE.fullmatch(text) is not None


def draw(chart: Donut | Bars) -> bytes:
    rows = len(chart.slices) if isinstance(chart, Donut) else len(chart.bars[:MOST_ROWS])
    height = 2 * MARGIN + 2 * ROW + max(rows * ROW, DONUT if isinstance(chart, Donut) else ROW)
    picture, pen = canvas(WIDTH, height + (ROW if chart.note else 0))
    if is_writable(chart.title):
        write(pen, (MARGIN, MARGIN), chart.title, WIDTH - 2 * MARGIN, size=22)
    top = MARGIN + 2 * ROW
    if isinstance(chart, Donut):
        picture.paste(ring(chart), (MARGIN, top))
        write(pen, (MARGIN + DONUT // 2, top + DONUT // 2), chart.shown, 140, size=18, anchor="mm")
        legend(pen, chart, top)
    else:
        columns(pen, chart, top)
    if chart.note:
        write(pen, (MARGIN, height - MARGIN // 2), chart.note, WIDTH - 2 * MARGIN, color=MUTED)
    file = BytesIO()
    # So few colors take a third of the bytes.
    picture.quantize(128).save(file, "PNG", optimize=True)
    return file.getvalue()


def canvas(width: int, height: int) -> "tuple[Image, ImageDraw]":
    # Imported on use: a server that starts draws nothing.
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (width, height), GROUND)
    return picture, ImageDraw.Draw(picture)


@cache
def font(size: int) -> "FreeTypeFont":
    from PIL import ImageFont

    return ImageFont.truetype(FONT, size, layout_engine=ImageFont.Layout.BASIC)


def write(
    pen: "ImageDraw",
    at: tuple[float, float],
    text: str,
    width: float,
    *,
    size: int = 16,
    color: str = TEXT,
    anchor: str = "la",
) -> None:
    """Write *text*, shortened to *width*."""
    pen.text(at, fitting(text, width, size), color, font(size), anchor)


def fitting(text: str, width: float, size: int) -> str:
    shown = text
    while shown and font(size).getlength(shown) > width:
        text = text[:-1]
        shown = f"{text.rstrip()}…"
    return shown


def ring(chart: Donut) -> "Image":
    """Draw at four times the size, because Pillow draws arcs with jagged edges."""
    from PIL.Image import Resampling

    picture, pen = canvas(4 * DONUT, 4 * DONUT)
    box = (0, 0, 4 * DONUT - 1, 4 * DONUT - 1)
    pen.ellipse(box, "#d5dbd4")
    for part in chart.slices:
        start, end = (float(part.start + length) * 3.6 - 90 for length in (0, part.percent))
        several = len(chart.slices) > 1
        pen.pieslice(box, start, end, part.color, GROUND if several else part.color, 6)
    hole = DONUT * 1.2
    middle = 2 * DONUT
    pen.ellipse((middle - hole, middle - hole, middle + hole, middle + hole), GROUND)
    return picture.resize((DONUT, DONUT), Resampling.LANCZOS)  # pyright: ignore[reportUnknownMemberType]


def legend(pen: "ImageDraw", chart: Donut, top: float) -> None:
    names = labels([part.name for part in chart.slices])
    left = MARGIN + DONUT + MARGIN
    for index, (part, name) in enumerate(zip(chart.slices, names, strict=True)):
        y = top + index * ROW
        pen.rectangle((left, y + 3, left + 14, y + 17), part.color)
        amount = f"{part.shown}  {percent(part)}"
        taken = font(16).getlength(amount)
        write(pen, (WIDTH - MARGIN, y), amount, WIDTH, anchor="ra")
        write(pen, (left + 24, y), name, WIDTH - MARGIN - taken - left - 36)


def percent(part: Part) -> str:
    return f"{part.percent:.0f}%" if part.percent >= 1 else "<1%"


def columns(pen: "ImageDraw", chart: Bars, top: float) -> None:
    bars = chart.bars[:MOST_ROWS]
    names = labels([bar.name for bar in bars])
    left, longest = MARGIN + 230, WIDTH - 2 * MARGIN - 230 - 150
    for index, (bar, name) in enumerate(zip(bars, names, strict=True)):
        y = top + index * ROW
        write(pen, (MARGIN, y), name, 220)
        for part in bar.parts:
            start, end = (left + longest * float(part.start + length) / 100 for length in (0, part.percent))
            pen.rectangle((start, y + 2, max(end, start + 1), y + 18), part.color)
        write(pen, (WIDTH - MARGIN, y), bar.shown, 145, anchor="ra")


def labels(names: list[str]) -> list[str]:
    """Replace names that the font cannot write by their numbers, from 1."""
    return [name if is_writable(name) else f"({number})" for number, name in enumerate(names, 1)]
