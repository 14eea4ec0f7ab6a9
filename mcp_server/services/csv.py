"""CSV: lists of other programs become items and setups, every line of them or none."""

import csv
import io
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import anyio.to_thread
from psycopg import AsyncConnection
from pydantic import ValidationError

from db.query import fetch_value
from mcp_server.errors import Conflict, InvalidInput, in_words
from mcp_server.models.csv import Imported, LighterPackLine, Remark
from mcp_server.models.setup import NewLine
from mcp_server.services import category, item, setup

MOST_REMARKS = 50
NEEDED = {"item name", "weight", "unit"}
COLUMNS = [field.alias or name for name, field in LighterPackLine.model_fields.items()]


async def import_text(conn: AsyncConnection, csv_text: str, setup_name: str | None) -> Imported:
    """Create an item for every line of a LighterPack list and, given a *setup_name*, a setup of them all."""
    # In a thread, because a large file takes a second that other calls should not have to wait.
    lines = await anyio.to_thread.run_sync(read, csv_text)
    if setup_name is not None:
        await check_unused(conn, setup_name)
    wanted = list(dict.fromkeys(line.category for line in lines.values() if line.category.strip()))
    category_ids, new_categories = await category.find_or_create(conn, wanted)
    item_ids = await item.create_rows(
        conn, [to_row(line, category_ids.get(line.category)) for line in lines.values()]
    )
    setup_id = None
    if setup_name is not None:
        pairs = zip(lines.values(), item_ids, strict=True)
        created = await setup.create(conn, setup_name, [to_setup_line(line, id_) for line, id_ in pairs])
        setup_id = created.id
    remarks = [
        Remark(line=number, column=column, note=note)
        for number, line in lines.items()
        for column, note in line.remarks
    ]
    return Imported(
        format="lighterpack",
        items=len(lines),
        new_categories=tuple(new_categories),
        setup_id=setup_id,
        setup_name=setup_name,
        remarks=tuple(remarks[:MOST_REMARKS]),
        remarks_left_out=max(0, len(remarks) - MOST_REMARKS),
    )


async def check_unused(conn: AsyncConnection, setup_name: str) -> None:
    """Refuse a setup's name that is in use: the likely cause is a file that was imported before."""
    found = await fetch_value(
        conn, "SELECT id FROM setups WHERE lower(name) = lower(%(name)s) LIMIT 1", {"name": setup_name}
    )
    if found is not None:
        raise Conflict(
            f"There is a setup {setup_name!r} already: call get_setup with setup_id {found} to see whether "
            "this list is in it. To import the list once more, give another setup_name."
        )


def read(csv_text: str) -> dict[int, LighterPackLine]:
    """Return the lines of a LighterPack file by their numbers, or refuse it and name every bad line."""
    lines: dict[int, LighterPackLine] = {}
    problems: list[str] = []
    header: list[str] = []
    for number, cells in rows(csv_text):
        if not header:
            header = check_header([cell.strip().lower() for cell in cells])
        elif len(cells) != len(header):
            problems.append(f"line {number} has {len(cells)} cells, the header {len(header)}")
        else:
            try:
                lines[number] = LighterPackLine.model_validate(dict(zip(header, cells, strict=True)))
            except ValidationError as exc:
                problems += [f"line {number}, {problem}" for problem in in_words(exc)]
    if problems:
        more = f"; and {len(problems) - 20} more" if len(problems) > 20 else ""
        raise InvalidInput(f"csv_text: nothing was imported. {'; '.join(problems[:20])}{more}.")
    if not lines:
        raise InvalidInput("csv_text: has no lines below its header.")
    return lines


def rows(csv_text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each line's number and its cells. An unclosed quote never swallows the rest."""
    text = csv_text.removeprefix("\ufeff")
    header = next((line for line in text.splitlines() if line.strip()), "")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=header.count), strict=True)
    number = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                # LighterPack wrote this word for a missing value until July 2026.
                yield number, ["" if cell == "undefined" else cell for cell in cells]
            number = reader.line_num + 1
    except csv.Error as exc:
        raise InvalidInput(f"csv_text: nothing was imported. Line {number} is not valid CSV: {exc}.") from exc


def check_header(header: list[str]) -> list[str]:
    unknown = [name for name in header if name not in COLUMNS]
    if unknown or not set(header) >= NEEDED or len(set(header)) < len(header):
        raise InvalidInput(
            "csv_text: not a LighterPack list. Its first line has to name item name, weight and unit, "
            f"and may name {', '.join(name for name in COLUMNS if name not in NEEDED)}, once each"
            f"{f'; not {unknown[0]!r}' if unknown else ''}."
        )
    return header


def to_row(line: LighterPackLine, category_id: int | None) -> dict[str, Any]:
    return {
        "name": line.name,
        "weight_grams": line.weight,
        "price_cents": line.price_cents,
        "quantity": line.pieces_owned,
        "category_id": category_id,
        "notes": line.notes,
        "product_url": line.product_url,
    }


def to_setup_line(line: LighterPackLine, item_id: int) -> NewLine:
    new: NewLine = {"item_id": item_id, "quantity": line.quantity, "classification": line.classification}
    if line.classification == "worn":
        # LighterPack's rule: of several, one is worn and the others are in the pack.
        new["worn_quantity"] = min(line.quantity, Decimal(1))
    return new
