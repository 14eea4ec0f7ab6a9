"""The pages in this process, and the browsers of two people who are signed in."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeAlias

import httpx2
import pytest
from mcp import Client
from starlette.applications import Starlette

from db.pool import Pool
from mcp_server.accounts import session
from mcp_server.http.gear.authenticator import SignIn
from mcp_server.http.gear.routes import gear_routes
from mcp_server.http.gear.visit import Pages
from mcp_server.http.oauth.routes import oauth_routes
from mcp_server.http.oauth.site import Site
from mcp_server.models.auth import Login
from mcp_server.protocol.edge import App
from mcp_server.server import build_server
from scripts.browser import Browser
from tests.http.oauth.conftest import HASH

Visiting: TypeAlias = Callable[..., AbstractAsyncContextManager[Browser]]


@pytest.fixture
async def site(pool: Pool, user_id: int, other_user_id: int) -> Site:
    async with pool.connection() as conn:
        await conn.execute("UPDATE users SET password_hash = %(hash)s", {"hash": HASH})
    return Site("https://gear.example", pool)


@pytest.fixture
def visiting(site: Site) -> Visiting:
    """Return a browser in which a user is signed in, or a stranger's."""

    @asynccontextmanager
    async def visit(
        user_id: int | None, *, read_only: bool = False, off: dict[str, str] | None = None
    ) -> AsyncGenerator[Browser]:
        app = App(site.pool, None, read_only=read_only, url=site.url, logged_as="web")
        pages = Pages(app, build_server(app, off or {}), SignIn(site), off=off or {})
        web = Starlette(routes=[*oauth_routes(site), *gear_routes(pages)])
        transport = httpx2.ASGITransport(web, client=("198.51.100.7", 50000))
        async with httpx2.AsyncClient(transport=transport, base_url=site.url) as http:
            http.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0"
            if user_id is not None:
                async with site.transaction() as conn:
                    visit = await session.begin(conn, Login(user_id=user_id, password_hash=HASH))
                assert visit
                http.cookies.set(site.cookie, visit)
            yield Browser(http)

    return visit


@pytest.fixture
async def ada(visiting: Visiting, user_id: int) -> AsyncGenerator[Browser]:
    async with visiting(user_id) as browser:
        yield browser


@pytest.fixture
async def eve(visiting: Visiting, other_user_id: int) -> AsyncGenerator[Browser]:
    async with visiting(other_user_id) as browser:
        yield browser


@pytest.fixture
async def agent(pool: Pool, user_id: int) -> AsyncGenerator[Client]:
    """A client of ada's server."""
    async with Client(build_server(App(pool, user_id)), mode="auto") as client:
        yield client
