"""Tools for setups."""

from typing import Annotated

from mcp.server.mcpserver import Context
from pydantic import Field

from mcp_server.models.change import Key
from mcp_server.models.fields import Cursor, Flag, Limit, Name, OptionalRef, Query, Ref
from mcp_server.models.setup import (
    LineSort,
    NewLine,
    Part,
    SetupChanges,
    SetupCreated,
    SetupDeleted,
    SetupItemsSet,
    SetupList,
    SetupsCompared,
    SetupShown,
    SetupSummary,
)
from mcp_server.models.variant import Additions, Swaps, Variant
from mcp_server.protocol.edge import App, Written, read, write
from mcp_server.services import comparison, setup, variant

Lines = Annotated[
    list[NewLine],
    Field(
        max_length=1000,
        description="Default: quantity 1, base. worn_quantity: worn pieces of a worn line; default all",
    ),
]
ChangedLines = Annotated[
    list[NewLine],
    Field(max_length=1000, description="Lines to add or change; omitted fields keep their value"),
]
Removed = Annotated[list[Ref], Field(max_length=1000, description="item_ids")]


async def list_setups(
    ctx: Context[App],
    item_id: OptionalRef = None,
    query: Query = "",
    limit: Limit = 200,
    cursor: Cursor = "",
) -> SetupList:
    """List setups (packing lists) with their totals in grams and cents."""
    return await read(ctx).do(setup.list_all, item_id, query=query, limit=limit, cursor=cursor)


async def get_setup(
    ctx: Context[App],
    setup_id: Ref,
    parts: Annotated[list[Part], Field(description="Only these")] = [],  # noqa: B006
    sort: Annotated[LineSort, Field(description="Of lines, by weight or price of all pieces")] = "added",
    limit: Limit = 200,
    cursor: Cursor = "",
) -> SetupShown:
    """Show a setup: total, base, worn, consumable and pack weight (grams), shares by category, lines.

    Weights and prices of lines are per piece, line_grams of all. Empty: quantity 1, classification base,
    worn_quantity all.
    """
    return await read(ctx).do(setup.get, setup_id, parts, sort=sort, limit=limit, cursor=cursor)


async def create_setup(
    ctx: Context[App],
    name: Name,
    lines: Lines = [],  # noqa: B006
    dry_run: Flag = False,
    idempotency_key: Key = None,
) -> Written[SetupCreated]:
    """Create a setup (packing list) from items."""
    return await write(ctx, key=idempotency_key, dry_run=dry_run).do(setup.create, name, lines)


async def update_setup(ctx: Context[App], setup_id: Ref, changes: SetupChanges) -> Written[SetupSummary]:
    """Rename a setup. To change its lines, call set_setup_items."""
    return await write(ctx).do(setup.update, setup_id, changes)


async def delete_setup(ctx: Context[App], setup_id: Ref, dry_run: Flag = False) -> Written[SetupDeleted]:
    """Delete a setup. Its items stay in the collection."""
    return await write(ctx, dry_run=dry_run).do(setup.delete, setup_id)


async def copy_setup(
    ctx: Context[App], setup_id: Ref, name: Name, idempotency_key: Key = None
) -> Written[SetupCreated]:
    """Copy a setup with all its lines."""
    return await write(ctx, key=idempotency_key).do(setup.copy, setup_id, name)


async def compare_setups(
    ctx: Context[App], setup_id: Ref, other_setup_id: Ref, limit: Limit = 200, cursor: Cursor = ""
) -> SetupsCompared:
    """Show the lines that differ, and the other setup minus the first in grams and cents, line by line."""
    return await read(ctx).do(comparison.compare, setup_id, other_setup_id, limit, cursor)


async def what_if(
    ctx: Context[App],
    setup: Ref,
    change: Annotated[list[NewLine], Field(max_length=1000)] = [],  # noqa: B006
    remove: Annotated[list[Ref], Field(max_length=1000)] = [],  # noqa: B006
    swap: Swaps = [],  # noqa: B006
    add: Additions = [],  # noqa: B006
) -> Variant:
    """Show a setup's totals if its lines were changed, swapped or added, and what differs. Stores nothing."""
    return await read(ctx, together=True).do(
        variant.what_if, setup, change=change, remove=remove, swap=swap, add=add
    )


async def set_setup_items(
    ctx: Context[App],
    setup_id: Ref,
    lines: Lines | None = None,
    change: ChangedLines | None = None,
    remove: Removed | None = None,
    dry_run: Flag = False,
) -> Written[SetupItemsSet]:
    """Change what is packed: `change` and `remove` some lines of a setup, or replace all with `lines`."""
    return await write(ctx, dry_run=dry_run).do(
        setup.set_items, setup_id, lines, change=change, remove=remove
    )
