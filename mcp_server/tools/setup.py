"""Tools for setups."""

from typing import Annotated

from mcp.server.mcpserver import Context
from pydantic import Field

from mcp_server.edge import App, read, write
from mcp_server.models.fields import Id, Name
from mcp_server.models.setup import NewLine, SetupList, SetupShown, SetupSummary
from mcp_server.services import setup

Lines = Annotated[
    list[NewLine],
    Field(
        max_length=1000,
        description="1 piece, base, unless given. worn_quantity: how many pieces of a worn line; default all",
    ),
]


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


async def set_setup_items(ctx: Context[App], setup_id: Id, lines: Lines) -> SetupSummary:
    """Replace the whole list of a setup by these lines, and return its totals."""
    async with write(ctx) as conn:
        return await setup.set_lines(conn, setup_id, lines)
