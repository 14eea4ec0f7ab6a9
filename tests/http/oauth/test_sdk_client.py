"""The SDK's OAuth client, from discovery to revocation."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

import httpx2
import pytest
import uvicorn
from mcp import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import (
    AuthorizationCodeResult,
    OAuthClientInformationFull,
    OAuthClientMetadata,
    OAuthToken,
)
from pydantic import AnyUrl

from mcp_server.http.oauth.site import Site
from mcp_server.http.serve import build_app
from mcp_server.http.stop import Stop
from mcp_server.protocol.edge import App
from mcp_server.settings import load
from scripts.browser import Browser, Page, Program
from tests.http.oauth.conftest import signed_in

CALLBACK = "http://127.0.0.1:33418/callback"


@dataclass
class Storage:
    """What a client stores between two runs."""

    tokens: OAuthToken | None = None
    client: OAuthClientInformationFull | None = None

    @property
    def scope(self) -> str | None:
        return self.tokens and self.tokens.scope

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


@dataclass
class Person:
    """Grants every request, in a signed-in browser."""

    browser: Browser
    asked: list[str] = field(default_factory=list[str])
    page: Page | None = None

    async def open(self, url: str) -> None:
        self.asked.append(url)
        self.page = await self.browser.open(url)
        self.page = await self.browser.submit(
            self.page.forms[0], decision="write" if "write" in url else "read"
        )

    async def come_back(self) -> AuthorizationCodeResult:
        assert self.page
        assert self.page.leads_to.startswith(f"{CALLBACK}?")
        return AuthorizationCodeResult(**self.page.answer)


@pytest.fixture
async def whole(site: Site) -> AsyncGenerator[Site]:
    """The whole server on a local port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        app = build_app(App(site.pool, None), load({}), url, Stop())
        server = uvicorn.Server(uvicorn.Config(app, log_config=None))
        serving = asyncio.create_task(server.serve([listener]))
        yield Site(url, site.pool)
        server.should_exit = True
        await serving


@asynccontextmanager
async def connected(provider: OAuthClientProvider, era: Literal["legacy", "auto"]) -> AsyncGenerator[Client]:
    url = provider.context.server_url
    async with (
        httpx2.AsyncClient(auth=provider, timeout=10) as http,
        Client(streamable_http_client(url, http_client=http), mode=era) as client,
    ):
        yield client


async def tools_of(client: Client) -> set[str]:
    return {tool.name for tool in (await client.list_tools()).tools}


async def test_the_sdks_client_signs_in_steps_up_refreshes_and_is_revoked(
    whole: Site, user_id: int, era: Literal["legacy", "auto"]
) -> None:
    async with signed_in(whole, user_id) as browser:
        person, storage = Person(browser), Storage()
        provider = OAuthClientProvider(
            f"{whole.url}/mcp",
            OAuthClientMetadata(client_name="SDK", redirect_uris=[AnyUrl(CALLBACK)]),
            storage,
            person.open,
            person.come_back,
        )
        async with connected(provider, era) as client:
            assert "create_item" in await tools_of(client)
            assert storage.scope == "read"
            assert len(person.asked) == 1

            # A tool that writes: the client asks the person again, for both scopes.
            result = await client.call_tool("create_item", {"name": "Tent"})
            assert not result.is_error
            assert storage.scope == "read write"
            assert len(person.asked) == 2

            # The token expires: the client refreshes it without asking the person.
            before = storage.tokens
            provider.context.token_expiry_time = 1
            result = await client.call_tool("list_items", {})
            assert "Tent" in str(result.content)
            assert storage.tokens != before
            assert len(person.asked) == 2

            # It is revoked: the client has to ask the person again.
            assert storage.tokens
            assert storage.client
            await Program(browser.http, storage.client.client_id).post(
                "/revoke", token=storage.tokens.access_token
            )
            await client.list_tools()
            await client.call_tool("list_items", {})
            assert len(person.asked) == 3
