"""What a call brings along: text and bytes in its arguments, or a file or link that they name."""

from collections.abc import Mapping
from typing import Any

import anyio.to_thread
from mcp.server.mcpserver import Context

from mcp_server.errors import Forbidden, InvalidInput
from mcp_server.protocol.edge import App, principal
from mcp_server.services import link

# Bytes of a list and of an image in a file.
LARGEST_LIST, LARGEST_IMAGE = 5 * 1024**2, 10 * 1024**2


async def incoming_list(
    ctx: Context[App], csv_text: str | None, url: str | None, path: str | None
) -> tuple[bytes | str, str]:
    """Return the content of a list, and a note of its origin."""
    only_one(csv_text=csv_text, url=url, path=path)
    if url:
        return await link.fetched(url, principal(ctx).user_id)
    if path:
        return await file_at(ctx, path, LARGEST_LIST), ""
    return csv_text or "", ""


async def incoming_image(ctx: Context[App], data: bytes | None, path: str | None) -> bytes:
    """Return the bytes of an image."""
    only_one(data=data, path=path)
    return await file_at(ctx, path, LARGEST_IMAGE) if path else data or b""


def only_one(**given: Any) -> None:
    names: Mapping[str, Any] = {name: value for name, value in given.items() if value is not None}
    if len(names) != 1:
        raise InvalidInput(f"{', '.join(given)}: give exactly one of them.")


async def file_at(ctx: Context[App], path: str, largest: int) -> bytes:
    """Return a file of this machine, which is that of the client over standard input and output."""
    app = ctx.request_context.lifespan_context
    if app.user_id is None:
        raise Forbidden("path: over HTTP, the server cannot read files of your machine. Pass the content.")
    # Imported on use: most servers read no files.
    from mcp_server.untrusted.folders import read_below

    return await anyio.to_thread.run_sync(read_below, path, app.files, largest)
