"""Tools for settings."""

from mcp.server.mcpserver import Context

from mcp_server.models.settings import SettingsChanges, Units
from mcp_server.protocol.edge import App, Written, read, write
from mcp_server.services import settings


async def get_settings(ctx: Context[App]) -> Units:
    """Show the person's units: weight unit and, if set, currency."""
    return await read(ctx).do(settings.get)


async def update_settings(ctx: Context[App], changes: SettingsChanges) -> Written[Units]:
    """Change the person's units. Results keep grams and cents, and repeat them in `weight` and `display`."""
    return await write(ctx).do(settings.update, changes)
