"""Export: the collection or one setup as a list, in our own format or as LighterPack reads it."""

import csv
import io
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from decimal import Decimal
from typing import NamedTuple

from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg.sql import SQL

from mcp_server.errors import InvalidInput
from mcp_server.formats import gearshed, lighterpack
from mcp_server.formats.line import guarded
from mcp_server.models.csv import Exported, ExportFormat
from mcp_server.models.setup import Classification
from mcp_server.services import setup

# Characters that a tool returns at most.
LONGEST = 1_000_000

ITEMS = SQL("""
    SELECT
        items.name, categories.name AS category, categories.icon AS category_icon, items.weight_grams,
        items.price_cents, items.quantity, items.notes, items.product_url, items.external_id,
        NULL::numeric AS setup_quantity, 'base' AS classification, 0::numeric AS worn_quantity
    FROM items
    LEFT JOIN categories ON categories.id = items.category_id
    ORDER BY items.id
""")
EMPTY_CATEGORIES = SQL("""
    SELECT
        NULL::text AS name, name AS category, icon AS category_icon, NULL::double precision AS weight_grams,
        NULL::bigint AS price_cents, NULL::integer AS quantity, NULL::text AS notes,
        NULL::text AS product_url, NULL::text AS external_id, NULL::numeric AS setup_quantity,
        'base' AS classification, 0::numeric AS worn_quantity
    FROM categories
    WHERE NOT EXISTS (SELECT FROM items WHERE items.category_id = categories.id)
    ORDER BY id
""")
LINES = SQL("""
    SELECT
        items.name, categories.name AS category, categories.icon AS category_icon, items.weight_grams,
        items.price_cents, items.quantity, items.notes, items.product_url, items.external_id,
        setup_items.quantity AS setup_quantity, setup_items.classification, setup_items.worn_quantity
    FROM setup_items
    JOIN items ON items.id = setup_items.item_id
    LEFT JOIN categories ON categories.id = items.category_id
    WHERE setup_items.setup_id = %(setup_id)s
    ORDER BY setup_items.id
""")


class ExportRow(NamedTuple):
    """An item, a line of a setup where it has a `setup_quantity`, or without a name an empty category."""

    name: str | None
    category: str | None
    category_icon: str | None
    weight_grams: float | None
    price_cents: int | None
    quantity: int | None
    notes: str | None
    product_url: str | None
    external_id: str | None
    setup_quantity: Decimal | None
    classification: Classification
    worn_quantity: Decimal


async def export_text(conn: AsyncConnection, setup_ref: str | int | None, format: ExportFormat) -> Exported:
    """Return the collection, or one setup, as a text of at most 1 MB."""
    setup_id = None if setup_ref is None else await setup.resolve(conn, setup_ref)
    text, lossy, lines = io.StringIO(newline=""), Counter[str](), 0
    async for line in export_lines(conn, setup_id, format, lossy):
        text.write(line)
        lines += 1
        if text.tell() > LONGEST:
            raise InvalidInput(
                "The list is longer than 1 MB. Export one setup, or have the person run `gearshed export`."
            )
    return Exported(csv_text=text.getvalue(), lines=lines - 1, lossy=told(lossy))


def told(lossy: Counter[str]) -> tuple[str, ...]:
    """`notes cut: 3 lines`, for each way in which something was lost."""
    return tuple(f"{what}: {count:,} {'line' if count == 1 else 'lines'}" for what, count in lossy.items())


async def export_lines(
    conn: AsyncConnection, setup_id: int | None, format: ExportFormat, lossy: Counter[str]
) -> AsyncGenerator[str]:
    """Yield the header and every line, and count in *lossy* what the format has no room for."""
    header: Sequence[str]
    cells: Callable[[ExportRow], list[str]]
    if format == "lighterpack":
        header, queries = lighterpack.COLUMNS, [ITEMS if setup_id is None else LINES]
        cells = to_lighterpack
    elif setup_id is None:
        header, queries = gearshed.ITEM_COLUMNS, [ITEMS, EMPTY_CATEGORIES]
        cells = to_item
    else:
        header, queries = [*gearshed.ITEM_COLUMNS, *gearshed.SETUP_COLUMNS], [LINES]
        cells = to_setup_line
    yield to_csv(header)
    for query in queries:
        async for row in stream(conn, query, setup_id):
            if format == "lighterpack":
                lossy.update(lost_by_lighterpack(row))
            yield to_csv(cells(row))


async def stream(conn: AsyncConnection, query: SQL, setup_id: int | None) -> AsyncGenerator[ExportRow]:
    """Yield rows as they come, so that a collection of any size needs no memory."""
    async with conn.cursor("export", row_factory=class_row(ExportRow)) as cursor:
        cursor.itersize = 2000
        await cursor.execute(query, {"setup_id": setup_id})
        async for row in cursor:
            yield row


def to_csv(cells: Sequence[str]) -> str:
    line = io.StringIO(newline="")
    # Its own line end, because the module quotes only cells that hold what ends a line.
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue()


def to_item(row: ExportRow) -> list[str]:
    return [
        guarded(row.name),
        guarded(row.category),
        row.category_icon or "",
        exact(row.weight_grams),
        exact(row.price_cents),
        exact(row.quantity),
        guarded(row.notes),
        row.product_url or "",
        guarded(row.external_id),
    ]


def to_setup_line(row: ExportRow) -> list[str]:
    worn = f"{row.worn_quantity:f}" if row.classification == "worn" else ""
    return [*to_item(row), f"{row.setup_quantity:f}", row.classification, worn]


def exact(number: float | None) -> str:
    """The shortest text that reads as the same number: 540 rather than 540.0."""
    if number is None:
        return ""
    return str(int(number)) if number == int(number) else repr(number)


def to_lighterpack(row: ExportRow) -> list[str]:
    quantity = Decimal(row.quantity or 0) if row.setup_quantity is None else row.setup_quantity
    return [
        guarded(row.name),
        guarded(row.category),
        guarded(row.notes),
        f"{quantity:f}",
        f"{milligrams(row.weight_grams or 0):f}",
        "gram",
        row.product_url or "",
        f"{Decimal(row.price_cents or 0) / 100:f}",
        "Worn" if row.classification == "worn" and row.worn_quantity else "",
        "Consumable" if row.classification == "consumable" else "",
    ]


def milligrams(grams: float) -> Decimal:
    """Grams as LighterPack stores them, in whole milligrams."""
    return Decimal(repr(grams)).quantize(Decimal("0.001")).normalize() + 0


def lost_by_lighterpack(row: ExportRow) -> list[str]:
    """Name what LighterPack has no room for."""
    weight, worn = row.weight_grams, row.classification == "worn"
    lost = {
        "a weight of 0 g will be unknown": weight == 0,
        "a weight is rounded to milligrams": weight is not None and float(milligrams(weight)) != weight,
        "a price of 0 will be unknown": row.price_cents == 0,
        "one piece will be worn, whatever worn_quantity says": worn
        and row.worn_quantity != min(row.setup_quantity or 0, Decimal(1)),
        "an external_id is left out": row.external_id is not None,
    }
    return [what for what, is_lost in lost.items() if is_lost]
