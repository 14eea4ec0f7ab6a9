"""The page that lists a person's own writes."""

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from db.pool import transaction
from mcp_server.http.oauth.pages import page, sign_in_page, visitor, with_error_page
from mcp_server.http.oauth.site import Site, fields
from mcp_server.models.change import ChangeFilter
from mcp_server.services import history

ON_A_PAGE = 20


@with_error_page
async def writes(site: Site, request: Request) -> Response:
    """List the newest writes, a page at a time: all, or those of one key and of one program."""
    person = await visitor(site, request)
    if person is None:
        return sign_in_page(site, request)
    asked = fields(request.url.query.encode())
    which = ChangeFilter(client=asked.get("client", ""), program=asked.get("program", ""))
    async with transaction(site.pool, person.id, read_only=True) as conn:
        found = await history.find(conn, which, limit=ON_A_PAGE, cursor=asked.get("cursor", ""))
    filters = {"client": which.client, "program": which.program}
    older = found.next_cursor and urlencode({**filters, "cursor": found.next_cursor})
    return page("writes", changes=found.changes, older=older, first="cursor" not in asked, filters=filters)
