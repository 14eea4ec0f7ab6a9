"""The page of changes: what was done, by whom, and its undo."""

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlencode

from psycopg import AsyncConnection
from starlette.responses import Response

from mcp_server.http.gear.visit import Visit
from mcp_server.models.change import Change, ChangeFilter, ChangePage, ChangeShown
from mcp_server.services import history

ON_A_PAGE = 25
# Rows in the details of a change.
MOST_ROWS = 50


class Loaded(NamedTuple):
    page: ChangePage
    shown: ChangeShown | None


async def changes(visit: Visit) -> Response:
    """List changes, newest first: all, or those of a client or program. One can be shown in detail."""
    found = await visit.read(gather, visit)
    filters = {name: visit.asked(name) for name in ("client", "program")}
    older = found.page.next_cursor and urlencode(
        {**{name: value for name, value in filters.items() if value}, "cursor": found.page.next_cursor}
    )
    return await visit.page(
        "changes",
        changes=found.page.changes,
        shown=found.shown,
        filters=filters,
        authors=authors(found.page.changes),
        older=older,
    )


def authors(listed: Sequence[Change]) -> list[tuple[str, str]]:
    """Return the programs and clients of these changes, each with the filter that it is a value of."""
    named = [(kind, getattr(each, kind)) for each in listed for kind in ("program", "client")]
    return sorted({(kind, name) for kind, name in named if name})


async def gather(conn: AsyncConnection, visit: Visit) -> Loaded:
    which = ChangeFilter(client=visit.asked("client"), program=visit.asked("program"))
    page = await history.find(conn, which, limit=ON_A_PAGE, cursor=visit.asked("cursor"))
    show = visit.asked("show")
    is_listed = any(str(each.id) == show for each in page.changes)
    return Loaded(page, await history.get(conn, int(show), MOST_ROWS) if is_listed else None)
