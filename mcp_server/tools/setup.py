"""Tools for setups."""

from typing import Annotated

from mcp.server.mcpserver import Context
from pydantic import Field

from mcp_server.edge import App, read, write
from mcp_server.models.fields import Id, Name
from mcp_server.models.setup import (
    NewLine,
    SetupChanges,
    SetupDeleted,
    SetupList,
    SetupsCompared,
    SetupShown,
    SetupSummary,
)
from mcp_server.services import setup

Lines = Annotated[
    list[NewLine],
    Field(
        max_length=1000,
        description="1 piece, base, unless given. worn_quantity: how many pieces of a worn line; default all",
    ),
]
ChangedLines = Annotated[
    list[NewLine],
    Field(max_length=1000, description="Lines to add, or to change: what is left out stays"),
]
Removed = Annotated[list[Id], Field(max_length=1000, description="item_ids")]


async def list_setups(ctx: Context[App]) -> SetupList:
    """List all setups (packing lists) with their totals in grams and cents."""
    async with read(ctx) as conn:
        return await setup.list_all(conn)


async def get_setup(ctx: Context[App], setup_id: Id) -> SetupShown:
    """Show a setup: total, base, worn, consumable and pack weight (grams), shares by category, every line.

    Weights and prices of lines are of one piece. Empty: quantity 1, classification base, worn_quantity all.
    """
    async with read(ctx) as conn:
        return await setup.get(conn, setup_id)


async def create_setup(ctx: Context[App], name: Name, lines: Lines = []) -> SetupSummary:  # noqa: B006
    """Create a setup (packing list) of items, and return its totals."""
    async with write(ctx) as conn:
        return await setup.create(conn, name, lines)


async def update_setup(ctx: Context[App], setup_id: Id, changes: SetupChanges) -> SetupSummary:
    """Rename a setup."""
    async with write(ctx) as conn:
        return await setup.update(conn, setup_id, changes)


async def delete_setup(ctx: Context[App], setup_id: Id) -> SetupDeleted:
    """Delete a setup. Its items stay in the collection."""
    async with write(ctx) as conn:
        return await setup.delete(conn, setup_id)


async def copy_setup(ctx: Context[App], setup_id: Id, name: Name) -> SetupSummary:
    """Copy a setup with all its lines, to vary it."""
    async with write(ctx) as conn:
        return await setup.copy(conn, setup_id, name)


async def compare_setups(ctx: Context[App], setup_id: Id, other_setup_id: Id) -> SetupsCompared:
    """Show which lines differ and what each adds: the other setup minus the first, in grams and cents."""
    async with read(ctx) as conn:
        return await setup.compare(conn, setup_id, other_setup_id)


async def set_setup_items(
    ctx: Context[App],
    setup_id: Id,
    lines: Lines | None = None,
    change: ChangedLines = [],  # noqa: B006
    remove: Removed = [],  # noqa: B006
) -> SetupSummary:
    """Replace the whole list of a setup by `lines`, or else `change` and `remove` some; return its totals."""
    async with write(ctx) as conn:
        return await setup.set_items(conn, setup_id, lines, change=change, remove=remove)
