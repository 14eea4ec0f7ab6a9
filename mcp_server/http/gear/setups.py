"""The page of a setup: its weight by category, and its lines."""

from typing import NamedTuple

from psycopg import AsyncConnection
from starlette.responses import HTMLResponse, Response

from mcp_server.http.gear.rendering import HEADERS
from mcp_server.http.gear.visit import Visit
from mcp_server.models.item import ItemPage
from mcp_server.models.setup import SetupLine, SetupShown
from mcp_server.models.share import Share
from mcp_server.services import listing, setup, share
from mcp_server.web import chart
from mcp_server.web import share as web

MOST_LINES = 1000
# Names of items to complete in the form for a new line.
MOST_NAMES = 300


class Loaded(NamedTuple):
    setup: SetupShown
    items: ItemPage
    shares: list[Share]


async def setup_page(visit: Visit) -> Response:
    """Show a setup. A line can be edited in its place."""
    found = await visit.read(gather, visit.row_id("setup"))
    return await visit.page(
        "setup",
        setup=found.setup,
        units=found.setup.units,
        donut=chart.donut_of_setup(found.setup),
        names=unpacked(found),
        edited=line(found.setup, visit.asked("edit")),
        shares=found.shares,
        has_links=visit.pages.app.url is not None,
    )


async def download(visit: Visit) -> Response:
    """Send what a share would show, as one file."""
    prices = visit.asked("prices") != ""
    shown = await visit.read(share.show_own, visit.row_id("setup"), prices=prices)
    headers = {**HEADERS, "Content-Disposition": 'attachment; filename="setup.html"'}
    return HTMLResponse(web.page(shown, prices=prices), headers=headers)


async def gather(conn: AsyncConnection, setup_id: int) -> Loaded:
    return Loaded(
        await setup.get(conn, setup_id, limit=MOST_LINES),
        await listing.find(conn, fields=("image_id",), sort="name", limit=MOST_NAMES),
        [each for each in (await share.list_open(conn)).shares if each.setup_id == setup_id],
    )


def unpacked(found: Loaded) -> list[str]:
    """Return the names of items that are not in the setup."""
    packed = {each.item_id for each in found.setup.lines}
    return [each.name for each in found.items.items if each.id not in packed]


def line(shown: SetupShown, item_id: str) -> SetupLine | None:
    return next((each for each in shown.lines if str(each.item_id) == item_id), None)
