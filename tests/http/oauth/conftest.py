"""A site with its own database, a signed-in person, and a registered client."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx2
import pytest
from argon2 import PasswordHasher
from starlette.applications import Starlette

from db.pool import Pool
from mcp_server.accounts import password, session
from mcp_server.http.oauth.routes import oauth_routes
from mcp_server.http.oauth.site import Site
from mcp_server.models.auth import Login
from scripts.browser import PASSWORD, Browser, Program, wish

# As cheap as the library allows.
HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)


@pytest.fixture(autouse=True)
def fast_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(password, "PAUSE", 0)
    monkeypatch.setattr(password, "DUMMY_HASH", HASH)


@pytest.fixture
async def site(pool: Pool, user_id: int, other_user_id: int) -> Site:
    async with pool.connection() as conn:
        await conn.execute("UPDATE users SET password_hash = %(hash)s", {"hash": HASH})
    return Site("https://gear.example", pool)


def web(site: Site, address: str = "198.51.100.7") -> httpx2.AsyncClient:
    """An HTTP client with a public address."""
    transport = httpx2.ASGITransport(Starlette(routes=oauth_routes(site)), client=(address, 50000))
    return httpx2.AsyncClient(transport=transport, base_url=site.url)


@pytest.fixture
async def stranger(site: Site) -> AsyncGenerator[Browser]:
    """A browser without a session."""
    async with web(site) as http:
        yield Browser(http)


@asynccontextmanager
async def signed_in(site: Site, user_id: int) -> AsyncGenerator[Browser]:
    """A browser with an existing session."""
    async with site.transaction() as conn:
        visit = await session.begin(conn, Login(user_id=user_id, password_hash=HASH))
    assert visit
    http = web(site) if site.secure else httpx2.AsyncClient(base_url=site.url)
    async with http:
        http.cookies.set(site.cookie, visit)
        yield Browser(http)


@pytest.fixture
async def ada(site: Site, user_id: int) -> AsyncGenerator[Browser]:
    """A browser with a session of ada."""
    async with signed_in(site, user_id) as browser:
        yield browser


@pytest.fixture
async def eve(site: Site, other_user_id: int) -> AsyncGenerator[Browser]:
    async with signed_in(site, other_user_id) as browser:
        yield browser


@pytest.fixture
async def program(site: Site) -> AsyncGenerator[Program]:
    """A registered client."""
    async with web(site) as http:
        program = Program(http)
        await program.register(client_name="Claude")
        yield program


@pytest.fixture
async def code(ada: Browser, program: Program) -> str:
    """A fresh code for reading and writing."""
    page = await ada.allow(wish(program.client_id))
    return page.answer["code"]


@pytest.fixture
async def tokens(program: Program, code: str) -> dict[str, str]:
    response = await program.redeem(code)
    return response.json()
