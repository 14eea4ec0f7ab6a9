"""The page of a thread: its candidates side by side, and their effect on setups."""

from collections.abc import Sequence
from typing import NamedTuple

from psycopg import AsyncConnection
from starlette.responses import Response

from mcp_server.http.gear.visit import Visit
from mcp_server.models.candidate import Preview, SetupPreview
from mcp_server.models.thread import ThreadShown
from mcp_server.services import preview, thread
from mcp_server.web import chart

# Candidates side by side, and setups in the table of effects.
MOST_CANDIDATES, MOST_SETUPS = 12, 20


class Effect(NamedTuple):
    """A setup, and what becomes of it with each of the candidates."""

    setup_id: int
    name: str
    by_candidate: Sequence[SetupPreview | None]


class Loaded(NamedTuple):
    thread: ThreadShown
    previews: list[Preview]


async def thread_page(visit: Visit) -> Response:
    """Compare the candidates of a thread."""
    found = await visit.read(gather, visit.row_id("thread"), visit.asked("cursor"))
    return await visit.page(
        "thread",
        thread=found.thread,
        units=found.thread.units,
        effects=effects(found.previews),
        weights=chart.bars_of_thread(found.thread)._replace(title="Weight each"),
        prices=chart.bars_of_thread(found.thread, "price")._replace(title="Price each"),
    )


async def gather(conn: AsyncConnection, thread_id: int, cursor: str) -> Loaded:
    shown = await thread.get(conn, thread_id, limit=MOST_CANDIDATES, cursor=cursor)
    is_open = shown.status != "resolved" and shown.replaces is not None
    previews = [
        await preview.preview(conn, each.id, None, MOST_SETUPS)
        for each in (shown.candidates if is_open else ())
    ]
    return Loaded(shown, previews)


def effects(previews: Sequence[Preview]) -> list[Effect]:
    """Return a row for each setup."""
    if not previews:
        return []
    by_setup = [{each.setup_id: each for each in one.setups} for one in previews]
    return [
        Effect(first.setup_id, first.name, [setups.get(first.setup_id) for setups in by_setup])
        for first in previews[0].setups
    ]
