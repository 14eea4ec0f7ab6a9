"""Tools for CSV."""

from typing import Annotated

from mcp.server.mcpserver import Context
from pydantic import Field

from mcp_server.edge import App, Written, write
from mcp_server.models.change import Key
from mcp_server.models.csv import Imported
from mcp_server.models.fields import Flag, SetupName
from mcp_server.services import csv


async def import_csv(
    ctx: Context[App],
    csv_text: Annotated[
        str, Field(max_length=1_000_000, description="The file's content, header line first")
    ],
    setup_name: Annotated[
        SetupName, Field(description="Also create a setup of this name from the list")
    ] = None,
    dry_run: Flag = False,
    idempotency_key: Key = None,
) -> Written[Imported]:
    """Import a LighterPack CSV export: an item per line, and missing categories. All or nothing."""
    return await write(ctx, key=idempotency_key, dry_run=dry_run).do(csv.import_text, csv_text, setup_name)
