"""Tools for charts."""

from mcp.server.mcpserver import Context

from mcp_server.models.chart import ChartShown, Measure
from mcp_server.models.fields import OptionalRef
from mcp_server.protocol.edge import App, principal, read
from mcp_server.web import shown


async def show_chart(
    ctx: Context[App], setup: OptionalRef = None, thread: OptionalRef = None, by: Measure = "weight"
) -> ChartShown:
    """Draw a setup by category, a thread's candidates, or else the collection, as a picture."""
    found = await read(ctx, together=True).do(shown.find, setup, thread, by)
    return await shown.show(found, principal(ctx).user_id)
