"""Clients with a metadata document, which is fetched only from the public internet."""

import json
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from ipaddress import ip_address
from typing import Any

import pytest
import trustme

from mcp_server.http.oauth.site import Site
from mcp_server.models.oauth import is_document
from mcp_server.turns import Turns
from mcp_server.untrusted import fetch
from mcp_server.untrusted.fetch import Rules
from scripts.browser import BACK, Browser, Program, wish
from tests.http.oauth.conftest import signed_in
from tests.listener import Answer, Listener, listening, ok, redirect_to
from tests.untrusted.test_fetch import names


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@asynccontextmanager
async def published(
    site: Site, user_id: int, authority: trustme.CA, *answers: Answer, allowed: str = "127.0.0.1"
) -> AsyncGenerator[tuple[Listener, Browser]]:
    """A host that serves documents, and ada's browser at a site that may fetch from the *allowed* address."""
    inside, trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("client.test").configure_cert(inside)  # pyright: ignore[reportUnknownMemberType]
    authority.configure_trust(trusting)  # pyright: ignore[reportUnknownMemberType]
    async with listening(*answers, tls=inside) as listener:
        rules = Rules((listener.port,), ip_address(allowed).__eq__, names(client="127.0.0.1"), trusting)
        async with signed_in(Site(site.url, site.pool, rules), user_id) as browser:
            yield listener, browser


def about(listener: Listener) -> str:
    return f"https://client.test:{listener.port}/about.json"


def publish(listener: Listener, **changes: Any) -> None:
    """Serve a document that is valid except for the *changes*."""
    metadata = {"client_id": about(listener), "client_name": "Claude", "redirect_uris": [BACK], **changes}
    listener.answers = [ok(json.dumps(metadata).encode())]


async def test_a_document_replaces_a_registration(site: Site, user_id: int, authority: trustme.CA) -> None:
    async with published(site, user_id, authority) as (listener, ada):
        publish(listener, redirect_uris=["claude://callback", BACK])
        page = await ada.allow(wish(about(listener)))
        tokens = await Program(ada.http, about(listener)).redeem(page.answer["code"])
    assert tokens.json()["scope"] == "read write"
    assert b"Accept: application/json" in listener.requests[0]
    # Fetched once, for the consent page; the decision applies to what was shown.
    assert listener.connections == 1


async def test_a_document_is_fetched_for_each_consent_page(
    site: Site, user_id: int, authority: trustme.CA
) -> None:
    async with published(site, user_id, authority) as (listener, ada):
        publish(listener)
        assert "Claude" in (await ada.ask(wish(about(listener)))).words
        publish(listener, client_name="Claudia", redirect_uris=["https://new.example/"])
        assert (await ada.ask(wish(about(listener)))).response.status_code == 400
        page = await ada.ask(wish(about(listener), redirect_uri="https://new.example/"))
    assert "Claudia" in page.words
    assert f"Published by client.test:{listener.port}" in page.words


BAD_DOCUMENTS: list[tuple[str, dict[str, Any]]] = [
    ("it is about another client", {"client_id": "https://client.test/other.json"}),
    ("it has no client_id", {"client_id": None}),
    ("it has no redirect_uris", {"redirect_uris": []}),
    ("it has none that is allowed", {"redirect_uris": ["javascript:alert(1)", "claude:callback"]}),
    ("it has another one", {"redirect_uris": ["https://evil.example/callback"]}),
    ("it holds a secret", {"client_secret": "x"}),
    ("it wants a secret", {"token_endpoint_auth_method": "client_secret_basic"}),
    ("it wants to sign", {"token_endpoint_auth_method": "private_key_jwt"}),
    ("its name is too long", {"client_name": "x" * 201}),
]


async def test_a_document_is_refused_when(
    site: Site, user_id: int, authority: trustme.CA, subtests: pytest.Subtests
) -> None:
    for violates, changes in BAD_DOCUMENTS:
        with subtests.test(violates):
            async with published(site, user_id, authority) as (listener, ada):
                publish(listener, **changes)
                page = await ada.ask(wish(about(listener)))
            assert (page.response.status_code, page.leads_to, page.forms) == (400, "", [])


NO_CLIENTS: list[tuple[str, Answer]] = [
    ("it is not there", b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
    ("it is elsewhere", redirect_to("/elsewhere.json")),
    ("it is not JSON", ok(b"<html>")),
    ("it is not an object", ok(b"[]")),
    ("it is too big", ok(b" " * 20_000)),
]


async def test_an_address_is_not_a_client_when(
    site: Site, user_id: int, authority: trustme.CA, subtests: pytest.Subtests
) -> None:
    for violates, answer in NO_CLIENTS:
        with subtests.test(violates):
            async with published(site, user_id, authority, answer) as (listener, ada):
                page = await ada.ask(wish(about(listener)))
            assert (page.response.status_code, page.forms, listener.connections) == (400, [], 1)


async def test_a_document_inside_our_network_is_not_fetched(
    site: Site, user_id: int, authority: trustme.CA
) -> None:
    async with published(site, user_id, authority, allowed="127.0.0.2") as (listener, ada):
        publish(listener)
        page = await ada.ask(wish(about(listener)))
    assert (page.response.status_code, listener.connections) == (400, 0)


async def test_a_document_is_fetched_in_a_turn_of_the_signed_in_person(
    site: Site, user_id: int, authority: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here, a person has no turns. The page says so, and does not blame the client's document."""
    monkeypatch.setattr(fetch, "FETCHES", Turns(0, 8, "fetches", patience=0.01))
    async with published(site, user_id, authority) as (listener, ada):
        publish(listener)
        page = await ada.ask(wish(about(listener)))
    assert (page.response.status_code, listener.connections) == (429, 0)
    assert "Too many fetches are in progress" in page.words


async def test_nothing_is_fetched_for_a_stranger(site: Site, user_id: int, authority: trustme.CA) -> None:
    async with published(site, user_id, authority) as (listener, ada):
        publish(listener)
        ada.http.cookies.clear()
        page = await ada.ask(wish(about(listener)))
    assert (page.forms[0].action, listener.connections) == ("/sign-in", 0)


NO_DOCUMENTS = """
    http://client.test/about.json https://client.test https://client.test/ https://client.test/?about
    https://client.test/../about.json https://client.test/./about.json https://client.test/about.json#x
    https://me@client.test/about.json ftp://client.test/about.json client.test/about.json
"""


@pytest.mark.parametrize("address", NO_DOCUMENTS.split())
def test_an_address_that_may_name_no_client_is_not_fetched(address: str) -> None:
    assert is_document("https://client.test/about.json")
    assert not is_document(address)
