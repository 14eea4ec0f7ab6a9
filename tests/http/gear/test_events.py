"""The stream of events: a page hears of changes by its own user only."""

import asyncio

from starlette.requests import Request

from db.pool import Pool
from mcp_server.http.gear.authenticator import SignIn
from mcp_server.http.gear.events import changes
from mcp_server.http.gear.visit import Pages, Visit
from mcp_server.http.oauth.site import Site
from mcp_server.models.session import Person
from mcp_server.protocol.edge import App
from mcp_server.protocol.live import Notification
from mcp_server.server import build_server
from scripts.browser import Browser


async def test_a_page_hears_of_its_own_users_changes_until_the_person_signs_out(
    ada: Browser, site: Site, pool: Pool, user_id: int, other_user_id: int
) -> None:
    app = App(pool, None, logged_as="web")
    cookie = f"{site.cookie}={ada.http.cookies[site.cookie]}".encode()
    scope = {"type": "http", "method": "GET", "path": "/gear/events", "headers": [(b"cookie", cookie)]}
    pages = Pages(app, build_server(app), SignIn(site))
    stream = changes(Visit(pages, Request(scope), Person(id=user_id, username="ada")))
    assert (await anext(stream)).startswith("retry:")
    waiting = asyncio.create_task(anext(stream))
    await asyncio.sleep(0)
    app.live.deliver(Notification(user_id=other_user_id).model_dump_json())
    await asyncio.sleep(0.2)
    assert not waiting.done()
    app.live.deliver(Notification(user_id=user_id).model_dump_json())
    assert await asyncio.wait_for(waiting, 10) == "data: changed\n\n"
    account = await ada.open("/account")
    leaving = next(form for form in account.forms if form.action == "/sign-out")
    await ada.submit(leaving)
    app.live.deliver(Notification(user_id=user_id).model_dump_json())
    assert await asyncio.wait_for(anext(stream, "ended"), 10) == "ended"
    assert app.live.users() == set()
