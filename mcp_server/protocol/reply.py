"""Results: as text for models and as structured content for programs. Each is complete."""

import base64
import json
import re
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any, cast

from mcp.types import CallToolResult, ContentBlock, ImageContent, TextContent
from pydantic import BaseModel

from mcp_server.errors import InvalidInput
from mcp_server.models.answer import LARGEST
from mcp_server.models.chart import ChartShown
from mcp_server.models.csv import Exported
from mcp_server.models.image import ImageShown

# Characters that could end a cell or a line of a table. Escaping them keeps stored text from forging rows.
BREAKS = re.compile(r"[\\\x00-\x1f\x7f-\x9f\u2028\u2029]")


def reply(result: BaseModel, *notes: BaseModel) -> CallToolResult:
    """Return *result* and *notes*, without nulls and defaults, as text and as structured content.

    An image is added to the text. The text of an exported list is the list.
    """
    data: dict[str, Any] = {}
    values: dict[str, Any] = {}
    for part in (result, *notes):
        fields = part.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
        data |= fields
        values |= {name: getattr(part, name) for name in fields}
    blocks: list[ContentBlock] = []
    if isinstance(result, ImageShown | ChartShown):
        picture = base64.b64encode(result.data).decode()
        blocks.append(ImageContent(data=picture, mime_type=result.mime_type))
    if isinstance(result, Exported):
        # The text is the file. What it lacks is a text of its own.
        notes_on_file = {"lossy": data["lossy"]} if "lossy" in data else None
        blocks += [TextContent(text=to_json(notes_on_file))] if notes_on_file else []
        return bounded(result.csv_text, data, *blocks)
    return bounded(as_text(values, data), data, *blocks)


def bounded(text: str, data: dict[str, Any], *blocks: ContentBlock) -> CallToolResult:
    """Return an answer whose text and structured content are each within the bound.

    Services leave out what does not fit, so a larger answer is a mistake in one of them: it is refused, and
    never cut, because half a table or half an object would be read as the whole.
    """
    if max(len(text.encode()), len(to_json(data).encode())) > LARGEST:
        raise InvalidInput(
            f"The answer would exceed {LARGEST // 1024} KB. "
            "Request less at once: a smaller limit, a narrower filter, or fewer rows."
        )
    return CallToolResult(content=[TextContent(text=text), *blocks], structured_content=data)


def as_text(values: Mapping[str, Any], data: dict[str, Any]) -> str:
    """Write lists of rows as tables, after one line of JSON with everything else.

    A table is a line of column names and a line for each row, separated by tabs. If there are several tables,
    each has its name above it.
    """
    tables = {name: rows for name, value in values.items() if (rows := rows_of(value))}
    rest = {name: value for name, value in data.items() if name not in tables}
    parts = [to_json(rest)] if rest else []
    for name, rows in tables.items():
        parts += [f"{name}:"] if len(tables) > 1 else []
        parts.append(as_table(columns_of(rows[0]), data[name]))
    return "\n".join(parts)


def rows_of(value: Any) -> list[BaseModel]:
    rows = cast(list[Any], value) if isinstance(value, list | tuple) else []
    return [row for row in rows if isinstance(row, BaseModel)]


def columns_of(row: BaseModel) -> list[str]:
    return [*type(row).model_fields, *type(row).model_computed_fields]


def as_table(fields: Iterable[str], rows: list[dict[str, Any]]) -> str:
    """Return a header and a line for each row.

    If this is a tenth shorter, the category is not a column, but a line above the rows that have it.
    """
    columns = [name for name in fields if any(name in row for row in rows)]
    table = "\n".join(as_lines(columns, rows))
    # A row of two cells has a tab, which the line of a category has not.
    if "category" not in columns or len(columns) < 3:
        return table
    header, *lines = as_lines([name for name in columns if name != "category"], rows)
    parts = [header]
    for category, run in groupby(zip(rows, lines, strict=True), key=lambda pair: pair[0].get("category")):
        parts += [f"category: {as_cell(category)}".rstrip(), *(line for _, line in run)]
    grouped = "\n".join(parts)
    return grouped if len(grouped) < 0.9 * len(table) else table


def as_lines(columns: list[str], rows: list[dict[str, Any]]) -> list[str]:
    return ["\t".join(columns), *("\t".join(as_cell(row.get(name)) for name in columns) for row in rows)]


def as_cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return BREAKS.sub(lambda found: json.dumps(found[0])[1:-1], value)
    return to_json(value)


def to_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
