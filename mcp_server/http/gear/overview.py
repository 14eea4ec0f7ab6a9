"""The overview: counts, setups, threads, and what was done last."""

from typing import NamedTuple

from psycopg import AsyncConnection
from starlette.responses import Response

from mcp_server.http.gear.visit import Visit
from mcp_server.models.change import Change, ChangeFilter
from mcp_server.models.setup import SetupList
from mcp_server.models.thread import ThreadList
from mcp_server.models.totals import Totals
from mcp_server.services import history, setup, thread, totals
from mcp_server.web import chart

LATEST = 6
MOST_SETUPS, MOST_THREADS = 50, 50


class Overview(NamedTuple):
    totals: Totals
    setups: SetupList
    threads: ThreadList
    changes: list[Change]


async def overview(visit: Visit) -> Response:
    found = await visit.read(gather, visit.asked("setups"))
    is_new = not (found.totals.items or found.setups.total or found.threads.total or found.changes)
    if is_new:
        return await visit.page("welcome")
    return await visit.page(
        "overview",
        **found._asdict(),
        units=found.totals.units,
        bars=chart.bars_of_setups(found.setups.setups, found.setups.units),
        donut=chart.donut_of_collection(found.totals),
    )


async def gather(conn: AsyncConnection, cursor: str) -> Overview:
    return Overview(
        await totals.summarize(conn),
        await setup.list_all(conn, limit=MOST_SETUPS, cursor=cursor),
        await thread.list_all(conn, "active", limit=MOST_THREADS),
        (await history.find(conn, ChangeFilter(), limit=LATEST)).changes,
    )
