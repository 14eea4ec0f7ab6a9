"""Export: the collection or one setup as a list, in our own format, for LighterPack, or for a person."""

import csv
import io
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from decimal import Decimal
from functools import partial

from psycopg import AsyncConnection
from psycopg.rows import kwargs_row
from psycopg.sql import SQL, Composed, Identifier

from db.query import fetch_value
from mcp_server.errors import InvalidInput
from mcp_server.formats import lighterpack
from mcp_server.formats.line import ITEM_COLUMNS, SETUP_COLUMNS, Line, guarded
from mcp_server.formats.markdown import Table
from mcp_server.models.answer import LARGEST, MOST, size
from mcp_server.models.csv import Exported, ExportFormat
from mcp_server.models.setup import SetupLine
from mcp_server.models.share import Shared
from mcp_server.services import settings, setup

# Bytes of a list, in an answer, that a tool returns.
LONGEST = MOST

# What the CSV of a share has of our own columns, and lines at most.
SHARED_COLUMNS = (
    "name",
    "category",
    "weight_grams",
    "price_cents",
    "setup_quantity",
    "classification",
    "worn_quantity",
)
MOST_SHARED = 10_000

# Every column of an item in our own CSV, by its name there.
ITEM = SQL(", ").join(
    SQL("{} AS {}").format(
        {
            "category": SQL("categories.name"),
            "category_icon": SQL("categories.icon"),
        }.get(name, Identifier("items", name)),
        Identifier(name),
    )
    for name in ITEM_COLUMNS
)
ITEMS = SQL("""
    SELECT {item}
    FROM items
    LEFT JOIN categories ON categories.id = items.category_id
    ORDER BY items.id
""").format(item=ITEM)
EMPTY_CATEGORIES = SQL("""
    SELECT NULL::text AS name, name AS category, icon AS category_icon
    FROM categories
    WHERE NOT EXISTS (SELECT FROM items WHERE items.category_id = categories.id)
    ORDER BY id
""")
LINES = SQL("""
    SELECT
        {item}, setup_items.quantity AS setup_quantity, setup_items.classification, setup_items.worn_quantity
    FROM setup_items
    JOIN items ON items.id = setup_items.item_id
    LEFT JOIN categories ON categories.id = items.category_id
    WHERE setup_items.setup_id = %(setup_id)s
    ORDER BY setup_items.id
""").format(item=ITEM)


async def export_text(conn: AsyncConnection, setup_ref: str | int | None, format: ExportFormat) -> Exported:
    """Return the collection, or one setup, as a text that fits into an answer."""
    setup_id = None if setup_ref is None else await setup.resolve(conn, setup_ref)
    text, lossy, lines = io.StringIO(newline=""), Counter[str](), 0
    async for line in export_lines(conn, setup_id, format, lossy):
        text.write(line)
        lines += 1
        if text.tell() > LONGEST:
            raise too_long()
    # Without the header, and without the totals of a table.
    lines -= 2 if format == "markdown" else 1
    exported = Exported(csv_text=text.getvalue(), lines=lines, lossy=counted(lossy))
    if size(exported) > LONGEST:
        raise too_long()
    return exported


def too_long() -> InvalidInput:
    return InvalidInput(
        f"The list does not fit into an answer of {LARGEST // 1024} KB. "
        "Export one setup, or have the person run `gearshed export`."
    )


def counted(lossy: Counter[str]) -> tuple[str, ...]:
    """`notes cut: 3 lines`, for each way in which something was lost."""
    return tuple(f"{what}: {count:,} {'line' if count == 1 else 'lines'}" for what, count in lossy.items())


async def export_lines(
    conn: AsyncConnection, setup_id: int | None, format: ExportFormat, lossy: Counter[str]
) -> AsyncGenerator[str]:
    """Yield the header and every line, and count in *lossy* what the format has no room for."""
    if format == "markdown":
        async for line in markdown_lines(conn, setup_id):
            yield line
        return
    async for cells in export_cells(conn, setup_id, format, lossy):
        yield to_csv(cells)


async def export_cells(
    conn: AsyncConnection, setup_id: int | None, format: ExportFormat, lossy: Counter[str]
) -> AsyncGenerator[Sequence[str]]:
    """Yield the cells of the header and of every line."""
    header: Sequence[str]
    queries: list[SQL | Composed]
    cells: Callable[[Line], list[str]]
    if format == "lighterpack":
        header, queries = lighterpack.COLUMNS, [ITEMS if setup_id is None else LINES]
        cells = to_lighterpack
    elif setup_id is None:
        header, queries = ITEM_COLUMNS, [ITEMS, EMPTY_CATEGORIES]
        cells = to_item
    else:
        header, queries = [*ITEM_COLUMNS, *SETUP_COLUMNS], [LINES]
        cells = to_setup_line
    yield header
    for query in queries:
        async for line in stream(conn, query, setup_id):
            if format == "lighterpack":
                lossy.update(lost_by_lighterpack(line))
            yield cells(line)


