"""Live updates of the pages: a stream of server-sent events, one for each change of the person's gear."""

import asyncio
from collections.abc import AsyncGenerator

from starlette.responses import Response, StreamingResponse

from mcp_server.http.gear.rendering import HEADERS
from mcp_server.http.gear.visit import Visit
from mcp_server.protocol.live import SUMMARY, Subscriber

# Seconds between signs of life, and for which a stream lasts. Browsers open the next one.
BEAT, LONGEST = 25.0, 600.0
# Milliseconds until a browser connects again.
RETRY = 3000


async def events(visit: Visit) -> Response:
    """Stream changes to the page, until the person signs out."""
    # Raises Busy before the stream starts, if there are too many.
    with visit.pages.app.live.connection(visit.person.id):
        pass
    return StreamingResponse(changes(visit), headers=HEADERS, media_type="text/event-stream")


async def changes(visit: Visit) -> AsyncGenerator[str]:
    """Yield an event for each change. Changes in quick succession are one."""
    live, changed = visit.pages.app.live, asyncio.Event()
    subscriber = Subscriber(visit.person.id, {SUMMARY}, lambda _: changed.set())
    ends = asyncio.get_running_loop().time() + LONGEST
    with live.connection(visit.person.id):
        live.add(subscriber)
        try:
            yield f"retry: {RETRY}\n\n"
            while asyncio.get_running_loop().time() < ends:
                try:
                    async with asyncio.timeout(BEAT):
                        await changed.wait()
                except TimeoutError:
                    pass
                if await visit.pages.authenticator.visitor(visit.request) is None:
                    return
                yield "data: changed\n\n" if changed.is_set() else ": open\n\n"
                changed.clear()
        finally:
            live.remove(subscriber)
