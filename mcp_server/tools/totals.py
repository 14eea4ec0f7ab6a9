"""Tools for totals."""

from mcp.server.mcpserver import Context

from mcp_server.models.totals import Totals
from mcp_server.protocol.edge import App, read
from mcp_server.services import totals


async def get_totals(ctx: Context[App]) -> Totals:
    """Summarize the collection: items, pieces, grams, cents and unknown values, by category."""
    return await read(ctx).do(totals.summarize)
