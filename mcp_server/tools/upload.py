"""Tools for uploads."""

from typing import Annotated

from mcp.server.mcpserver import Context
from pydantic import Field

from mcp_server.models.fields import OptionalName, OptionalRef
from mcp_server.models.upload import UploadLink
from mcp_server.protocol.edge import App, Written, principal, write


async def create_upload_link(
    ctx: Context[App],
    setup_name: Annotated[OptionalName, Field(description="As in import_csv")] = None,
    item_id: OptionalRef = None,
    candidate_id: OptionalRef = None,
) -> Written[UploadLink]:
    """Get a link where the person uploads one list or, with an id, an image. Open for 10 minutes."""
    # Imported on use: a server that starts does not need it.
    from mcp_server.services import upload

    server = ctx.request_context.lifespan_context.url
    return await write(ctx).do(upload.create, server, principal(ctx), setup_name, item_id, candidate_id)
