"""Tools for changes."""

from typing import Annotated

from mcp.server.mcpserver import Context
from pydantic import Field

from mcp_server.models.change import ChangePage, ChangeShown, ChangeUndone
from mcp_server.models.fields import Flag, Id, Limit, OptionalId
from mcp_server.protocol.edge import App, Written, read, write
from mcp_server.services import change
from mcp_server.services.undo import undo


async def list_changes(
    ctx: Context[App],
    tool: Annotated[str, Field(max_length=100, description="Only changes by this tool")] = "",
    item_id: OptionalId = None,
    setup_id: OptionalId = None,
    thread_id: OptionalId = None,
    limit: Limit = 20,
    cursor: Annotated[str, Field(max_length=2000, description="next_cursor of the previous page")] = "",
) -> ChangePage:
    """List changes, newest first: all, or those of one tool, item, setup or thread."""
    return await read(ctx).do(
        change.find,
        tool=tool,
        item_id=item_id,
        setup_id=setup_id,
        thread_id=thread_id,
        limit=limit,
        cursor=cursor,
    )


async def get_change(ctx: Context[App], change_id: Id) -> ChangeShown:
    """Show what one change did: each row before and after."""
    return await read(ctx).do(change.get, change_id)


async def undo_change(ctx: Context[App], change_id: Id, dry_run: Flag = False) -> Written[ChangeUndone]:
    """Undo a change completely or not at all. An undo is a change too and can itself be undone."""
    return await write(ctx, dry_run=dry_run).do(undo, change_id)
