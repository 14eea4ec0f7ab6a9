"""Tools for totals."""

from mcp.server.mcpserver import Context

from mcp_server.models.totals import Totals
from mcp_server.protocol.edge import App, read
from mcp_server.services import totals


async def get_totals(ctx: Context[App]) -> Totals:
    """Sum up the collection: kinds and pieces of items, grams and cents, by category; and what is unknown."""
    return await read(ctx).do(totals.summarize)
