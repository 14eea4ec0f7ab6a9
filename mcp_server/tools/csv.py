"""Tools for CSV."""

from typing import Annotated

from mcp.server.mcpserver import Context
from pydantic import Field

from mcp_server.models.change import Key
from mcp_server.models.csv import (
    Columns,
    Exported,
    ExportFormat,
    Imported,
    OptionalFormat,
    OptionalList,
    OptionalUnit,
)
from mcp_server.models.fields import Flag, OptionalName, OptionalPath, OptionalRef, Url
from mcp_server.protocol.edge import App, Written, principal, read, write
from mcp_server.protocol.incoming import incoming_list


async def import_csv(
    ctx: Context[App],
    csv_text: Annotated[OptionalList, Field(description="The file or pasted text, unchanged")] = None,
    url: Annotated[Url, Field(description="Instead: a LighterPack list or other public file")] = None,
    path: Annotated[OptionalPath, Field(description="Instead: a local file, also .xlsx, .xls, .ods")] = None,
    sheet: Annotated[OptionalName, Field(description="Of a workbook")] = None,
    format: OptionalFormat = None,
    setup_name: Annotated[
        OptionalName, Field(description="Also create or complete this setup from the list")
    ] = None,
    columns: Annotated[
        Columns,
        Field(
            description='JSON, for a spreadsheet: {"Gewicht": "weight g", "Wer": "notes", "Foo": "ignore"}'
        ),
    ] = None,
    weight_unit: Annotated[OptionalUnit, Field(description="Of weights without one")] = None,
    update_existing: Annotated[Flag, Field(description="Change items that differ from the list")] = False,
    skip_bad_lines: Annotated[Flag, Field(description="Import the rest if a line is bad")] = False,
    dry_run: Flag = False,
    idempotency_key: Key = None,
) -> Written[Imported]:
    """Import a list of LighterPack or another program (`format`), a spreadsheet or plain text.

    All or nothing. Existing items are recognised by name and category, and missing figures filled in.
    """
    # Imported on use: a server that starts does not need the formats.
    from mcp_server.services import csv, listfile

    options = csv.ImportOptions(
        setup_name, update_existing, skip_bad_lines, dry_run, columns or {}, weight_unit
    )
    data, note = await incoming_list(ctx, csv_text, url, path)
    file = await listfile.read_in_turn(data, sheet, note, user_id=principal(ctx).user_id)
    return await write(ctx, key=idempotency_key, dry_run=dry_run, imports=True).do(
        csv.import_file, file, format, options
    )


async def export_csv(
    ctx: Context[App],
    setup: Annotated[OptionalRef, Field(description="Only this setup")] = None,
    format: ExportFormat = "gearshed",
) -> Exported:
    """Export the collection or a setup: without loss as gearshed, for LighterPack, or to read as markdown."""
    from mcp_server.services import export

    return await read(ctx, together=True).do(export.export_text, setup, format)
