"""Tools for shares."""

from typing import Annotated

from mcp.server.mcpserver import Context
from pydantic import Field

from mcp_server.models.change import Key
from mcp_server.models.fields import Flag, Id, Ref
from mcp_server.models.share import Days, ShareCreated, ShareEnded, ShareList
from mcp_server.protocol.edge import App, Written, read, write
from mcp_server.services import share


async def share_setup(
    ctx: Context[App],
    setup: Ref,
    days: Annotated[Days, Field(description="Until it expires, up to 365")] = 14,
    prices: Annotated[Flag, Field(description="Show prices")] = False,
    idempotency_key: Key = None,
) -> Written[ShareCreated]:
    """Get a link that shows a setup to anyone who has it: read-only, without notes."""
    server = ctx.request_context.lifespan_context.url
    return await write(ctx, key=idempotency_key).do(share.create, server, setup, days, prices)


async def list_shares(ctx: Context[App]) -> ShareList:
    """List open shares."""
    return await read(ctx).do(share.list_open)


async def end_share(ctx: Context[App], share_id: Id) -> Written[ShareEnded]:
    """End a share: its link stops working."""
    return await write(ctx).do(share.end, share_id)
