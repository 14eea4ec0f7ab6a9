"""Images of items and candidates, as thumbnails."""

from starlette.responses import Response

from mcp_server.http.gear.rendering import SAFE
from mcp_server.http.gear.visit import Visit
from mcp_server.services import image as stored

# An image never changes: another one has another id.
LASTING = "private, max-age=31536000, immutable"
NOTHING = "default-src 'none'; frame-ancestors 'none'"


async def image(visit: Visit) -> Response:
    """Return a thumbnail, or with `full` the whole image."""
    found = await visit.read(stored.get, visit.row_id("image"))
    shown = await stored.shown(found, full=bool(visit.asked("full")), user_id=visit.person.id)
    headers = {**SAFE, "Cache-Control": LASTING, "Content-Security-Policy": NOTHING}
    return Response(shown.data, headers=headers, media_type=shown.mime_type)
