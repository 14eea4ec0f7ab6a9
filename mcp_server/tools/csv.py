"""Tools for CSV."""

from typing import Annotated

from mcp.server.mcpserver import Context
from pydantic import Field

from mcp_server.models.change import Key
from mcp_server.models.csv import Columns, Exported, ExportFormat, Imported, OptionalFormat, OptionalUnit
from mcp_server.models.fields import Flag, OptionalName, SetupRef
from mcp_server.protocol.edge import App, Written, read, write


async def import_csv(
    ctx: Context[App],
    csv_text: Annotated[str, Field(max_length=1_000_000, description="The file or pasted text, unchanged")],
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
    """Import a list from LighterPack or another program in `format`, a spreadsheet or plain text.

    All or nothing. Existing items are recognised by name and category, and missing figures filled in.
    """
    # Imported on use: a server that starts does not need the formats.
    from mcp_server.services import csv

    options = csv.ImportOptions(
        setup_name, update_existing, skip_bad_lines, dry_run, columns or {}, weight_unit
    )
    return await write(ctx, key=idempotency_key, dry_run=dry_run, imports=True).do(
        csv.import_text, csv_text, format, options
    )


async def export_csv(
    ctx: Context[App],
    setup: Annotated[SetupRef, Field(description="Only this setup (name or id)")] = None,
    format: ExportFormat = "gearshed",
) -> Exported:
    """Export the collection or a setup: without loss as gearshed, for LighterPack, or to read as markdown."""
    from mcp_server.services import export

    return await read(ctx, together=True).do(export.export_text, setup, format)
