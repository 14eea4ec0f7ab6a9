"""The client's address behind a proxy."""

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from mcp_server.http.address import address
from mcp_server.http.proxy import TrustedProxies
from tests.http.test_gate import web


async def answer(request: Request) -> PlainTextResponse:
    return PlainTextResponse(address(request))


@pytest.mark.parametrize(
    ("forwarded", "seen"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("203.0.113.9:1234", "203.0.113.9"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]:1234", "2001:db8::1"),
        ("nonsense, 203.0.113.9", "203.0.113.9"),
        ("203.0.113.9, 198.51.100.7", "203.0.113.9"),
        ("unknown", "198.51.100.7"),
        ("203.0.113.9, nonsense", "198.51.100.7"),
        ("203.0.113", "198.51.100.7"),
        ("localhost", "198.51.100.7"),
        ("", "198.51.100.7"),
    ],
)
async def test_only_an_address_is_believed(forwarded: str, seen: str) -> None:
    app = Starlette(routes=[Route("/", answer)])
    for networks, expected in ((["198.51.100.0/24"], seen), (["192.0.2.1"], "198.51.100.7")):
        async with web(TrustedProxies(app, networks)) as http:
            response = await http.get("/", headers={"X-Forwarded-For": forwarded})
            assert response.text == expected