async def markdown_lines(conn: AsyncConnection, setup_id: int | None) -> AsyncGenerator[str]:
    """Yield a table for a person to read, with totals."""
    query = "SELECT name FROM setups WHERE id = %(setup_id)s"
    title = None if setup_id is None else await fetch_value(conn, query, {"setup_id": setup_id})
    table = Table(await settings.get(conn), title)
    yield "".join(table.header())
    async for line in stream(conn, ITEMS if setup_id is None else LINES, setup_id):
        yield table.row(line)
    yield "".join(table.footer())


async def stream(conn: AsyncConnection, query: SQL | Composed, setup_id: int | None) -> AsyncGenerator[Line]:
    """Yield rows as they come, so that a collection of any size needs no memory."""
    async with conn.cursor("export", row_factory=kwargs_row(partial(Line, 0))) as cursor:
        cursor.itersize = 2000
        await cursor.execute(query, {"setup_id": setup_id})
        async for row in cursor:
            yield row


def to_csv(cells: Sequence[str]) -> str:
    line = io.StringIO(newline="")
    # Its own line end, because the module quotes only cells that hold what ends a line.
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue()


def to_item(line: Line) -> list[str]:
    return [cell(getattr(line, name)) for name in ITEM_COLUMNS]


def to_setup_line(line: Line) -> list[str]:
    worn = cell(line.worn_quantity) if line.classification == "worn" else ""
    return [*to_item(line), cell(line.setup_quantity), line.classification, worn]


def cell(value: str | float | Decimal | None) -> str:
    """Write a value so that the same value is read. Numbers have the fewest digits: 540, not 540.0."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if value is None or isinstance(value, str):
        return guarded(value)
    return str(int(value)) if value == int(value) else repr(value)


def to_lighterpack(line: Line) -> list[str]:
    quantity = Decimal(line.quantity or 0) if line.setup_quantity is None else line.setup_quantity
    return [
        guarded(line.name),
        guarded(line.category),
        guarded(line.notes),
        unambiguous(quantity),
        unambiguous(milligrams(line.weight_grams or 0)),
        "gram",
        guarded(line.product_url),
        f"{Decimal(line.price_cents or 0) / 100:f}",
        "Worn" if line.classification == "worn" and line.worn_quantity else "",
        "Consumable" if line.classification == "consumable" else "",
    ]


async def export_share(conn: AsyncConnection, shared: Shared) -> str:
    """Return all lines in our own format, which leaves unknown weights and prices empty."""
    after = {"after_key": None, "after_id": None}
    found = await setup.find_lines(conn, shared.setup_id, "added", MOST_SHARED, after)
    if found.remaining > MOST_SHARED:
        raise InvalidInput(f"The list has more than {MOST_SHARED:,} lines. Ask its owner for a file.")
    columns = [name for name in SHARED_COLUMNS if shared.prices or name != "price_cents"]
    rows = [[shared_cells(line)[name] for name in columns] for line in found.rows]
    return "".join(map(to_csv, [columns, *rows]))


def shared_cells(line: SetupLine) -> dict[str, str]:
    """Return the cells of a line by their columns in our own CSV."""
    worn = line.quantity if line.worn_quantity is None else line.worn_quantity
    return {
        "name": cell(line.name),
        "category": cell(line.category),
        "weight_grams": cell(line.weight_grams),
        "price_cents": cell(line.price_cents),
        "setup_quantity": cell(line.quantity),
        "classification": line.classification,
        "worn_quantity": cell(worn) if line.classification == "worn" else "",
    }


def unambiguous(number: Decimal) -> str:
    """Write a number so that its point cannot be taken for that of thousands: 1.2340 rather than 1.234."""
    text = f"{number.normalize():f}"
    whole, _, decimals = text.partition(".")
    return f"{text}0" if len(decimals) == 3 and whole != "0" and len(whole) <= 3 else text


def milligrams(grams: float) -> Decimal:
    """Grams as LighterPack stores them, in whole milligrams."""
    return Decimal(repr(grams)).quantize(Decimal("0.001")).normalize() + 0


def lost_by_lighterpack(line: Line) -> list[str]:
    """Name what LighterPack has no room for."""
    weight, worn = line.weight_grams, line.classification == "worn"
    lost = {
        "a weight of 0 g will be unknown": weight == 0,
        "a weight is rounded to milligrams": weight is not None and float(milligrams(weight)) != weight,
        "a margin or source of a weight is left out": (line.weight_margin_grams, line.weight_source)
        != (None, None),
        "a price of 0 will be unknown": line.price_cents == 0,
        "one piece will be worn, whatever worn_quantity says": worn
        and line.worn_quantity != min(line.setup_quantity or 0, Decimal(1)),
        "an external_id is left out": line.external_id is not None,
    }
    return [what for what, is_lost in lost.items() if is_lost]
