"""Tools for images."""

from typing import Annotated

from mcp.server.mcpserver import Context
from pydantic import Field

from mcp_server.models.fields import Flag, HttpUrl, Id, OptionalBase64, OptionalPath, OptionalRef
from mcp_server.models.image import Image, ImageRemoved, ImageShown
from mcp_server.protocol.edge import App, Written, principal, read, write
from mcp_server.protocol.incoming import incoming_image
from mcp_server.services import image
from mcp_server.untrusted import picture


async def get_image(
    ctx: Context[App],
    image_id: Id,
    full: Annotated[Flag, Field(description="Up to 1600 px on the long side instead of 320")] = False,
) -> ImageShown:
    """Show an image by the image_id of an item or candidate: a thumbnail, unless full."""
    found = await read(ctx).do(image.get, image_id)
    return await image.shown(found, full=full, user_id=principal(ctx).user_id)


async def upload_image_from_url(
    ctx: Context[App], url: HttpUrl, item_id: OptionalRef = None, candidate_id: OptionalRef = None
) -> Written[Image]:
    """Fetch an image of at most 10 MB from a public URL for an item or a candidate; replaces its image."""
    # Imported on use: a server that starts does not need an HTTP client.
    from mcp_server.untrusted.fetch import fetch

    owner = await read(ctx).do(image.check, image.owner(item_id, candidate_id))
    user_id = principal(ctx).user_id
    cleaned = await picture.clean(await fetch(url, user_id=user_id), user_id=user_id)
    return await write(ctx).do(image.attach, owner, cleaned, url)


async def upload_image(
    ctx: Context[App],
    data: Annotated[OptionalBase64, Field(description="The file as base64 or a data: URL")] = None,
    path: Annotated[OptionalPath, Field(description="Instead: a local file")] = None,
    item_id: OptionalRef = None,
    candidate_id: OptionalRef = None,
) -> Written[Image]:
    """Store an image for an item or a candidate; replaces its image."""
    content = await incoming_image(ctx, data, path)
    owner = await read(ctx).do(image.check, image.owner(item_id, candidate_id))
    cleaned = await picture.clean(content, user_id=principal(ctx).user_id)
    return await write(ctx).do(image.attach, owner, cleaned)


async def remove_image(
    ctx: Context[App], item_id: OptionalRef = None, candidate_id: OptionalRef = None
) -> Written[ImageRemoved]:
    """Remove the image of an item or a candidate. It is deleted when nothing else uses it."""
    owner = image.owner(item_id, candidate_id)
    return await write(ctx).do(image.detach, owner)
